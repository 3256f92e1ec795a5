"""Euclidean neighbours in blocks, exact to the features' precision.

Distances of whole blocks come from one matrix product each, ‖x‖² + ‖y‖² − 2x·y, which is fast and loses digits
by cancellation: a row is 0.01 away from itself. So the product only rules out, within a bound on its error, what
cannot matter; distances that can are taken from float64 differences and rounded to the features' precision.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.metrics.checks import column_mean, feature_rows, whole_number

BLOCK = 1024
SPARE = 3  # candidates beyond the k-th, so that rounding in the product rarely hides a neighbour


def neighbour_radii(features: Tensor, k: int, *, block: int = BLOCK) -> Tensor:
    """Distance of each row to its k-th nearest other row: (N,), float32 (float64 for float64 features).

    features: (N, d), N > k;  block: rows and columns of distances held at a time
    raises:   ValueError if rows are too few or a number is not finite
    """
    whole_number(k, "k", least=1), whole_number(block, "block", least=1)
    features = feature_rows(features, "features", least=k + 1, why="the k-th neighbour of a row is another row")
    with full_precision():
        return _kth(features, features, k, Space(features), block, exclude=torch.arange(len(features)))


def nearest_distances(queries: Tensor, points: Tensor, *, block: int = BLOCK) -> Tensor:
    """Distance of each query to the nearest point: (N,), float32 (float64 for float64 features).

    queries: (N, d);  points: (M, d);  block and raises: as in `neighbour_radii`
    """
    whole_number(block, "block", least=1)
    points = feature_rows(points, "points")
    queries = feature_rows(queries, "queries", width=points.shape[1], like="points")
    with full_precision():
        return _kth(queries, points, 1, Space(points, queries), block)


def exact_distances(x: Tensor, i: Tensor, y: Tensor, j: Tensor) -> Tensor:
    """‖x[i] − y[j]‖ for pairs of row numbers, from float64 differences: (P,) in `working` precision."""
    i, j = i.to(x.device), j.to(y.device)
    parts = [(x[a].double() - y[b].double()).square().sum(1) for a, b in zip(i.split(BLOCK // 2), j.split(BLOCK // 2))]
    squared = torch.cat(parts) if parts else x.new_zeros(0, dtype=torch.float64)
    return rooted(squared, working(x, y))


def pair_distances(x: Tensor, i: Tensor, y: Tensor, j: Tensor) -> Tensor:
    """`exact_distances` of many pairs of one block. Where they are a good part of it, as with duplicates of
    one image, a float64 product is as good after rounding to float32, and far cheaper."""
    if working(x, y) is torch.float64 or len(i) * 64 < len(x) * len(y):
        return exact_distances(x, i, y, j)
    space = Space(y, x, dtype=torch.float64)
    _, _, lower = next(space.blocks(x, y, max(len(x), len(y))))
    margin = space.margin(space.rows(x)[1][i], space.rows(y)[1][j])
    squared = lower[i, j] + margin / 2
    squared = torch.where(squared > margin, squared, 0.0)  # duplicates
    return rooted(squared / space.scale**2, torch.float32)


def rooted(squared: Tensor, dtype: torch.dtype) -> Tensor:
    """The root of squared distances rounded to dtype. A float32 root is taken in float64: that of torch on a CPU is
    one digit off in 1 of 100 cases, and a tie between two distances hangs on the last one."""
    return squared.to(dtype).double().sqrt().to(dtype)


def working(*features: Tensor) -> torch.dtype:
    return torch.float64 if any(t.dtype == torch.float64 for t in features) else torch.float32


class Space:
    """Where the products are taken: centred and scaled, so that means of 1e3 and sizes of 1e-20 cost no digits."""

    def __init__(self, *features: Tensor, dtype: torch.dtype | None = None):
        self.dtype = dtype or working(*features)
        self.centre = column_mean(features[0]).to(self.dtype)
        ends = torch.stack([end.to(self.dtype) for t in features for end in (t.amin(0), t.amax(0))])
        largest = (ends - self.centre).abs().max()
        # A power of two, so that scaling rounds nothing, and 1 unless squares might leave the range of float32.
        self.scale = 1.0 if largest == 0 or 1e-6 < largest < 1e6 else float(2.0 ** -largest.log2().ceil())
        self.error = (features[0].shape[1] + 16) * torch.finfo(self.dtype).eps / 2

    def rows(self, block: Tensor, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(n, d) centred and scaled, into out's first rows if given, and (n,) squared norms"""
        placed = torch.sub(block, self.centre, out=None if out is None else out[: len(block)]).to(self.dtype)
        if self.scale != 1:
            placed.mul_(self.scale)
        return placed, torch.linalg.vector_norm(placed, dim=1).square()

    def norms(self, features: Tensor, block: int) -> Tensor:
        return torch.cat([self.rows(rows)[1] for rows in features.split(block)])

    def blocks(self, x: Tensor, y: Tensor, size: int, symmetric: bool = False) -> Iterator:
        """(i, j, lower bounds of the squared distances) of every block; of those with j ≥ i if symmetric.

        In units of 1/scale². A squared distance is at most its bound plus `margin` of the two squared norms a, b.
        """
        few, many = min(size, len(x)), min(size, len(y))  # memory that every block uses again
        of_left, of_right = (x.new_empty(count, x.shape[1], dtype=self.dtype) for count in (few, many))
        for i in range(0, len(x), size):
            left, a = self.rows(x[i : i + size], of_left)
            left = laid_out(left.mul_(-2))  # rounds nothing
            for j in range(i if symmetric else 0, len(y), size):
                right, b = self.rows(y[j : j + size], of_right)
                lower = rows_times_rows(left, right, b * (1 - self.error))
                yield i, j, lower.add_((a * (1 - self.error))[:, None])

    def margin(self, a: Tensor, b: Tensor) -> Tensor:
        return 2 * self.error * (a + b)


