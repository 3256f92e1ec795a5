"""08.reparameterise, 08.gaussian_kl: drawing a latent so that gradients pass, and what its distribution costs."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from course_lib import bounds, metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow

LOG2 = math.log(2)


def rows(*values) -> Tensor:
    """A tensor in float64."""
    return torch.tensor(values, dtype=torch.float64)


def of_shape(found, shape: tuple[int, ...], what: str) -> Tensor:
    """`found` as a tensor of this shape, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    require(found.shape == shape, f"Expected {what} of shape {shape}, got {tuple(found.shape)}.")
    return found


def seen(found):
    """What `engine.same` can compare: tensors without their graph, anything else by the name of its type."""
    return found.detach() if isinstance(found, Tensor) else type(found).__name__


def listed(values: Tensor) -> list[float]:
    """Numbers for a sentence."""
    return [round(value, 4) for value in values.flatten().tolist()]


MEAN, LOG_VARIANCE = rows([0.5, -1.0], [2.0, 0.0], [0.0, 1.0]), rows([0.0, math.log(4)], [-2.0, 1.0], [0.5, -1.0])
NOISE = rows([1.0, 1.0], [-0.5, 2.0], [0.3, -1.0])


# ---------------------------------------------------------------- reparameterisation


def _no_noise(answer):
    found = of_shape(answer(MEAN, LOG_VARIANCE, torch.zeros_like(NOISE)), (3, 2), "the latents")
    require(
        bool(torch.isfinite(found).all()),
        f"Some of your latents are no numbers: {listed(found)}. log σ² is negative where σ < 1; take its exponential before any root.",
    )
    require(
        torch.allclose(found, MEAN),
        f"Without noise, ε = 0, the draw is the mean: {listed(MEAN)}; yours {listed(found)}. Is the noise that was given the one that is used?",
    )


def _by_hand(answer):
    found = of_shape(answer(rows([1.0]), rows([math.log(4)]), rows([1.5])), (1, 1), "the latent").item()
    require(
        abs(found - 4) < 1e-9,
        f"Mean 1, variance 4 (so log σ² = 1.386 and σ = 2), noise 1.5: z = 1 + 2·1.5 = 4; yours is {found:.10g}. No ε is needed: exp is never 0 here.",
    )


def _given_noise(answer):
    one, other = answer(MEAN, LOG_VARIANCE, NOISE), answer(MEAN, LOG_VARIANCE, NOISE)
    want = bounds.reparameterise(MEAN, LOG_VARIANCE, NOISE)
    require(
        torch.equal(one, other),
        "The same noise gave two different draws: randomness comes in from outside, as ε. Nothing is drawn in here.",
    )
    require(
        torch.allclose(of_shape(one, (3, 2), "the latents"), want),
        f"Three images, two latent dimensions: expected {listed(want)}; yours {listed(one)}.",
    )


def _gradients(answer):
    mean, log_variance = MEAN.clone().requires_grad_(True), LOG_VARIANCE.clone().requires_grad_(True)
    found = answer(mean, log_variance, NOISE)
    require(found.requires_grad, "No gradient reaches the encoder: the result is cut off from mean and log_variance.")
    grads = torch.autograd.grad(found.sum(), (mean, log_variance), allow_unused=True)
    for name, grad in zip(("mean", "log_variance"), grads):
        require(grad is not None, f"No gradient reaches {name}. That is what this way of drawing is for.")
    require(torch.allclose(grads[0], torch.ones_like(MEAN)), f"∂z/∂μ is 1 everywhere; yours {listed(grads[0])}.")
    want = 0.5 * (0.5 * LOG_VARIANCE).exp() * NOISE
    require(
        torch.allclose(grads[1], want),
        f"∂z/∂log σ² is ½·σ·ε, here {listed(want)}; yours {listed(grads[1])}.",
    )


def _several(answer):
    noise = torch.stack([NOISE, -NOISE])
    found = of_shape(answer(MEAN, LOG_VARIANCE, noise), (2, 3, 2), "two draws for each of three images")
    require(
        torch.allclose(found.mean(0), MEAN),
        "Two draws with opposite noise lie opposite each other around the mean; yours do not.",
    )


