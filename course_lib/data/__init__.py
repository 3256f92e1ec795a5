"""Data sets as one uint8 tensor each, and the one conversion between pixels and what networks see.

`load(name, split)` returns `Images`. A data set is a function of its split; adding one is a file beside
this one and a line in DATASETS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.data import avatars, cifar, fashion, mnist
from course_lib.runtime import keyed_generator, known

DATASETS = {
    "fashion-mnist": fashion.read,
    "mnist": mnist.read,
    "cifar-10": cifar.read,
    "avatars": avatars.read,
    "avatars-small": avatars.read_small,
    "avatars-32": avatars.halved(avatars.read),
    "avatars-small-32": avatars.halved(avatars.read_small),
}
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Images:
    """Labelled images, all in memory.

    pixels:      (N, C, H, W) uint8 in [0, 255]
    labels:      (N,) int64, indices into class_names
    attributes:  (N, A) int64 where a data set has exact attributes, else None
    """

    pixels: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    attributes: Tensor | None = None

    def __post_init__(self):
        if self.pixels.dtype != torch.uint8 or self.pixels.ndim != 4:
            raise ValueError(f"pixels: expected (N, C, H, W) uint8, got {tuple(self.pixels.shape)} {self.pixels.dtype}")
        if self.labels.shape != self.pixels.shape[:1]:
            raise ValueError(f"labels: expected ({len(self.pixels)},) like pixels, got {tuple(self.labels.shape)}")

    def __len__(self) -> int:
        return len(self.pixels)

    def to(self, device: torch.device | str) -> Images:
        """The same images on a device: 60,000 of Fashion-MNIST are 47 MB, so the whole set moves once."""
        attributes = None if self.attributes is None else self.attributes.to(device)
        return replace(self, pixels=self.pixels.to(device), labels=self.labels.to(device), attributes=attributes)

    def padded(self, size: int) -> Images:
        """A black border up to (size, size), so that strided networks halve evenly; no pixel is resampled."""
        height, width = self.pixels.shape[2:]
        if size < max(height, width):
            raise ValueError(f"size: expected at least {max(height, width)}, got {size}")
        top, left = (size - height) // 2, (size - width) // 2
        return replace(self, pixels=F.pad(self.pixels, (left, size - width - left, top, size - height - top)))

    def shrunk(self, size: int) -> Images:
        """Each square block of pixels replaced by its mean, down to (size, size), which must divide the images' own."""
        height, width = self.pixels.shape[2:]
        if size < 1 or height % size or width % size:
            raise ValueError(f"size: expected a divisor of {height} and {width}, got {size}")
        blocks = self.pixels.unflatten(3, (size, -1)).unflatten(2, (size, -1))  # (N, C, size, h, size, w)
        return replace(self, pixels=blocks.float().mean((3, 5)).round_().to(torch.uint8))

    def subset(self, indices: Tensor | slice) -> Images:
        """The chosen rows."""
        attributes = None if self.attributes is None else self.attributes[indices]
        return replace(self, pixels=self.pixels[indices], labels=self.labels[indices], attributes=attributes)

    def sha256(self) -> str:
        """Hash of the pixels and labels: what a card or a cached statistic names as its data."""
        digest = hashlib.sha256(repr(tuple(self.pixels.shape)).encode())
        for tensor in (self.pixels, self.labels):
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def load(name: str, split: str = "train") -> Images:
    """A data set by name. Nothing is downloaded here.

    "fashion-mnist"  60,000 train, 10,000 test, (1, 28, 28); part of the course
    "mnist"          60,000 train, 10,000 test, (1, 28, 28); after `gan-course fetch mnist`
    "cifar-10"       50,000 train, 10,000 test, (3, 32, 32); after `gan-course fetch cifar-10`
    "avatars"        20,000 train, 10,000 test, (3, 64, 64), with attributes; drawn on first use, in minutes
    "avatars-small"  the first 2,000 and 500 of them; part of the course
    "avatars-32", "avatars-small-32"  the same at (3, 32, 32), means over squares of four pixels

    raises: ValueError for an unknown name or split; FileNotFoundError or ValueError naming the file, what
            was expected and what mends it, if the data on disk is missing or damaged
    """
    read = DATASETS[known("name", name, DATASETS)]
    return Images(*read(known("split", split, SPLITS)))


def to_float(pixels: Tensor) -> Tensor:
    """uint8 in [0, 255] to float32 in [−1, 1]: x / 127.5 − 1.

    raises: ValueError unless pixels is uint8
    """
    if pixels.dtype != torch.uint8:
        raise ValueError(f"pixels: expected uint8 in [0, 255], got {pixels.dtype}")
    return pixels.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Float in [−1, 1] to uint8 in [0, 255]: round(127.5·x + 127.5), the exact inverse of `to_float`.

    raises: ValueError unless images is floating point, finite and within [−1, 1]; nothing is clipped
    """
    if not images.is_floating_point():
        raise ValueError(f"images: expected float in [-1, 1], got {images.dtype}")
    low, high = images.detach().aminmax() if images.numel() else (torch.tensor(0.0), torch.tensor(0.0))
    if not (low >= -1 and high <= 1):  # written so that NaN fails too
        raise ValueError(f"images: expected values in [-1, 1], got [{low:.4g}, {high:.4g}]")
    return images.detach().float().mul(127.5).add_(127.5).round_().to(torch.uint8)


def centre(images: Tensor, size: int) -> Tensor:
    """The middle (size, size) of each image: takes a border off that `Images.padded` put on."""
    top, left = (images.shape[2] - size) // 2, (images.shape[3] - size) // 2
    return images[:, :, top : top + size, left : left + size]


def epoch_order(count: int, epoch: int, seed: int, device: torch.device | str) -> Tensor:
    """A permutation of range(count) that depends on (seed, epoch) alone."""
    return torch.randperm(count, generator=keyed_generator(device, seed, epoch, "order"), device=device)


def batches(images: Images, batch_size: int) -> Iterator[Tensor]:
    """All images in order as float batches in [−1, 1]; the last batch may be smaller."""
    for start in range(0, len(images), batch_size):
        yield to_float(images.pixels[start : start + batch_size])
