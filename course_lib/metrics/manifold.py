"""The estimated support of a sample: the union of balls around its points. Who lies in it?"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.metrics.checks import feature_rows
from course_lib.metrics.neighbours import rooted

ENTRIES = 1 << 22  # differences held at a time


def in_manifold(points: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """Whether each point lies in at least one ball, d ≤ r: (M,) bool.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991v3, eq. 1). Distances from float64 differences, rounded to the radii's
    precision as `neighbour_radii` rounds them, so that a k-th neighbour lies on the edge exactly. For the shares of
    thousands of points `precision_recall` is many times as fast.

    points: (M, d);  centres: (N, d);  radii: (N,), not negative, such as `neighbour_radii(centres, k)`
    raises: ValueError if shapes do not fit or a number is not finite
    """
    centres = feature_rows(centres, "centres")
    points = feature_rows(points, "points", width=centres.shape[1], like="centres", count="M")
    if radii.shape != (len(centres),) or not (radii >= 0).all():
        raise ValueError(f"radii: expected ({len(centres)},) numbers of at least 0, got {tuple(radii.shape)}")
    inside = []
    for rows in points.double().split(max(1, ENTRIES // centres.numel())):
        squared = (rows[:, None] - centres.double()).square().sum(2)
        inside.append((rooted(squared, radii.dtype) <= radii).any(1))
    return torch.cat(inside)
