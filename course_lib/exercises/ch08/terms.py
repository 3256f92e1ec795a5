"""08.reconstruction_term and 08.elbo: from logits to a bound on log p(x)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import bounds
from course_lib.exercises.ch08.latents import listed, of_shape, rows, seen
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow
from course_lib.models.vae import VAE

LOG2 = math.log(2)


def reconstruction_term(logits: Tensor, images: Tensor) -> Tensor:
    """log p(x|z) of a Bernoulli decoder, nats per image. logits, images: (N, C, H, W), images in [−1, 1] → (N,)"""
    return bounds.bernoulli_log_likelihood(logits, images)


def elbo(network: VAE, images: Tensor, noise: Tensor, beta: float = 1.0) -> Tensor:
    """log p(x|z) − β·KL(q(z|x)‖p(z)) of each image at one draw of z.

    images: (N, C, H, W) in [−1, 1];  noise: (N, latent_dim) from N(0, I);  returns (N,)
    """
    log_likelihood, kl = network.terms(images, noise)
    return bounds.elbo(log_likelihood, kl, beta)


BLACK_WHITE = rows([[[1.0, -1.0], [-1.0, -1.0]]], [[[1.0, 1.0], [1.0, -1.0]]])  # (2, 1, 2, 2)
GREY = rows([[[0.2, -0.6], [0.9, -1.0]]], [[[0.0, 0.5], [-0.3, 1.0]]])
LOGITS = rows([[[0.4, -1.2], [2.0, 0.1]]], [[[-0.7, 1.5], [0.3, -2.0]]])


def _undecided(answer):
    found = of_shape(
        answer(torch.zeros(2, 1, 2, 2, dtype=torch.float64), BLACK_WHITE), (2,), "one number for each image"
    )
    require(
        torch.allclose(found, torch.full((2,), -4 * LOG2, dtype=torch.float64)),
        f"Logits of 0 give each of 4 pixels probability ½: log p = −4·log 2 = {-4 * LOG2:.4f}; yours {listed(found)}. Sum over pixels, not mean.",
    )


def _surprise(answer):
    logits = rows([[[math.log(9), 0.0], [0.0, 0.0]]]).reshape(1, 1, 2, 2)
    found = of_shape(answer(logits, BLACK_WHITE[:1]), (1,), "one number for each image").item()
    want = math.log(0.9) - 3 * LOG2
    require(
        abs(found - want) < 1e-6,
        f"A white pixel (x = 1) said to be white with 0.9, three pixels with ½: log 0.9 − 3·log 2 = {want:.4f}; yours {found:.4f}. "
        "Pixels lie in [−1, 1]; as targets they are (x + 1)/2.",
    )


def _grey(answer):
    found = of_shape(answer(LOGITS, GREY), (2,), "one number for each image")
    want = bounds.bernoulli_log_likelihood(LOGITS, GREY)
    require(torch.allclose(found, want), f"For two grey images expected {listed(want)}; yours {listed(found)}.")


def _large_logits(answer):
    logits = torch.full((1, 1, 2, 2), 60.0)
    found = of_shape(answer(logits, BLACK_WHITE[:1].float()), (1,), "one number for each image").item()
    require(
        abs(found + 180) < 1e-3,
        f"Three black pixels called white with a logit of 60 cost 60 nats each, −180; yours {found:.4g}. In float32 "
        "sigmoid(60) is exactly 1 and its other side 0: work with logits.",
    )


def _colours(answer):
    draw = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 3, 2, 4, generator=draw, dtype=torch.float64)
    images = 2 * torch.rand(2, 3, 2, 4, generator=draw, dtype=torch.float64) - 1
    found, want = (
        of_shape(answer(logits, images), (2,), "one number for each image"),
        reconstruction_term(logits, images),
    )
    require(
        torch.allclose(found, want),
        f"Two images (3, 2, 4), that is 24 numbers each, all to be summed: expected {listed(want)}; yours {listed(found)}.",
    )
    far = answer(torch.full((1, 1, 2, 2), 200.0), BLACK_WHITE[:1].float()).item()
    require(
        abs(far + 600) < 1e-2,
        f"Three black pixels at a logit of 200 cost 600 nats; yours {far:.4g}. Nothing is cut off.",
    )
    follow(lambda logits: answer(logits, images), logits=logits)


reconstruction = Exercise(
    id="08.reconstruction_term",
    reference=reconstruction_term,
    difficulty=2,
    minutes=7,
    properties=[
        Property("−log 2 for each pixel where the decoder is undecided", _undecided),
        Property("a case by hand, pixels in [−1, 1]", _surprise),
        Property("grey levels", _grey),
        Property("logits of 60 without infinities", _large_logits),
        Property("all channels, rows and columns, and a slope in the logits", _colours),
    ],
    behaviour=lambda answer: [seen(answer(LOGITS, GREY)), seen(answer(LOGITS, BLACK_WHITE)), seen(answer(torch.full((1, 1, 2, 2), 60.0), BLACK_WHITE[:1].float()))],
    tolerance=(1e-5, 1e-7),
    other_forms=[
        lambda logits, images: -F.binary_cross_entropy_with_logits(logits, 0.5 * images + 0.5, reduction="none").sum((1, 2, 3)),
        lambda logits, images: ((images + 1) / 2 * F.logsigmoid(logits) + (1 - images) / 2 * F.logsigmoid(-logits)).flatten(1).sum(1),
    ],
    solution_also=[bounds.bernoulli_log_likelihood],
    wrong_answers={
        "mean over pixels": WrongAnswer(
            lambda logits, images: bounds.bernoulli_log_likelihood(logits, images) / logits[0].numel(),
            "It is the mean over pixels. The logarithm of a product over pixels is a sum; with a mean the KL weighs as many times more as there are pixels.",
        ),
        "its negative": WrongAnswer(
            lambda logits, images: -bounds.bernoulli_log_likelihood(logits, images), "It is the cross-entropy, −log p(x|z): a loss. Asked is the log-likelihood, at most 0."
        ),
        "range not moved": WrongAnswer(
            lambda logits, images: -F.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1),
            "Pixels in [−1, 1] are used as probabilities. Black is −1, and a target of −1 rewards logits without end; move them to [0, 1] first.",
        ),
        "summed over the batch": WrongAnswer(
            lambda logits, images: bounds.bernoulli_log_likelihood(logits, images).sum(), "It sums over the images too. Each image keeps its number; means over images come later."
        ),
        "mean of the batch": WrongAnswer(
            lambda logits, images: bounds.bernoulli_log_likelihood(logits, images).mean(),
            "It is one number, the mean over images. Asked is one number for each: standard errors and bounds need them.",
        ),
        "sigmoid, then log": WrongAnswer(
            lambda logits, images: (
                (images + 1) / 2 * logits.sigmoid().log() + (1 - images) / 2 * (1 - logits.sigmoid()).log()
            ).flatten(1).sum(1),
            "It takes a sigmoid and then a logarithm: at a logit of 60 the sigmoid is exactly 1 in float32, and log(1 − 1) is −∞.",
        ),
        "sigmoid twice": WrongAnswer(
            lambda logits, images: bounds.bernoulli_log_likelihood(logits.sigmoid(), images),
            "The decoder's output goes through a sigmoid twice: the function with `with_logits` in its name takes logits.",
        ),
        "squared error": WrongAnswer(
            lambda logits, images: -((images + 1) / 2 - logits.sigmoid()).square().flatten(1).sum(1),
            "It behaves like minus the squared error: the reconstruction term of a Gaussian decoder, with a weight of its own. Here pixels are Bernoulli.",
        ),
        "dark half cut off": WrongAnswer(
            lambda logits, images: bounds.bernoulli_log_likelihood(logits, 2 * images.clamp(0, 1) - 1),
            "Pixels below 0 are clamped to 0. In [−1, 1] a grey level of −0.6 is a target of (−0.6 + 1)/2 = 0.2, not 0, and one of 0 is ½.",
        ),
        "black or white": WrongAnswer(
            lambda logits, images: bounds.bernoulli_log_likelihood(logits, 2.0 * (images > 0) - 1),
            "Grey levels are rounded to black or white. The target of a pixel is (x + 1)/2: −0.6 becomes 0.2.",
        ),
        "a Bernoulli that knows 0 and 1 alone": WrongAnswer(
            lambda logits, images: torch.distributions.Bernoulli(logits=logits).log_prob((images + 1) / 2).flatten(1).sum(1),
            "PyTorch's Bernoulli refuses a target between 0 and 1. The formula t·log p + (1 − t)·log(1 − p) does not mind: `validate_args=False`, or the cross-entropy with logits.",
        ),
        "white alone": WrongAnswer(
            lambda logits, images: ((images + 1) / 2 * F.logsigmoid(logits)).flatten(1).sum(1),
            "Only white is paid for: (1 − t)·log(1 − p) is missing, so a decoder that paints everything white would be perfect.",
        ),
    },
    hints=[
        "`F.binary_cross_entropy_with_logits(logits, targets, reduction=\"none\")` is −log p of each pixel.",
        "The targets are (x + 1)/2; then a minus, `flatten(1)` and `sum(1)`.",
    ],
)  # fmt: skip


def _network(**options) -> VAE:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = VAE(latent_dim=3, width=2, size=8, **options).double()
        with torch.no_grad():  # far enough from its start for every term to matter
            for weights in network.parameters():
                weights.mul_(2.5)
    return network


NETWORK = _network()
GAUSSIAN = _network(likelihood="gaussian")
PICTURES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1
DRAWN = torch.randn(4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def _library(answer):
    for beta in (1.0, 3.0):
        want = elbo(NETWORK, PICTURES, DRAWN, beta).detach()
        found = of_shape(answer(NETWORK, PICTURES, DRAWN, beta), (4,), "one number for each image").detach()
        require(
            torch.allclose(found, want),
            f"Four images at β = {beta:g}: expected {listed(want)}; yours {listed(found)}.",
        )


def _free(answer):
    found = of_shape(answer(NETWORK, PICTURES, DRAWN, 0.0), (4,), "one number for each image").detach()
    mean, log_variance = NETWORK.encode(PICTURES)
    want = NETWORK.log_likelihood(bounds.reparameterise(mean, log_variance, DRAWN), PICTURES).detach()
    require(
        torch.allclose(found, want),
        f"At β = 0 the reconstruction term is left, {listed(want)} at this draw; yours {listed(found)}. Is the draw z = μ + σ·ε what is decoded?",
    )


def _price(answer):
    gap = (answer(NETWORK, PICTURES, DRAWN, 0.0) - answer(NETWORK, PICTURES, DRAWN, 1.0)).detach()
    want = bounds.gaussian_kl(*NETWORK.encode(PICTURES)).sum(1).detach()
    require(
        gap.shape == want.shape and torch.allclose(gap, want),
        f"From β = 0 to β = 1 the bound falls by the KL, summed over the latent dimensions: {listed(want)}; yours falls by {listed(gap)}.",
    )


def _of_its_own_likelihood(answer):
    found = of_shape(answer(GAUSSIAN, PICTURES, DRAWN, 1.0), (4,), "one number for each image").detach()
    want = elbo(GAUSSIAN, PICTURES, DRAWN, 1.0).detach()
    require(
        torch.allclose(found, want),
        f"A network with a Gaussian decoder: expected {listed(want)}; yours {listed(found)}. Which likelihood it has is the network's "
        "business: ask `network.log_likelihood(z, images)`.",
    )


def _default(answer):
    found = answer(NETWORK, PICTURES, DRAWN)
    require(
        torch.allclose(found, answer(NETWORK, PICTURES, DRAWN, 1.0)),
        "Without β it is the ELBO itself, β = 1: keep the default.",
    )


def _learns(answer):
    for beta in (1.0, 3.0):
        mine, library = _network(), _network()
        answer(mine, PICTURES, DRAWN, beta).mean().backward()
        elbo(library, PICTURES, DRAWN, beta).mean().backward()
        for part in ("encoder", "decoder"):
            pairs = list(zip(getattr(mine, part).parameters(), getattr(library, part).parameters()))
            require(
                all(weights.grad is not None for weights, _ in pairs),
                f"Encoder and decoder must both get a gradient from the ELBO's mean; the {part} gets none.",
            )
            require(
                all(torch.allclose(weights.grad, want.grad) for weights, want in pairs),
                f"At β = {beta:g} the values are right, and the {part}'s gradient is not that of the ELBO's mean: something on the way is detached, the KL, z, μ or σ.",
            )
        require(mine.training, "The network was in train mode and is left in eval mode.")


def _parts(network, images, noise):
    mean, log_variance = network.encode(images)
    z = bounds.reparameterise(mean, log_variance, noise)
    return mean, log_variance, z


def _spelt_out(network, images, noise, beta=1.0):
    mean, log_variance, z = _parts(network, images, noise)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)
    return network.log_likelihood(z, images) - beta * kl


def _of(likelihood, kl, beta):
    return likelihood - beta * kl


elbo_exercise = Exercise(
    id="08.elbo",
    reference=elbo,
    difficulty=2,
    minutes=8,
    properties=[
        Property("the reconstruction term alone at β = 0", _free),
        Property("the price: KL, summed over latent dimensions", _price),
        Property("the library's numbers at β = 1 and 3", _library),
        Property("whichever likelihood the network has", _of_its_own_likelihood),
        Property("β = 1 without a β", _default),
        Property("gradients reach encoder and decoder", _learns),
    ],
    behaviour=lambda answer: [
        *(seen(answer(NETWORK, PICTURES, DRAWN, beta)) for beta in (0.0, 1.0, 3.0)),
        seen(answer(GAUSSIAN, PICTURES, DRAWN, 1.0)),
        str(answer(NETWORK, PICTURES, DRAWN, 1.0).requires_grad),
        seen(torch.autograd.grad(answer(NETWORK, PICTURES, DRAWN, 1.0).sum(), next(NETWORK.encoder.parameters()), allow_unused=True)[0]),
    ],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        _spelt_out,
        lambda network, images, noise, beta=1.0: bounds.elbo(*network.terms(images, noise), beta),
    ],
    solution_also=[VAE.terms, bounds.elbo],
    wrong_answers={
        "KL added": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(*_terms(network, images, noise), -beta),
            "The KL is added. It is the price of saying more about z than the prior does: the bound subtracts it.",
        ),
        "the mean is decoded": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(network.log_likelihood(network.encode(images)[0], images), _terms(network, images, noise)[1], beta),
            "It decodes the mean of q, and no draw from it: the reconstruction comes out better than its expectation, so this is no bound, "
            "and σ learns from the KL alone.",
        ),
        "the noise is decoded": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(network.log_likelihood(noise, images), _terms(network, images, noise)[1], beta),
            "It decodes ε, a draw from the prior, instead of μ + σ·ε: the image never reaches the decoder.",
        ),
        "mean over latent dimensions": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(_terms(network, images, noise)[0], _terms(network, images, noise)[1] / 3, beta),
            "The KL is averaged over the latent dimensions. Both terms are logarithms of products: sums. With a mean, β means something else at each width.",
        ),
        "β on the wrong term": WrongAnswer(
            lambda network, images, noise, beta=1.0: beta * _terms(network, images, noise)[0] - _terms(network, images, noise)[1],
            "β weighs the reconstruction. It belongs to the KL.",
        ),
        "β left out": WrongAnswer(lambda network, images, noise, beta=1.0: _of(*_terms(network, images, noise), 1.0), "β makes no difference in it."),
        "a loss": WrongAnswer(
            lambda network, images, noise, beta=1.0: -elbo(network, images, noise, beta),
            "It is −ELBO, what a training step lowers. The bound itself is asked.",
        ),
        "one number": WrongAnswer(
            lambda network, images, noise, beta=1.0: elbo(network, images, noise, beta).mean(),
            "It is the mean over images. Each image has a bound of its own; the training step takes the mean.",
        ),
        "KL of the whole batch": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(_terms(network, images, noise)[0], _terms(network, images, noise)[1].sum(), beta),
            "The KL is summed over the images as well, and all of it is taken from each of them.",
        ),
        "always Bernoulli": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(
                reconstruction_term(network.decode(_parts(network, images, noise)[2]), images), _terms(network, images, noise)[1], beta
            ),
            "The reconstruction term is the Bernoulli one whatever the network is. A Gaussian decoder has another, with a weight of its own: "
            "`network.log_likelihood(z, images)` knows which.",
        ),
        "reconstruction without gradient": WrongAnswer(
            lambda network, images, noise, beta=1.0: _of(_terms(network, images, noise)[0].detach(), _terms(network, images, noise)[1], beta),
            "The reconstruction term is cut off from the graph: only the KL would be trained, and it is happiest with a q that ignores the image.",
        ),
    },
    hints=[
        "`network.encode(images)` gives mean and log-variance; your `reparameterise` draws z; `network.log_likelihood(z, images)` is the first term.",
        "The second is your `gaussian_kl`, summed over dim 1, times β.",
    ],
)  # fmt: skip


def _terms(network, images, noise) -> tuple[Tensor, Tensor]:
    log_likelihood, kl = network.terms(images, noise)
    return log_likelihood, kl.sum(1)
