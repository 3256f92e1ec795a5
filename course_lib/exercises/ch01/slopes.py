"""01.generator_losses: two losses with one optimum and two very different slopes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import two
from course_lib.losses import non_saturating_generator, saturating_generator


def generator_losses(fake_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(E log(1 − D(G(z))), −E log D(G(z))): the saturating and the non-saturating loss, both to be minimised.

    fake_logits: (N,)
    """
    return saturating_generator(fake_logits), non_saturating_generator(fake_logits)


def _pair(answer, logits):
    found = two(answer(logits), ": the saturating loss, then the non-saturating one")
    require(all(each.ndim == 0 for each in found), "Each loss is one number: the mean over the fakes.")
    return found


def _undecided(answer):
    found = [each.item() for each in _pair(answer, torch.zeros(7))]
    require(
        abs(found[0] + math.log(2)) < 1e-5 and abs(found[1] - math.log(2)) < 1e-5,
        f"Where D says ½, log(1 − ½) = −0.6931 and −log ½ = +0.6931; yours are {found[0]:.4f} and {found[1]:.4f}.",
    )


def _slopes(answer):
    want = (-torch.sigmoid(torch.tensor(-3.0)).item(), -torch.sigmoid(torch.tensor(3.0)).item())
    for name, index in (("saturating", 0), ("non-saturating", 1)):
        logit = torch.tensor([-3.0], requires_grad=True)
        loss = _pair(answer, logit)[index]
        require(
            loss.requires_grad, f"The {name} loss is cut off from the logits: no gradient could reach the generator."
        )
        loss.backward()
        require(
            abs(logit.grad.item() - want[index]) < 1e-4,
            f"At a logit of −3 the {name} loss should have the slope {want[index]:.3f}; yours has {logit.grad.item():.3f}.",
        )


def _each_logit(answer):
    logits = torch.tensor([-1.0, 2.0, 0.5], requires_grad=True)
    want = -F.softplus(logits).mean(), F.softplus(-logits).mean()
    found = _pair(answer, logits)
    for name, mine, theirs in zip(("saturating", "non-saturating"), found, want):
        require(
            abs(mine.item() - theirs.item()) < 1e-5,
            f"For logits of −1, 2 and 0.5 the {name} loss is the mean of three logarithms, {theirs.item():.4f}; yours is {mine.item():.4f}. First the logarithm of each, then the mean.",
        )
        (slopes,) = torch.autograd.grad(mine, logits, retain_graph=True)
        (wanted,) = torch.autograd.grad(theirs, logits, retain_graph=True)
        require(
            torch.allclose(slopes, wanted, atol=1e-5),
            f"Each of three fakes has a slope of its own in the {name} loss, {[round(v, 3) for v in wanted.tolist()]}; yours {[round(v, 3) for v in slopes.tolist()]}.",
        )


def _stays_finite(answer):
    for logit in (-200.0, 200.0):
        found = [each.item() for each in _pair(answer, torch.tensor([logit]))]
        want = (-max(logit, 0.0), max(-logit, 0.0))
        require(
            all(math.isfinite(a) and abs(a - b) < 1e-3 for a, b in zip(found, want)),
            f"At a logit of {logit:g} the losses are {want[0]:g} and {want[1]:g}; yours are {found[0]:g} and {found[1]:g}. "
            "A sigmoid that rounds to 0 or 1 has no logarithm: use `F.logsigmoid`.",
        )


def _means(answer):
    few, many = torch.tensor([-1.0, 2.0]), torch.tensor([-1.0, 2.0]).repeat(10)
    one, other = _pair(answer, few), _pair(answer, many)
    require(
        all(torch.allclose(a, b, atol=1e-5) for a, b in zip(one, other)),
        f"Ten copies of the same fakes should cost the same; yours cost {[round(v.item(), 3) for v in one]} and {[round(v.item(), 3) for v in other]}.",
    )


def _behaviour(answer) -> list:
    logits = torch.tensor([-3.0, -1.0, 0.5, 2.0])
    return [*answer(logits), *answer(torch.tensor([-200.0]))]


def _from(saturating, non_saturating):
    return lambda fake_logits: (saturating(fake_logits), non_saturating(fake_logits))


generator_losses_exercise = Exercise(
    id="01.generator_losses",
    reference=generator_losses,
    difficulty=2,
    minutes=8,
    properties=[
        Property("−log 2 and +log 2 where D is undecided", _undecided),
        Property("the right slopes where D is sure of a fake", _slopes),
        Property("each fake's own logarithm, then the mean", _each_logit),
        Property("finite where D is very sure", _stays_finite),
        Property("means, not sums", _means),
    ],
    behaviour=_behaviour,
    other_forms=[
        lambda fake_logits: (F.logsigmoid(-fake_logits).mean(), -F.logsigmoid(fake_logits).mean()),
        lambda fake_logits: (
            -F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits)),
            F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits)),
        ),
    ],
    solution_also=[saturating_generator, non_saturating_generator],
    wrong_answers={
        "swapped": WrongAnswer(
            _from(non_saturating_generator, saturating_generator),
            "Both are right, in the other order: the saturating one is log(1 − D), of which the paper's game is made.",
        ),
        "maximised": WrongAnswer(
            _from(lambda logits: -saturating_generator(logits), non_saturating_generator),
            "The first behaves like −log(1 − D): its minimum is where D is *sure* of the fakes. G minimises log(1 − D) as it stands.",
        ),
        "log D without its sign": WrongAnswer(
            _from(saturating_generator, lambda logits: -non_saturating_generator(logits)),
            "The second behaves like log D. G wants D(G(z)) large, so what it *minimises* is −log D.",
        ),
        "sigmoid, then log": WrongAnswer(
            _from(lambda logits: (1 - logits.sigmoid()).log().mean(), lambda logits: -logits.sigmoid().log().mean()),
            "It behaves like `sigmoid` followed by `log`: −log 0 = ∞ as soon as D is sure of a fake, which is when G needs its gradient most.",
        ),
        "sums": WrongAnswer(
            _from(lambda logits: -F.softplus(logits).sum(), lambda logits: F.softplus(-logits).sum()),
            "They behave like sums over the fakes: the step would grow with the batch.",
        ),
        "the same loss twice": WrongAnswer(
            _from(non_saturating_generator, non_saturating_generator),
            "Both are −log D(G(z)). The saturating one is log(1 − D(G(z))): with logits, −softplus(l).",
        ),
        "labels flipped": WrongAnswer(
            _from(saturating_generator, lambda logits: F.softplus(logits).mean()),
            "The second behaves like −log(1 − D): cross-entropy with the label *fake*. That is D's side; G asks for the label real.",
        ),
        "logits as scores": WrongAnswer(
            _from(lambda logits: -logits.mean(), lambda logits: -logits.mean()),
            "Both behave like −mean(logit): the generator's loss of a Wasserstein GAN (chapter 03), which has no sigmoid.",
        ),
    },
    hints=[
        "log(1 − σ(l)) = logsigmoid(−l) and log σ(l) = logsigmoid(l).",
        "Their slopes are −σ(l) for the first and −(1 − σ(l)) for the second, divided by N.",
    ],
)
