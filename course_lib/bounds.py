"""Bounds on log p(x) of models with a latent: pure functions of a decoder's output, an encoder's q and draws from it.

Kingma, Welling 2013 (arXiv:1312.6114) and Burda et al. 2015 (arXiv:1509.00519). Everything is in nats per image:
summed over pixels and over latent dimensions, never averaged over either; means are taken over images alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.runtime import keyed_generator


def reparameterise(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z = μ + σ·ε: a draw from N(μ, σ²) through which gradients reach μ and σ.

    mean, log_variance: (N, d), log_variance = log σ²;  noise: (..., N, d) from N(0, I)
    returns: (..., N, d)
    """
    return mean + (0.5 * log_variance).exp() * noise


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(0, I)) of each latent dimension: ½(μ² + σ² − 1 − log σ²); sum over the last for the whole.

    mean, log_variance: (N, d)
    returns: (N, d), not negative; a column of zeros is a dimension that has collapsed onto the prior
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def bernoulli_log_likelihood(logits: Tensor, images: Tensor, validate: bool = True) -> Tensor:
    """log p(x|z) = Σ t·log p + (1 − t)·log(1 − p) over the pixels, p = sigmoid(logits), t = (x + 1)/2.

    Black and white pixels (−1 and 1) have this log-probability. For grey levels it is the mean log-probability of a
    random black and white picture whose pixels are white with probability t, and no density of the grey level.

    logits:   (N, C, H, W);  images: (N, C, H, W) in [−1, 1]
    validate: look at the range of images (a training loop whose pixels are uint8 need not wait for that)
    returns:  (N,), at most 0
    raises:   ValueError if shapes do not fit or images leave [−1, 1]
    """
    _fitting(logits, "logits", images, validate)
    return -F.binary_cross_entropy_with_logits(logits, (images + 1) / 2, reduction="none").flatten(1).sum(1)


def gaussian_log_likelihood(means: Tensor, images: Tensor, std: float, validate: bool = True) -> Tensor:
    """log p(x|z) = −Σ ((x − m)²/2σ² + log σ + ½ log 2π) over the pixels: squared error with its true weight, 1/2σ².

    A density of images in [−1, 1]: it may exceed 1, and halving the unit of x adds log 2 for each pixel.

    means:   (N, C, H, W);  images: (N, C, H, W) in [−1, 1];  std: σ > 0 of a pixel, in units of x
    returns: (N,)
    raises:  ValueError if shapes do not fit, images leave [−1, 1] or std is not positive
    """
    _fitting(means, "means", images, validate)
    if not std > 0:
        raise ValueError(f"std: expected a positive number, got {std}")
    constant = math.log(std) + 0.5 * math.log(2 * math.pi)
    return -(0.5 * ((images - means) / std).square() + constant).flatten(1).sum(1)


def elbo(log_likelihood: Tensor, kl: Tensor, beta: float = 1.0) -> Tensor:
    """E log p(x|z) − β·KL(q(z|x)‖p(z)) of each image; a lower bound on log p(x) for every β ≥ 1, tightest at β = 1.

    Higgins et al. 2017 (β-VAE) for β ≠ 1. Below 1 it is no bound.

    log_likelihood: (N,), at one draw of z or averaged over several;  kl: (N, d), one column a latent dimension
    returns: (N,)
    raises:  ValueError if shapes do not fit or β is negative
    """
    if log_likelihood.ndim != 1 or kl.ndim != 2 or len(kl) != len(log_likelihood):
        raise ValueError(
            f"kl: expected (N, d) beside log_likelihood (N,), got {tuple(kl.shape)} and {tuple(log_likelihood.shape)}"
        )
    if not beta >= 0:
        raise ValueError(f"beta: expected 0 or more, got {beta}")
    return log_likelihood - beta * kl.sum(1)


def binarise(images: Tensor, noise: Tensor) -> Tensor:
    """Black and white pictures, each pixel white with its grey level as probability ("dynamic" binarisation).

    images: float in [−1, 1];  noise: of the same shape, uniform in [0, 1);  returns −1 and 1
    """
    return 2 * (noise < (images + 1) / 2).to(images) - 1


