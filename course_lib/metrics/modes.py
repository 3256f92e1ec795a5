"""Modes found: mode collapse counted instead of judged by eye, where the modes are known."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class ModeCount(NamedTuple):
    """found: modes with enough samples;  high_quality: share of all samples that belong to any mode."""

    found: int
    high_quality: float


def count_modes(samples: Tensor, means: Tensor, stds: Tensor, at_least: int = 20) -> ModeCount:
    """How many modes of a mixture the samples reach, and how many of the samples reach one.

    A sample belongs to the nearest mode, if it lies within three of its standard deviations; a mode counts as found
    with at least `at_least` samples. Both numbers mean nothing without N and `at_least` beside them. Exact samples of
    the mixture have a high-quality share of 1 − exp(−9/2) = 0.989 in the plane.

    samples: (N, d);  means: (K, d);  stds: (K,), one for each mode
    raises:  ValueError for other shapes or at_least < 1
    """
    if samples.ndim != 2 or means.ndim != 2 or samples.shape[1] != means.shape[1] or stds.shape != means.shape[:1]:
        shapes = ", ".join(str(tuple(each.shape)) for each in (samples, means, stds))
        raise ValueError(f"samples, means, stds: expected (N, d), (K, d) and (K,), got {shapes}")
    if at_least < 1:
        raise ValueError(f"at_least: expected at least 1 sample, got {at_least}")
    distance, nearest = torch.cdist(samples.double(), means.double()).min(1)
    reached = nearest[distance <= 3 * stds.double()[nearest]]
    counts = torch.bincount(reached, minlength=len(means))
    return ModeCount(int((counts >= at_least).sum()), len(reached) / len(samples))
