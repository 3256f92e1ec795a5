"""06.hype_infinity: the share of wrong answers, and how far other people would move it."""

from __future__ import annotations

import torch

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def _three(found) -> tuple[float, float, float]:
    require(
        isinstance(found, (tuple, list)) and len(found) == 3,
        f"Expected three numbers, share, low and high, got {found!r}.",
    )
    share, low, high = (float(each) for each in found)
    return share, low, high


def _people(rows: int, answers: int, seed: int, spread: float = 0.46) -> torch.Tensor:
    """Wrong answers of people whose error rates lie evenly between 0.25 − spread/2 and 0.25 + spread/2."""
    draw = torch.Generator().manual_seed(seed)
    rates = 0.25 + spread * (torch.rand(rows, 1, generator=draw) - 0.5)
    return torch.rand(rows, answers, generator=draw) < rates


def _share(answer):
    wrong = torch.zeros(4, 10, dtype=torch.bool)
    wrong[0, :7] = wrong[1, 0] = True
    share, low, high = _three(answer(wrong.clone()))
    require(
        abs(share - 0.2) < 1e-6,
        f"8 of 40 answers are wrong: a share of 0.2; yours {share:.3f}. The share of wrong ones is asked for, from 0 to 1.",
    )
    require(low <= share <= high, f"low ≤ share ≤ high; yours are {low:.3f}, {share:.3f}, {high:.3f}.")


def _sure(answer):
    share, low, high = _three(answer(torch.zeros(5, 8, dtype=torch.bool)))
    require(share == low == high == 0, f"Nobody is ever wrong: 0, 0, 0; yours {share}, {low}, {high}.")
    share, low, high = _three(answer(torch.ones(5, 8, dtype=torch.bool)))
    require(
        share == low == high == 1,
        f"Everybody is always wrong (hyper-realism): 1, 1, 1, and nothing is cut off at ½; yours {share}, {low}, {high}.",
    )


def _width(answer):
    wrong = _people(40, 50, 0)
    by_person = wrong.double().mean(1)
    want = 2 * 1.96 * by_person.std().item() / 40**0.5
    _, low, high = _three(answer(wrong.clone(), 2000))
    require(
        0.85 < (high - low) / want < 1.15,
        f"40 people with 50 answers each, whose error rates differ: a 95 % interval over other people is about {want:.3f} wide; yours is {high - low:.3f}.",
    )


def _columns(answer):
    wrong = _people(100, 1, 1)
    p = wrong.double().mean().item()
    want = 2 * 1.96 * (p * (1 - p) / 100) ** 0.5
    _, low, high = _three(answer(wrong.clone(), 2000))
    require(
        0.85 < (high - low) / want < 1.15,
        f"With one answer in each of 100 rows the interval is about {want:.3f} wide; yours {high - low:.3f}.",
    )


def _covers(answer):
    held, draws = 0, 120
    for seed in range(draws):
        _, low, high = _three(answer(_people(30, 20, 100 + seed), 200))
        held += low <= 0.25 <= high
    require(
        0.86 * draws <= held,
        f"Of {draws} intervals at 95 %, each for other people, about {0.95 * draws:.0f} should hold the true share; yours hold it {held} times.",
    )


def _level(answer):
    wrong = _people(40, 50, 2)
    _, low, high = _three(answer(wrong.clone(), 2000, 0.95))
    _, inner_low, inner_high = _three(answer(wrong.clone(), 2000, 0.5))
    ratio = (high - low) / max(inner_high - inner_low, 1e-12)
    require(
        2.3 < ratio < 3.6,
        f"A 95 % interval is about 2.9 times as wide as one at 50 %; yours is {ratio:.2f} times as wide. `level` is the share in the middle.",
    )


def _lopsided_people() -> torch.Tensor:
    """Twelve people with 20 answers each: eleven are wrong twice, one always."""
    wrong = torch.zeros(12, 20, dtype=torch.bool)
    wrong[:, :2] = wrong[0] = True
    return wrong


def _lopsided(answer):
    for people, where in ((_lopsided_people(), "first"), (_lopsided_people().flip(0), "last")):
        share, low, high = _three(answer(people, 4000))
        require(
            abs(low - 0.1) < 0.01 and abs(high - 0.325) < 0.03,
            f"Eleven people are wrong in 2 of 20 answers, one, in the {where} row, always: a share of 0.175. Other twelve like them may have nobody like him, and then "
            f"the share is 0.1, never less; or three of him, 0.325. Yours goes from {low:.3f} to {high:.3f}.",
        )


def _repeatable(answer):
    wrong = _people(20, 10, 3)
    one, other = (_three(answer(wrong.clone(), 300, 0.95, torch.Generator().manual_seed(5))) for _ in range(2))
    require(one == other, f"The same generator should give the same interval; yours {one[1:]} and then {other[1:]}.")
    _, low, high = _three(answer(wrong.clone(), 1))
    require(
        low == high,
        f"With draws = 1 there is one share and both ends are at it; yours go from {low:.3f} to {high:.3f}.",
    )


def _behaviour(answer) -> list:
    wrong = _people(40, 50, 4)
    wrong[:, 40:] = True  # a fifth of the images fools everybody: images differ more than people
    seen = [*answer(wrong.clone(), 2000, 0.95, torch.Generator().manual_seed(1))]
    seen += [*answer(wrong.clone(), 2000, 0.5, torch.Generator().manual_seed(1))]
    seen += [*answer(torch.ones(6, 4, dtype=torch.bool), 100, 0.95, torch.Generator().manual_seed(1))]
    seen += [*answer(_lopsided_people(), 4000, 0.95, torch.Generator().manual_seed(1))]
    return [torch.as_tensor(float(each)) for each in seen]


