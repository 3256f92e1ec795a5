"""The score ∇ₓ log p(x): exact for mixtures, learned from samples by denoising, and what Langevin sampling makes of it.

Song, Ermon 2019 (arXiv:1907.05600): learn the scores of the data under noise of many sizes, then follow them with noise
from the largest size to the smallest. No density is normalised and no opponent is trained.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib import runtime
from course_lib.data.mixtures import Mixture


def score(p: Mixture, x: Tensor) -> Tensor:
    """∇ₓ log p(x) = Σₖ rₖ(x)·(μₖ − x)/sₖ², rₖ(x) the share of component k at x. x: (N, d) → (N, d), in the dtype of x."""
    means, stds, weights = (tensor.to(x) for tensor in (p.means, p.stds, p.weights))
    away = means - x[:, None]  # (N, K, d)
    shares = (weights.log() - p.dim * stds.log() - 0.5 * away.square().sum(2) / stds.square()).softmax(1)
    return ((shares / stds.square())[..., None] * away).sum(1)


def noised(p: Mixture, std: float) -> Mixture:
    """The distribution of x + std·ε, x from p and ε from N(0, I): each component as wide again. raises: ValueError if std < 0"""
    if not std >= 0:
        raise ValueError(f"std: expected 0 or more, got {std}")
    return Mixture(p.means, (p.stds.square() + std**2).sqrt(), p.weights)


def noise_sizes(largest: float, smallest: float, count: int) -> list[float]:
    """`count` standard deviations from the largest to the smallest, each the same multiple of the one before."""
    if not largest > smallest > 0 or count < 2:
        raise ValueError(
            f"largest, smallest, count: expected largest > smallest > 0 and count ≥ 2, got {largest}, {smallest}, {count}"
        )
    return [largest * (smallest / largest) ** (index / (count - 1)) for index in range(count)]


class ScoreNetwork(nn.Module):
    """x (N, d) and the noise's deviation (N,) → the score at x of the data under that noise, (N, d)."""

    def __init__(self, dim: int = 2, width: int = 128):
        super().__init__()
        self.dim = dim
        self.layers = nn.Sequential(
            nn.Linear(dim + 1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, dim)
        )

    def forward(self, x: Tensor, std: Tensor) -> Tensor:
        scale = (1 + std.square()).sqrt()[:, None]  # keeps the input near 1 at every size of noise
        return self.layers(torch.cat([x / scale, std.log()[:, None]], 1)) / std[:, None]


def denoising_loss(network: Callable[[Tensor, Tensor], Tensor], x: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """½E‖std·s(x + std·ε, std) + ε‖²: the score's error up to a constant, weighted by std² (arXiv:1907.05600).

    Vincent 2011 (Neural Computation 23): the best answer is the score of the *noised* data, which is never computed.

    x: (N, d) data;  std: (N,), one for each point;  noise: (N, d) from N(0, I);  returns a scalar
    """
    found = network(x + std[:, None] * noise, std)
    return 0.5 * (std[:, None] * found + noise).square().sum(1).mean()


def fit_score(
    points: Tensor, stds: Sequence[float], *, steps: int = 1000, batch_size: int = 256, width: int = 128, seed: int = 0
) -> ScoreNetwork:
    """A ScoreNetwork trained on samples alone. points: (N, d) float32;  stds: the sizes of noise, drawn evenly"""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ScoreNetwork(points.shape[1], width)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    sizes = torch.tensor(stds, dtype=points.dtype)
    for step in range(steps):
        draw = runtime.keyed_generator("cpu", seed, step, "score")
        chosen = points[torch.randint(len(points), (batch_size,), generator=draw)]
        std = sizes[torch.randint(len(sizes), (batch_size,), generator=draw)]
        loss = denoising_loss(network, chosen, std, torch.randn(chosen.shape, generator=draw))
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval().requires_grad_(False)


@torch.no_grad()
def langevin(
    score_at: Callable[[Tensor, float], Tensor],
    start: Tensor,
    stds: Sequence[float],
    *,
    steps: int = 50,
    step_size: float = 0.1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Follow a score with noise, x ← x + (α/2)·score(x) + √α·ε, α = step_size·std²; `steps` at each std in turn.

    With one std this is plain Langevin sampling; from the largest to the smallest it is annealed (arXiv:1907.05600,
    algorithm 1, whose α is ε·std²/std_last²: here step_size is in units of each std).

    score_at: (x (N, d), std) → (N, d);  start: (N, d);  returns (N, d)
    """
    x = start.clone()
    for std in stds:
        alpha = step_size * std**2
        for _ in range(steps):
            noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
            x = x + 0.5 * alpha * score_at(x, std) + math.sqrt(alpha) * noise
    return x
