"""Whether autograd follows an answer: what is detached on its way has the right values and can never learn."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.exercises.engine import require

STEP, SLACK = 1e-3, 0.02  # far enough apart for an answer that computes in float32


def follow(answer: Callable, **inputs: Tensor) -> None:
    """Wrong unless the slope of a random sum of the answer, in every input, is what moving that input gives.

    inputs: float64, by their names in the exercise, in the order of its arguments; the answer is called with them
    """
    draw = torch.Generator().manual_seed(0)
    values = list(inputs.values())
    leaves = [value.clone().requires_grad_() for value in values]
    found = answer(*leaves)
    weights = torch.randn(found.shape, generator=draw, dtype=torch.float64)

    def total(*moved: Tensor) -> Tensor:
        return (answer(*moved).double() * weights).sum()

    whole = (found.double() * weights).sum()
    slopes = torch.autograd.grad(whole, leaves, allow_unused=True) if whole.requires_grad else [None] * len(leaves)
    for index, (name, slope) in enumerate(zip(inputs, slopes)):
        way = torch.randn(values[index].shape, generator=draw, dtype=torch.float64)
        up, down = (
            total(
                *(value + sign * STEP * way if place == index else value.clone() for place, value in enumerate(values))
            )
            for sign in (1, -1)
        )
        moves, says = (up - down).item() / (2 * STEP), 0.0 if slope is None else (slope * way).sum().item()
        require(
            abs(moves - says) <= SLACK * max(abs(moves), abs(says), 0.05),
            f"The values are right and their slope in {name} is not: moved a little, {name} changes a sum of them by {moves:.4g} a unit of the way, "
            f"and autograd says {says:.4g}. Something is detached, or leaves PyTorch, so what stands before it could not learn.",
        )
