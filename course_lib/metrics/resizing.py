"""The ways in which tools resize images before a network sees them: which one was used moves the FID.

Each takes (N, C, H, W) float, grey levels from 0 to 255, and gives (N, C, size, size).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.data import centre


def _as_it_is(x: Tensor, size: int | None) -> Tensor:
    if size is not None and x.shape[2:] != (size, size):
        raise ValueError(
            f"images: expected ({size}, {size}) pixels, since this extractor does not resize, got {tuple(x.shape[2:])}"
        )
    return x


def _centre(x: Tensor, size: int) -> Tensor:
    """Takes off a border of up to 2 pixels, such as `Images.padded` puts on; no pixel is resampled."""
    height, width = x.shape[2:]
    if not (size <= height <= size + 4 and size <= width <= size + 4):
        raise ValueError(
            f"images: expected {size} to {size + 4} pixels a side, of which the middle is seen, got {(height, width)}"
        )
    return centre(x, size)


def _averaged(x: Tensor, size: int) -> Tensor:
    """Means over squares of pixels, as many times fewer as a whole number says."""
    side = x.shape[-1]
    if x.shape[2] != side or side % size:
        raise ValueError(f"images: expected (m·{size}, m·{size}) pixels for a whole m, got {tuple(x.shape[2:])}")
    return F.avg_pool2d(x, side // size)


def _half_pixel(x: Tensor, size: int) -> Tensor:
    return F.interpolate(x, (size, size), mode="bilinear", align_corners=False)


def _antialiased(x: Tensor, size: int) -> Tensor:
    return F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)


def _tensorflow_1(x: Tensor, size: int) -> Tensor:
    """Output pixel i looks at i·(in/out), not at (i + ½)·(in/out) − ½: the picture moves by half a pixel."""
    for dim in (2, 3):
        count = x.shape[dim]
        at = torch.arange(size, device=x.device, dtype=torch.float32) * (count / size)
        low = at.long().clamp(max=count - 1)
        high = (low + 1).clamp(max=count - 1)
        share = (at - low).reshape([size if d == dim else 1 for d in range(4)])
        x = torch.lerp(x.index_select(dim, low), x.index_select(dim, high), share)
    return x


def _bicubic(x: Tensor, size: int) -> Tensor:
    """Pillow's bicubic on float channels, clamped and not requantised; within 0.01 grey levels of Pillow itself, on pure noise."""
    return F.interpolate(x, (size, size), mode="bicubic", align_corners=False, antialias=True).clamp(0, 255)


RESIZES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "none": _as_it_is,
    "centre": _centre,
    "averaged": _averaged,
    "bilinear": _half_pixel,
    "bilinear-antialias": _antialiased,
    "bilinear-tf1": _tensorflow_1,
    "bicubic-pil": _bicubic,
}
