"""How a pair of losses is judged: its values, its slopes, and what it does with a batch."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib import losses
from course_lib.exercises.engine import require


def wasserstein(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of a WGAN's critic and of its generator. real_logits: (N,);  fake_logits: (M,)"""
    return losses.wasserstein_discriminator(real_logits, fake_logits), losses.wasserstein_generator(fake_logits)


def least_squares(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of an LSGAN's critic and of its generator. real_logits: (N,);  fake_logits: (M,)"""
    return losses.least_squares_discriminator(real_logits, fake_logits), losses.least_squares_generator(fake_logits)


def hinge(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    """The hinge losses of a critic and of its generator. real_logits: (N,);  fake_logits: (M,)"""
    return losses.hinge_discriminator(real_logits, fake_logits), losses.hinge_generator(fake_logits)


def pair(answer, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The two losses, or a sentence that says what came instead."""
    found = answer(real, fake)
    require(
        isinstance(found, (tuple, list)) and len(found) == 2 and all(isinstance(each, Tensor) for each in found),
        "Expected two tensors: the critic's loss, then the generator's.",
    )
    require(
        all(each.ndim == 0 for each in found),
        f"Each loss is one number; yours have the shapes {tuple(found[0].shape)} and {tuple(found[1].shape)}.",
    )
    return tuple(found)


def _slopes(answer, real: list[float], fake: list[float]) -> tuple[list[float], list[float], list[float]]:
    """Slopes of the critic's loss on each real and on each fake logit, and of the generator's on each fake one."""
    found = []
    for which, at in ((0, "real"), (0, "fake"), (1, "fake")):
        logits = {"real": torch.tensor(real, requires_grad=True), "fake": torch.tensor(fake, requires_grad=True)}
        loss = pair(answer, **logits)[which]
        require(
            loss.requires_grad,
            f"The {'critic' if which == 0 else 'generator'}'s loss is cut off from the logits (`item`, `detach`?).",
        )
        (slope,) = torch.autograd.grad(loss, logits[at], allow_unused=True)
        found.append([0.0] * len(logits[at]) if slope is None else slope.tolist())
    return tuple(found)


def values(want, real, fake, words):
    """A case by hand: the two losses of these logits, and in words where they come from."""

    def check(answer):
        found = [each.item() for each in pair(answer, torch.tensor(real), torch.tensor(fake))]
        require(
            all(abs(a - b) < 1e-5 for a, b in zip(found, want)),
            f"Real logits {_listed(real)}, fake ones {_listed(fake)}: {words}. That is {want[0]:g} for the critic and {want[1]:g} for the "
            f"generator; yours {found[0] + 0.0:.4g} and {found[1] + 0.0:.4g}.",
        )

    return check


def pulls(want, real, fake, words):
    """The slopes at these logits, and in words what they ask for."""

    def check(answer):
        found = _slopes(answer, real, fake)
        names = ("the critic's on real logits", "the critic's on fake logits", "the generator's on fake logits")
        for name, mine, wanted in zip(names, found, want):
            require(
                torch.allclose(torch.tensor(mine), torch.tensor(wanted), atol=1e-5),
                f"At real logits {_listed(real)} and fake ones {_listed(fake)} the slopes, {name}, are {_listed(wanted)}: {words}. Yours are {_listed(mine)}.",
            )

    return check


def _listed(values) -> str:
    return "(" + ", ".join(f"{value + 0.0:.3g}".replace("-", "−") for value in values) + ")"


def means(answer):
    real, fake = torch.tensor([2.0, -0.5, 0.3]), torch.tensor([-1.5, 0.4])
    one = [each.item() for each in pair(answer, real, fake)]
    other = [each.item() for each in pair(answer, real.repeat(10), fake.repeat(3))]
    require(
        all(abs(a - b) < 1e-4 for a, b in zip(one, other)),
        f"Ten copies of the same real images and three of the same fakes should cost what one costs, {_listed(one)}; yours: {_listed(other)}. Each kind has a mean of its own.",
    )


def behaviour(answer) -> list:
    seen = []
    for real, fake in (([2.0, -0.5, 0.25], [-1.5, 0.4]), ([0.2, 0.1], [-0.3, 0.6]), ([5.0, -7.0], [6.0, -4.0])):
        with torch.enable_grad():
            real, fake = (torch.tensor(each, requires_grad=True) for each in (real, fake))
            found = answer(real, fake)
            seen += [each.detach() for each in found]
            (slope,) = torch.autograd.grad(found[1], fake, allow_unused=True)
        seen.append(torch.zeros(2) if slope is None else slope)
    return seen


def both(critic, generator):
    return lambda real_logits, fake_logits: (critic(real_logits, fake_logits), generator(fake_logits))


COMMON_HINT = "`.mean()` over each kind by itself: there need not be as many fakes as real images."
