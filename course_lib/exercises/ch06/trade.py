"""06.trade_off: precision and recall of a generator at each threshold of its latents."""

from __future__ import annotations

import torch
from torch import nn

from course_lib import latent, metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require

COUNT = 300


class Notes(list):
    """What a generator was asked. Its copies write into the same notes."""

    def __deepcopy__(self, memo):
        return self


class Watched(nn.Module):
    """A generator of points: z through BatchNorm, trained on normal latents. It notes what it is asked for, and in which mode."""

    def __init__(self, latent_dim: int = 8):
        super().__init__()
        self.latent_dim = latent_dim
        self.norm = nn.BatchNorm1d(latent_dim)  # running mean 0 and variance 1: what normal latents leave behind
        self.asked, self.modes = Notes(), Notes()
        self.eval()

    def forward(self, z):
        self.asked.append(z.detach().clone())
        self.modes.append(self.training)
        return self.norm(z)


def _real(count: int = COUNT, dim: int = 8) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(11))


def _same(images):
    return images


def _rows(found, count: int) -> list[tuple[float, float]]:
    require(
        isinstance(found, (list, tuple)) and len(found) == count,
        f"Expected a list with one pair for each of the {count} thresholds, got {type(found).__name__}"
        + (f" of {len(found)}." if hasattr(found, "__len__") else "."),
    )
    rows = []
    for row in found:
        require(
            isinstance(row, (tuple, list)) and len(row) == 2, f"Expected a pair (precision, recall) each, got {row!r}."
        )
        rows.append((float(row[0]), float(row[1])))
    return rows


def _ask(answer, thresholds, generator=None, **options):
    generator = generator or Watched()
    arguments = {"real": _real(), "count": COUNT, "k": 3} | options
    return _rows(answer(generator, _same, thresholds, **arguments), len(thresholds)), generator


def _latents(answer):
    _, generator = _ask(answer, [0.5, 1.0, None])
    require(bool(generator.asked), "The generator was never asked for anything.")
    rows = torch.cat(generator.asked)
    require(
        len(rows) == 3 * COUNT,
        f"At each of three thresholds the generator should make {COUNT} samples, {3 * COUNT} in all; yours made {len(rows)}: "
        "unequal numbers cannot be compared.",
    )
    for z, threshold, std in zip(rows.split(COUNT), (0.5, 1.0, None), (0.284, 0.540, 1.0)):
        if threshold is not None:
            require(
                bool((z.abs() <= threshold).all()),
                f"At threshold {threshold} the generator was given values up to {z.abs().max():.2f}: the *latents* are what is truncated.",
            )
        require(
            abs(z.std().item() - std) < 0.06,
            f"At threshold {threshold} the latents should have a standard deviation of {std}; the generator was given {z.std():.3f}.",
        )


def _pairs(answer):
    """Another width, other numbers of samples and photographs, features that are not the images: each pair is what these give."""
    generator, count, k = Watched(latent_dim=5), 200, 4
    real = _real(260, 3)
    found = _rows(answer(generator, lambda images: images[:, :3], [0.7, None], real=real, count=count, k=k), 2)
    asked = torch.cat(generator.asked)
    require(
        len(asked) == 2 * count,
        f"With count = {count} and two thresholds, {2 * count} samples; yours made {len(asked)}.",
    )
    for pair, z, name in zip(found, asked.split(count), ("0.7", "None")):
        with torch.no_grad():
            want = metrics.precision_recall(real=real, fake=generator.norm(z)[:, :3], k=k)
        require(
            abs(pair[0] - want.precision) < 0.006 and abs(pair[1] - want.recall) < 0.006,
            f"At threshold {name} the samples you drew have precision {want.precision:.3f} and recall {want.recall:.3f} (k = {k}, {len(real)} real features, "
            f"`extract` keeps three numbers of five); yours ({pair[0]:.3f}, {pair[1]:.3f}).",
        )  # fmt: skip


def _mode(answer):
    generator = Watched()
    _ask(answer, [0.5, None], generator)
    require(
        not any(generator.modes),
        "The generator was asked in train mode: BatchNorm then normalises with the batch's own statistics and stretches the narrow latents back.",
    )
    training = Watched().train()
    _ask(answer, [0.5, None], training)
    require(
        not any(training.modes) and training.training,
        "Given a generator in train mode: ask it in eval mode, and give it back in the mode it was in.",
    )


