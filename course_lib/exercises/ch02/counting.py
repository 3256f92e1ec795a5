"""02.parameter_count: how large the networks are, by arithmetic."""

from __future__ import annotations

import math
import numbers

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.models import dcgan


def parameter_count(latent_dim: int, width: int, channels: int, size: int) -> tuple[int, int]:
    """Learned numbers of a DCGAN's generator and discriminator, by arithmetic alone.

    Every kernel is 4×4 without bias: 16·in·out. Every BatchNorm has a scale and a shift: 2·channels. The
    discriminator's first layer has no BatchNorm, nor have the last layers of both.
    """
    maps = [width * 2**level for level in range(int(math.log2(size)) - 2)]  # at size/2, size/4, …, 4
    chain = sum(16 * small * large for small, large in zip(maps, maps[1:]))
    generator = 16 * latent_dim * maps[-1] + chain + 16 * maps[0] * channels + 2 * sum(maps)
    discriminator = 16 * channels * maps[0] + chain + 16 * maps[-1] + 2 * sum(maps[1:])
    return generator, discriminator


def _counted(settings):
    def check(answer):
        found = answer(*settings)
        require(
            isinstance(found, (tuple, list)) and len(found) == 2,
            f"Expected two numbers, generator and discriminator; got {found!r}.",
        )
        found = [each.item() if isinstance(each, torch.Tensor) and each.ndim == 0 else each for each in found]
        require(
            all(isinstance(number, numbers.Integral) for number in found),
            f"Expected two integers, got {found!r}."
            + (
                " A division with / makes a float, // does not."
                if any(isinstance(each, float) for each in found)
                else ""
            ),
        )
        latent_dim, width, channels, size = settings
        networks = (dcgan.Generator(latent_dim, width, channels, size), dcgan.Discriminator(width, channels, size))
        for name, network, number in zip(("generator", "discriminator"), networks, found):
            want = sum(p.numel() for p in network.parameters())
            require(
                number == want,
                f"For latent {latent_dim}, width {width}, {channels} channels at {size} px the {name} "
                f"has {want:,} parameters, counted from the network; yours says {number:,}.",
            )

    return check


def _count_with(
    kernel=16, norm=2, bias=False, d_first_norm=False, to_image=True, last=True, latent=True, extra_level=0
):
    """A family of answers: what is counted and what is forgotten."""

    def answer(latent_dim, width, channels, size):
        maps = [width * 2**level for level in range(int(math.log2(size)) - 2 + extra_level)]
        chain = sum(kernel * small * large for small, large in zip(maps, maps[1:]))
        generator = (
            kernel * latent_dim * maps[-1] * latent + chain + kernel * maps[0] * channels * to_image + norm * sum(maps)
        )
        discriminator = (
            kernel * channels * maps[0]
            + chain
            + kernel * maps[-1] * last
            + norm * sum(maps[0 if d_first_norm else 1 :])
        )
        if bias:
            generator, discriminator = generator + sum(maps) + channels, discriminator + sum(maps) + 1
        return generator, discriminator

    return answer


def _count_by_loop(latent_dim, width, channels, size):
    generator = discriminator = 0
    small, pixels = width, size // 2
    discriminator += channels * width * 4 * 4
    generator += width * channels * 4 * 4
    while pixels > 4:
        discriminator += small * (2 * small) * 4 * 4 + 2 * (2 * small)
        generator += (2 * small) * small * 4 * 4 + 2 * small
        small, pixels = 2 * small, pixels // 2
    generator += latent_dim * small * 4 * 4 + 2 * small
    discriminator += small * 4 * 4
    return generator, discriminator


counting = Exercise(
    id="02.parameter_count",
    reference=parameter_count,
    difficulty=2,
    minutes=10,
    properties=[
        Property("64 px, three channels: 3,576,704 and 2,765,568", _counted((100, 64, 3, 64))),
        Property("this chapter's 32 px network", _counted((100, 32, 1, 32))),
        Property("other sizes, widths and latents", _counted((17, 8, 2, 16))),
        Property("the smallest one, 8 px", _counted((5, 4, 1, 8))),
        Property("a large one, 128 px", _counted((6, 2, 3, 128))),
    ],
    behaviour=lambda answer: [torch.tensor(answer(100, 64, 3, 64)), torch.tensor(answer(17, 8, 2, 16))],
    tolerance=(0.0, 0.0),
    other_forms=[_count_by_loop],
    wrong_answers={
        "with biases": WrongAnswer(
            _count_with(bias=True),
            "Biases were counted: these convolutions have none, BatchNorm's shift does their work.",
        ),
        "no BatchNorm": WrongAnswer(
            _count_with(norm=0), "BatchNorm was forgotten: a scale and a shift for each of its channels."
        ),
        "scale only": WrongAnswer(
            _count_with(norm=1),
            "It behaves like one number for each of BatchNorm's channels: it learns a scale *and* a shift.",
        ),
        "running statistics": WrongAnswer(
            _count_with(norm=4),
            "BatchNorm's running mean and variance were counted: they are buffers, measured and not learned.",
        ),
        "norm at D's input": WrongAnswer(
            _count_with(d_first_norm=True), "A BatchNorm was counted at the discriminator's input: that layer has none."
        ),
        "no last layer": WrongAnswer(
            _count_with(to_image=False, last=False),
            "The last layers are missing: 16·width·channels in the generator, 16·(widest) in the discriminator.",
        ),
        "no first layer": WrongAnswer(
            _count_with(latent=False), "The generator's first layer, from the latent vector to a 4×4 map, is missing."
        ),
        "D before G": WrongAnswer(
            lambda *settings: parameter_count(*settings)[::-1],
            "The two numbers are right, in the other order: generator first.",
        ),
        "kernel 3": WrongAnswer(
            _count_with(kernel=9), "Kernels were counted as 3×3; they are 4×4: 16 numbers for each pair of channels."
        ),
        "one level too many": WrongAnswer(
            _count_with(extra_level=1), "One halving too many: from size/2 down to 4, not to 2."
        ),
    },
    hints=[
        "Write down the chain of widths for 64 px: 64, 128, 256, 512. A kernel between two of them has 16·a·b numbers.",
        "Both networks share that chain. What does each have at its ends, and where is there no BatchNorm?",
    ],
)
