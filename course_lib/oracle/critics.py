"""The best critics in one dimension: of slope 1 (whose earnings are W₁) and of least hinge loss (which earns an overlap)."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.data.mixtures import Mixture
from course_lib.oracle.densities import quadrature


def best_critic(p: Mixture, q: Mixture, x: Tensor) -> Tensor:
    """A critic f of slope ±1 with E_p f − E_q f = W₁(p, q): Kantorovich's potential.

    By parts E_p f − E_q f = ∫ f′ (Q − P), so the best slope is the sign of Q − P, the two distribution functions.
    Where they agree to the last digit any slope will do; there it goes on as before. 0 in the middle of its range.

    x: (M,) float64, ascending; the finer, the nearer f turns to where P and Q cross.  returns: (M,)
    raises: ValueError unless both mixtures are in one dimension and x ascends
    """
    if p.dim != 1 or q.dim != 1:
        raise ValueError(f"p, q: expected mixtures in 1 dimension, got {p.dim} and {q.dim}")
    if x.ndim != 1 or not (x[1:] > x[:-1]).all():
        raise ValueError(f"x: expected (M,) ascending, got {tuple(x.shape)}")
    slope = torch.sign(q.cdf(x) - p.cdf(x))
    known = torch.nonzero(slope)[:, 0]
    if not len(known):
        return torch.zeros_like(x)
    place = torch.searchsorted(known, torch.arange(len(x)), right=True) - 1  # the last known slope at or before each
    slope = slope[known[place.clamp(min=0)]]
    step = 0.5 * (slope[1:] + slope[:-1]) * (x[1:] - x[:-1])
    f = torch.cat([x.new_zeros(1), step.cumsum(0)])
    return f - (f.min() + f.max()) / 2


def least_hinge_loss(p: Mixture, q: Mixture) -> float:
    """The hinge loss of the best critic without any bound: 2 ∫ min(p, q), at f = sign(p − q).

    At each point p·max(0, 1 − f) + q·max(0, 1 + f) is least at f = ±1, where it is 2·min(p, q). So it is
    2·(1 − total variation distance): 0 for all disjoint supports, however far apart.
    """
    x, weight = quadrature(p, q, finer=8)  # min(p, q) has kinks, where a sum converges by squares of the step only
    return 2 * weight * torch.minimum(p.log_prob(x), q.log_prob(x)).exp().sum().item()
