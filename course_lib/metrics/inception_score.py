"""Inception Score: how sure a classifier is of each image, and how many of its classes it sees."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.metrics.checks import whole_number
from course_lib.metrics.divergences import _probabilities

BLOCK = 128  # rows: 1 MiB in float64 at 1,008 classes, so that a block stays in the cache


class InceptionScore(NamedTuple):
    """Mean and standard deviation (ddof 0) over the splits."""

    mean: float
    std: float


def inception_score(
    *, logits: Tensor | None = None, probabilities: Tensor | None = None, splits: int = 10, block: int = BLOCK
) -> InceptionScore:
    """exp of the mean KL(p(y|x) ‖ p(y)) over a split's images, for contiguous splits.

    Salimans et al. 2016 (arXiv:1606.03498v1, section 4). Computed as exp(H(p(y)) − mean H(p(y|x))), the same
    number: 1 where all images get one distribution, K for certain and balanced classes. No split of n images
    can score more than n, so N images in S splits reach at most N/S: 10 images in 10 splits always score 1.
    Rows are taken in their order; what is sorted by class must be shuffled before.

    logits:        (N, K) floating point, before the softmax; or
    probabilities: (N, K), rows that sum to 1; a probability may be 0
    splits:        10 in the paper's code; boundaries at i·N // splits
    block:         rows at a time, in float64; changes the result by float64 rounding only
    raises:        ValueError unless exactly one of the two is given, finite, with N >= splits
    """
    whole_number(splits, "splits", least=1), whole_number(block, "block", least=1)
    if (logits is None) == (probabilities is None):
        raise ValueError("logits, probabilities: expected exactly one of the two")
    name, table = ("logits", logits) if probabilities is None else ("probabilities", probabilities)
    table = torch.as_tensor(table).detach()
    if table.ndim != 2 or table.shape[1] == 0 or not table.is_floating_point():
        raise ValueError(f"{name}: expected (N, K) floating point, got {tuple(table.shape)} {table.dtype}")
    if len(table) < splits:
        raise ValueError(f"{name}: expected at least {splits} rows, one for each split, got {len(table)}")
    if table.device.type == "mps":
        table = table.cpu()
    edges = [index * len(table) // splits for index in range(splits + 1)]
    entropy_of = _entropy_of_logits if probabilities is None else _entropy_of_probabilities
    scores = []
    for start, stop in zip(edges, edges[1:]):
        mass = table.new_zeros(table.shape[1], dtype=torch.float64)
        entropy = table.new_zeros((), dtype=torch.float64)
        for rows in table[start:stop].split(block):
            entropy += entropy_of(rows, mass)
        marginal = mass / (stop - start)
        scores.append(torch.exp(-torch.special.xlogy(marginal, marginal).sum() - entropy / (stop - start)))
    scores = torch.stack(scores)
    if not torch.isfinite(scores).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return InceptionScore(scores.mean().item(), scores.std(correction=0).item())


def _entropy_of_logits(rows: Tensor, mass: Tensor) -> Tensor:
    """Σ H(p(y|x)) over the rows; adds their probabilities to mass, in place."""
    z = rows.double()
    z = z - z.amax(1, keepdim=True)
    weights = z.exp()
    total = weights.sum(1)
    mass.addmv_(weights.T, 1 / total)
    return (total.log() - z.mul_(weights).sum(1) / total).sum()


def _entropy_of_probabilities(rows: Tensor, mass: Tensor) -> Tensor:
    p = _probabilities(rows, "probabilities").double()
    mass += p.sum(0)
    return -torch.special.xlogy(p, p).sum()
