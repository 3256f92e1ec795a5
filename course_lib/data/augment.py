"""Augmentation that gradients pass through: both players see altered images, and neither learns the alterations.

Zhao et al. 2020 (arXiv:2006.10738): the discriminator is shown T(x) and T(G(z)) in its own step and T(G(z)) in the
generator's. Altering the real images alone would teach the generator to draw altered ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course_lib.runtime import known


def diff_augment(
    images: Tensor,
    policy: Sequence[str] = ("brightness", "translation", "cutout"),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Each image altered at random, independently of the others, by the transforms of `policy` in that order.

    "brightness"   adds one number from U(−0.5, 0.5)
    "saturation"   moves every pixel away from or towards its own grey by a factor from U(0, 2)
    "contrast"     moves every value away from or towards the image's mean by a factor from U(0.5, 1.5)
    "translation"  by whole pixels, up to an eighth of the side each way; what comes in is 0, mid-grey
    "cutout"       sets a square of half the side to 0; its centre is anywhere, so that it may be cut off

    images:    (N, C, H, W) float in [−1, 1]; brightness and contrast may lead out of the range, nothing is clipped
    generator: on the images' device; the same state gives the same transforms, whatever the images
    returns:   the same shape and dtype, differentiable in the images
    raises:    ValueError for images of another kind or an unknown transform
    """
    if images.ndim != 4 or not images.is_floating_point():
        raise ValueError(f"images: expected (N, C, H, W) float, got {tuple(images.shape)} {images.dtype}")
    for name in policy:
        images = TRANSFORMS[known("policy", name, TRANSFORMS)](images, generator)
    return images


def _brightness(images: Tensor, generator: torch.Generator | None) -> Tensor:
    return images + (_uniform(images, generator) - 0.5)


def _saturation(images: Tensor, generator: torch.Generator | None) -> Tensor:
    grey = images.mean(1, keepdim=True)
    return grey + 2 * _uniform(images, generator) * (images - grey)


def _contrast(images: Tensor, generator: torch.Generator | None) -> Tensor:
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (0.5 + _uniform(images, generator)) * (images - mean)


def _translation(images: Tensor, generator: torch.Generator | None) -> Tensor:
    for axis in (2, 3):
        side = images.shape[axis]
        reach = int(side / 8 + 0.5)
        source = _places(images, axis) - _whole_numbers(images, -reach, reach, generator)
        inside = (source >= 0) & (source < side)
        images = images.gather(axis, source.clamp(0, side - 1).expand_as(images)) * inside
    return images


def _cutout(images: Tensor, generator: torch.Generator | None) -> Tensor:
    outside = torch.zeros((), dtype=torch.bool, device=images.device)
    for axis in (2, 3):
        side = images.shape[axis]
        length = int(side / 2 + 0.5)
        # an even square has no middle pixel: one more centre makes the two ends alike
        start = _whole_numbers(images, 0, side - length % 2, generator) - length // 2
        places = _places(images, axis)
        outside = outside | (places < start) | (places >= start + length)
    return images * outside


TRANSFORMS: dict[str, Callable[[Tensor, torch.Generator | None], Tensor]] = {
    "brightness": _brightness,
    "saturation": _saturation,
    "contrast": _contrast,
    "translation": _translation,
    "cutout": _cutout,
}


def _uniform(images: Tensor, generator: torch.Generator | None) -> Tensor:
    """One number from U(0, 1) for each image: (N, 1, 1, 1)."""
    return torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device, dtype=images.dtype)


def _whole_numbers(images: Tensor, low: int, high: int, generator: torch.Generator | None) -> Tensor:
    """One whole number from low to high, both included, for each image: (N, 1, 1, 1)."""
    return torch.randint(low, high + 1, (len(images), 1, 1, 1), generator=generator, device=images.device)


def _places(images: Tensor, axis: int) -> Tensor:
    """0, 1, 2, … along one axis of the images, in four dimensions."""
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    return torch.arange(images.shape[axis], device=images.device).reshape(shape)
