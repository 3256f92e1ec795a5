"""03b.smoothed_loss: what a discriminator is told about real images."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, require
from course_lib.exercises.given_back import scalar
from course_lib.losses import smoothed_discriminator


def _undecided(answer):
    for target in (1.0, 0.9, 0.7):
        found = scalar(answer(torch.zeros(5), torch.zeros(3), target), "the loss").item()
        require(
            abs(found - math.log(4)) < 1e-5,
            f"Where D says ½ everywhere each of the two terms costs log 2, whatever the target: 1.3863. At target {target:g} yours costs {found:.4f}.",
        )


def _hand(answer):
    real, fake = torch.tensor([math.log(4)]), torch.tensor([-math.log(9)])  # D = 0.8 and 0.1
    want = -(0.9 * math.log(0.8) + 0.1 * math.log(0.2)) - math.log(0.9)
    found = scalar(answer(real, fake, 0.9), "the loss").item()
    require(
        abs(found - want) < 1e-5,
        f"With D = 0.8 on a real image and 0.1 on a fake, at target 0.9: −(0.9·log 0.8 + 0.1·log 0.2) − log 0.9 = {want:.4f}; yours costs {found:.4f}.",
    )


def _best_logit(answer):
    for target in (0.9, 0.7):
        logit = torch.tensor([math.log(target / (1 - target))], requires_grad=True)
        (slope,) = torch.autograd.grad(answer(logit, torch.tensor([-9.0]), target), logit)
        require(
            abs(slope.item()) < 1e-4,
            f"On a real image the best answer is D = {target:g}, a logit of {logit.item():.3f}: there the slope is 0. Yours is {slope.item():+.4f} there.",
        )


def _fakes_as_ever(answer):
    slopes = []
    for target in (1.0, 0.8):
        fake = torch.tensor([-3.0, 0.5], requires_grad=True)
        slopes.append(torch.autograd.grad(answer(torch.tensor([1.0]), fake, target), fake)[0])
    want = torch.sigmoid(torch.tensor([-3.0, 0.5])) / 2
    require(
        torch.allclose(slopes[1], slopes[0], atol=1e-6) and torch.allclose(slopes[1], want, atol=1e-6),
        f"One-sided: the fakes keep the target 0, so the slopes in their logits do not depend on the target. At a logit of −3 expected {want[0]:.4f}; "
        f"yours is {slopes[0][0]:.4f} at target 1 and {slopes[1][0]:.4f} at 0.8.",
    )


def _very_sure(answer):
    found = scalar(answer(torch.tensor([200.0]), torch.tensor([-200.0]), 0.9), "the loss").item()
    require(
        math.isfinite(found) and abs(found - 20) < 1e-2,
        f"A D that is sure of everything, logits ±200, pays 0.1·200 = 20 for being too sure of a real image; yours pays {found:.4g}."
        + ("" if math.isfinite(found) else " A sigmoid that rounds to 1 has no logarithm of 1 − D."),
    )


def _many_targets(answer):
    real, targets = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.7, 1.0, 0.85])
    want = torch.stack(
        [smoothed_discriminator(logit[None], torch.zeros(1), one.item()) for logit, one in zip(real, targets)]
    ).mean()
    try:
        found = scalar(answer(real, torch.zeros(3), targets), "the loss").item()
    except TypeError as error:
        raise Wrong(
            f"`target` may be a tensor with one target for each real image (noisy labels); yours says: {error}"
        ) from None
    require(
        abs(found - want.item()) < 1e-5,
        f"`target` may be a tensor with one target for each real image (noisy labels): the loss is then {want:.4f}, the mean of the three; yours is {found:.4f}.",
    )


def _behaviour(answer) -> list:
    real, fake = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([-1.0, 0.7, 0.1])
    sure = answer(torch.tensor([200.0]), torch.tensor([-200.0]), 0.9)
    return [answer(real, fake, 0.9), answer(real, fake, 0.7), answer(real, fake, torch.tensor([0.7, 1.0, 0.8])), sure]


def _bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits) + target)


def _naive(real_logits, fake_logits, target=0.9):
    real, fake = real_logits.sigmoid(), fake_logits.sigmoid()
    return -(target * real.log() + (1 - target) * (1 - real).log()).mean() - (1 - fake).log().mean()


def _by_logsigmoid(real_logits, fake_logits, target=0.9):
    on_real = target * F.logsigmoid(real_logits) + (1 - target) * F.logsigmoid(-real_logits)
    return -on_real.mean() - F.logsigmoid(-fake_logits).mean()


smoothed = Exercise(
    id="03b.smoothed_loss",
    reference=smoothed_discriminator,
    difficulty=1,
    minutes=7,
    properties=[
        Property("log 4 where D is undecided, at any target", _undecided),
        Property("a case by hand", _hand),
        Property("the best answer to a real image is the target", _best_logit),
        Property("one-sided: the fakes keep the target 0", _fakes_as_ever),
        Property("finite where D is very sure", _very_sure),
        Property("a target for each image", _many_targets),
    ],
    behaviour=_behaviour,
    other_forms=[
        lambda real_logits, fake_logits, target=0.9: _bce(real_logits, target) + _bce(fake_logits, 0.0),
        _by_logsigmoid,
    ],
    wrong_answers={
        "two-sided": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: _bce(real_logits, target) + _bce(fake_logits, 1 - target),
            "The fakes behave as if their target were 1 − t. Then the best D is (t·p + (1 − t)·q)/(p + q): where there are only fakes, it would still grant them 1 − t.",
        ),
        "the fakes are smoothed": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: _bce(real_logits, 1.0) + _bce(fake_logits, 1 - target),
            "The wrong side is smoothed: the fakes have the target 1 − t and the real images 1.",
        ),
        "a weight": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: -(target * F.logsigmoid(real_logits)).mean() + F.softplus(fake_logits).mean(),
            "It behaves like t·log D with nothing else: a *weight* on the real images, and D is still pushed towards 1. The missing part is (1 − t)·log(1 − D).",
        ),
        "exchanged": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: _bce(real_logits, 1 - target) + _bce(fake_logits, 0.0),
            "t and 1 − t have changed places: the real images are called fake.",
        ),
        "no smoothing": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: _bce(real_logits, 1.0) + _bce(fake_logits, 0.0),
            "It behaves as if the target were 1: the plain loss.",
        ),
        "sigmoid, then log": WrongAnswer(
            _naive, "It behaves like `sigmoid` followed by `log`: at a logit of 200, 1 − D is exactly 0 and the loss is infinite. Smoothing needs log(1 − D) on real images too."
        ),
        "squared error": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: (real_logits.sigmoid() - target).square().mean() + fake_logits.sigmoid().square().mean(),
            "It behaves like a squared error between D and its target. Asked for is cross-entropy.",
        ),
        "sums": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: smoothed_discriminator(real_logits, fake_logits, target) * 0
            + ((F.softplus(-real_logits) + (1 - target) * real_logits).sum() + F.softplus(fake_logits).sum()),
            "It behaves like sums over the images: the loss would grow with the batch.",
        ),
        "a scaled logit": WrongAnswer(
            lambda real_logits, fake_logits, target=0.9: F.softplus(-target * real_logits).mean() + F.softplus(fake_logits).mean(),
            "The target multiplies the logit. That changes how fast D becomes sure of a real image, not how sure: its best answer is still 1.",
        ),
    },
    hints=[
        "Cross-entropy with a label t between 0 and 1: −[t·log D + (1 − t)·log(1 − D)].",
        "With logits: log D = `F.logsigmoid(l)`, log(1 − D) = `F.logsigmoid(-l)`; or `F.binary_cross_entropy_with_logits` with a tensor of targets.",
    ],
)  # fmt: skip