def laid_out(rows: Tensor) -> Tensor:
    """Rows as `rows_times_rows` takes its first argument: in oneDNN's layout where that is to multiply them.

    For float32 on a CPU. PyTorch's own choice there is Intel's MKL, which on AMD's processors leaves half of the speed.
    """
    fast = rows.dtype == torch.float32 and rows.device.type == "cpu" and torch.backends.mkldnn.is_available()
    return rows.to_mkldnn() if fast else rows


def rows_times_rows(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """left·rightᵀ + bias: (N, M) of (N, d), `laid_out`, with (M, d) and (M,)."""
    found = F.linear(left, right, bias)
    return found.to_dense() if found.is_mkldnn else found


@contextlib.contextmanager
def full_precision():
    """Float32 products in float32, whatever the user allows elsewhere (TF32 and bfloat16 are far outside the bound)."""
    allowed = [
        (backend, backend.fp32_precision) for backend in (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)
    ]
    for backend, _ in allowed:
        backend.fp32_precision = "ieee"
    try:
        yield
    finally:
        for backend, precision in allowed:
            backend.fp32_precision = precision


class Nearest:
    """The `keep` smallest approximate squared distances of each row so far, and to whom."""

    def __init__(self, rows: int, keep: int, like: Tensor, dtype: torch.dtype):
        self.values = torch.full((rows, keep), torch.inf, dtype=dtype, device=like.device)
        self.index = torch.zeros((rows, keep), dtype=torch.int64, device=like.device)

    def offer(self, start: int, squared: Tensor, first: int) -> None:
        """squared: distances of rows start… to points first…; only what beats a row's worst is sorted in."""
        values, index = self.values[start : start + len(squared)], self.index[start : start + len(squared)]
        row, column = (squared < values[:, -1:]).nonzero(as_tuple=True)
        if len(row) == 0:
            return
        if len(row) * 4 > squared.numel():
            touched, offered = torch.arange(len(squared), device=squared.device), squared
            whom = torch.arange(first, first + squared.shape[1], device=squared.device).expand_as(squared)
        else:
            touched, slot, counts = row.unique_consecutive(return_inverse=True, return_counts=True)
            place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[slot]
            offered = squared.new_full((len(touched), int(counts.max())), torch.inf)
            whom = index.new_zeros(offered.shape)
            offered[slot, place], whom[slot, place] = squared[row, column], column + first
        merged = torch.cat([values[touched], offered], 1)
        best = merged.topk(values.shape[1], dim=1, largest=False)
        values[touched] = best.values
        index[touched] = torch.cat([index[touched], whom], 1).gather(1, best.indices)


def _kth(x: Tensor, y: Tensor, k: int, space: Space, block: int, exclude: Tensor | None = None) -> Tensor:
    """Exact distance of each x to the k-th nearest y; exclude: for each x the one y that does not count."""
    usable = len(y) - (exclude is not None)
    keep = min(k + SPARE, usable)
    symmetric = x is y
    found = Nearest(len(x), keep, x, space.dtype)
    for i, j, lower in space.blocks(x, y, block, symmetric):
        if exclude is not None:
            own = exclude[i : i + len(lower)].to(x.device) - j
            here = ((own >= 0) & (own < lower.shape[1])).nonzero()[:, 0]
            lower[here, own[here]] = torch.inf
        found.offer(i, lower, j)
        if symmetric and i != j:
            found.offer(j, lower.T.contiguous(), i)
    # Among the kept: what is surely nearer than the k-th counts as it is, what may be the k-th is measured.
    of_y = space.norms(y, block)
    of_x = of_y if symmetric else space.norms(x, block)
    upper = found.values + space.margin(of_x[:, None], of_y[found.index])
    nearer = upper < found.values[:, k - 1, None]
    measured = ~nearer & (found.values <= upper[:, :k].amax(1, keepdim=True))
    row, column = measured.nonzero(as_tuple=True)
    distances = torch.where(nearer, -1.0, torch.inf).to(working(x, y))
    distances[row, column] = exact_distances(x, row, y, found.index[row, column])
    radii = distances.kthvalue(k, dim=1).values
    if keep < usable and space.dtype is not torch.float64:
        # What was not kept is beyond the last bound kept; a radius that is not below it is asked for in float64.
        reach = (radii.double() * space.scale).square() * (1 + 16 * torch.finfo(torch.float32).eps)
        doubtful = (reach > found.values[:, -1]).nonzero()[:, 0]
        if len(doubtful):
            excluded = None if exclude is None else exclude[doubtful.to(exclude.device)]
            radii[doubtful] = _kth(x[doubtful], y, k, Space(y, x, dtype=torch.float64), block, excluded)
    return radii
