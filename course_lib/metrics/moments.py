"""Mean and covariance of features that arrive in batches."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.metrics.checks import ROWS, column_mean, feature_rows, gram_, mirror


class GaussianMoments:
    """Count, mean and scatter in float64, updated batch by batch and mergeable in any order.

    Chan, Golub, LeVeque 1979: a batch is centred on its own mean first, so that features with a mean of 1e3
    lose no digits. float32 features are widened block by block: products in float32 would be as fast as the
    half of the float64 products that symmetry leaves to do, and cost FID eight of its digits.

    The order and the size of the batches change the result by float64 rounding only.
    """

    def __init__(self):
        self.count = 0
        self.mean: Tensor | None = None  # (d,) float64
        self._scatter: Tensor | None = None  # (d, d) float64: sum of outer products, lower triangle

    def update(self, features: Tensor) -> GaussianMoments:
        """features: (N, d) floating point, finite; raises ValueError otherwise"""
        width = None if self.mean is None else len(self.mean)
        features = feature_rows(features, "features", width=width)
        mean = column_mean(features)
        if self._scatter is None:
            self._scatter = features.new_zeros(features.shape[1], features.shape[1], dtype=torch.float64)
        centred = mean.new_empty(min(ROWS, len(features)), len(mean))  # one piece of memory for all blocks
        for block in features.split(ROWS):
            gram_(self._scatter, torch.sub(block, mean, out=centred[: len(block)]))
        return self._combine(len(features), mean)

    def merge(self, other: GaussianMoments) -> GaussianMoments:
        """As if the other's rows had been given to this one; the other stays as it is.

        raises: ValueError if the other's features have another width
        """
        if other.count == 0:
            return self
        if self.mean is not None and len(other.mean) != len(self.mean):
            raise ValueError(f"other: expected moments of {len(self.mean)} features, got {len(other.mean)}")
        self._scatter = other._scatter.clone() if self._scatter is None else self._scatter.add_(other._scatter)
        return self._combine(other.count, other.mean)

    def cov(self, ddof: int = 1) -> Tensor:
        """(d, d) float64; ddof 1 is the unbiased covariance. raises: ValueError unless count > ddof"""
        if self.count <= ddof:
            raise ValueError(f"features: expected more than {ddof} rows for a covariance, got {self.count}")
        return mirror(self._scatter).div_(self.count - ddof)

    def _combine(self, count: int, mean: Tensor) -> GaussianMoments:
        """The scatters are added already; what is left is the distance between the two means."""
        if self.count == 0:
            self.count, self.mean = count, mean.clone()
            return self
        total = self.count + count
        shift = mean - self.mean
        self._scatter.addr_(shift, shift, alpha=self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total
        return self
