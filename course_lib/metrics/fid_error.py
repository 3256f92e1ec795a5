"""How far FID would move with other images of the same number: its standard error, from the images at hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.metrics.checks import ROWS, feature_pair
from course_lib.metrics.frechet import EPS
from course_lib.metrics.moments import GaussianMoments


def fid_standard_error(real_features: Tensor, fake_features: Tensor) -> float:
    """Standard error of FID by the influence of each image on it: no redrawing, no random numbers.

    FID is a smooth function of both means and covariances, so an image x of the fakes (mean ν, covariance Σ_y) pulls
    it in proportion to 2(ν − μ)·(x − ν) + (x − ν)ᵀ(I − T)(x − ν), where T is the matrix that takes the fakes' Gaussian
    to the real one (TΣ_yT = Σ_x); an image of the real set likewise, with the inverse of T. The variance of these pulls
    over N images, divided by N, is the variance of FID: the delta method, whose central limit theorem for this
    distance is that of Rippl, Munk, Sturm 2015 (arXiv:1507.04090). Resampling with replacement would not do: it
    repeats images, which raises FID itself.

    It is about chance alone. The bias of few images is not in it, for it moves every draw of N alike (`fid_infinity`
    is about that). Where the distance is mostly that bias (few images, or both sets from one distribution) the error
    is up to √2 too large: the first-order pulls are then themselves mostly noise.

    real_features: (N, d);  fake_features: (M, d), more rows than features in both; constant features are left out
    returns:       the standard deviation of `fid` over other pairs of sets of N and M images
    raises:        ValueError like `fid`, and where a covariance is singular: its inverse is needed
    """
    real, fake = feature_pair(
        real_features, fake_features, names=("real_features", "fake_features"), least=2, why="one has no covariance"
    )
    x, y = GaussianMoments().update(real), GaussianMoments().update(fake)
    cov_x, cov_y, shift = x.cov(), y.cov(), y.mean - x.mean
    alive = (cov_x.diagonal() > 0) | (cov_y.diagonal() > 0)
    cov_x, cov_y = cov_x[alive][:, alive], cov_y[alive][:, alive]
    d = int(alive.sum())
    if d == 0:
        return 0.0
    factor, failed = torch.linalg.cholesky_ex(cov_x)  # Σ_x = LLᵀ
    own = factor.diagonal().square() / cov_x.diagonal()  # share of a feature's variance that those before it lack
    singular = failed or min(len(real), len(fake)) <= d or own.min() <= d * EPS
    if not singular:
        values, vectors = torch.linalg.eigh(factor.T @ cov_y @ factor)
        singular = values[0] <= d * EPS * values[-1]
    if singular:
        raise ValueError(
            f"real_features, fake_features: expected covariances with an inverse (more rows than the {d} features that "
            f"vary, none of them constant in one set or made of others), got {len(real)} and {len(fake)} rows"
        )
    roots = values.sqrt()
    half = torch.linalg.solve_triangular(factor.T, vectors, upper=True)  # L⁻ᵀV
    there = (half * roots) @ half.T  # takes the real Gaussian to the fakes'
    half = factor @ vectors
    back = (half / roots) @ half.T
    variance = 0.0
    for rows, mean, taken, sign in ((real, x.mean, there, -2), (fake, y.mean, back, 2)):
        pulls = torch.cat([_pulls(block, mean, sign * shift, taken, alive) for block in rows.split(ROWS)])
        variance += pulls.var().item() / len(rows)
    return math.sqrt(variance)


def _pulls(rows: Tensor, mean: Tensor, slope: Tensor, taken: Tensor, alive: Tensor) -> Tensor:
    """(n,) float64: slope·c + cᵀ(I − T)c of each centred row c. The slope counts constant features: they have c = 0."""
    centred = (rows.double() - mean)[:, alive]
    return centred @ slope[alive] + (centred * (centred - centred @ taken)).sum(1)
