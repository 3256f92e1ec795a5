"""01.value, 01.optimal_discriminator: the game, and the best answer to a generator."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from course_lib import losses, metrics, oracle
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import same_precision, scalar

LOG4, LOG2 = math.log(4), math.log(2)


# ---------------------------------------------------------------- the value function


def _undecided(answer):
    zero = torch.zeros(5)
    found = scalar(answer(zero, zero), "V").item()
    require(
        abs(found + LOG4) < 1e-5,
        f"A discriminator that says ½ everywhere has V = log ½ + log ½ = −log 4 = −1.3863; yours gives {found:.4f}.",
    )


def _known_values(answer):
    real, fake = torch.tensor([math.log(4), 0.0]), torch.tensor([-math.log(9), 0.0, 0.0])  # D = 0.8, 0.5; 0.1, 0.5, 0.5
    want = (math.log(0.8) + math.log(0.5)) / 2 + (math.log(0.9) + 2 * math.log(0.5)) / 3
    found = scalar(answer(real, fake), "V").item()
    require(
        abs(found - want) < 1e-5,
        f"With D = 0.8 and 0.5 on two real images and 0.1, 0.5, 0.5 on three fakes, V = (log 0.8 + log 0.5)/2 + (log 0.9 + 2·log 0.5)/3 = {want:.4f}; "
        f"yours gives {found:.4f}.",
    )


def _very_sure(answer):
    sure = ((200.0, -200.0, 0.0), (-200.0, -1.0, -200.0 - math.log1p(math.exp(-1.0))), (200.0, 200.0, -200.0))
    for real, fake, want in sure:
        found = scalar(answer(torch.tensor([real]), torch.tensor([fake])), "V").item()
        require(
            math.isfinite(found) and abs(found - want) < 1e-3,
            f"At a real logit of {real:g} and a fake one of {fake:g}, V = {want:.2f}; yours gives {found:.4g}. In float32 "
            "sigmoid(−200) is exactly 0 and its logarithm −∞: `F.logsigmoid` never takes that logarithm.",
        )


def _value_gradient(answer):
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(2, requires_grad=True)
    found = answer(real, fake)
    require(
        found.requires_grad,
        "V should be differentiable: yours is cut off from the logits (`item`, `detach` or `no_grad`?).",
    )
    found.backward()
    require(
        torch.allclose(real.grad, torch.full((3,), 1 / 6)) and torch.allclose(fake.grad, torch.full((2,), -1 / 4)),
        f"At undecided logits V rises by ½·1/3 for each of 3 real logits and falls by ½·1/2 for each of 2 fake ones; your slopes are "
        f"{real.grad[0]:.3f} and {fake.grad[0]:.3f}.",
    )


def _value_behaviour(answer) -> list:
    draw = torch.Generator().manual_seed(1)
    real, fake = torch.randn(4, generator=draw) + 1, torch.randn(6, generator=draw) - 1
    return [answer(real, fake), answer(torch.tensor([-200.0]), torch.tensor([-200.0])), answer(-real, fake)]


def _by_binary_cross_entropy(real_logits, fake_logits):
    ones, zeros = torch.ones_like(real_logits), torch.zeros_like(fake_logits)
    return -F.binary_cross_entropy_with_logits(real_logits, ones) - F.binary_cross_entropy_with_logits(
        fake_logits, zeros
    )


value = Exercise(
    id="01.value",
    reference=losses.value,
    difficulty=1,
    minutes=6,
    properties=[
        Property("−log 4 where D is undecided", _undecided),
        Property("known probabilities, unequal numbers of images", _known_values),
        Property("finite for a discriminator that is very sure", _very_sure),
        Property("the gradient reaches both kinds of logits", _value_gradient),
    ],
    behaviour=_value_behaviour,
    other_forms=[
        _by_binary_cross_entropy,
        lambda real_logits, fake_logits: -F.softplus(-real_logits).mean() - F.softplus(fake_logits).mean(),
    ],
    wrong_answers={
        "the loss": WrongAnswer(
            losses.cross_entropy_discriminator,
            "It behaves like −V, the discriminator's *loss*. V itself is what D makes as large as it can; it is never above 0.",
        ),
        "sigmoid, then log": WrongAnswer(
            lambda real_logits, fake_logits: (
                real_logits.sigmoid().log().mean() + (1 - fake_logits.sigmoid()).log().mean()
            ),
            "It behaves like `sigmoid` followed by `log`: right on paper, −∞ as soon as the sigmoid rounds to 0 or 1.",
        ),
        "log D on fakes": WrongAnswer(
            lambda real_logits, fake_logits: F.logsigmoid(real_logits).mean() + F.logsigmoid(fake_logits).mean(),
            "The second term behaves like log D(G(z)); the game has log(1 − D(G(z))). With logits, 1 − σ(l) = σ(−l).",
        ),
        "sums": WrongAnswer(
            lambda real_logits, fake_logits: F.logsigmoid(real_logits).sum() + F.logsigmoid(-fake_logits).sum(),
            "It behaves like sums: E is a mean, and a sum would make V depend on how many images there happen to be.",
        ),
        "one mean over all": WrongAnswer(
            lambda real_logits, fake_logits: torch.cat([F.logsigmoid(real_logits), F.logsigmoid(-fake_logits)]).mean(),
            "It behaves like one mean over real and fake together: half of V for equal numbers, and not even that for unequal ones.",
        ),
        "half": WrongAnswer(
            lambda real_logits, fake_logits: losses.value(real_logits, fake_logits) / 2,
            "It behaves like the mean of the two terms: −0.693 when undecided. V is their sum. Many plots show this half; read the axis.",
        ),
        "swapped": WrongAnswer(
            lambda real_logits, fake_logits: losses.value(fake_logits, real_logits),
            "Real and fake are swapped: D would be rewarded for calling fakes real.",
        ),
        "base 2": WrongAnswer(
            lambda real_logits, fake_logits: losses.value(real_logits, fake_logits) / LOG2,
            "It behaves like logarithms to base 2: −2 when undecided. Here everything is in nats.",
        ),
        "logits for probabilities": WrongAnswer(
            lambda real_logits, fake_logits: real_logits.log().mean() + (1 - fake_logits).log().mean(),
            "It takes the logarithm of the logits themselves. A logit is any real number; D(x) = σ(logit) is the probability.",
        ),
    },
    hints=[
        "log D(x) is `F.logsigmoid(real_logits)`. What is log(1 − σ(l)), written with `logsigmoid`?",
        "1 − σ(l) = σ(−l). Each expectation is a mean over its own sample.",
    ],
)


# ---------------------------------------------------------------- the optimal discriminator


def _three_to_one(answer):
    found = answer(torch.tensor([3.0, 1.0, 1.0]), torch.tensor([1.0, 1.0, 3.0]))
    require(
        isinstance(found, torch.Tensor) and found.shape == (3,),
        "Expected one probability for each point, in a tensor of the same shape.",
    )
    require(
        torch.allclose(found, torch.tensor([0.75, 0.5, 0.25])),
        f"Where real is three times, as and a third as dense as fake, the best D says 0.75, 0.5, 0.25; yours says {[round(v, 3) for v in found.tolist()]}.",
    )


def _no_other_is_better(answer):
    p, q = (
        torch.tensor([0.1, 0.6, 0.2, 0.1], dtype=torch.float64),
        torch.tensor([0.4, 0.1, 0.1, 0.4], dtype=torch.float64),
    )

    def v(d):
        return (torch.special.xlogy(p, d) + torch.special.xlogy(q, 1 - d)).sum().item()

    mine, best = answer(p.clone(), q.clone()), 2 * metrics.js_divergence(p, q).item() - LOG4
    same_precision(mine, p.dtype, "D*")
    require(
        abs(v(mine) - best) < 1e-9,
        f"On a world of four outcomes the best V is {best:.4f}; yours reaches {v(mine):.4f}. Set the derivative of p log D + q log(1 − D) to 0.",
    )


def _no_scale(answer):
    p, q = torch.tensor([2e-30, 1e-12], dtype=torch.float64), torch.tensor([6e-30, 3e-12], dtype=torch.float64)
    found = answer(p, q)
    require(
        torch.allclose(found, torch.full((2,), 0.25, dtype=torch.float64)),
        f"Only the ratio counts: densities of 2e-30 and 6e-30 still give 0.25; yours gives {found[0]:.3g}. Is there an ε in the denominator?",
    )


def _any_shape(answer):
    for shape in ((), (3, 1), (2, 2)):
        p, q = torch.full(shape, 3.0), torch.full(shape, 1.0)
        found = answer(p, q)
        require(
            isinstance(found, torch.Tensor) and found.shape == shape and torch.allclose(found, torch.full(shape, 0.75)),
            f"Densities of shape {shape} have as many answers, 0.75 each: p and q may have any shape, also that of a single number.",
        )


def _where_one_is_absent(answer):
    found = answer(torch.tensor([0.5, 0.0]), torch.tensor([0.0, 0.5]))
    require(
        found.tolist() == [1.0, 0.0],
        f"Where only real images occur D = 1, where only fakes D = 0; yours: {found.tolist()}.",
    )


discriminator = Exercise(
    id="01.optimal_discriminator",
    reference=oracle.optimal_discriminator,
    difficulty=1,
    minutes=6,
    properties=[
        Property("three times as dense means 0.75", _three_to_one),
        Property("no other discriminator has a higher value", _no_other_is_better),
        Property("1 where only real images occur, 0 where only fakes do", _where_one_is_absent),
        Property("the ratio alone counts, however small the densities", _no_scale),
        Property("densities of any shape", _any_shape),
    ],
    behaviour=lambda answer: [
        answer(torch.tensor([3.0, 1.0, 0.2, 0.5]), torch.tensor([1.0, 1.0, 0.7, 0.0])),
        answer(torch.tensor([2e-30], dtype=torch.float64), torch.tensor([6e-30], dtype=torch.float64)),
    ],
    tolerance=(1e-6, 1e-12),
    other_forms=[
        lambda p, q: 1 / (1 + q / p),
        lambda p, q: torch.sigmoid(torch.log(p) - torch.log(q)),
    ],
    wrong_answers={
        "the other share": WrongAnswer(lambda p, q: q / (p + q), "It behaves like q/(p + q): the probability of *fake*. D(x) is that of real."),
        "the ratio": WrongAnswer(lambda p, q: p / q, "It behaves like p/q, the density ratio, which has no upper end. D is a probability: the share of p in p + q."),
        "all or nothing": WrongAnswer(
            lambda p, q: (p > q).to(p.dtype),
            "It behaves like a verdict, 1 or 0. That maximises the number of right verdicts, not the log-likelihood: being sure and wrong costs −∞.",
        ),
        "difference": WrongAnswer(lambda p, q: torch.sigmoid(p - q), "It behaves like σ(p − q). The logit of D* is the difference of the *logarithms*, log p − log q."),
        "linear": WrongAnswer(lambda p, q: (1 + p - q) / 2, "It behaves like (1 + p − q)/2: densities are no probabilities and this can leave [0, 1]."),
        "squares": WrongAnswer(
            lambda p, q: p.square() / (p.square() + q.square()),
            "It behaves like p²/(p² + q²), the optimum of another objective. Differentiate p log D + q log(1 − D).",
        ),
        "epsilon": WrongAnswer(
            lambda p, q: p / (p + q + 1e-8),
            "An ε stands in the denominator. Densities in many dimensions are tiny, and then ε is the whole answer: D* would be 0 everywhere.",
        ),
        "share of all": WrongAnswer(
            lambda p, q: p / (p + q).sum(), "It is normalised over all points together. D answers at each point for itself: p(x) against q(x)."
        ),
    },
    hints=[
        "At one point x, V contributes p log D + q log(1 − D). Differentiate with respect to the number D.",
        "p/D = q/(1 − D). Solve for D.",
    ],
)  # fmt: skip
