"""00.probability: the first answer of the course, from logits to probabilities."""

from __future__ import annotations

import math

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def probability(logits: torch.Tensor) -> torch.Tensor:
    """σ(logit) = 1 / (1 + exp(−logit)), the probability of "real". Any shape → the same shape, 0 to 1."""
    return torch.sigmoid(logits)


def _tensor(found, shape):
    require(isinstance(found, torch.Tensor), f"Expected a tensor, got {type(found).__name__}. Is there a `return`?")
    require(tuple(found.shape) == shape, f"{shape} logits give {shape} probabilities; yours are {tuple(found.shape)}.")
    require(
        found.dtype == torch.float32,
        f"The logits are float32, and so are their probabilities; yours are {found.dtype}.",
    )
    return found


def _known(answer):
    logits = torch.tensor([0.0, math.log(3), -math.log(3)])
    found = _tensor(answer(logits), (3,))
    require(
        torch.allclose(found, torch.tensor([0.5, 0.75, 0.25]), atol=1e-5),
        f"Logits of 0, log 3 and −log 3 are probabilities of 0.5, 0.75 and 0.25; yours are "
        f"{', '.join(f'{value:.3f}' for value in found.tolist())}.",
    )


def _between(answer):
    logits = torch.tensor([1.0, 2.0, -3.0])
    found, want = _tensor(answer(logits), (3,)), 1 / (1 + torch.exp(-logits))
    require(
        torch.allclose(found, want, atol=1e-5),
        f"Logits of 1, 2 and −3 are probabilities of {', '.join(f'{value:.4f}' for value in want.tolist())}; yours are "
        f"{', '.join(f'{value:.4f}' for value in found.tolist())}.",
    )


def _far(answer):
    found = _tensor(answer(torch.tensor([200.0, -200.0])), (2,)).tolist()
    require(
        found == [1.0, 0.0],
        f"Logits of 200 and −200 are probabilities of 1 and 0 (to float32's precision); yours are {found[0]:g} and {found[1]:g}."
        + (" exp(200) is infinite in float32, and ∞/∞ is not a number." if any(map(math.isnan, found)) else ""),
    )


def _any_shape(answer):
    logits = torch.randn(2, 3, 4)
    found = _tensor(answer(logits), (2, 3, 4))
    alone = _tensor(answer(logits[0, 0]), (4,))
    require(
        torch.allclose(found[0, 0], alone, atol=1e-6),
        "The probability of one image should not depend on which others are asked about with it.",
    )


def _complement(answer):
    logits = torch.linspace(-5, 5, 11)
    total = _tensor(answer(logits), (11,)) + _tensor(answer(-logits), (11,))
    require(
        torch.allclose(total, torch.ones(11), atol=1e-5),
        f"σ(l) + σ(−l) = 1: real and fake exclude each other. Yours add up to {total.min():.3f} to {total.max():.3f}.",
    )


probability_exercise = Exercise(
    id="00.probability",
    reference=probability,
    difficulty=1,
    minutes=3,
    properties=[
        Property("0.5, 0.75 and 0.25 at 0, log 3 and −log 3", _known),
        Property("0.731, 0.881 and 0.047 at 1, 2 and −3", _between),
        Property("σ(l) + σ(−l) = 1", _complement),
        Property("1 and 0, not NaN, for a discriminator that is very sure", _far),
        Property("any shape, each logit for itself", _any_shape),
    ],
    behaviour=lambda answer: [answer(torch.tensor([-1.5, 0.0, 0.5, 2.0])), answer(torch.tensor([200.0, -200.0]))],
    other_forms=[
        lambda logits: 1 / (1 + torch.exp(-logits)),
        lambda logits: (torch.tanh(logits / 2) + 1) / 2,
    ],
    wrong_answers={
        "exp over 1 + exp": WrongAnswer(
            lambda logits: torch.exp(logits) / (1 + torch.exp(logits)),
            "It behaves like exp(l)/(1 + exp(l)): right on paper, ∞/∞ for large logits. Written as 1/(1 + exp(−l)) the worst that happens is 1/∞ = 0. "
            "Numbers on a computer end somewhere: this course meets that again.",
        ),
        "fake instead of real": WrongAnswer(
            lambda logits: torch.sigmoid(-logits),
            "It behaves like σ(−l), the probability of *fake*. Positive logits lean towards real.",
        ),
        "softmax": WrongAnswer(
            lambda logits: torch.softmax(logits.flatten(), 0).reshape(logits.shape),
            "It behaves like softmax: the images share one unit of probability. Here each image has its own question, real or fake.",
        ),
        "tanh": WrongAnswer(
            torch.tanh, "It behaves like tanh, which runs from −1 to 1. (tanh(l/2) + 1)/2 is the sigmoid."
        ),
        "the odds": WrongAnswer(
            torch.exp, "It behaves like exp(l): the *odds* of real. Odds of 3 to 1 are a probability of 3/4."
        ),
        "its logarithm": WrongAnswer(
            torch.nn.functional.logsigmoid,
            "It behaves like log σ(l), the log-likelihood. Asked for is the probability itself.",
        ),
        "a verdict": WrongAnswer(
            lambda logits: (logits > 0).float(),
            "It behaves like a verdict, 1 or 0. How *sure* the discriminator is gets lost, and with it the gradient.",
        ),
        "clipped line": WrongAnswer(
            lambda logits: (logits / 4 + 0.5).clamp(0, 1),
            "It behaves like a clipped straight line: it agrees with σ at 0 only, slope included.",
        ),
    },
    hints=[
        "PyTorch has it: `torch.sigmoid`. Or write the formula with `torch.exp`.",
        "If you write it yourself: exp of a large number is infinite. In 1/(1 + exp(−l)) an infinite denominator does no harm.",
    ],
)
