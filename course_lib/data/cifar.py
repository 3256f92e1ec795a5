"""CIFAR-10: 60,000 photographs of animals and vehicles, 32×32 colour, ten classes of 6,000.

Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images". An asset: `gan-course fetch cifar-10`
brings it once, `course_lib.assets` verifies it.
"""

from __future__ import annotations

from torch import Tensor

from course_lib import assets

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def read(split: str) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """(pixels (N, 3, 32, 32) uint8, labels (N,) int64, class names) of "train" or "test", in the official order."""
    tensors = assets.load("cifar-10", split)
    return tensors["pixels"], tensors["labels"].long(), CLASS_NAMES
