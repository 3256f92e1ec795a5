"""Kernel Inception Distance: the squared maximum mean discrepancy under a cubic kernel, without bias."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.metrics.checks import ROWS, column_mean, feature_pair, feature_rows, whole_number
from course_lib.metrics.neighbours import full_precision, laid_out, rows_times_rows, working
from course_lib.runtime import keyed_generator

STRIP = 128  # rows of a block that are cubed at a time, in float64 and in the cache


class KID(NamedTuple):
    """Mean and standard deviation (ddof 0) over subsets; the spread is that of one subset, not of the mean."""

    mean: float
    std: float
    subsets: int
    subset_size: int


class UnbiasedKID(NamedTuple):
    """The U-statistic over all pairs, and how far it would move with other samples."""

    kid: float
    standard_error: float


def kid(
    real: Tensor, fake: Tensor, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0, block: int = ROWS
) -> KID:
    """KID: unbiased MMD² with the kernel (x·y/d + 1)³, averaged over random subsets. Swapping the sets keeps it.

    Binkowski et al. 2018 (arXiv:1801.01401v5, section 4). Unbiased at any N, so it may be slightly negative.
    Other tools draw other subsets; `kid_of_subsets` takes any.

    real, fake: (N, d), (M, d), at least subset_size rows each
    block:      rows of the kernel matrix held at a time; changes the result by rounding only
    raises:     ValueError if shapes do not fit, a number is not finite or rows are too few
    """
    whole_number(subsets, "subsets", least=1), whole_number(subset_size, "subset_size", least=2)
    real, fake = feature_pair(real, fake, least=subset_size, why="subset_size; a smaller one gives a noisier mean")

    def draw(count):
        generators = (keyed_generator("cpu", seed, "kid", index) for index in range(subsets))
        return torch.stack([torch.randperm(count, generator=g)[:subset_size] for g in generators])

    values = kid_of_subsets(real, fake, draw(len(real)), draw(len(fake)), block=block)
    return KID(values.mean().item(), values.std(correction=0).item(), subsets, subset_size)


def kid_of_subsets(real: Tensor, fake: Tensor, real_rows: Tensor, fake_rows: Tensor, *, block: int = ROWS) -> Tensor:
    """Unbiased MMD² of each pair of subsets, both of m rows: (S,) float64.

    real, fake:           (N, d), (M, d)
    real_rows, fake_rows: (S, m) row numbers, none twice in a subset

    Where the subsets overlap so much that they name more pairs than there are (100 of 1,000 from 5,000), each
    pair's kernel is computed once and the subsets are sums over it.
    """
    real, fake = feature_pair(real, fake, least=2, why="an unbiased estimate needs a pair")
    _are_rows(real_rows, len(real), "real_rows"), _are_rows(fake_rows, len(fake), "fake_rows")
    if real_rows.shape != fake_rows.shape:
        raise ValueError(f"fake_rows: expected {tuple(real_rows.shape)} like real_rows, got {tuple(fake_rows.shape)}")
    subsets, m = real_rows.shape
    n, other, d = len(real), len(fake), real.shape[1]
    if (n * n / 2 + other * other / 2 + n * other) * (d + subsets) > 3 * subsets * m * m * d:
        ones = real.new_ones(m, 1, dtype=torch.float64)
        parts = [
            _sums(real[a.to(real.device)], fake[b.to(fake.device)], ones, ones, block)
            for a, b in zip(real_rows, fake_rows)
        ]
        xx, yy, xy = (torch.cat(sums) for sums in zip(*parts))
    else:
        u = real.new_zeros(n, subsets, dtype=torch.float64).scatter_(0, real_rows.T.to(real.device), 1.0)
        v = fake.new_zeros(other, subsets, dtype=torch.float64).scatter_(0, fake_rows.T.to(fake.device), 1.0)
        xx, yy, xy = _sums(real, fake, u, v, block)
    return (xx + yy) / (m * (m - 1)) - 2 * xy / (m * m)


def kernel_sums(features: Tensor, *, block: int = ROWS) -> Tensor:
    """Of each row, the sum of the kernel with all others: (N,) float64. What `kid_unbiased` needs of a set alone."""
    features = feature_rows(features, "features")
    ones = features.new_ones(len(features), 1, dtype=torch.float64)
    (rows,) = _placed(block, features)
    return _kernel_times(rows, None, ones, ones, block)[0][:, 0]


def kid_unbiased(real: Tensor, fake: Tensor, *, real_sums: Tensor | None = None, block: int = ROWS) -> UnbiasedKID:
    """The U-statistic over every pair of rows: the same expectation as `kid`, and less noise.

    Gretton et al. 2012 (JMLR 13, eq. 3). The standard error is the jackknife's over the rows of both sets. Where
    both sets come from one distribution it is up to √2 too large, for the statistic is degenerate there.

    real, fake: (N, d), (M, d) with N, M > 2;  block: as in `kid`;  raises: ValueError as there
    real_sums:  `kernel_sums` of real, where they are known already
    """
    real, fake = feature_pair(real, fake, least=3, why="the jackknife leaves one out of a pair and more")
    n, m = len(real), len(fake)
    u, v = real.new_ones(n, 1, dtype=torch.float64), fake.new_ones(m, 1, dtype=torch.float64)
    xx = kernel_sums(real, block=block) if real_sums is None else real_sums
    if xx.shape != (n,):
        raise ValueError(f"real_sums: expected ({n},) like real, got {tuple(xx.shape)}")
    yy = kernel_sums(fake, block=block)
    xy, yx = (side[:, 0] for side in _kernel_times(*_placed(block, real, fake), v, u, block))
    within_x, within_y, across = xx.sum() / (n * (n - 1)), yy.sum() / (m * (m - 1)), xy.sum() / (n * m)
    estimate = within_x + within_y - 2 * across

    def leave_one_out(rows, crossing, count, others):
        within = (rows.sum() - 2 * rows) / ((count - 1) * (count - 2))
        values = within - 2 * (crossing.sum() - crossing) / ((count - 1) * others)
        return (count - 1) / count * (values - values.mean()).square().sum()

    variance = leave_one_out(xx, xy, n, m) + leave_one_out(yy, yx, m, n)
    return UnbiasedKID(estimate.item(), math.sqrt(variance.item()))


def _sums(x: Tensor, y: Tensor, u: Tensor, v: Tensor, block: int) -> tuple[Tensor, Tensor, Tensor]:
    """uᵀK(x,x)u and vᵀK(y,y)v without the diagonals, and uᵀK(x,y)v: (S,) each, one value for each column."""
    x, y = _placed(block, x, y)
    xx = (u * _kernel_times(x, None, u, None, block)[0]).sum(0)
    yy = (v * _kernel_times(y, None, v, None, block)[0]).sum(0)
    return xx, yy, (u * _kernel_times(x, y, v, None, block)[0]).sum(0)


class _Placed(NamedTuple):
    """Rows x, a centre c near them, and x·c − c·c/2 of each row, in float64.

    The kernel's x·y is (x − c)·(y − c) + x·c + y·c − c·c. Only the first product is float32: its rounding differs from
    pair to pair and averages out, where that of a row's own x·c would not.
    """

    rows: Tensor
    centre: Tensor
    offsets: Tensor


def _placed(block: int, *sides: Tensor) -> list[_Placed]:
    """All sets of rows with one centre, the mean of their means."""
    whole_number(block, "block", least=1)
    centre = (sum(column_mean(rows) for rows in sides) / len(sides)).to(working(*sides))
    wide = centre.double()
    half = wide @ wide / 2
    offsets = (torch.cat([part.double() @ wide for part in rows.split(block)]) - half for rows in sides)
    return [_Placed(rows, centre, each) for rows, each in zip(sides, offsets)]


def _kernel_times(
    xs: _Placed, ys: _Placed | None, v: Tensor, u: Tensor | None, block: int
) -> tuple[Tensor, Tensor | None]:
    """K(x, y)·v and K(x, y)ᵀ·u, a block of K at a time. ys None: K(x, x) less its diagonal, half the blocks.

    u None where only vᵀKv is wanted: a block above the diagonal then counts twice and the one below it not.
    """
    symmetric, ys = ys is None, xs if ys is None else ys
    x, y, centre = xs.rows, ys.rows, xs.centre
    dtype, d = centre.dtype, x.shape[1]
    of_x, of_y = xs.offsets / d + 1, ys.offsets / d
    times_v, times_u = v.new_zeros(len(x), v.shape[1]), None if u is None else u.new_zeros(len(y), u.shape[1])
    few, many = min(block, len(x)), min(block, len(y))  # memory that every block uses again
    of_left, of_right = (x.new_empty(count, d, dtype=dtype) for count in (few, many))
    strip, cube = v.new_empty(2, min(STRIP, few) * many)
    for i in range(0, len(x), block):
        left = laid_out(torch.sub(x[i : i + block], centre, out=of_left[: len(x) - i]).div_(d))
        for j in range(i if symmetric else 0, len(y), block):
            right = torch.sub(y[j : j + block], centre, out=of_right[: len(y) - j])
            with full_precision():
                products = rows_times_rows(left, right)
            for start in range(0, len(products), STRIP):
                part = products[start : start + STRIP]
                rows = slice(i + start, i + start + len(part))
                kernel, squares = (memory[: part.numel()].view(part.shape) for memory in (strip, cube))
                torch.add(part, of_x[rows, None], out=kernel).add_(of_y[j : j + block])
                kernel.mul_(torch.mul(kernel, kernel, out=squares))
                if symmetric and i == j:
                    kernel[:, start : start + len(kernel)].fill_diagonal_(0)
                mirrored = symmetric and i != j
                times_v[rows].addmm_(kernel, v[j : j + block], alpha=2 if mirrored and u is None else 1)
                if u is not None and (mirrored or not symmetric):
                    (times_v if symmetric else times_u)[j : j + block].addmm_(kernel.T, u[rows])
    return times_v, times_u


def _are_rows(rows: Tensor, count: int, argument: str) -> None:
    if rows.ndim != 2 or rows.dtype != torch.int64 or rows.shape[1] < 2 or rows.shape[0] < 1:
        raise ValueError(f"{argument}: expected (S, m) int64 with m > 1, got {tuple(rows.shape)} {rows.dtype}")
    if rows.min() < 0 or rows.max() >= count:
        raise ValueError(f"{argument}: expected row numbers from 0 to {count - 1}, got {rows.min()} to {rows.max()}")
    if (rows.sort(1).values.diff(dim=1) == 0).any():
        raise ValueError(f"{argument}: expected no row twice in a subset")
