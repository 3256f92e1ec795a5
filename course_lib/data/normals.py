"""Normal distributions with any covariance: points and ellipses of them, in the plane or beyond."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def covariance_2d(std_x: float, std_y: float, correlation: float) -> Tensor:
    """The covariance matrix of two variables with these standard deviations and this correlation. → (2, 2) float64

    raises: ValueError unless both deviations are ≥ 0 and the correlation is within [−1, 1]
    """
    if std_x < 0 or std_y < 0:
        raise ValueError(f"std_x, std_y: expected numbers ≥ 0, got {std_x:g} and {std_y:g}")
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation: expected a number within [-1, 1], got {correlation:g}")
    off = correlation * std_x * std_y
    return torch.tensor([[std_x**2, off], [off, std_y**2]], dtype=torch.float64)


@dataclass(frozen=True)
class Normal:
    """N(μ, Σ). mean: (d,);  cov: (d, d) symmetric, positive semi-definite; both float64"""

    mean: Tensor
    cov: Tensor

    def __post_init__(self):
        d = len(self.mean)
        if self.mean.ndim != 1 or self.cov.shape != (d, d):
            raise ValueError(f"cov: expected ({d}, {d}) like mean, got {tuple(self.cov.shape)}")

    @property
    def half_axes(self) -> Tensor:
        """(d, d): a row for each half-axis of the covariance ellipse, √λ times its eigenvector, shortest first."""
        values, vectors = torch.linalg.eigh(self.cov)
        return (vectors * values.clamp(min=0).sqrt()).T

    @property
    def root(self) -> Tensor:
        """(d, d): the positive semi-definite S with S·S = Σ."""
        values, vectors = torch.linalg.eigh(self.cov)
        return vectors * values.clamp(min=0).sqrt() @ vectors.T

    def place(self, noise: Tensor) -> Tensor:
        """Standard normal rows (N, d) → rows of this distribution, μ + S·noise; the same noise moves smoothly with Σ."""
        return self.mean + noise.double() @ self.root

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """`count` independent draws. → (count, d) float64"""
        return self.place(torch.randn(count, len(self.mean), generator=generator, dtype=torch.float64))

    def ellipse(self, corners: int = 120) -> Tensor:
        """The covariance ellipse of a distribution in the plane, (x − μ)ᵀΣ⁻¹(x − μ) = 1, closed. → (corners + 1, 2)"""
        angle = torch.linspace(0, 2 * math.pi, corners + 1, dtype=torch.float64)
        return self.place(torch.stack([angle.cos(), angle.sin()], 1))