reparameterise = Exercise(
    id="08.reparameterise",
    reference=bounds.reparameterise,
    difficulty=1,
    minutes=5,
    properties=[
        Property("the mean, where the noise is 0", _no_noise),
        Property("a case by hand, N(1, 4)", _by_hand),
        Property("the noise that was given, and no other", _given_noise),
        Property("gradients reach mean and log-variance", _gradients),
        Property("several draws for each image", _several),
    ],
    behaviour=lambda answer: [
        seen(answer(MEAN, LOG_VARIANCE, NOISE)),
        seen(answer(MEAN, LOG_VARIANCE, torch.zeros_like(NOISE))),
        str(answer(MEAN.clone().requires_grad_(True), LOG_VARIANCE, NOISE).requires_grad),
        str(answer(MEAN, LOG_VARIANCE.clone().requires_grad_(True), NOISE).requires_grad),
    ],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda mean, log_variance, noise: mean + log_variance.exp().sqrt() * noise,
        lambda mean, log_variance, noise: torch.addcmul(mean, noise, torch.exp(log_variance / 2)),
    ],
    wrong_answers={
        "variance for deviation": WrongAnswer(
            lambda mean, log_variance, noise: mean + log_variance.exp() * noise,
            "It behaves like μ + σ²·ε. The encoder gives log σ²; the deviation is its root, exp(½·log σ²).",
        ),
        "the logarithm itself": WrongAnswer(
            lambda mean, log_variance, noise: mean + log_variance * noise,
            "It multiplies the noise by log σ², which is 0 at σ = 1 and negative below. The deviation is exp(½·log σ²).",
        ),
        "root of the logarithm": WrongAnswer(
            lambda mean, log_variance, noise: mean + log_variance.sqrt() * noise,
            "It takes the root of log σ², which has none where σ < 1. First the exponential, then the root: exp(log σ²).sqrt(), or exp(½·log σ²).",
        ),
        "precision": WrongAnswer(
            lambda mean, log_variance, noise: mean + (-0.5 * log_variance).exp() * noise,
            "It behaves like μ + ε/σ: the sign in the exponent is turned round, so that sure encoders scatter most.",
        ),
        "its own noise": WrongAnswer(
            lambda mean, log_variance, noise: mean + (0.5 * log_variance).exp() * torch.randn_like(noise),
            "It draws noise of its own. ε is an argument, so that a run can be repeated and a test can set it.",
        ),
        "torch.normal": WrongAnswer(
            lambda mean, log_variance, noise: torch.normal(mean.detach(), (0.5 * log_variance.detach()).exp()),
            "It asks for a sample of N(μ, σ²) directly. The numbers are right and no gradient comes back from them: that is the problem "
            "that z = μ + σ·ε solves.",
        ),
        "deviation detached": WrongAnswer(
            lambda mean, log_variance, noise: mean + (0.5 * log_variance).exp().detach() * noise,
            "The deviation is cut off from the graph: the encoder would never learn how sure it may be.",
        ),
        "no noise": WrongAnswer(
            lambda mean, log_variance, noise: mean.expand_as(noise) + 0 * log_variance,
            "It returns the mean whatever the noise is: that is an autoencoder, and nothing teaches the decoder about the places around the mean.",
        ),
        "roles exchanged": WrongAnswer(
            lambda mean, log_variance, noise: (0.5 * log_variance).exp() + mean * noise,
            "Mean and deviation have changed places: σ + μ·ε. Without noise the draw is μ.",
        ),
        "noise scaled with the mean": WrongAnswer(
            lambda mean, log_variance, noise: (0.5 * log_variance).exp() * (mean + noise),
            "It behaves like σ·(μ + ε): the mean is scaled as well.",
        ),
    },
    hints=["A normal of mean μ and deviation σ is a standard normal, stretched by σ and moved by μ.", "The deviation is `(0.5 * log_variance).exp()`: half of a logarithm is the logarithm of a root."],
)  # fmt: skip


# ---------------------------------------------------------------- KL of a Gaussian


def _prior(answer):
    zero = torch.zeros(4, 3, dtype=torch.float64)
    found = of_shape(answer(zero, zero), (4, 3), "one number for each image and latent dimension")
    require(
        torch.allclose(found, zero, atol=1e-12),
        f"A q that is the prior itself, μ = 0 and log σ² = 0, costs nothing; yours costs {found[0, 0]:.4g} a dimension.",
    )


def _moved(answer):
    found = of_shape(answer(rows([3.0]), rows([0.0])), (1, 1), "the divergence").item()
    require(
        abs(found - 4.5) < 1e-9,
        f"N(3, 1) against N(0, 1): half the squared distance of the means, 4.5 nats; yours {found:.4f}.",
    )


def _wide(answer):
    found = of_shape(answer(rows([0.0]), rows([math.log(4)])), (1, 1), "the divergence").item()
    want = 0.5 * (4 - 1 - math.log(4))
    require(
        abs(found - want) < 1e-9,
        f"N(0, 4) against N(0, 1): ½(4 − 1 − log 4) = {want:.4f} nats; yours {found:.4f}.",
    )


