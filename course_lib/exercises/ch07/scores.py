"""07.precision_recall and 07.density_coverage: four shares from the same balls."""

from __future__ import annotations

import torch

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def _cloud(count: int, dim: int, seed: int, scale: float = 1.0, shift: float = 0.0) -> torch.Tensor:
    return scale * torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def _pair(found, names: str) -> tuple[float, float]:
    require(
        isinstance(found, tuple | list) and len(found) == 2,
        f"Expected two numbers, {names}; got {type(found).__name__}.",
    )
    for each in found:
        require(
            isinstance(each, int | float) or (isinstance(each, torch.Tensor) and each.ndim == 0),
            f"Expected two numbers, {names}; one of yours is {type(each).__name__}.",
        )
    return float(found[0]), float(found[1])


def _table(one, other):
    return torch.cdist(one.double(), other.double(), compute_mode="donot_use_mm_for_euclid_dist")


def _radii(points, k):
    return _table(points, points).sort(dim=1).values[:, k]


def _share(points, centres, radii) -> float:
    return (_table(points, centres) <= radii).any(1).double().mean().item()


# ---------------------------------------------------------------- precision and recall

PR = "precision, then recall"


def _two_towns(copies: int = 1):
    """Reals in two towns of 10 points, 100 apart; fakes in the first only."""
    town = torch.arange(10.0)[:, None]
    return torch.cat([town, town + 100]), torch.cat([town + 0.25] * copies)


def _a_town_missing(answer):
    real, fake = _two_towns()
    found = _pair(answer(real=real, fake=fake, k=3), PR)
    require(
        found == (1.0, 0.5),
        f"Real points in two towns, fakes in one of them only: every fake is right (precision 1), half of the data are never reached (recall ½); yours: {found[0]:.3f} and {found[1]:.3f}.",
    )


def _strays(answer):
    real, _ = _two_towns()
    fake = torch.cat([real + 0.25, torch.arange(5.0)[:, None] * 30 - 500])
    found = _pair(answer(real=real, fake=fake, k=3), PR)
    require(
        abs(found[0] - 0.8) < 1e-6 and found[1] == 1.0,
        f"20 fakes beside the data and 5 strays: precision 20/25 = 0.8, recall 1; yours: {found[0]:.3f} and {found[1]:.3f}.",
    )


def _swapping(answer):
    one, other = _cloud(60, 3, 1), _cloud(50, 3, 2, scale=0.6)
    there, back = _pair(answer(real=one, fake=other, k=3), PR), _pair(answer(real=other, fake=one, k=3), PR)
    require(
        there == back[::-1],
        f"Exchanging real and fake exchanges precision and recall. Yours: {there[0]:.3f}, {there[1]:.3f} one way and {back[0]:.3f}, {back[1]:.3f} the other.",
    )


def _by_definition(answer):
    real, fake = _cloud(80, 4, 3), _cloud(60, 4, 4, scale=1.4, shift=0.3)
    for k in (1, 3, 8):
        want = _share(fake, real, _radii(real, k)), _share(real, fake, _radii(fake, k))
        found = _pair(answer(real=real, fake=fake, k=k), PR)
        require(
            max(abs(a - b) for a, b in zip(found, want)) < 1e-6,
            f"80 real and 60 generated points, k = {k}: {want[0]:.3f} and {want[1]:.3f}; yours {found[0]:.3f} and {found[1]:.3f}.",
        )


def _default(answer):
    real, fake = _cloud(40, 3, 5), _cloud(40, 3, 6, shift=0.5)
    require(
        _pair(answer(real=real, fake=fake), PR) == _pair(answer(real=real, fake=fake, k=3), PR),
        "Without a k it should be the paper's, 3.",
    )


def _ties(answer):
    real = torch.arange(6.0)[:, None]
    found = _pair(answer(real=real, fake=torch.tensor([[-1.0], [6.0], [-1.0], [6.0]]), k=1), PR)
    require(
        found[0] == 1.0,
        f"Real points 0 … 5, k = 1: every radius is 1. Fakes at −1 and 6 are exactly 1 away, and d ≤ r counts them: precision 1; yours {found[0]:.3f}.",
    )


def _pr_behaviour(answer) -> list:
    real, fake = _cloud(60, 3, 7), _cloud(45, 3, 8, scale=0.7, shift=0.4)
    return [
        *answer(real=real, fake=fake, k=3),
        *answer(real=torch.arange(6.0)[:, None], fake=torch.tensor([[-1.0], [6.0], [9.0], [20.0]]), k=1),
    ]