def _trades(answer):
    (tight, whole), _ = _ask(answer, [0.5, None])
    require(
        tight[0] > whole[0] and tight[1] < whole[1] - 0.3,
        f"A generator that reproduces the data exactly: cut at 0.5, precision rises and recall falls; yours go from "
        f"({whole[0]:.2f}, {whole[1]:.2f}) to ({tight[0]:.2f}, {tight[1]:.2f}).",
    )
    require(
        abs(whole[0] - 0.86) < 0.09 and abs(whole[1] - 0.86) < 0.09,
        f"Without truncation both are around 0.86 in this world (k = 3, {COUNT} of each); yours {whole[0]:.2f} and {whole[1]:.2f}.",
    )


def _order(answer):
    rows, generator = _ask(answer, [None, 0.3, 2.0])
    recalls = [recall for _, recall in rows]
    require(
        recalls[1] < min(recalls[0], recalls[2]) - 0.3,
        f"One pair for each threshold, in the order given: None, 0.3, 2. The second recall should be the smallest; yours are {[round(r, 2) for r in recalls]}.",
    )


def _k(answer):
    (few,), _ = _ask(answer, [1.0], k=1)
    (many,), _ = _ask(answer, [1.0], k=20)
    require(
        many[1] > few[1] + 0.2,
        f"With k = 20 the balls are wider than with k = 1, and recall higher; yours {few[1]:.2f} and {many[1]:.2f}.",
    )


def _repeats(answer):
    one, other = (_ask(answer, [0.5, None], draw=torch.Generator().manual_seed(4))[0] for _ in range(2))
    require(
        one == other,
        f"Given the same `draw` twice you measured {one} and {other}: all latents, truncated or not, must come from it.",
    )
    first, second = (torch.cat(_ask(answer, [0.5, None])[1].asked) for _ in range(2))
    require(
        not torch.equal(first, second), "Without `draw` two calls drew the same latents: let chance be chance there."
    )


def _curve_behaviour(answer) -> list:
    generator = Watched()
    rows, _ = _ask(answer, [0.5, None, 1.0], generator)
    seen = [value for row in rows for value in row]
    z = torch.cat(generator.asked)
    sizes = [len(each) for each in generator.asked]
    narrow = generator.asked[0]
    (few,), _ = _ask(answer, [1.0], k=1)
    return [
        *seen,
        few[1],
        float(len(z) == 3 * COUNT),
        narrow.std(),
        (narrow.abs() > 0.499).double().mean(),
        "train" if any(generator.modes) else "eval",
        "equal" if len(set(sizes)) == 1 else "unequal",
    ]


def _draws(shape, threshold, draw=None):
    return torch.randn(shape, generator=draw) if threshold is None else latent.truncated_normal(shape, threshold, draw)


def _measured(generator, extract, z, real, k, eval_mode=True):
    was = generator.training
    generator.train(not eval_mode)
    try:
        with torch.no_grad():
            return tuple(metrics.precision_recall(real=real, fake=extract(generator(z)), k=k))
    finally:
        generator.train(was)


def _of(make):
    """A whole answer from a way to make latents: make(shape, threshold)."""

    def answer(generator, extract, thresholds, *, real, count, k=3, draw=None):
        shape = (count, generator.latent_dim)
        return [_measured(generator, extract, make(shape, each), real, k) for each in thresholds]

    return answer


def _in_a_list(generator, extract, thresholds, *, real, count, k=3, draw=None):
    drawn = [_draws((count, generator.latent_dim), each, draw) for each in thresholds]
    return [_measured(generator, extract, z, real, k) for z in drawn]


def _with_blocks(generator, extract, thresholds, *, real, count, k=3, draw=None):
    was, found = generator.training, []
    generator.eval()
    for each in thresholds:
        z = _draws((count, generator.latent_dim), 40.0 if each is None else each, draw)
        with torch.no_grad():
            fake = torch.cat([extract(generator(rows)) for rows in z.split(64)])
        near = metrics.prdc(real=real, fake=fake, k=k, strict=False)
        found.append((near.precision, near.recall))
    generator.train(was)
    return found


def _exchanged(generator, extract, thresholds, *, real, count, k=3, draw=None):
    return [row[::-1] for row in _in_a_list(generator, extract, thresholds, real=real, count=count, k=k)]


def _train_mode(generator, extract, thresholds, *, real, count, k=3, draw=None):
    shape = (count, generator.latent_dim)
    return [_measured(generator, extract, _draws(shape, each), real, k, eval_mode=False) for each in thresholds]


