"""02.to_uint8: from [−1, 1] back to pixels."""

from __future__ import annotations

import torch

from course_lib import data
from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, require


def _grey_levels() -> torch.Tensor:
    return torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)


def _round_trip(answer):
    levels = _grey_levels()
    back = answer(data.to_float(levels))
    require(isinstance(back, torch.Tensor), f"Expected a tensor, got {type(back).__name__}.")
    require(
        back.dtype == torch.uint8,
        f"Pixels are uint8; yours are {back.dtype}, which `to_float` refuses."
        + (" Printed they look alike, but take four times the memory." if back.is_floating_point() else ""),
    )
    require(back.shape == levels.shape, f"The shape should stay {tuple(levels.shape)}; yours is {tuple(back.shape)}.")
    changed = int((back != levels).sum())
    if changed:
        first = int((back != levels).flatten().nonzero()[0])
        raise Wrong(
            f"{changed} of 256 grey levels do not survive the trip to [−1, 1] and back: {first} comes back as "
            f"{int(back.flatten()[first])}."
        )


def _nearest(answer):
    x = torch.rand(4, 3, 20, 20) * 2 - 1
    shape = tuple(answer(x.clone()).shape)
    require(shape == (4, 3, 20, 20), f"Four images in, four images out: (4, 3, 20, 20); yours {shape}.")
    off = (answer(x.clone()).double() - (127.5 * x.double() + 127.5)).abs().max().item()
    require(off <= 0.501, f"Every value should become the nearest level; yours is up to {off:.2f} levels away.")


def _leaves_images(answer):
    x = torch.rand(1, 1, 4, 4) * 2 - 1
    before = x.clone()
    answer(x)
    require(torch.equal(x, before), "The images that came in were changed: an operation ending in `_` works in place.")


def _behaviour(answer) -> list:
    ramp = torch.linspace(-1, 1, 1001).reshape(1, 1, 7, 143)
    kept = ramp.clone()
    pixels = answer(ramp)
    return [
        str(pixels.dtype),
        pixels.double(),
        answer(data.to_float(_grey_levels())).double(),
        str(torch.equal(ramp, kept)),
    ]


CUT_OFF = (
    "It behaves like a cast without `round`: a cast to uint8 cuts the fraction off, so about half of all pixels land one level "
    "too dark. One widely used metrics package does exactly this."
)


to_uint8 = Exercise(
    id="02.to_uint8",
    reference=data.to_uint8,
    difficulty=1,
    minutes=4,
    properties=[
        Property("all 256 grey levels survive [−1, 1] and back", _round_trip),
        Property("values between two levels become the nearer one", _nearest),
        Property("the images that come in are left alone", _leaves_images),
    ],
    behaviour=_behaviour,
    other_forms=[
        lambda images: torch.round((images + 1) / 2 * 255).to(torch.uint8),
        lambda images: images.add(1).mul(127.5).add(0.5).floor().clamp(0, 255).byte(),
    ],
    wrong_answers={
        "no rounding": WrongAnswer(lambda images: (images * 127.5 + 127.5).to(torch.uint8), CUT_OFF),
        "no rounding, halved first": WrongAnswer(lambda images: ((images + 1) / 2 * 255).to(torch.uint8), CUT_OFF),
        "in place": WrongAnswer(
            lambda images: images.mul_(127.5).add_(127.5).round_().to(torch.uint8),
            "The pixels are right, but `images` was overwritten on the way: leave out the underscores, or `clone` first.",
        ),
        "forgot the shift": WrongAnswer(
            lambda images: (images * 255).round().to(torch.uint8),
            "It behaves like 255·x: −1 has to become 0, so add before you scale. Negative values "
            "wrap around in uint8, which is why dark pixels came out bright.",
        ),
        "128 instead of 127.5": WrongAnswer(
            lambda images: (images * 127.5 + 128).round().clamp(0, 255).to(torch.uint8),
            "It behaves like round(127.5·x + 128): 128 belongs with `floor`; with `round` the shift is 127.5.",
        ),
        "256 levels up": WrongAnswer(
            lambda images: ((images + 1) / 2 * 256).floor().clamp(0, 255).to(torch.uint8),
            "It behaves like a scale of 256: there are 256 levels, but 255 steps between them.",
        ),
        "scale 127": WrongAnswer(
            lambda images: ((images + 1) * 127).round().to(torch.uint8),
            "It behaves like (x + 1)·127: white becomes 254 and no pixel is ever 255.",
        ),
        "still float": WrongAnswer(
            lambda images: (images * 127.5 + 127.5).round(),
            "The numbers are right; only the cast `.to(torch.uint8)` is missing.",
        ),
        "in [0, 1]": WrongAnswer(
            lambda images: ((images + 1) / 2).round().to(torch.uint8),
            "It behaves like [−1, 1] → [0, 1]: that is what matplotlib wants of floats. Pixels go to 255.",
        ),
    },
    hints=[
        "Where must −1 go, where must 1 go, and what is the straight line through both?",
        "A cast to uint8 cuts off the fraction. What has to happen before it?",
    ],
)
