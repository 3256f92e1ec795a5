"""Ways to spoil a set of images on purpose, so that what a metric sees can be watched.

Each takes and returns float images in [−1, 1], (N, C, H, W), keeps N, and leaves its input alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib import runtime


def blur(images: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with a standard deviation of `sigma` pixels over a black border; 0 changes nothing."""
    if sigma < 0:
        raise ValueError(f"sigma: expected at least 0 pixels, got {sigma}")
    if sigma == 0:
        return images
    height, width = images.shape[2:]
    along_rows, along_columns = (_band(length, sigma).to(images) for length in (height, width))
    return along_rows @ (images + 1) @ along_columns.T - 1  # black is 0, so that the border is black


def _band(length: int, sigma: float) -> Tensor:
    """(length, length): row i holds a Gaussian around i, of weight 1 but for what lies beyond the ends."""
    reach = max(1, math.ceil(3 * sigma))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma).square())
    offset = torch.arange(length)[None] - torch.arange(length)[:, None]
    inside = offset.abs() <= reach
    return torch.where(inside, (weights / weights.sum())[offset.clamp(-reach, reach) + reach], 0.0)


def noise(images: Tensor, std: float, seed: int = 0) -> Tensor:
    """White noise of standard deviation `std` (of the range's half), cut off at −1 and 1; the same for one seed."""
    if std < 0:
        raise ValueError(f"std: expected at least 0, got {std}")
    if std == 0:
        return images
    draw = runtime.keyed_generator(images.device, seed, "noise")
    return (images + std * torch.randn(images.shape, generator=draw, device=images.device)).clamp(-1, 1)


def without_classes(labels: Tensor, dropped: int, seed: int = 0) -> Tensor:
    """Indices (N,) of a set of the old size in which the `dropped` highest classes are missing.

    The places of what is dropped are filled by others, drawn with replacement. raises: ValueError unless a class is left
    """
    classes = int(labels.max()) + 1
    if not 0 <= dropped < classes:
        raise ValueError(f"dropped: expected 0 to {classes - 1} of {classes} classes, got {dropped}")
    indices = torch.arange(len(labels))
    left = indices[labels < classes - dropped]
    if not len(left):
        raise ValueError(f"dropped: expected images of the {classes - dropped} classes that stay, found none")
    draw = runtime.keyed_generator("cpu", seed, "classes")
    filled = left[torch.randint(len(left), (len(labels),), generator=draw)]
    return torch.where(labels < classes - dropped, indices, filled)


def with_duplicates(count: int, share: float, originals: int = 20, seed: int = 0) -> Tensor:
    """Indices (count,) in which a share of all places shows one of `originals` images again and again."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 to 1, got {share}")
    draw = runtime.keyed_generator("cpu", seed, "duplicates")
    places = torch.randperm(count, generator=draw)[: round(share * count)]
    indices = torch.arange(count)
    indices[places] = torch.randint(min(originals, count), (len(places),), generator=draw)
    return indices


def with_copies(images: Tensor, of: Tensor, share: float, seed: int = 0) -> Tensor:
    """The images, a share of which is replaced by exact copies of images of another set: memorisation."""
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected 0 to 1, got {share}")
    draw = runtime.keyed_generator("cpu", seed, "copies")
    places = torch.randperm(len(images), generator=draw)[: round(share * len(images))]
    changed = images.clone()
    changed[places] = of[torch.randperm(len(of), generator=draw)[: len(places)]]
    return changed
