"""Dirac-GAN: the smallest game there is, two numbers against each other.

All data lie on 0, every sample on θ; the critic scores a point x with ψ·x and plays the Wasserstein game: it
minimises ψθ + (γ/2)ψ², the generator −ψθ. The only equilibrium is (0, 0). Mescheder, Geiger, Nowozin 2018
(arXiv:1801.04406v4, section 2), here with a linear loss and an R1 penalty.

`Remedy` is what is done to the game so that it should end there, alone or several at once; `turn` plays one turn.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

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


# ---------------------------------------------------------------- remedies


@dataclass(frozen=True)
class Remedy:
    """How a turn is played. The defaults are the plain game; both rates and the momentum act on their own player.

    lr, lr_d: step sizes h of the generator and h_d of the critic (None: the same), > 0; two that differ are two time scales
    gamma:    weight of the R1 penalty (γ/2)ψ² in the critic's loss
    momentum: share of a player's last move that is added to its next one, between −1 and 1
    bound:    weight clipping: |ψ| is cut to it after each of the critic's moves
    alternating: the generator answers the critic that has moved; otherwise both move from the same parameters
    """

    lr: float = 0.1
    lr_d: float | None = None
    gamma: float = 0.0
    momentum: float = 0.0
    bound: float | None = None
    alternating: bool = False

    def __post_init__(self):
        for name in ("lr", "lr_d", "bound"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name}: expected a positive number, got {value}")
        if not -1 < self.momentum < 1:
            raise ValueError(f"momentum: expected a number between −1 and 1, got {self.momentum}")


def turn(state: Tensor, remedy: Remedy) -> Tensor:
    """The state after one turn: rows θ, ψ, and the last move of each.

    state: (4, …);  returns the same shape
    """
    theta, psi, theta_move, psi_move = state
    lr_d = remedy.lr if remedy.lr_d is None else remedy.lr_d
    psi_next = psi + remedy.momentum * psi_move - lr_d * (theta + remedy.gamma * psi)
    if remedy.bound is not None:
        psi_next = psi_next.clamp(-remedy.bound, remedy.bound)
    theta_next = theta + remedy.momentum * theta_move + remedy.lr * (psi_next if remedy.alternating else psi)
    return torch.stack([theta_next, psi_next, theta_next - theta, psi_next - psi])


def play(remedy: Remedy, start=(1.0, 0.0), turns: int = 200) -> Tensor:
    """Where the turns lead from `start`, with no move before: (turns + 1, 2) float64, row k the point (θ, ψ) after k."""
    state = torch.tensor([*start, 0.0, 0.0], dtype=torch.float64)
    states = [state]
    for _ in range(turns):
        states.append(state := turn(state, remedy))
    return torch.stack(states)[:, :2]


def turn_matrix(remedy: Remedy) -> Tensor:
    """The matrix of one turn: (2, 2) on (θ, ψ), or (4, 4) with both last moves if there is momentum.

    With a bound it holds where the bound does not cut, so around the equilibrium.
    """
    unbound = dataclasses.replace(remedy, bound=None)
    matrix = torch.stack([turn(column, unbound) for column in torch.eye(4, dtype=torch.float64)], 1)
    return matrix if remedy.momentum else matrix[:2, :2]


def spectral_radius(matrix: Tensor) -> float:
    """The largest modulus of a square matrix's eigenvalues: by it a repeated step grows or shrinks in the long run."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"matrix: expected (n, n), got {tuple(matrix.shape)}")
    return torch.linalg.eigvals(matrix).abs().max().item()


def growth(points: Tensor) -> float:
    """By what factor a path's distance from home grew per turn, in its second half; 1 for a loop, below 1 for the way home.

    Measured between the largest distances of the third and the last quarter, so that an ellipse counts as a loop.
    points: (n, 2), n ≥ 8 and long enough for a whole round in a quarter
    """
    quarter = len(points) // 4
    if quarter < 2:
        raise ValueError(f"points: expected at least 8, got {len(points)}")
    before, after = points.norm(dim=1)[-2 * quarter :].split(quarter)
    return (after.max() / before.max()).item() ** (1 / quarter) if before.max() > 0 else 0.0


def running_average(points: Tensor, decay: float) -> Tensor:
    """Exponential moving average along a path: row k is decay·(row k − 1 of the average) + (1 − decay)·(row k of the path).

    points: (n, 2);  decay: in [0, 1);  returns the same shape, beginning where the path begins
    """
    if not 0 <= decay < 1:
        raise ValueError(f"decay: expected a number in [0, 1), got {decay}")
    averages = [points[0]]
    for point in points[1:]:
        averages.append(decay * averages[-1] + (1 - decay) * point)
    return torch.stack(averages)


def running_mean(points: Tensor) -> Tensor:
    """Mean of all points of a path so far: (n, 2) → (n, 2)."""
    return points.cumsum(0) / torch.arange(1, len(points) + 1, dtype=points.dtype)[:, None]
