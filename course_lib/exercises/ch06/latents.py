"""06.truncated_normal: a narrower draw of z."""

from __future__ import annotations

import math

import torch

from course_lib import latent
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require

KNOWN = {0.5: 0.284, 1.0: 0.540, 2.0: 0.880}  # standard deviations of the truncated normal


def tensor(found, shape: tuple, what: str) -> torch.Tensor:
    """`found` if it is a tensor of that shape, or a sentence that says what came instead."""
    require(isinstance(found, torch.Tensor), f"Expected {what} in a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == shape, f"Expected {what}: shape {shape}; yours has shape {tuple(found.shape)}.")
    return found


def _inside(answer):
    for threshold in KNOWN:
        found = tensor(answer((400, 25), threshold), (400, 25), "one value for each place")
        require(
            found.dtype == torch.float32,
            f"Expected float32, as `torch.randn` gives it and as a generator takes it, got {found.dtype}.",
        )
        outside = (found.abs() > threshold).double().mean().item()
        require(
            outside == 0,
            f"At threshold {threshold}, {outside:.1%} of your values lie outside [−{threshold}, {threshold}]. Whatever was drawn "
            "again may lie outside again.",
        )


def _deviation(answer):
    for threshold, want in KNOWN.items():
        found = tensor(answer((500, 100), threshold), (500, 100), "one value for each place").double()
        require(
            abs(found.std().item() - want) < 0.01,
            f"At threshold {threshold} the standard deviation is {want}; yours is {found.std():.3f} over 50,000 values.",
        )
        require(
            abs(found.mean().item()) < 0.02,
            f"The distribution is symmetric, its mean 0; the mean of your 50,000 values at threshold {threshold} is {found.mean():.3f}.",
        )


def _shape_of_it(answer):
    threshold = 1.0
    found = tensor(answer((500, 100), threshold), (500, 100), "one value for each place").double().flatten()
    ends = (found.abs() > 0.98 * threshold).double().mean().item()
    require(
        ends < 0.03,
        f"1.4 % of a normal cut at 1 lie in the last two hundredths before the ends; of yours {ends:.0%}: the mass that was cut off is heaped there.",
    )
    middle = (found.abs() < 0.25).double().mean().item()
    want = math.erf(0.25 / math.sqrt(2)) / math.erf(1 / math.sqrt(2))
    require(
        abs(middle - want) < 0.012,
        f"Inside, the shape stays a normal's: {want:.1%} of the values lie within ±¼; of yours {middle:.1%}.",
    )


def _independent(answer):
    found = tensor(answer((4000, 2), 1.0), (4000, 2), "one value for each place").double()
    together = torch.corrcoef(found.abs().T)[0, 1].item()
    require(
        abs(together) < 0.06,
        f"The dimensions of a latent are independent, but the sizes of your two columns have a correlation of {together:.2f}.",
    )


def _many_dimensions(answer):
    generator = torch.Generator().manual_seed(5)
    before = generator.get_state()
    found = tensor(answer((50, 512), 1.0, generator), (50, 512), "50 latents of 512 dimensions")
    same = len(found.unique()) / found.numel()
    require(
        same > 0.99,
        f"Of 25,600 values only {same:.0%} are different ones: values that fitted were used again. Every place is a draw of its own.",
    )
    require(not torch.equal(before, generator.get_state()), "`generator` was given and nothing was drawn from it.")
    require(bool((found.abs() <= 1).all()), "With 512 dimensions some of your values lie outside.")


def _repeatable(answer):
    one, other = (answer((20, 5), 1.0, torch.Generator().manual_seed(7)) for _ in range(2))
    require(
        bool((one == other).all()),
        "Given the same generator twice, you drew different values: every draw, the repeated ones too, must come from `generator`.",
    )
    found = answer((20, 5), 1.0, torch.Generator().manual_seed(8))
    require(
        not bool((one == found).all()), "Given two generators with different seeds, you drew the same values twice."
    )


def _any_shape(answer):
    for shape in ((1000,), (4, 3, 2)):
        found = tensor(answer(shape, 0.1), shape, "one value for each place")
        require(
            bool((found.abs() <= 0.1).all()),
            f"At threshold 0.1, in the shape {shape}, values lie outside: go on drawing until none does.",
        )
    one, other = answer((200, 10), 1.0), answer((200, 10), 1.0)
    require(
        not torch.equal(one, other), "Two calls without a generator gave the same values: a fixed seed stands in it."
    )
    halves = torch.stack([one[:100].flatten(), one[100:].flatten()]).double()
    together = torch.corrcoef(halves)[0, 1].item()
    require(
        abs(together) < 0.15, f"The second hundred of 200 latents follow from the first: correlation {together:.2f}."
    )


def _truncated_behaviour(answer) -> list:
    seen = []
    for threshold in (0.5, 1.0):
        found = answer((400, 100), threshold, torch.Generator().manual_seed(3))
        if tuple(found.shape) != (400, 100):
            return ["another shape"]
        values = found.double()
        inside = values[values.abs() <= threshold] / threshold
        seen += [
            values.mean() / threshold,
            values.std() / threshold,
            (values.abs() > threshold).double().mean(),
            (values.abs() >= 0.999 * threshold).double().mean(),
            (values > threshold).double().mean(),
            (inside.abs() < 0.5).double().mean(),
            len(values.unique()) / values.numel(),
        ]
    one, other = (answer((10, 5), 1.0, torch.Generator().manual_seed(7)) for _ in range(2))
    return [*seen, "repeats" if bool((one == other).all()) else "differs"]


def _by_the_quantile(shape, threshold, generator=None, device="cpu"):
    edge = 0.5 * math.erfc(threshold / math.sqrt(2))  # the mass beyond the threshold on one side
    u = edge + (1 - 2 * edge) * torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
    return torch.special.ndtri(u).clamp(-threshold, threshold).float()  # the clamp is for rounding alone


def _by_initialiser(shape, threshold, generator=None, device="cpu"):
    values = torch.empty(shape, device=device)
    return torch.nn.init.trunc_normal_(values, a=-threshold, b=threshold, generator=generator)


def _draw_until_enough(shape, threshold, generator=None, device="cpu"):
    kept, wanted = torch.empty(0, device=device), math.prod(shape)
    while len(kept) < wanted:
        drawn = torch.randn(2 * wanted, generator=generator, device=device)
        kept = torch.cat([kept, drawn[drawn.abs() <= threshold]])
    return kept[:wanted].reshape(shape)


def _redrawn_once(shape, threshold, generator=None, device="cpu"):
    values = torch.randn(shape, generator=generator, device=device)
    outside = values.abs() > threshold
    values[outside] = torch.randn(int(outside.sum()), generator=generator, device=device)
    return values


def _used_again(shape, threshold, generator=None, device="cpu"):
    values = torch.randn(shape, generator=generator, device=device).flatten()
    kept = values[values.abs() <= threshold]
    return kept[torch.arange(len(values), device=device) % len(kept)].reshape(shape)


def _upper_side(shape, threshold, generator=None, device="cpu"):
    values = torch.randn(shape, generator=generator, device=device)
    while (outside := values > threshold).any():
        values[outside] = torch.randn(int(outside.sum()), generator=generator, device=device)
    return values


def _dropped(shape, threshold, generator=None, device="cpu"):
    values = torch.randn(shape, generator=generator, device=device)
    return values[values.abs() <= threshold]


def _stretched(shape, threshold, generator=None, device="cpu"):
    values = latent.truncated_normal(shape, threshold, generator, device)
    return values / values.std()


def _own_draws(shape, threshold, generator=None, device="cpu"):
    return latent.truncated_normal(shape, threshold, None, device)


truncated = Exercise(
    id="06.truncated_normal",
    reference=latent.truncated_normal,
    difficulty=1,
    minutes=8,
    properties=[
        Property("no value outside, at three thresholds", _inside),
        Property("standard deviations 0.284, 0.540, 0.880 at thresholds 0.5, 1, 2, and mean 0", _deviation),
        Property("a normal's shape inside, nothing heaped on the ends", _shape_of_it),
        Property("independent dimensions", _independent),
        Property("512 dimensions at threshold 1, without waiting for a whole latent to fit", _many_dimensions),
        Property("every draw from the generator that is given", _repeatable),
        Property("any shape, a narrow threshold, other values at each call", _any_shape),
    ],
    when_slow="a whole latent of 512 numbers hardly ever lies inside. Draw single numbers again, where they lie outside.",
    behaviour=_truncated_behaviour,
    tolerance=(0.0, 0.03),
    other_forms=[_by_the_quantile, _by_initialiser, _draw_until_enough],
    wrong_answers={
        "clipped": WrongAnswer(
            lambda shape, threshold, generator=None, device="cpu": torch.randn(
                shape, generator=generator, device=device
            ).clamp(-threshold, threshold),
            "It behaves like clipping: whoever lies outside is moved to the edge, so at threshold 1 a third of all values are exactly ±1, and the deviation is 0.72 instead of 0.54. Truncation draws them again.",
        ),
        "scaled": WrongAnswer(
            lambda shape, threshold, generator=None, device="cpu": (
                threshold * torch.randn(shape, generator=generator, device=device)
            ),
            "It behaves like a normal multiplied by the threshold. That is narrower or wider, and has no edge at all.",
        ),
        "drawn again once": WrongAnswer(
            _redrawn_once,
            "It draws again, but only once: at threshold 1 a tenth of the values still lie outside. Repeat until none does.",
        ),
        "upper side only": WrongAnswer(
            _upper_side, "Only values above the threshold are drawn again; those below minus the threshold stay."
        ),
        "dropped": WrongAnswer(
            _dropped,
            "Values outside are dropped and not replaced, so fewer come back than were asked for, and in one row.",
        ),
        "uniform": WrongAnswer(
            lambda shape, threshold, generator=None, device="cpu": (
                threshold * (2 * torch.rand(shape, generator=generator, device=device) - 1)
            ),
            "It behaves like a uniform distribution between the thresholds. Between them a truncated normal is still a normal: denser in the middle.",
        ),
        "squashed": WrongAnswer(
            lambda shape, threshold, generator=None, device="cpu": (
                threshold * torch.randn(shape, generator=generator, device=device).tanh()
            ),
            "It behaves like a squashing function, tanh say: nobody is drawn again, all are pressed inwards, which leaves a wider and flatter shape than a normal that was cut.",
        ),
        "values used again": WrongAnswer(
            _used_again, "Places whose value lay outside got copies of values that fitted. Each needs a new draw."
        ),
        "wrapped": WrongAnswer(
            lambda shape, threshold, generator=None, device="cpu": torch.randn(
                shape, generator=generator, device=device
            ).fmod(threshold),
            "It behaves like a remainder: values outside are wrapped around, which heaps them near the middle.",
        ),
        "stretched back": WrongAnswer(
            _stretched,
            "It was brought back to a standard deviation of 1 afterwards. Then values lie outside again, and the narrower distribution, the point of it all, is gone.",
        ),
        "one sign": WrongAnswer(
            lambda shape, threshold, generator=None, device="cpu": latent.truncated_normal(
                shape, threshold, generator, device
            ).abs(),
            "All values are positive: an absolute value is taken of what is returned, not only of what is compared.",
        ),
        "its own randomness": WrongAnswer(
            _own_draws,
            "The distribution is right, but `generator` is not used for every draw, so nothing can be drawn twice alike.",
        ),
    },
    hints=[
        "`torch.randn` the whole shape, then look where `values.abs() > threshold`.",
        "Draw those again, as many as there are, and look again: a `while` loop, since a repeated draw may miss as well.",
    ],
)  # fmt: skip
