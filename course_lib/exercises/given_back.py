"""What an answer gives back, as the tensors or numbers that were asked for, or a sentence that says what came instead."""

from __future__ import annotations

import torch

from course_lib.exercises.engine import require


def same_precision(found: torch.Tensor, came_in: torch.dtype, what: str) -> None:
    """Wrong if `found` has another dtype than what came in."""
    require(
        found.dtype == came_in,
        f"What came in is {came_in}, {what} leaves as {found.dtype}: a new tensor made of numbers loses digits. Compute with the tensors themselves.",
    )


def two(found, what: str) -> tuple[torch.Tensor, torch.Tensor]:
    """`found` as two tensors, `torch.stack` of them included, or a sentence: Expected two tensors, `what`."""
    if isinstance(found, torch.Tensor) and found.ndim and len(found) == 2:
        found = tuple(found)
    require(
        isinstance(found, (tuple, list)) and len(found) == 2 and all(isinstance(each, torch.Tensor) for each in found),
        f"Expected two tensors{what}.",
    )
    return found


def scalar(found, what: str, dtype: torch.dtype | None = None) -> torch.Tensor:
    """`found` as a tensor without dimensions (of that dtype), or a sentence that says what came instead."""
    require(isinstance(found, torch.Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    if dtype is not None:
        same_precision(found, dtype, what)
    require(found.ndim == 0, f"Expected {what} as one number, got a tensor of shape {tuple(found.shape)}.")
    return found


def number(found, what: str) -> float:
    """A learner's number, whatever it is wrapped in."""
    require(not isinstance(found, (tuple, list)), f"Expected {what} as one number, got {type(found).__name__}.")
    found = torch.as_tensor(found)
    require(found.numel() == 1, f"Expected {what} as one number, got shape {tuple(found.shape)}.")
    require(not found.is_complex(), f"Expected {what} as a real number, got a complex one: take its modulus.")
    return found.item()
