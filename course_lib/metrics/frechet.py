"""Fréchet distance between two Gaussians, and FID, which is that between Gaussians fitted to features."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.metrics.moments import GaussianMoments


def frechet_distance(mean_x: Tensor, cov_x: Tensor, mean_y: Tensor, cov_y: Tensor) -> float:
    """The squared distance d² = ‖μ_x − μ_y‖² + tr(Σ_x + Σ_y − 2(Σ_x Σ_y)^½): what the field calls FID.

    Dowson and Landau 1982; Heusel et al. 2017 (arXiv:1706.08500v6, eq. 6). The trace of the root is the sum of
    square roots of the eigenvalues of Σ_x^½ Σ_y Σ_x^½, which is symmetric: real eigenvalues, no complex parts to
    drop, and rank-deficient covariances need no special case.

    mean_x, mean_y: (d,);  cov_x, cov_y: (d, d) symmetric, positive semi-definite; computed in float64
    raises: ValueError if shapes do not fit or a number is not finite
    """
    mean_x, cov_x, mean_y, cov_y = (torch.as_tensor(t).double() for t in (mean_x, cov_x, mean_y, cov_y))
    d = len(mean_x)
    for name, tensor, shape in (
        ("mean_x", mean_x, (d,)),
        ("cov_x", cov_x, (d, d)),
        ("mean_y", mean_y, (d,)),
        ("cov_y", cov_y, (d, d)),
    ):
        if tensor.shape != shape:
            raise ValueError(f"{name}: expected {shape}, got {tuple(tensor.shape)}")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    values, vectors = torch.linalg.eigh(cov_x)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    trace_of_root = torch.linalg.eigvalsh(root @ cov_y @ root).clamp(min=0).sqrt().sum()
    squared = (mean_x - mean_y).square().sum() + cov_x.trace() + cov_y.trace() - 2 * trace_of_root
    return max(0.0, squared.item())


def fid(real_features: Tensor, fake_features: Tensor) -> float:
    """Fréchet distance between Gaussians fitted to two sets of features (covariances with ddof 1).

    real_features: (N, d);  fake_features: (M, d);  N, M > 1. Say N, M and the extractor with the number.
    raises: ValueError if the shapes do not fit or a number is not finite
    """
    if fake_features.ndim != 2 or real_features.ndim != 2 or fake_features.shape[1] != real_features.shape[1]:
        raise ValueError(
            f"fake_features: expected (M, {real_features.shape[-1]}) like real_features, "
            f"got {tuple(fake_features.shape)}"
        )
    real, fake = GaussianMoments().update(real_features), GaussianMoments().update(fake_features)
    return frechet_distance(real.mean, real.cov(), fake.mean, fake.cov())