def _truncates_images(generator, extract, thresholds, *, real, count, k=3, draw=None):
    found = []
    for each in thresholds:
        z = torch.randn(count, generator.latent_dim)
        cut = (lambda x: x) if each is None else (lambda x, c=each: x.clamp(-c, c))
        found.append(_measured(generator, lambda images, cut=cut: extract(cut(images)), z, real, k))
    return found


def _against_itself(generator, extract, thresholds, *, real, count, k=3, draw=None):
    found = []
    for each in thresholds:
        with torch.no_grad():
            z = _draws((count, generator.latent_dim), each)
            other = extract(generator(_draws((count, generator.latent_dim), each)))
        found.append(_measured(generator, extract, z, other, k))
    return found


def _whole_rows_only(generator, extract, thresholds, *, real, count, k=3, draw=None):
    found = []
    for each in thresholds:
        z = torch.randn(count, generator.latent_dim)
        if each is not None:
            fits = (z.abs() <= each).all(1)
            z = z[fits] if fits.sum() > k else z[: k + 1].clamp(-each, each)
        found.append(_measured(generator, extract, z, real, k))
    return found


def _sorted(generator, extract, thresholds, *, real, count, k=3, draw=None):
    ordered = sorted(thresholds, key=lambda each: float("inf") if each is None else each)
    return _in_a_list(generator, extract, ordered, real=real, count=count, k=k)


def _always_three(generator, extract, thresholds, *, real, count, k=3, draw=None):
    return _in_a_list(generator, extract, thresholds, real=real, count=count, k=3)


curve = Exercise(
    id="06.trade_off",
    reference=metrics.trade_off,
    difficulty=2,
    minutes=12,
    properties=[
        Property("the same number of samples at each threshold, from latents that are truncated", _latents),
        Property("the precision and recall of these very samples, with the features, numbers and k that are given", _pairs),
        Property("precision up and recall down where the generator is exact", _trades),
        Property("asked in eval mode and given back as it was", _mode),
        Property("one pair for each threshold, in the order given", _order),
        Property("with the k that is given", _k),
        Property("every latent drawn from the generator that is given as draw", _repeats),
    ],
    behaviour=_curve_behaviour,
    tolerance=(0.0, 0.09),
    other_forms=[_in_a_list, _with_blocks],
    wrong_answers={
        "clipped latents": WrongAnswer(
            _of(lambda shape, c: torch.randn(shape) if c is None else torch.randn(shape).clamp(-c, c)),
            "The latents behave as if they were clipped: wider than a truncated normal's, and heaped on the edges.",
        ),
        "scaled latents": WrongAnswer(
            _of(lambda shape, c: torch.randn(shape) * (1.0 if c is None else c)),
            "The latents behave like a normal multiplied by the threshold: they have no edge.",
        ),
        "threshold ignored": WrongAnswer(
            _of(lambda shape, c: torch.randn(shape)),
            "Every threshold gets the same latents: the curve is one point, drawn several times.",
        ),
        "exchanged": WrongAnswer(
            _exchanged, "Precision and recall are exchanged: precision is the one that truncation raises."
        ),
        "train mode": WrongAnswer(
            _train_mode,
            "The generator runs in train mode. BatchNorm normalises with the batch's own statistics, and the narrow latents come out as wide as ever.",
        ),
        "images truncated": WrongAnswer(
            _truncates_images,
            "It cuts the *images* off at the threshold. Truncation is a choice of latents; the generator's output is left alone.",
        ),
        "against itself": WrongAnswer(
            _against_itself,
            "The reference is the generator's own samples at the same threshold. Then nothing is ever lost: the other side is `real`, the same for every threshold.",
        ),
        "whole latents that fit": WrongAnswer(
            _whole_rows_only,
            "It keeps only the latents that lie inside as a whole. In eight dimensions hardly any is left, in a hundred none: truncation draws single values again.",
        ),
        "sorted": WrongAnswer(
            _sorted, "The thresholds were sorted first, so pairs and thresholds no longer belong together."
        ),
        "k always 3": WrongAnswer(_always_three, "It measures with k = 3 whatever k is."),
    },
    hints=[
        "For each threshold: latents of shape (count, generator.latent_dim), from your own `truncated_normal`, or `torch.randn` where it is None.",
        "Then `extract(generator(z))` without gradients, and `metrics.precision_recall(real=…, fake=…, k=k)`.",
        "`generator.eval()` before, and back to the mode it was in afterwards: `generator.train(was_training)`.",
    ],
)  # fmt: skip
