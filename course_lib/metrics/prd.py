"""Precision-recall curves of two distributions, over the clusters of their features."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.metrics.checks import ROWS, feature_pair, whole_number
from course_lib.metrics.neighbours import laid_out, rows_times_rows
from course_lib.runtime import keyed_generator


class PRDCurve(NamedTuple):
    precision: Tensor  # (angles,) float64, rising
    recall: Tensor  # (angles,) float64, falling
    f8: float  # largest F8 on the curve: weighs recall
    f1_8: float  # largest F1/8: weighs precision


def prd_curve(
    *, real: Tensor, fake: Tensor, clusters: int = 20, runs: int = 10, angles: int = 1001, seed: int = 0
) -> PRDCurve:
    """PRD of features: k-means on both sets together, a histogram of clusters for each, their curve; mean of runs.

    Sajjadi et al. 2018 (arXiv:1806.00035v2, section 3). The reference clusters with mini-batches;
    here each run is full k-means from its own k-means++ start. Sets of different sizes are refused as there:
    the larger one would own the clusters.

    real, fake: (N, d), N at least `clusters`
    raises:     ValueError if shapes do not fit, a number is not finite or rows are too few
    """
    whole_number(clusters, "clusters", least=2), whole_number(runs, "runs", least=1)
    real, fake = feature_pair(real, fake, least=clusters, why="one for each cluster")
    if len(real) != len(fake):
        raise ValueError(f"fake: expected {len(real)} rows like real, got {len(fake)}")
    of_real, of_fake = cluster_histograms(real, fake, clusters, runs, seed)
    curves = [_curve(p, q, angles) for p, q in zip(of_real, of_fake)]
    return _with_f(*(torch.stack(side).mean(0) for side in zip(*curves)))


def prd_from_histograms(*, real: Tensor, fake: Tensor, angles: int = 1001) -> PRDCurve:
    """For slopes λ = tan θ: precision Σ min(λ·real, fake), recall Σ min(real, fake/λ), clipped to [0, 1].

    Sajjadi et al. 2018 (arXiv:1806.00035v2, section 3). Swapping real and fake swaps precision and recall.

    real, fake: (K,) probabilities, or counts of any floating point type, over the same K cells
    raises:     ValueError if they differ in length, are negative, not finite or all zero
    """
    histograms = []
    for name, cells in (("real", real), ("fake", fake)):
        cells = torch.as_tensor(cells).detach().cpu()
        if cells.ndim != 1 or not cells.is_floating_point() or len(cells) != len(real):
            wanted = f"({len(real)},)" if name == "fake" else "(K,)"
            raise ValueError(f"{name}: expected {wanted} floating point, got {tuple(cells.shape)} {cells.dtype}")
        if not (torch.isfinite(cells).all() and (cells >= 0).all() and cells.sum() > 0):
            raise ValueError(f"{name}: expected finite cells that are not negative, and one of them not 0")
        histograms.append(cells.double() / cells.double().sum())
    return _with_f(*_curve(*histograms, angles))


def cluster_histograms(real: Tensor, fake: Tensor, clusters: int, runs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Shares of real and of fake rows in each cluster of each run: two of (runs, clusters), float64, CPU."""
    points = torch.cat([real, fake]).float()
    labels = k_means(points - points.mean(0), clusters, runs, seed).cpu()
    ones = torch.ones(labels.shape, dtype=torch.float64)
    empty = torch.zeros(runs, clusters, dtype=torch.float64)
    n = len(real)
    of_real = empty.scatter_add(1, labels[:, :n], ones[:, :n]) / n
    return of_real, empty.scatter_add(1, labels[:, n:], ones[:, n:]) / len(fake)


def k_means(points: Tensor, clusters: int, runs: int, seed: int, iterations: int = 50) -> Tensor:
    """Lloyd's algorithm from k-means++ starts (Arthur and Vassilvitskii 2007), all runs side by side.

    points: (N, d) float32, centred;  returns: (runs, N) labels;  an emptied cluster keeps its centre
    """
    norms = points.square().sum(1)
    centres = _starts(points, norms, clusters, runs, seed)
    labels = None
    for _ in range(iterations):
        new = _nearest_centre(points, centres)
        if labels is not None and torch.equal(new, labels):
            break
        labels = new
        flat = labels + clusters * torch.arange(runs, device=points.device)[:, None]
        sums = points.new_zeros(runs * clusters, points.shape[1])
        for start in range(0, len(points), ROWS):
            part = flat[:, start : start + ROWS]
            member = points.new_zeros(runs * clusters, part.shape[1]).scatter_(0, part, 1.0)
            sums.addmm_(member, points[start : start + ROWS])
        counts = flat.reshape(-1).bincount(minlength=runs * clusters)[:, None]
        moved = torch.where(counts > 0, sums / counts.clamp(min=1), centres.reshape(runs * clusters, -1))
        centres = moved.reshape(centres.shape)
    return labels


def _nearest_centre(points: Tensor, centres: Tensor) -> Tensor:
    runs, clusters, d = centres.shape
    flat = centres.reshape(-1, d)
    norms, doubled = flat.square().sum(1), -2 * flat
    parts = [
        rows_times_rows(laid_out(rows), doubled, norms).reshape(-1, runs, clusters).argmin(2).T
        for rows in points.split(ROWS)
    ]
    return torch.cat(parts, 1)


def _starts(points: Tensor, norms: Tensor, clusters: int, runs: int, seed: int) -> Tensor:
    """(runs, clusters, d): each further centre drawn by its squared distance to the nearest one so far."""
    draws = torch.stack(
        [
            torch.rand(clusters, dtype=torch.float64, generator=keyed_generator("cpu", seed, "prd", run))
            for run in range(runs)
        ]
    ).to(points.device)
    chosen = [(draws[:, 0] * len(points)).long().clamp(max=len(points) - 1)]
    nearest = points.new_full((runs, len(points)), torch.inf)
    for step in range(1, clusters):
        last = points[chosen[-1]]
        doubled = laid_out(-2 * last)
        for start in range(0, len(points), ROWS):
            rows = slice(start, start + ROWS)
            squared = rows_times_rows(doubled, points[rows], norms[rows]) + last.square().sum(1)[:, None]
            nearest[:, rows] = torch.minimum(nearest[:, rows], squared.clamp(min=0))
        total = nearest.double().cumsum(1)
        pick = torch.searchsorted(total, draws[:, step, None] * total[:, -1:], right=True)[:, 0]
        chosen.append(pick.clamp(max=len(points) - 1))
    return torch.stack([points[rows] for rows in chosen], 1)


def _curve(real: Tensor, fake: Tensor, angles: int) -> tuple[Tensor, Tensor]:
    whole_number(angles, "angles", least=3)
    margin = 1e-10  # the reference's: tan stays finite
    slopes = torch.linspace(margin, math.pi / 2 - margin, angles, dtype=torch.float64).tan()[:, None]
    precision = torch.minimum(slopes * real, fake).sum(1)
    recall = torch.minimum(real, fake / slopes).sum(1)
    return precision.clamp(0, 1), recall.clamp(0, 1)


def _with_f(precision: Tensor, recall: Tensor) -> PRDCurve:
    def largest(beta):
        below = beta**2 * precision + recall
        return ((1 + beta**2) * precision * recall / below.clamp(min=1e-10)).max().item()

    return PRDCurve(precision, recall, largest(8.0), largest(1 / 8))