def _pr_loop(*, real, fake, k=3):
    shares = []
    for points, centres in ((fake, real), (real, fake)):
        widths = torch.stack([(centres - c).norm(dim=1).sort().values[k] for c in centres])
        inside = [bool(((centres - p).norm(dim=1) <= widths).any()) for p in points]
        shares.append(sum(inside) / len(inside))
    return tuple(shares)


def _pr_with_numpy(*, real, fake, k=3):
    def share(points, centres):
        radii = torch.cdist(centres, centres, compute_mode="donot_use_mm_for_euclid_dist").topk(k + 1, largest=False)
        table = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist").numpy()
        return float((table <= radii.values[:, -1].numpy()).any(1).mean())

    return share(fake, real), share(real, fake)


def _recall_as_coverage(real, fake, k):
    return (_table(real, fake).amin(1) <= _radii(real, k)).double().mean().item()


precision_and_recall = Exercise(
    id="07.precision_recall",
    reference=metrics.precision_recall,
    difficulty=2,
    minutes=10,
    properties=[
        Property("a town left out lowers recall alone", _a_town_missing),
        Property("strays lower precision alone", _strays),
        Property("exchanging real and fake exchanges the two", _swapping),
        Property("as defined, for three values of k and unequal numbers of points", _by_definition),
        Property("the edge of a ball counts: d ≤ r", _ties),
        Property("k = 3 unless told otherwise", _default),
    ],
    behaviour=_pr_behaviour,
    tolerance=(1e-6, 1e-6),
    other_forms=[_pr_with_numpy, _pr_loop],
    wrong_answers={
        "swapped": WrongAnswer(
            lambda *, real, fake, k=3: (_share(real, fake, _radii(fake, k)), _share(fake, real, _radii(real, k))),
            "The two are exchanged. Precision asks of each *fake* whether it lies among the real; recall asks of each *real* point whether it lies among the fakes.",
        ),
        "counts itself": WrongAnswer(
            lambda *, real, fake, k=3: (
                _share(fake, real, _radii(real, k - 1)),
                _share(real, fake, _radii(fake, k - 1)),
            ),
            "It behaves like k − 1: a centre was counted as its own first neighbour. Excluding it is what the paper says; k = 1 would give radii of 0.",
        ),
        "strict": WrongAnswer(
            lambda *, real, fake, k=3: (
                (_table(fake, real) < _radii(real, k)).any(1).double().mean().item(),
                (_table(real, fake) < _radii(fake, k)).any(1).double().mean().item(),
            ),
            "It behaves like d < r, prdc's rule. With continuous features the two agree; with copies or whole numbers they do not.",
        ),
        "real balls for both": WrongAnswer(
            lambda *, real, fake, k=3: (_share(fake, real, _radii(real, k)), _recall_as_coverage(real, fake, k)),
            "Its second number asks whether a real point's *own* ball holds a fake. That is coverage (the next exercise), with the other rule at the edge; recall uses balls around the fakes.",
        ),
        "one number twice": WrongAnswer(
            lambda *, real, fake, k=3: (_share(fake, real, _radii(real, k)),) * 2,
            "Both numbers are the precision. Recall has its own balls (around the fakes) and its own points (the real ones).",
        ),
        "radii of the other set": WrongAnswer(
            lambda *, real, fake, k=3: tuple(
                (_table(p, c) <= _table(c, p).sort(dim=1).values[:, k - 1]).any(1).double().mean().item()
                for p, c in ((fake, real), (real, fake))
            ),
            "The radii behave like distances from a centre to the k-th point of the *other* set. Then k points lie inside every ball by construction, and the score says nothing: a ball's radius comes from its own set.",
        ),
        "nearest centre only": WrongAnswer(
            lambda *, real, fake, k=3: tuple(
                (_table(p, c).amin(1) <= _radii(c, k)[_table(p, c).argmin(1)]).double().mean().item()
                for p, c in ((fake, real), (real, fake))
            ),
            "It asks the nearest centre alone; a farther one with a wider ball may hold the point.",
        ),
        "balls around both": WrongAnswer(
            lambda *, real, fake, k=3: (
                _share(fake, real, _radii(torch.cat([real, fake]), k)[: len(real)]),
                _share(real, fake, _radii(torch.cat([real, fake]), k)[len(real) :]),
            ),
            "Neighbours were looked for in real and fake points together, so fakes shrink the balls that judge them.",
        ),
        "percent": WrongAnswer(
            lambda *, real, fake, k=3: (
                100 * _share(fake, real, _radii(real, k)),
                100 * _share(real, fake, _radii(fake, k)),
            ),
            "It behaves like percentages. Here shares run from 0 to 1.",
        ),
    },
    hints=[
        "Precision: radii of the real points, then the share of *fakes* in their balls.",
        "Recall is the same line with real and fake exchanged. The two functions that you wrote above do all the work.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- density and coverage

DC = "density, then coverage"


def _prdc(real, fake, k):
    inside = _table(real, fake) < _radii(real, k)[:, None]
    return inside.double().sum().item() / (k * len(fake)), inside.any(1).double().mean().item()


def _town_covered(answer):
    real, fake = _two_towns()
    found = _pair(answer(real=real, fake=fake, k=3), DC)
    require(
        found[1] == 0.5,
        f"Fakes in one of two towns: half of the real points have a fake in their ball, coverage ½; yours {found[1]:.3f}.",
    )


def _dc_by_definition(answer):
    real, fake = _cloud(70, 4, 11), _cloud(50, 4, 12, scale=1.3, shift=0.3)
    for k in (1, 5, 9):
        want, found = _prdc(real, fake, k), _pair(answer(real=real, fake=fake, k=k), DC)
        require(
            abs(found[0] - want[0]) < 1e-6,
            f"Density at k = {k}, 70 real and 50 generated points: {want[0]:.4f}; yours {found[0]:.4f}. Count pairs (fake, real ball that holds it), then divide by k and by the number of *fakes*.",
        )
        require(
            abs(found[1] - want[1]) < 1e-6,
            f"Coverage at k = {k}, 70 real and 50 generated points: {want[1]:.4f}; yours {found[1]:.4f}. Count the *real* points whose own ball holds a fake.",
        )


def _above_one(answer):
    real = torch.cat([torch.arange(10.0)[:, None], torch.arange(10.0)[:, None] + 100])
    found = _pair(answer(real=real, fake=torch.full((7, 1), 4.5), k=3), DC)
    want = _prdc(real, torch.full((7, 1), 4.5), 3)
    require(
        abs(found[0] - want[0]) < 1e-6 and found[0] > 1,
        f"Seven fakes where the balls of one town overlap most lie in {3 * want[0]:.0f} balls each: density {want[0]:.3f}, above 1, and not to be cut off; yours {found[0]:.3f}.",
    )


def _copies_change_nothing(answer):
    real, fake = _two_towns()
    _, twice = _two_towns(copies=2)
    once, again = _pair(answer(real=real, fake=fake, k=3), DC), _pair(answer(real=real, fake=twice, k=3), DC)
    require(
        max(abs(a - b) for a, b in zip(once, again)) < 1e-6,
        f"Giving every fake twice changes neither: {once[0]:.3f}, {once[1]:.3f} became {again[0]:.3f}, {again[1]:.3f}. The balls stand around the real points only.",
    )


def _strictly(answer):
    found = _pair(answer(real=torch.arange(8.0)[:, None], fake=torch.tensor([[-1.0], [8.0]]), k=1), DC)
    require(
        found == (0.0, 0.0),
        f"Fakes exactly on the edge (radius 1, distance 1) do not count here: the rule of Naeem et al. and prdc is d < r, so density and coverage are 0; yours {found[0]:.3f} and {found[1]:.3f}.",
    )


def _dc_default(answer):
    real, fake = _cloud(40, 3, 15), _cloud(40, 3, 16, shift=0.5)
    require(
        _pair(answer(real=real, fake=fake), DC) == _pair(answer(real=real, fake=fake, k=5), DC),
        "Without a k it should be 5, as in the paper.",
    )


def _dc_behaviour(answer) -> list:
    real, fake = _cloud(60, 3, 17), _cloud(45, 3, 18, scale=0.5, shift=0.2)
    return [
        *answer(real=real, fake=fake, k=5),
        *answer(real=torch.arange(8.0)[:, None], fake=torch.tensor([[-1.0], [8.0], [3.2]]), k=1),
    ]


def _dc_columns(*, real, fake, k=5):
    counts = (_table(fake, real) < _radii(real, k)).double()
    return (counts.sum(1) / k).mean().item(), (counts.sum(0) > 0).double().mean().item()


def _dc_nearest(*, real, fake, k=5):
    radii, table = _radii(real, k), _table(real, fake)
    density = sum(int((column < radii).sum()) for column in table.T) / k / len(fake)
    return density, (table.amin(1) < radii).double().mean().item()


coverage = Exercise(
    id="07.density_coverage",
    reference=metrics.density_coverage,
    difficulty=2,
    minutes=10,
    properties=[
        Property("a town left out halves coverage", _town_covered),
        Property("as defined, for three values of k and unequal numbers of points", _dc_by_definition),
        Property("density may exceed 1", _above_one),
        Property("copies of the fakes change neither", _copies_change_nothing),
        Property("the edge of a ball does not count: d < r", _strictly),
        Property("k = 5 unless told otherwise", _dc_default),
    ],
    behaviour=_dc_behaviour,
    tolerance=(1e-6, 1e-6),
    other_forms=[_dc_columns, _dc_nearest],
    wrong_answers={
        "precision and recall": WrongAnswer(
            lambda *, real, fake, k=5: (_share(fake, real, _radii(real, k)), _share(real, fake, _radii(fake, k))),
            "It behaves like precision and recall at this k. Density *counts* the real balls around a fake instead of asking for one; coverage keeps the balls around the real points.",
        ),
        "swapped": WrongAnswer(
            lambda *, real, fake, k=5: _prdc(real, fake, k)[::-1],
            "The two numbers are exchanged: density first, coverage second.",
        ),
        "real and fake exchanged": WrongAnswer(
            lambda *, real, fake, k=5: _prdc(fake, real, k),
            "The balls stand around the fakes. Both measures use balls around the *real* points, which do not change when the generator does.",
        ),
        "counts itself": WrongAnswer(
            lambda *, real, fake, k=5: tuple(
                f((_table(real, fake) < _radii(real, k - 1)[:, None]).double())
                for f in (lambda t: t.sum().item() / (k * len(fake)), lambda t: t.any(1).double().mean().item())
            ),
            "It behaves like radii of k − 1: a real point was counted as its own first neighbour.",
        ),
        "edge included": WrongAnswer(
            lambda *, real, fake, k=5: tuple(
                f((_table(real, fake) <= _radii(real, k)[:, None]).double())
                for f in (lambda t: t.sum().item() / (k * len(fake)), lambda t: t.any(1).double().mean().item())
            ),
            "It behaves like d ≤ r, precision's rule. Density and coverage were defined with d < r.",
        ),
        "divided by the reals": WrongAnswer(
            lambda *, real, fake, k=5: (_prdc(real, fake, k)[0] * len(fake) / len(real), _prdc(real, fake, k)[1]),
            "Its density is divided by the number of real points. It is a mean over the *fakes*: how many balls hold one of them, over k.",
        ),
        "mean of the table": WrongAnswer(
            lambda *, real, fake, k=5: (_prdc(real, fake, k)[0] / len(real), _prdc(real, fake, k)[1]),
            "Its density is the mean of the whole table over k, so it is divided by the number of real points as well. Add up over the balls, average over the fakes.",
        ),
        "not divided by k": WrongAnswer(
            lambda *, real, fake, k=5: (_prdc(real, fake, k)[0] * k, _prdc(real, fake, k)[1]),
            "Its density lacks 1/k. A real point lies in about k balls of its own set, so dividing by k makes 1 the value for good samples.",
        ),
        "cut off at 1": WrongAnswer(
            lambda *, real, fake, k=5: (min(1.0, _prdc(real, fake, k)[0]), _prdc(real, fake, k)[1]),
            "Its density is cut off at 1. Values above 1 are a finding: the samples crowd where the data are densest.",
        ),
        "coverage of the fakes": WrongAnswer(
            lambda *, real, fake, k=5: (
                _prdc(real, fake, k)[0],
                (_table(real, fake) < _radii(real, k)[:, None]).any(0).double().mean().item(),
            ),
            "Its coverage is the share of *fakes* inside some ball: precision. Coverage is the share of *real* points whose ball holds a fake.",
        ),
    },
    hints=[
        "Make the table of distances, (real, fake), and compare each row with that real point's radius: a table of booleans.",
        "Density: the sum of the table over k and over the number of fakes. Coverage: the share of rows with any True.",
    ],
)  # fmt: skip
