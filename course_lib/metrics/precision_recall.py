"""Precision, recall, density and coverage: which of the other set's points lie inside whose balls."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.metrics.checks import feature_pair, too_few, whole_number
from course_lib.metrics.neighbours import (
    BLOCK,
    Nearest,
    Space,
    exact_distances,
    full_precision,
    neighbour_radii,
    pair_distances,
)


class PrecisionRecall(NamedTuple):
    precision: float  # share of fakes inside the real manifold
    recall: float  # share of real rows inside the fake manifold


class DensityCoverage(NamedTuple):
    density: float  # real balls around a fake, over k; 1 in expectation where both sets are one distribution
    coverage: float  # share of real balls that hold a fake


class PRDC(NamedTuple):
    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(
    *,
    real: Tensor,
    fake: Tensor,
    k: int = 3,
    strict: bool = False,
    real_radii: Tensor | None = None,
    fake_radii: Tensor | None = None,
    block: int = BLOCK,
) -> PrecisionRecall:
    """Improved precision and recall: a manifold is the union of balls that reach each point's k-th neighbour.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991v3, eqs. 1 and 2): inside if d ≤ r; `strict` asks d < r, as prdc
    does. Swapping real and fake swaps the two numbers.

    real, fake:             (N, d), (M, d) with N, M > k
    real_radii, fake_radii: `neighbour_radii` of each for this k, where they are known already
    block:                  distances held at a time, squared; the counts do not depend on it
    raises:                 ValueError if shapes do not fit, a number is not finite or rows are too few
    """
    real, fake, real_radii, fake_radii = _balls(real, fake, k, real_radii, fake_radii, block)
    held = _count(real, fake, real_radii, fake_radii, strict, block)
    return PrecisionRecall(_share(held.precise), _share(held.recalled))


def density_coverage(
    *, real: Tensor, fake: Tensor, k: int = 5, real_radii: Tensor | None = None, block: int = BLOCK
) -> DensityCoverage:
    """Density and coverage; only real rows have balls, so an outlier among the fakes opens none.

    Naeem et al. 2020 (arXiv:2002.09797v2, section 3), with the strict d < r of its package prdc: constant
    features score 0. Arguments as in `precision_recall`; fake may be a single row.
    """
    real, fake, real_radii, _ = _balls(real, fake, k, real_radii, None, block, fake_balls=False)
    held = _count(real, fake, real_radii, None, True, block)
    return DensityCoverage(_share(held.balls) / k, _share(held.covered))


def prdc(
    *,
    real: Tensor,
    fake: Tensor,
    k: int = 5,
    strict: bool = True,
    real_radii: Tensor | None = None,
    fake_radii: Tensor | None = None,
    block: int = BLOCK,
) -> PRDC:
    """All four from one pass over the distances. Arguments as in `precision_recall`.

    strict: the rule of precision and recall; True is prdc's. Density and coverage are strict in any case.
    """
    real, fake, real_radii, fake_radii = _balls(real, fake, k, real_radii, fake_radii, block)
    held = _count(real, fake, real_radii, fake_radii, strict, block)
    return PRDC(_share(held.precise), _share(held.recalled), _share(held.balls) / k, _share(held.covered))


def realism(*, real: Tensor, fake: Tensor, k: int = 3, real_radii: Tensor | None = None, block: int = BLOCK) -> Tensor:
    """How far inside the real manifold each fake lies: max over real rows of radius / distance; 1 on its border.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991v3, eq. 3): balls larger than the median are left out, for they
    stand where real rows are rare. Infinite for a copy of a real row whose ball counts.

    returns: (M,) float64;  arguments as in `precision_recall`; fake may be a single row
    """
    real, fake, radii, _ = _balls(real, fake, k, real_radii, None, block, fake_balls=False)
    counted = (radii <= radii.median()) & (radii > 0)  # a ball of radius 0 has no inside
    real, radii = real[counted], radii[counted]
    if len(real) == 0:
        return fake.new_zeros(len(fake), dtype=torch.float64)
    keep = min(4, len(real))
    with full_precision():
        space = Space(real, fake)
        best = Nearest(len(fake), keep, fake, space.dtype)
        for i, j, lower in space.blocks(real, fake, block):
            best.offer(j, (lower / (radii[i : i + block, None] * space.scale).square()).T, i)
    whom = best.index.reshape(-1)
    distances = exact_distances(fake, torch.arange(len(fake)).repeat_interleave(keep), real, whom)
    return (radii[whom].double() / distances.double()).reshape(len(fake), keep).amax(1)


class _Held(NamedTuple):
    balls: Tensor  # (M,) real balls that hold this fake, d < r
    covered: Tensor  # (N,) whether this real ball holds a fake, d < r
    precise: Tensor  # (M,) whether some real ball holds this fake, by the rule asked for
    recalled: Tensor  # (N,) whether some fake ball holds this real row, by the rule asked for


def _count(real: Tensor, fake: Tensor, real_radii: Tensor, fake_radii: Tensor | None, strict: bool, block: int):
    """One pass over the distances between the sets. Pairs within rounding of a radius are measured exactly."""
    n, m, device = len(real), len(fake), real.device
    balls = torch.zeros(m, dtype=torch.int64, device=device)
    covered, recalled = (torch.zeros(n, dtype=torch.bool, device=device) for _ in range(2))
    precise = torch.zeros(m, dtype=torch.bool, device=device)
    with full_precision():
        space = Space(real, fake)
        of_real, of_fake = space.norms(real, block), space.norms(fake, block)
        for i, j, lower in space.blocks(real, fake, block):
            rows, columns = slice(i, i + block), slice(j, j + block)
            pair = real[rows], fake[columns], lower, of_real[rows], of_fake[columns], space
            row, column, below, on = _inside(*pair, real_radii[rows, None])
            balls[columns].index_add_(0, column, below.long())
            covered[i + row[below]] = True
            precise[j + column[below if strict else below | on]] = True
            if fake_radii is not None:
                row, column, below, on = _inside(*pair, fake_radii[None, columns])
                recalled[i + row[below if strict else below | on]] = True
    return _Held(balls, covered, precise, recalled)


def _inside(x: Tensor, y: Tensor, lower: Tensor, of_x: Tensor, of_y: Tensor, space: Space, radii: Tensor):
    """Rows and columns of the pairs that may be inside, and for each whether d < r, and whether d = r."""
    reach = (radii * space.scale).square()
    slack = 16 * torch.finfo(reach.dtype).eps  # of the radius, its scaling and its square
    row, column = (lower <= reach * (1 + slack)).nonzero(as_tuple=True)
    radius, bound = radii.expand_as(lower)[row, column], reach.expand_as(lower)[row, column]
    below = lower[row, column] + space.margin(of_x[row], of_y[column]) < bound * (1 - slack)
    on = torch.zeros_like(below)
    doubtful = (~below).nonzero()[:, 0]
    if len(doubtful):
        distance = pair_distances(x, row[doubtful], y, column[doubtful])
        below[doubtful], on[doubtful] = distance < radius[doubtful], distance == radius[doubtful]
    return row, column, below, on


def _balls(real, fake, k, real_radii, fake_radii, block, fake_balls=True):
    """The arguments, checked, with the radii that were not given."""
    whole_number(k, "k", least=1), whole_number(block, "block", least=1)
    real, fake = feature_pair(real, fake)
    why = "the k-th neighbour of a row is another row"
    too_few(real, "real", k + 1, why)
    if fake_balls:
        too_few(fake, "fake", k + 1, why)
        fake_radii = _radii(fake_radii, fake, "fake_radii", k, block)
    return real, fake, _radii(real_radii, real, "real_radii", k, block), fake_radii


def _radii(radii: Tensor | None, features: Tensor, argument: str, k: int, block: int) -> Tensor:
    if radii is None:
        return neighbour_radii(features, k, block=block)
    if radii.shape != features.shape[:1] or radii.device != features.device or not radii.is_floating_point():
        raise ValueError(
            f"{argument}: expected ({len(features)},) floating point on {features.device}, one for each row, "
            f"got {tuple(radii.shape)} {radii.dtype} on {radii.device}"
        )
    if not ((radii >= 0) & torch.isfinite(radii)).all():
        raise ValueError(f"{argument}: expected finite numbers that are not negative")
    return radii


def _share(counts: Tensor) -> float:
    return counts.double().mean().item()
