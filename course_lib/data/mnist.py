"""MNIST: 70,000 handwritten digits, 28×28 grey, from LeCun, Cortes and Burges' database of 1998.

An asset: `gan-course fetch mnist` brings it once, `course_lib.assets` verifies it.
"""

from __future__ import annotations

from torch import Tensor

from course_lib import assets

CLASS_NAMES = tuple("0123456789")


def read(split: str) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """(pixels (N, 1, 28, 28) uint8, labels (N,) int64, class names) of "train" or "test", in the official order."""
    tensors = assets.load("mnist", split)
    return tensors["pixels"], tensors["labels"].long(), CLASS_NAMES
