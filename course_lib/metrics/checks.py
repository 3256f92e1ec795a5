"""What every metric asks of its features, and the sentences that say what was wrong."""

from __future__ import annotations

import torch
from torch import Tensor

ROWS = 1024  # rows that are converted or checked at a time


def feature_rows(
    features: Tensor,
    argument: str,
    *,
    least: int = 1,
    why: str = "",
    width: int | None = None,
    like: str = "the rows before",
    count: str = "N",
) -> Tensor:
    """features, detached, if they are (N, d) floating point, finite, N >= least and d == width as in `like`.

    A NumPy array is taken as it is, without a copy. Features on MPS move to the CPU: MPS has no float64.

    raises: ValueError otherwise, which names the argument, the expectation (with `why`) and what came
    """
    rows = torch.as_tensor(features).detach()
    wanted = f"({count}, {'d' if width is None else width})"
    if rows.ndim != 2 or rows.shape[1] == 0 or not rows.is_floating_point():
        raise ValueError(f"{argument}: expected {wanted} floating point, got {tuple(rows.shape)} {rows.dtype}")
    if width is not None and rows.shape[1] != width:
        raise ValueError(f"{argument}: expected {wanted} like {like}, got {tuple(rows.shape)}")
    too_few(rows, argument, least, why)
    if rows.device.type == "mps":
        rows = rows.cpu()
    for block in rows.split(ROWS):
        # A sum is one pass without a mask; only where it is not finite are the numbers themselves asked.
        if not torch.isfinite(block.sum()) and not torch.isfinite(block).all():
            raise ValueError(f"{argument}: expected finite numbers, got NaN or infinity")
    return rows


def too_few(rows: Tensor, argument: str, least: int, why: str = "") -> None:
    """raises: ValueError if there are fewer rows than `least`"""
    if len(rows) < least:
        reason = f" ({why})" if why else ""
        raise ValueError(f"{argument}: expected at least {least} rows{reason}, got {len(rows)}")


def feature_pair(real: Tensor, fake: Tensor, *, names=("real", "fake"), least: int = 1, why: str = ""):
    """Both sets through `feature_rows`, of one width and on one device."""
    real = feature_rows(real, names[0], least=least, why=why)
    fake = feature_rows(fake, names[1], least=least, why=why, width=real.shape[1], like=names[0], count="M")
    if fake.device != real.device:
        raise ValueError(f"{names[1]}: expected features on {real.device} like {names[0]}, got {fake.device}")
    return real, fake


def whole_number(value: int, argument: str, *, least: int) -> int:
    """value if it is an integer of at least `least`; raises ValueError otherwise"""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{argument}: expected an integer of at least {least}, got {value!r}")
    return value


def column_mean(rows: Tensor) -> Tensor:
    """(d,) float64 mean of (N, d) rows; `rows.mean(0, dtype=torch.float64)` would widen all of them at once"""
    return sum(block.sum(0, dtype=torch.float64) for block in rows.split(ROWS)) / len(rows)


def two_gaussians(**given: Tensor) -> list[Tensor]:
    """mean, covariance, mean, covariance in float64, named as the caller names them; (d,) and (d, d) of one d.

    raises: ValueError if shapes do not fit or a number is not finite
    """
    tensors = {name: torch.as_tensor(tensor) for name, tensor in given.items()}
    tensors = {name: (t.cpu() if t.device.type == "mps" else t).double() for name, t in tensors.items()}
    first, mean = next(iter(tensors.items()))
    if mean.ndim != 1:
        raise ValueError(f"{first}: expected (d,), got {tuple(mean.shape)}")
    d = len(mean)
    for (name, tensor), shape in zip(tensors.items(), ((d,), (d, d), (d,), (d, d))):
        if tensor.shape != shape:
            raise ValueError(f"{name}: expected {shape}, got {tuple(tensor.shape)}")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return list(tensors.values())


def worth_scipy(matrix: Tensor) -> bool:
    """Whether SciPy's BLAS and LAPACK pay. Its threads and PyTorch's go on spinning for a while after each call and
    take the cores from each other, which costs more than a small matrix does."""
    return matrix.device.type == "cpu" and len(matrix) >= 512


def gram_(out: Tensor, rows: Tensor) -> Tensor:
    """Adds rowsᵀ·rows to the lower triangle of out, in place: half the multiplications of a product, on a CPU.

    What stands above the diagonal afterwards is not defined; `mirror` completes it.

    out: (d, d) float64, contiguous;  rows: (N, d) float64
    """
    if not worth_scipy(out):
        return out.addmm_(rows.T, rows)
    from scipy.linalg.blas import dsyrk  # PyTorch has no syrk

    # BLAS counts columns first: to it, these are the transposes, and the triangle is the upper one.
    dsyrk(1.0, rows.numpy().T, beta=1.0, c=out.numpy().T, overwrite_c=True)
    return out


def product(left: Tensor, right: Tensor) -> Tensor:
    """left·rightᵀ: (N, M) of (N, d) and (M, d), float64, contiguous."""
    if not worth_scipy(left):
        return left @ right.T
    from scipy.linalg.blas import dgemm  # OpenBLAS: on AMD's processors nearly twice as fast as PyTorch's MKL

    return torch.from_numpy(dgemm(1.0, right.numpy().T, left.numpy().T, trans_a=True).T)


def mirror(lower: Tensor) -> Tensor:
    """The symmetric matrix whose lower triangle this is, in new memory."""
    whole = lower.tril()
    for start in range(0, len(whole), ROWS):
        rows = slice(start, start + ROWS)
        whole[rows, start:] += whole[start:, rows].T.triu(1)
    return whole
