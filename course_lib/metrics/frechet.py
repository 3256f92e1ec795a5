"""Fréchet distance between two Gaussians, and FID, which is that between Gaussians fitted to features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.metrics.checks import (
    ROWS,
    column_mean,
    feature_pair,
    gram_,
    product,
    two_gaussians,
    whole_number,
    worth_scipy,
)
from course_lib.metrics.moments import GaussianMoments
from course_lib.runtime import keyed_generator

EPS = torch.finfo(torch.float64).eps


def frechet_distance(mean_x: Tensor, cov_x: Tensor, mean_y: Tensor, cov_y: Tensor) -> float:
    """The squared distance d² = ‖μ_x − μ_y‖² + tr(Σ_x + Σ_y − 2(Σ_x Σ_y)^½): what the field calls FID.

    Dowson and Landau 1982; Heusel et al. 2017 (arXiv:1706.08500v6, eq. 6). The trace of the root is the sum of
    square roots of the eigenvalues of LᵀΣ_yL with Σ_x = LLᵀ, which is symmetric: real eigenvalues, no complex
    parts to drop. Where a covariance is singular (dead or duplicate features, fewer samples than features) both
    are split by `eigh` instead: exact to rounding too, but several times slower.

    mean_x, mean_y: (d,);  cov_x, cov_y: (d, d) symmetric, positive semi-definite; computed in float64
    raises: ValueError if shapes do not fit, a number is not finite or a matrix is no covariance
    """
    mean_x, cov_x, mean_y, cov_y = two_gaussians(mean_x=mean_x, cov_x=cov_x, mean_y=mean_y, cov_y=cov_y)
    mean_x, cov_x, mean_y, cov_y = (t.detach() for t in (mean_x, cov_x, mean_y, cov_y))
    _is_symmetric(cov_x, "cov_x"), _is_symmetric(cov_y, "cov_y")
    return _squared_distance(mean_x, cov_x, mean_y, cov_y)


def fid(real_features: Tensor, fake_features: Tensor, *, ddof: int = 1) -> float:
    """Fréchet distance between Gaussians fitted to two sets of features; the order of the two does not matter.

    Two rows a set are the least: one has no covariance. Few rows give a number that is too large (the bias falls
    as 1/N; `fid_infinity` extrapolates it away), so N, M and the extractor belong beside it. With no more rows
    than features the work is done in the space of the samples: N × N instead of d × d, the same number.

    real_features: (N, d);  fake_features: (M, d);  N, M > ddof
    ddof:          1 for the unbiased covariance (pytorch-fid, clean-fid, torch-fidelity), 0 in stylegan3
    raises:        ValueError if the shapes do not fit, a number is not finite or rows are too few
    """
    real, fake = feature_pair(
        real_features,
        fake_features,
        names=("real_features", "fake_features"),
        least=1 + whole_number(ddof, "ddof", least=0),
        why="fewer have no covariance",
    )
    by_samples = min(len(real), len(fake)) <= real.shape[1]
    return (_fid_by_samples if by_samples else _fid_by_covariances)(real, fake, ddof)


class FIDInfinity(NamedTuple):
    """FID extrapolated to infinitely many fakes: the line's value at 1/N = 0, with its interval."""

    fid: float
    low: float
    high: float
    slope: float  # FID at N is about fid + slope / N
    sizes: tuple[int, ...]  # the N that were measured
    fids: tuple[float, ...]  # and the FID at each


