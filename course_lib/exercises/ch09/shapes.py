"""What chapters 09 and 09b hand to an answer and expect back: normal numbers, tensors of a shape."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.exercises.engine import require


def tensor(found, shape: tuple, what: str) -> Tensor:
    """`found` if it is a tensor of that shape, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == shape, f"Expected {what}: shape {shape}; yours has shape {tuple(found.shape)}.")
    return found


def normal(*shape: int, seed: int = 1) -> Tensor:
    """Standard normal numbers, float32, that depend on shape and seed alone."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