def _each_dimension(answer):
    want = bounds.gaussian_kl(MEAN, LOG_VARIANCE)
    found = of_shape(answer(MEAN, LOG_VARIANCE), (3, 2), "one number for each image and latent dimension")
    require(torch.allclose(found, want), f"Expected {listed(want)}; yours {listed(found)}.")


def _against_matrices(answer):
    found = answer(MEAN, LOG_VARIANCE)[0].sum().item()
    none, eye = torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    want = metrics.gaussian_kl(MEAN[0], LOG_VARIANCE[0].exp().diag(), none, eye).item()
    require(
        abs(found - want) < 1e-9,
        f"Summed over its dimensions it is the KL of the whole normals, {want:.4f} by the formula with matrices; yours {found:.4f}.",
    )


def _sure(answer):
    found = of_shape(answer(rows([0.0]), rows([-40.0])), (1, 1), "the divergence").item()
    require(
        abs(found - 19.5) < 1e-6,
        f"An encoder that is nearly certain, log σ² = −40, pays ½(40 − 1) = 19.5 nats; yours {found:.4f}.",
    )


def _kl_slopes(answer):
    follow(answer, mean=MEAN, log_variance=LOG_VARIANCE)


gaussian_kl = Exercise(
    id="08.gaussian_kl",
    reference=bounds.gaussian_kl,
    difficulty=2,
    minutes=8,
    properties=[
        Property("0 where q is the prior", _prior),
        Property("4.5 for a mean of 3", _moved),
        Property("a variance of 4 by hand", _wide),
        Property("one number for each image and dimension", _each_dimension),
        Property("the formula with matrices", _against_matrices),
        Property("an encoder that is nearly certain", _sure),
        Property("slopes in mean and log_variance that are those of its values", _kl_slopes),
    ],
    behaviour=lambda answer: [seen(answer(*pair)) for pair in ((MEAN, LOG_VARIANCE), (rows([3.0]), rows([0.0])), (rows([0.0]), rows([-3.0])))],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda mean, log_variance: kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))),
        lambda mean, log_variance: -0.5 * (1 + log_variance - mean**2 - torch.exp(log_variance)),
    ],
    wrong_answers={
        "the other way round": WrongAnswer(
            lambda mean, log_variance: 0.5 * (log_variance + (1 + mean.square()) / log_variance.exp() - 1),
            "It behaves like KL(p‖q), prior against q. In the ELBO the draws come from q, so q comes first.",
        ),
        "without its half": WrongAnswer(
            lambda mean, log_variance: 2 * bounds.gaussian_kl(mean, log_variance), "It is twice too large: the ½ of the normal's exponent is missing."
        ),
        "negative": WrongAnswer(
            lambda mean, log_variance: -bounds.gaussian_kl(mean, log_variance), "It is negative: a divergence never is. The ELBO subtracts it; the minus stands there."
        ),
        "log σ for log σ²": WrongAnswer(
            lambda mean, log_variance: bounds.gaussian_kl(mean, 2 * log_variance),
            "It behaves as if the encoder had given log σ. It gives log σ², so σ² is `log_variance.exp()`.",
        ),
        "variance for its logarithm": WrongAnswer(
            lambda mean, log_variance: 0.5 * (mean.square() + log_variance - 1 - log_variance.clamp(min=1e-12).log()),
            "log_variance is used as if it were σ². Take its exponential where the formula has σ².",
        ),
        "the one forgotten": WrongAnswer(
            lambda mean, log_variance: bounds.gaussian_kl(mean, log_variance) + 0.5,
            "It is ½ too large in each dimension: where q is the prior it does not come to 0. A 1 is subtracted in the formula.",
        ),
        "mean not squared": WrongAnswer(
            lambda mean, log_variance: 0.5 * (mean.abs() + log_variance.exp() - 1 - log_variance), "The mean enters without its square."
        ),
        "summed": WrongAnswer(
            lambda mean, log_variance: bounds.gaussian_kl(mean, log_variance).sum(1),
            "It is summed over the latent dimensions already. Here each dimension keeps its number: that is how one sees which ones collapse.",
        ),
        "mean over everything": WrongAnswer(
            lambda mean, log_variance: bounds.gaussian_kl(mean, log_variance).mean(),
            "It is one number, the mean over images and dimensions. Asked is (N, d); and a mean over dimensions would make β mean something else at each d.",
        ),
        "no spread": WrongAnswer(lambda mean, log_variance: 0.5 * mean.square(), "Only the mean is paid for. A q that is narrower or wider than the prior costs as well."),
    },
    hints=[
        "E_q log q − E_q log p, both normal: the first is −½(1 + log σ² + log 2π), the second −½(μ² + σ² + log 2π).",
        "½(μ² + σ² − 1 − log σ²), with σ² = `log_variance.exp()`; no sum.",
    ],
)  # fmt: skip