def _interval(means: torch.Tensor, level: float) -> tuple[float, float]:
    ends = means.double().quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))
    return ends[0].item(), ends[1].item()


def _loop(wrong, draws=1000, level=0.95, generator=None):
    rows, means = wrong.double(), []
    for _ in range(draws):
        means.append(rows[torch.randint(len(rows), (len(rows),), generator=generator)].mean())
    return (rows.mean().item(), *_interval(torch.stack(means), level))


def _by_counts(wrong, draws=1000, level=0.95, generator=None):
    each = wrong.double().mean(1)
    times = torch.multinomial(torch.ones(draws, len(each)), len(each), replacement=True, generator=generator)
    weights = torch.zeros(draws, len(each), dtype=torch.float64).scatter_add_(
        1, times, torch.ones(1, dtype=torch.float64).expand(draws, len(each))
    )
    means = (weights @ each / len(each)).sort().values
    low, high = (torch.quantile(means, q).item() for q in ((1 - level) / 2, (1 + level) / 2))
    return each.mean().item(), low, high


def _answers_redrawn(wrong, draws=1000, level=0.95, generator=None):
    flat = wrong.double().flatten()
    means = torch.stack(
        [flat[torch.randint(len(flat), (len(flat),), generator=generator)].mean() for _ in range(min(draws, 400))]
    )
    return (flat.mean().item(), *_interval(means, level))


def _right_share(wrong, draws=1000, level=0.95, generator=None):
    return tuple(metrics.hype_infinity(~wrong, draws, level, generator))


def _columns_redrawn(wrong, draws=1000, level=0.95, generator=None):
    return tuple(metrics.hype_infinity(wrong.T.contiguous(), draws, level, generator))


def _without_replacement(wrong, draws=1000, level=0.95, generator=None):
    each = wrong.double().mean(1)
    means = torch.stack([each[torch.randperm(len(each), generator=generator)].mean() for _ in range(draws)])
    return (each.mean().item(), *_interval(means, level))


def _spread_of_people(wrong, draws=1000, level=0.95, generator=None):
    each = wrong.double().mean(1)
    return (each.mean().item(), *_interval(each, level))


def _one_sided(wrong, draws=1000, level=0.95, generator=None):
    each = wrong.double().mean(1)
    means = each[torch.randint(len(each), (draws, len(each)), generator=generator)].mean(1)
    low, high = (torch.quantile(means, q).item() for q in (1 - level, level))
    return each.mean().item(), low, max(low, high)


def _normal(wrong, draws=1000, level=0.95, generator=None):
    each = wrong.double().mean(1)
    reach = torch.special.ndtri(torch.tensor((1 + level) / 2)) * each.std() / len(each) ** 0.5
    return each.mean().item(), (each.mean() - reach).item(), (each.mean() + reach).item()


def _capped(wrong, draws=1000, level=0.95, generator=None):
    return tuple(min(each, 0.5) for each in metrics.hype_infinity(wrong, draws, level, generator))


def _percent(wrong, draws=1000, level=0.95, generator=None):
    return tuple(100 * each for each in metrics.hype_infinity(wrong, draws, level, generator))


wrong_share = Exercise(
    id="06.hype_infinity",
    reference=metrics.hype_infinity,
    difficulty=2,
    minutes=10,
    properties=[
        Property("the share of wrong answers", _share),
        Property("0 where nobody is wrong, 1 where everybody is", _sure),
        Property("an interval as wide as other people would make it", _width),
        Property("and over single answers where a row is one answer", _columns),
        Property("the level that is asked for", _level),
        Property("the truth inside at about the nominal rate", _covers),
        Property("lopsided where people are", _lopsided),
        Property("every draw from the generator that is given", _repeatable),
    ],
    behaviour=_behaviour,
    tolerance=(0.0, 0.008),
    other_forms=[_loop, _by_counts],
    wrong_answers={
        "answers redrawn": WrongAnswer(
            _answers_redrawn,
            "Single answers were redrawn as if each came from somebody else. Answers of one person resemble each other: the interval is far too narrow. Redraw rows.",
        ),
        "images redrawn": WrongAnswer(
            _columns_redrawn,
            "Columns were redrawn: the interval says what other *images* would do, with the same people. Rows are people.",
        ),
        "right answers": WrongAnswer(
            _right_share, "It is the share of *right* answers. HYPE-infinity counts the wrong ones: the better the generator, the higher."
        ),
        "without replacement": WrongAnswer(
            _without_replacement,
            "Rows were redrawn without replacement: every draw is the same people in another order, and the interval has no width.",
        ),
        "spread of people": WrongAnswer(
            _spread_of_people,
            "It gives the range in which single *people* lie. The interval is about their mean, which moves √rows times less.",
        ),
        "both tails on each side": WrongAnswer(
            _one_sided,
            "A share 1 − level was cut off on *each* side, so the interval holds 90 % where 95 were asked for: half of it belongs on each side.",
        ),
        "normal interval": WrongAnswer(
            _normal,
            "It is the mean ± 1.96 standard errors, which is symmetric whatever people are like. Redrawn people show on which side the doubt is.",
        ),
        "cut off at a half": WrongAnswer(
            _capped, "Shares above ½ are cut off. They are a finding: generated images that look more real than real ones."
        ),
        "percent": WrongAnswer(_percent, "It behaves like percentages. Here shares run from 0 to 1."),
    },
    hints=[
        "First one number for each row: the mean of that person's answers.",
        "`torch.randint(rows, (draws, rows), generator=generator)` are indices with replacement; index with them, and take the mean over the second axis.",
        "Low and high are the quantiles (1 − level)/2 and (1 + level)/2 of those means.",
    ],
)  # fmt: skip
