"""How much the posteriors of a VAE overlap: whose code could this have been?"""

from __future__ import annotations

import torch
from torch import Tensor


def posterior_shares(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """The share of each of N images in a latent: q(z|xⱼ) / Σ q(z|xⱼ), the probability that z was drawn from image j's q.

    A decoder that is flexible enough gives, for this z, the mean of the images with these shares: it is the least
    surprising answer for all of them at once. Where many have a share, that is a blur.

    z: (M, d);  mean, log_variance: (N, d) of the images' q;  computed in float64
    returns: (M, N) float64, rows that sum to 1
    raises:  ValueError if widths differ
    """
    if z.ndim != 2 or mean.ndim != 2 or mean.shape != log_variance.shape or z.shape[1] != mean.shape[1]:
        raise ValueError(
            f"z, mean, log_variance: expected (M, d), (N, d), (N, d), got {tuple(z.shape)}, {tuple(mean.shape)}, "
            f"{tuple(log_variance.shape)}"
        )
    z, mean, log_variance = z.double(), mean.double(), log_variance.double()
    precision = (-log_variance).exp()
    constant = (mean.square() * precision + log_variance).sum(1)
    squares = z.square() @ precision.T - 2 * z @ (mean * precision).T + constant  # no (M, N, d) tensor
    return (-0.5 * squares).softmax(1)


def sharers(shares: Tensor) -> Tensor:
    """How many images share each latent: exp of the shares' entropy, 1 to N. (M, N) → (M,)"""
    return torch.special.entr(shares).sum(1).exp()


def active_dimensions(mean: Tensor, least: float = 0.01) -> int:
    """Latent dimensions whose mean moves with the image: variance over images above `least`. (N, d)

    Burda et al. 2015 (arXiv:1509.00519); the others have collapsed onto the prior.
    """
    return int((mean.var(0) > least).sum())
