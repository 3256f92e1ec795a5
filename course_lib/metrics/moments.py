"""Mean and covariance of features that arrive in batches."""

from __future__ import annotations

import torch
from torch import Tensor


class GaussianMoments:
    """Count, mean and scatter in float64, updated batch by batch and mergeable in any order.

    Chan, Golub, LeVeque 1979: a batch is centred on its own mean first, so that features with a mean of 1e3
    lose no digits.
    """

    def __init__(self):
        self.count = 0
        self.mean: Tensor | None = None  # (d,) float64
        self._scatter: Tensor | None = None  # (d, d) float64: sum of outer products of centred rows

    def update(self, features: Tensor) -> GaussianMoments:
        """features: (N, d) floating point, finite; raises ValueError otherwise"""
        if features.ndim != 2 or not features.is_floating_point() or len(features) == 0:
            raise ValueError(
                f"features: expected (N, d) floating point with N > 0, got {tuple(features.shape)} {features.dtype}"
            )
        rows = features.detach().double()
        if not torch.isfinite(rows).all():
            raise ValueError("features: expected finite numbers, got NaN or infinity")
        mean = rows.mean(0)
        centred = rows - mean
        return self._add(len(rows), mean, centred.T @ centred)

    def merge(self, other: GaussianMoments) -> GaussianMoments:
        """As if the other's rows had been given to this one."""
        if other.count:
            self._add(other.count, other.mean, other._scatter)
        return self

    def cov(self, ddof: int = 1) -> Tensor:
        """(d, d) float64; ddof 1 is the unbiased covariance. raises: ValueError unless count > ddof"""
        if self.count <= ddof:
            raise ValueError(f"features: expected more than {ddof} rows for a covariance, got {self.count}")
        return self._scatter / (self.count - ddof)

    def _add(self, count: int, mean: Tensor, scatter: Tensor) -> GaussianMoments:
        if self.count == 0:
            self.count, self.mean, self._scatter = count, mean.clone(), scatter.clone()
            return self
        if mean.shape != self.mean.shape:
            raise ValueError(f"features: expected (N, {len(self.mean)}) like the rows before, got (N, {len(mean)})")
        total = self.count + count
        shift = mean - self.mean
        self._scatter += scatter + torch.outer(shift, shift) * (self.count * count / total)
        self.mean += shift * (count / total)
        self.count = total
        return self