def log_normal(z: Tensor, mean: Tensor | float = 0.0, log_variance: Tensor | float = 0.0) -> Tensor:
    """log N(z; μ, diag σ²), summed over the last dimension. z: (..., d) → (...)"""
    variance = log_variance.exp() if isinstance(log_variance, Tensor) else math.exp(log_variance)
    return -0.5 * ((z - mean).square() / variance + log_variance + math.log(2 * math.pi)).sum(-1)


def importance_weighted(log_weights: Tensor) -> Tensor:
    """log of the mean of K importance weights w = p(x, z)/q(z|x), z from q: the bound L_K of Burda et al. 2015.

    Its expectation is the ELBO at K = 1, never falls with K and tends to log p(x) (arXiv:1509.00519).

    log_weights: (K, ...), one row a draw → (...)
    """
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def in_groups(log_weights: Tensor, k: int) -> Tensor:
    """The bound L_k from K draws, averaged over the K/k groups of k that they make.

    From the same draws, L₁ ≤ L_k ≤ L_K holds for each image, because the logarithm is concave.

    log_weights: (K, ...) → (...);  raises: ValueError unless k divides K
    """
    if k < 1 or len(log_weights) % k:
        raise ValueError(f"k: expected a divisor of the {len(log_weights)} draws, got {k}")
    return importance_weighted(log_weights.unflatten(0, (-1, k)).transpose(0, 1)).mean(0)


class ImageBounds(NamedTuple):
    """What a VAE says of each of N images, in nats, on the CPU.

    log_likelihood: (N,), E_q log p(x|z) over the draws;  kl: (N, d), exact
    elbo:           (N,), the one less the other, summed
    weighted:       {k: (N,)}, L_k from the same draws
    """

    log_likelihood: Tensor
    kl: Tensor
    elbo: Tensor
    weighted: dict[int, Tensor]


@torch.no_grad()
def of_images(
    vae, images: Tensor, *, draws: int = 50, ks: Sequence[int] = (5, 50), seed: int = 0, batch_size: int = 20
) -> ImageBounds:
    """ELBO and importance-weighted bounds of each image; draws depend on seed, batch_size and the image's place alone.

    vae:    a models.vae.VAE;  images: (N, C, H, W) float in [−1, 1]
    draws:  of z for each image;  ks: divisors of draws
    raises: ValueError if a k does not divide draws, or the images do not fit the network or its likelihood
    """
    device = next(vae.parameters()).device
    for k in ks:
        if k < 1 or draws % k:
            raise ValueError(f"ks: expected divisors of draws = {draws}, got {k}")
    found = []
    for number, batch in enumerate(images.split(batch_size)):
        batch = batch.to(device)
        mean, log_variance = vae.encode(batch)
        noise = torch.randn(draws, *mean.shape, generator=keyed_generator("cpu", seed, number, "bounds"))
        z = reparameterise(mean, log_variance, noise.to(mean))  # (K, B, d)
        repeated = batch.expand(draws, *batch.shape).flatten(0, 1)
        likelihood = vae.log_likelihood(z.flatten(0, 1), repeated).reshape(draws, -1)
        log_weights = (likelihood + log_normal(z) - log_normal(z, mean, log_variance)).double()
        kl = gaussian_kl(mean, log_variance)
        parts = [likelihood.mean(0), kl, elbo(likelihood.mean(0), kl), *(in_groups(log_weights, k) for k in ks)]
        found.append([part.cpu() for part in parts])
    likelihood, kl, bound, *weighted = (torch.cat(parts) for parts in zip(*found))
    return ImageBounds(likelihood, kl, bound, dict(zip(ks, weighted)))


def mean_and_error(values: Tensor) -> tuple[float, float]:
    """Mean over images and its standard error. (N,) with N ≥ 2"""
    return values.double().mean().item(), (values.double().std() / math.sqrt(len(values))).item()


def _fitting(parameters: Tensor, name: str, images: Tensor, validate: bool) -> None:
    if parameters.shape != images.shape or images.ndim < 2:
        raise ValueError(f"{name}: expected {tuple(images.shape)} like images, got {tuple(parameters.shape)}")
    if validate:
        expect_range(images)


def expect_range(images: Tensor) -> None:
    """raises: ValueError unless every pixel lies in [−1, 1]"""
    low, high = images.detach().aminmax()
    if not (low >= -1 and high <= 1):  # written so that NaN fails too
        raise ValueError(f"images: expected values in [-1, 1] for this likelihood, got [{low:.4g}, {high:.4g}]")
