"""Truncated latents: the truncation trick in z."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def truncated_normal(
    shape: tuple[int, ...],
    threshold: float,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Standard normal values, each drawn again until it lies in [−threshold, threshold]. → float32 of that shape

    Brock, Donahue, Simonyan 2018 (arXiv:1809.11096v2, section 3.1). Not the same as clipping, which heaps the
    cut-off mass on the two ends. Standard deviations: 0.284, 0.540, 0.880 at thresholds 0.5, 1 and 2.
    raises: ValueError unless threshold ≥ 0.01 (below, nearly every draw would be thrown away)
    """
    if not threshold >= 0.01:
        raise ValueError(f"threshold: expected at least 0.01, got {threshold}")
    values = torch.randn(shape, generator=generator, device=device)
    while (outside := values.abs() > threshold).any():
        values[outside] = torch.randn(int(outside.sum()), generator=generator, device=device)
    return values


def truncated_quantile(u: Tensor, threshold: float) -> Tensor:
    """The value below which a share u of the truncated normal lies: uniform u become `truncated_normal` latents.

    The same u give latents that move smoothly with the threshold, which is what a slider wants.

    u:      any shape, in [0, 1];  threshold: ≥ 0.01, math.inf for the whole normal distribution
    raises: ValueError if a u lies outside, or the threshold is smaller
    """
    if not threshold >= 0.01:
        raise ValueError(f"threshold: expected at least 0.01, got {threshold}")
    if not ((u >= 0) & (u <= 1)).all():
        raise ValueError(f"u: expected numbers from 0 to 1, got {u.min().item():.3g} to {u.max().item():.3g}")
    beyond = 0.5 * math.erfc(threshold / math.sqrt(2))  # mass on either side that is cut off
    z = torch.special.ndtri(beyond + (1 - 2 * beyond) * u.double())
    return z.clamp(-threshold, threshold).to(u.dtype)  # rounding may pass the ends
