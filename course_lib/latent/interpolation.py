"""Between two latents: straight (lerp) and along the sphere (slerp)."""

from __future__ import annotations

import torch
from torch import Tensor


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """(1 − t)·a + t·b: the straight line.

    a, b: (..., d);  t: number or (..., 1), 0 gives a and 1 gives b
    """
    return a + t * (b - a)


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """Along the great circle between the directions of a and b, with the norm going linearly from ‖a‖ to ‖b‖.

    Shoemake 1985. Each row has its own angle. Where two directions are parallel or opposite to rounding, the
    arc is not defined and the straight line is taken.

    a, b: (..., d);  t: number or (..., 1), 0 gives a and 1 gives b
    """
    norm_a, norm_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    unit_a, unit_b = a / norm_a, b / norm_b
    cosine = (unit_a * unit_b).sum(-1, keepdim=True).clamp(-1, 1)  # rounding can exceed 1, and acos is then NaN
    angle = torch.acos(cosine)
    sine = torch.sin(angle)
    straight = sine < 1e-4
    safe = torch.where(straight, torch.ones_like(sine), sine)
    arc = (torch.sin((1 - t) * angle) * unit_a + torch.sin(t * angle) * unit_b) / safe
    return torch.where(straight | (norm_a == 0) | (norm_b == 0), lerp(a, b, t), arc * lerp(norm_a, norm_b, t))