def fid_infinity(
    *,
    real: Tensor,
    fake: Tensor,
    points: int = 15,
    smallest: int | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> FIDInfinity:
    """FID without the bias of few fakes: a line through FID at several N, over 1/N, read at 0.

    Chong and Forsyth 2020 (arXiv:1911.07023v3): random subsets of the fakes, all of the real ones
    (whose own bias stays: give many). The interval is Student's for the intercept of that line. It tells how well
    the line is known, and not how much another set of fakes would differ: the subsets share their samples.

    real:     (N, d);  fake: (M, d)
    points:   how many sizes, evenly spaced from `smallest` to M
    smallest: a tenth of M if None, or 2d if that is more (below it the bias is no straight line), at most M/2
    raises:   ValueError like `fid`, and if fewer than 3 points or sizes below 2 are asked for
    """
    from scipy.special import stdtrit

    whole_number(points, "points", least=3)
    real, fake = feature_pair(real, fake, least=4, why="a line through several sizes needs them")
    count, d = fake.shape
    if smallest is None:
        smallest = max(2, count // 10, min(2 * d, count // 2))
    if not 2 <= smallest < count:
        raise ValueError(f"smallest: expected 2 to {count - 1} (fakes less one), got {smallest}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    sizes = torch.linspace(smallest, count, points, dtype=torch.float64).round().long().tolist()
    whole = GaussianMoments().update(real) if len(real) > d else None
    of_whole = None if whole is None else whole.lower_cov()
    fids = []
    for index, size in enumerate(sizes):
        order = torch.randperm(count, generator=keyed_generator("cpu", seed, "fid_infinity", index))
        subset = fake[order[:size].to(fake.device)]
        if whole is None or size <= d:
            fids.append(fid(real, subset))
        else:
            part = GaussianMoments().update(subset)
            fids.append(_squared_distance(whole.mean, of_whole, part.mean, part.lower_cov()))
    x, y = 1 / torch.tensor(sizes, dtype=torch.float64), torch.tensor(fids, dtype=torch.float64)
    spread = (x - x.mean()).square().sum()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / spread
    intercept = y.mean() - slope * x.mean()
    variance = (y - intercept - slope * x).square().sum() / (points - 2)
    half = stdtrit(points - 2, (1 + confidence) / 2) * (variance * (1 / points + x.mean() ** 2 / spread)).sqrt()
    values = (intercept, intercept - half, intercept + half, slope)
    return FIDInfinity(*(float(value) for value in values), tuple(sizes), tuple(fids))


def trace_of_root(cov_x: Tensor, cov_y: Tensor) -> Tensor:
    """tr (Σ_x Σ_y)^½ of two symmetric, positive semi-definite (d, d) float64 matrices, of which the lower triangles are read."""
    alive = (cov_x.diagonal() > 0) & (cov_y.diagonal() > 0)  # a feature without variance adds nothing
    if not alive.all():
        cov_x, cov_y = cov_x[alive][:, alive], cov_y[alive][:, alive]
    if len(cov_x) == 0:
        return cov_x.new_zeros(())
    values = _eigenvalues(cov_y, times=cov_x)
    if values is not None and _trusted(values, (cov_x.trace() * cov_y.trace()).sqrt()):
        return values.clamp(min=0).sqrt().sum()
    return torch.linalg.svdvals(_root(cov_x, "cov_x").T @ _root(cov_y, "cov_y")).sum()


def _fid_by_covariances(real: Tensor, fake: Tensor, ddof: int) -> float:
    x, y = GaussianMoments().update(real), GaussianMoments().update(fake)
    return _squared_distance(x.mean, x.lower_cov(ddof), y.mean, y.lower_cov(ddof))


def _squared_distance(mean_x: Tensor, cov_x: Tensor, mean_y: Tensor, cov_y: Tensor) -> float:
    squared = (mean_x - mean_y).square().sum() + cov_x.trace() + cov_y.trace() - 2 * trace_of_root(cov_x, cov_y)
    return max(0.0, squared.item())


def _fid_by_samples(real: Tensor, fake: Tensor, ddof: int) -> float:
    """With centred samples A (n, d) and B (m, d) the trace of the root is the sum of ABᵀ's singular values."""
    few, many = sorted((real, fake), key=len)
    a, mean_few = _centred(few)
    mean_many = None if len(many) <= ROWS else column_mean(many)
    products = a.new_zeros(len(few), len(few))
    variance_few, variance_many = torch.linalg.vector_norm(a).square() / (len(few) - ddof), 0.0
    for block in many.split(ROWS):
        b, mean_many = _centred(block, mean_many)
        variance_many += torch.linalg.vector_norm(b).square() / (len(many) - ddof)
        gram_(products, product(b, a))
    # Centring costs each set one dimension: eigenvalues beyond that rank are rounding, whose root is not small.
    rank = min(len(few) - 1, real.shape[1])
    values = _eigenvalues(products)[-rank:] if rank else products.new_zeros(0)
    values = values / ((len(few) - ddof) * (len(many) - ddof))
    if not _trusted(values, (variance_few * variance_many).sqrt()):
        if len(many) > real.shape[1]:
            return _fid_by_covariances(real, fake, ddof)
        values = torch.linalg.svdvals(product(a, _centred(many, mean_many)[0])).square()
        values = values / ((len(few) - ddof) * (len(many) - ddof))
    root = values.clamp(min=0).sqrt().sum()
    return max(0.0, ((mean_few - mean_many).square().sum() + variance_few + variance_many - 2 * root).item())


def _centred(rows: Tensor, mean: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Rows less a mean, their own if none is given, float64 in new memory; and that mean."""
    wide = rows.to(torch.float64, copy=True)
    mean = wide.mean(0) if mean is None else mean
    return wide.sub_(mean), mean


def _trusted(values: Tensor, scale: Tensor) -> bool:
    """Whether rounding leaves the sum of these eigenvalues' roots good to 1e-10 of the scale.

    An eigenvalue that should be 0 comes out a little off, and the root of a little is not so little. Such
    eigenvalues come with both signs, so the lowest one tells how large the rounding is.
    """
    if len(values) == 0 or values[0] >= 0:
        return True
    rounding = values[values.abs() <= -4 * values[0]].abs()
    return bool(rounding.sqrt().sum() <= 1e-10 * scale)


def _eigenvalues(lower: Tensor, times: Tensor | None = None) -> Tensor | None:
    """Eigenvalues, ascending, of the symmetric matrix with this lower triangle, or of its product with another one.

    With LLᵀ the other one, LᵀΣL has the eigenvalues of ΣLLᵀ; None where there is no such L.
    """
    if not worth_scipy(lower):
        if times is None:
            return torch.linalg.eigvalsh(lower)
        factor, failed = torch.linalg.cholesky_ex(times)
        return None if failed else torch.linalg.eigvalsh(factor.T @ lower @ factor)
    from scipy.linalg import LinAlgError, eigh  # LAPACK makes LᵀΣL by symmetry; PyTorch does not offer that

    # LAPACK counts columns first: to it, these are the transposes, and the triangle is the upper one.
    pair = lower.numpy().T, None if times is None else times.numpy().T
    driver = "evd" if times is None else "gv"  # "gvd" gets too little workspace from SciPy for its blocked routine
    try:
        values = eigh(*pair, type=2, lower=False, eigvals_only=True, driver=driver, check_finite=False)
    except LinAlgError:
        return None
    return torch.from_numpy(values)


def _root(cov: Tensor, argument: str) -> Tensor:
    """(d, r) R with RRᵀ = Σ; directions whose variance is rounding are left out."""
    values, vectors = torch.linalg.eigh(cov)
    if values[0] < -1e-6 * values[-1].abs():
        raise ValueError(
            f"{argument}: expected a covariance (no negative eigenvalue), got {values[0]:.3g} beside {values[-1]:.3g}"
        )
    kept = values > len(values) * EPS * values[-1]
    return vectors[:, kept] * values[kept].sqrt()


def _is_symmetric(cov: Tensor, argument: str) -> None:
    worst, size = (cov - cov.T).abs().max() if cov.numel() else 0, cov.abs().max() if cov.numel() else 0
    if worst > 1e-6 * size:
        raise ValueError(f"{argument}: expected a symmetric matrix, got entries {worst:.3g} apart")
    if cov.numel() and cov.diagonal().min() < 0:
        raise ValueError(f"{argument}: expected no negative variance, got {cov.diagonal().min():.3g}")
