"""What chapter 04's answers are given and must return: tensors in float64, single numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.exercises.engine import require


def double(values) -> Tensor:
    """Plain numbers as a float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def number(found, what: str) -> float:
    """`found` as a plain number, or a sentence that says what came instead."""
    if isinstance(found, Tensor):
        require(
            not found.is_complex(),
            f"Expected {what} as a real number, got a complex tensor: take the real parts, they are all there is on paper.",
        )
        require(found.numel() == 1, f"Expected {what} as one number, got a tensor of shape {tuple(found.shape)}.")
        found = found.item()
    require(
        not isinstance(found, complex),
        f"Expected {what} as a real number, got a complex one, as `scipy.linalg.sqrtm` returns it: take `.real`.",
    )
    require(isinstance(found, (int, float)), f"Expected {what} as a number, got {type(found).__name__}.")
    return float(found)
