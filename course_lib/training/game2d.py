"""A GAN in the plane, small enough to be played live: what the playground widget shows.

Two fully connected networks, Adam, and the library's own two steps. Randomness comes from the game's own
generator, so that what else runs in the notebook neither changes the game nor is changed by it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from course_lib import runtime
from course_lib.data import mixtures
from course_lib.data.mixtures import Mixture
from course_lib.losses import LOSSES
from course_lib.training.loop import TrainingDiverged, discriminator_step, frozen, generator_step
from course_lib.training.points import Points, Scores

SHAPES: dict[str, Callable[[], Mixture]] = {
    "ring of 8": lambda: mixtures.ring(8, std=0.1),
    "grid of 25": lambda: mixtures.grid(25, spacing=0.9, std=0.07),
    "spiral": mixtures.spiral,
    "moons": mixtures.moons,
}
EXTENT = 2.9  # the picture shows [−EXTENT, EXTENT]²; every shape lies within


class Game2D:
    """Generator against discriminator on points of the plane; settings may change between steps.

    data:    a mixture in two dimensions
    loss:    a key of losses.LOSSES;  d_steps: updates of D for each of G
    lr_g, lr_d: Adam's learning rates;  batch: real points, and as many fakes, in a step
    """

    def __init__(self, data: Mixture, *, loss="non_saturating", lr_g=1e-3, lr_d=1e-3, d_steps=1, batch=128, seed=0):
        if data.dim != 2:
            raise ValueError(f"data: expected a mixture in 2 dimensions, got {data.dim}")
        self.data, self.loss, self.d_steps, self.batch = data, runtime.known("loss", loss, LOSSES), d_steps, batch
        self.draw = runtime.keyed_generator("cpu", seed, "game2d")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator, self.discriminator = Points(latent_dim=2), Scores()
        self.optimizer_g = torch.optim.Adam(self.generator.parameters(), lr=lr_g, betas=(0.5, 0.999), fused=True)
        self.optimizer_d = torch.optim.Adam(self.discriminator.parameters(), lr=lr_d, betas=(0.5, 0.999), fused=True)
        self.fixed_z = torch.randn(256, 2, generator=self.draw)
        self.real = data.sample(256, runtime.keyed_generator("cpu", seed, "shown"))  # the same ones for every look
        self.steps, self.d_loss, self.g_loss = 0, float("nan"), float("nan")

    def set_rates(self, *, lr_g: float, lr_d: float) -> None:
        """Learning rates from the next step on."""
        self.optimizer_g.param_groups[0]["lr"], self.optimizer_d.param_groups[0]["lr"] = lr_g, lr_d

    def step(self) -> None:
        """`d_steps` updates of D, one of G. raises: TrainingDiverged if a loss is not finite"""
        loss = LOSSES[self.loss]
        for _ in range(self.d_steps):
            real, z = self.data.sample(self.batch, self.draw), self._latents()
            d_loss, *_ = discriminator_step(self.generator, self.discriminator, self.optimizer_d, real, z, loss)
        g_loss, _ = generator_step(self.generator, self.discriminator, self.optimizer_g, self._latents(), loss, real)
        self.steps, self.d_loss, self.g_loss = self.steps + 1, d_loss.item(), g_loss.item()
        if not torch.isfinite(d_loss + g_loss):
            raise TrainingDiverged(self.steps, "a loss was NaN or infinite", None)

    def _latents(self) -> Tensor:
        return torch.randn(self.batch, 2, generator=self.draw)

    @torch.no_grad()
    def samples(self) -> Tensor:
        """What G makes of 256 latents that stay the same: (256, 2)."""
        return self.generator(self.fixed_z)

    @torch.no_grad()
    def surface(self, size: int = 48) -> Tensor:
        """D's probability of "real" on the picture's grid: (size, size), row 0 at the top."""
        line = torch.linspace(-EXTENT, EXTENT, size)
        y, x = torch.meshgrid(line.flip(0), line, indexing="ij")
        return self.discriminator(torch.stack([x, y], -1).reshape(-1, 2)).sigmoid().reshape(size, size)

    def pull(self, count: int = 40) -> tuple[Tensor, Tensor]:
        """(points (count, 2), arrows (count, 2)): where G's loss wants each of its samples to go, −∇ of its own loss."""
        points, loss = self.samples()[:count].requires_grad_(True), LOSSES[self.loss]
        with frozen(self.discriminator), torch.enable_grad():
            total = loss.generator_loss(self.discriminator(points), self.discriminator(self.real[:count])) * count
            (gradient,) = torch.autograd.grad(total, points)
        return points.detach(), -gradient

    def modes_found(self) -> tuple[int, int]:
        """(components with at least one of the 256 samples within 3 standard deviations, components)."""
        near = torch.cdist(self.samples().double(), self.data.means) < 3 * self.data.stds
        return int(near.any(0).sum()), len(self.data.means)
