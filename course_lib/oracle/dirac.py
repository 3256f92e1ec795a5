"""Dirac-GAN: the smallest game there is, two numbers against each other.

All data lie on 0, every sample on θ; the critic scores a point x with ψ·x and plays the Wasserstein game: it
minimises ψθ + (γ/2)ψ², the generator −ψθ. The only equilibrium is (0, 0). Mescheder, Geiger, Nowozin 2018
(arXiv:1801.04406v4, section 2), here with a linear loss and an R1 penalty.
"""

from __future__ import annotations

import torch
from torch import Tensor


def simultaneous_step(theta: Tensor, psi: Tensor, lr: float, gamma: float = 0.0) -> tuple[Tensor, Tensor]:
    """Both players' next parameters (θ, ψ), computed from the same current ones.

    theta, psi: tensors of one shape;  lr: step size h > 0;  gamma: weight of (γ/2)·ψ² in the critic's loss
    """
    return theta + lr * psi, psi - lr * theta - lr * gamma * psi


def alternating_step(theta: Tensor, psi: Tensor, lr: float, gamma: float = 0.0) -> tuple[Tensor, Tensor]:
    """The critic moves first, then the generator answers the critic that has moved; arguments as above."""
    psi = psi - lr * theta - lr * gamma * psi
    return theta + lr * psi, psi


def path(step, start=(1.0, 0.0), steps: int = 200, **options) -> Tensor:
    """Where `step` leads: (steps + 1, 2) float64, row k the point (θ, ψ) after k steps."""
    theta, psi = torch.tensor(start, dtype=torch.float64)
    points = [torch.stack([theta, psi])]
    for _ in range(steps):
        theta, psi = step(theta, psi, **options)
        points.append(torch.stack([theta, psi]))
    return torch.stack(points)


def step_matrix(step, **options) -> Tensor:
    """The (2, 2) matrix that a linear step multiplies (θ, ψ) by; its eigenvalues' moduli say where paths end."""
    columns = [torch.stack(step(*column, **options)) for column in torch.eye(2, dtype=torch.float64)]
    return torch.stack(columns, 1)
