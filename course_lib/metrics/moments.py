"""Mean and covariance of features that arrive in batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.metrics.checks import ROWS, feature_rows, gram_, mirror


class GaussianMoments:
    """Count, mean and scatter in float64, updated batch by batch and mergeable in any order.

    Chan, Golub, LeVeque 1979: a block is centred on its own mean first, so that features with a mean of 1e3
    lose no digits. float32 features are widened block by block. Products in float32 would halve the time, and
    cost FID its digits: 1e-9 of it on features with a flat spectrum, and on a steep one the covariance is none any more.

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
        if self.mean is None:
            self.mean = features.new_zeros(features.shape[1], dtype=torch.float64)
            self._scatter = self.mean.new_zeros(len(self.mean), len(self.mean))
        room = self.mean.new_empty(min(ROWS, len(features)) + 1, len(self.mean))  # for all blocks
        for block in features.split(ROWS):
            rows = room[: len(block) + 1]
            mean = rows[:-1].copy_(block).mean(0)
            rows[:-1] -= mean
            rows[-1] = self._move(len(block), mean)
            gram_(self._scatter, rows)
        return self

    def merge(self, other: GaussianMoments) -> GaussianMoments:
        """As if the other's rows had been given to this one; the other stays as it is.

        raises: ValueError if the other's features have another width
        """
        if other.count == 0:
            return self
        if self.mean is not None and len(other.mean) != len(self.mean):
            raise ValueError(f"other: expected moments of {len(self.mean)} features, got {len(other.mean)}")
        if self.mean is None:
            self.mean, self._scatter = torch.zeros_like(other.mean), torch.zeros_like(other._scatter)
        self._scatter += other._scatter
        gram_(self._scatter, self._move(other.count, other.mean)[None])
        return self

    def cov(self, ddof: int = 1) -> Tensor:
        """(d, d) float64; ddof 1 is the unbiased covariance. raises: ValueError unless count > ddof"""
        return mirror(self.lower_cov(ddof))

    def lower_cov(self, ddof: int = 1) -> Tensor:
        """`cov` whose lower triangle alone is defined: what LAPACK reads of a symmetric matrix."""
        if self.count <= ddof:
            raise ValueError(f"features: expected more than {ddof} rows for a covariance, got {self.count}")
        return self._scatter / (self.count - ddof)

    def _move(self, count: int, mean: Tensor) -> Tensor:
        """Takes `count` rows of this mean in; what the distance of the two means adds to the scatter is one row, (d,)."""
        total = self.count + count
        shift = mean - self.mean
        row = shift * math.sqrt(self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total
        return row
