"""Worlds whose truth is known: mixtures of isotropic normals with exact densities and exact samples.

`ring` and `grid` are the field's usual tests of mode collapse. `spiral` and `moons` are curves, written as many
narrow components along them, so that their densities are exact as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """Σₖ weightₖ · N(meanₖ, stdₖ² I), in any number of dimensions.

    means:   (K, d);  stds: (K,), positive;  weights: (K,), positive, summing to 1; all float64
    """

    means: Tensor
    stds: Tensor
    weights: Tensor

    def __post_init__(self):
        if self.means.ndim != 2 or not len(self.means):
            raise ValueError(f"means: expected (K, d) with K ≥ 1, got {tuple(self.means.shape)}")
        for name in ("stds", "weights"):
            tensor = getattr(self, name)
            if tensor.shape != self.means.shape[:1] or not (tensor > 0).all():
                raise ValueError(f"{name}: expected {len(self.means)} positive numbers, got {tensor.tolist()}")
        if abs(self.weights.sum().item() - 1) > 1e-9:
            raise ValueError(f"weights: expected a sum of 1, got {self.weights.sum().item():.6g}")

    @property
    def dim(self) -> int:
        """Number of dimensions d."""
        return self.means.shape[1]

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """`count` independent draws, (count, d) in the default dtype."""
        chosen = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.dim, generator=generator, dtype=self.means.dtype)
        return (self.means[chosen] + self.stds[chosen, None] * noise).to(torch.get_default_dtype())

    def log_prob(self, x: Tensor) -> Tensor:
        """Logarithm of the density, in nats. x: (N, d) → (N,), in the dtype of x.

        raises: ValueError unless x is (N, d) floating point
        """
        if x.ndim != 2 or x.shape[1] != self.dim or not x.is_floating_point():
            raise ValueError(f"x: expected (N, {self.dim}) floating point, got {tuple(x.shape)} {x.dtype}")
        means, stds, weights = (tensor.to(x) for tensor in (self.means, self.stds, self.weights))
        constant = weights.log() - self.dim * (stds.log() + 0.5 * math.log(2 * math.pi))
        rows = max(1, (1 << 22) // len(means))  # a block of rows at a time: memory does not grow with N·K
        return torch.cat(
            [
                (constant - 0.5 * (block[:, None] - means).square().sum(2) / stds.square()).logsumexp(1)
                for block in x.split(rows)
            ]
        )

    def cdf(self, x: Tensor) -> Tensor:
        """P(X ≤ x) of a one-dimensional mixture. x: (N,) → (N,)"""
        if self.dim != 1:
            raise ValueError(f"cdf: expected a mixture in 1 dimension, got {self.dim}")
        means, stds, weights = (tensor.to(x) for tensor in (self.means[:, 0], self.stds, self.weights))
        return torch.special.ndtr((x[:, None] - means) / stds) @ weights


def mixture(means, stds=1.0, weights: Sequence[float] | None = None) -> Mixture:
    """A mixture from plain numbers; equal weights unless given.

    means: K numbers for one dimension, or K rows of d;  stds: one number for all, or K
    """
    means = torch.as_tensor(means, dtype=torch.float64)
    means = means[:, None] if means.ndim == 1 else means
    stds = torch.as_tensor(stds, dtype=torch.float64).expand(len(means)).clone()
    share = (
        torch.ones(len(means), dtype=torch.float64)
        if weights is None
        else torch.as_tensor(weights, dtype=torch.float64)
    )
    return Mixture(means, stds, share / len(means) if weights is None else share)


def ring(modes: int = 8, radius: float = 2.0, std: float = 0.05) -> Mixture:
    """`modes` equal components on a circle around the origin."""
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    return mixture(radius * torch.stack([angle.cos(), angle.sin()], 1), std)


def grid(modes: int = 25, spacing: float = 1.0, std: float = 0.05) -> Mixture:
    """`modes` = n² equal components on a square grid around the origin. raises: ValueError unless it is a square"""
    side = math.isqrt(modes)
    if side * side != modes or modes < 1:
        raise ValueError(f"modes: expected a square number such as 25, got {modes}")
    line = (torch.arange(side, dtype=torch.float64) - (side - 1) / 2) * spacing
    return mixture(torch.cartesian_prod(line, line).reshape(-1, 2), std)


def spiral(turns: float = 1.5, radius: float = 2.0, std: float = 0.06, components: int = 120) -> Mixture:
    """An Archimedean spiral: the angle grows as a root, so that neighbours stand 1.2 to 1.7 deviations apart."""
    angle = 2 * math.pi * turns * torch.linspace(0.02, 1, components, dtype=torch.float64).sqrt()
    distance = radius * angle / (2 * math.pi * turns)
    return mixture(torch.stack([distance * angle.cos(), distance * angle.sin()], 1), std)


def moons(radius: float = 1.4, std: float = 0.08, components: int = 60) -> Mixture:
    """Two half circles, each reaching into the other."""
    angle = math.pi * torch.linspace(0, 1, components, dtype=torch.float64)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)
    lower = torch.stack([0.5 - angle.cos(), 0.25 - angle.sin()], 1)
    return mixture(radius * torch.cat([upper, lower]), std)
