"""A GAN on points of the plane: two small networks, and `fit` with a mixture in place of images.

A run takes seconds and its truth is known exactly, which is what a comparison of many runs needs. The turns are those
of `fit`, so every setting of TrainConfig works that does not speak of images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib import runtime
from course_lib.data.mixtures import Mixture
from course_lib.losses import LOSSES
from course_lib.models.layers import spectral_normalise
from course_lib.training import loop, settings
from course_lib.training.draws import Draws
from course_lib.training.ema import ExponentialAverage
from course_lib.training.history import History


def fit_points(
    generator: nn.Module,
    discriminator: nn.Module,
    mixture: Mixture,
    config: loop.TrainConfig,
    callbacks: Sequence[Callable[[loop.TrainingState], None]] = (),
    *,
    d_step=loop.discriminator_step,
    g_step=loop.generator_step,
) -> History:
    """Train both networks in place on fresh points of the mixture, on the CPU in float32; see `fit`.

    generator:     z (N, latent_dim) → points (N, d), with an attribute latent_dim;  discriminator: points → logits (N,)
    config:        checkpoint_dir, augment, precision and channels_last have no effect: a run is short enough to repeat
    raises:        TrainingDiverged; ValueError for a setting that does not exist
    """
    runtime.known("loss", config.loss, LOSSES)
    state = loop.TrainingState(
        generator.train(),
        discriminator.train(),
        settings.OPTIMIZERS[config.optimizer](generator, config.learning_rate_g, config),
        settings.OPTIMIZERS[config.optimizer](discriminator, config.learning_rate_d, config),
        ExponentialAverage(generator, config.ema_half_life_kimg) if config.ema_half_life_kimg else None,
        config,
    )
    draws = PointDraws(mixture, config, generator.latent_dim)
    loop._turns(
        state, generator, discriminator, (), draws, None, torch.float32, callbacks, d_step, g_step, verbose=False
    )
    state.history.averaged = state.average.network if state.average else None
    return state.history


class PointDraws(Draws):
    """What the steps of a run on points are given: each batch is a new sample, from the key (seed, number)."""

    def __init__(self, mixture: Mixture, config: loop.TrainConfig, latent_dim: int):
        super().__init__(mixture.means, config, latent_dim, torch.float32, torch.contiguous_format)
        self.mixture = mixture

    def real(self, number: int) -> Tensor:
        """The number-th batch of the run, (N, d)."""
        return self.mixture.sample(self.config.batch_size, self._keyed(number, "real"))


class Points(nn.Module):
    """z (N, latent_dim) → points (N, 2), by `hidden` layers of `width` rectified units."""

    def __init__(self, latent_dim: int = 2, width: int = 64, hidden: int = 2):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = _layers([latent_dim, *[width] * hidden, 2], nn.ReLU)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class Scores(nn.Module):
    """Points (N, dim) → logits (N,), by `hidden` layers of `width` leaky units; spectrally normalised if asked."""

    def __init__(self, dim: int = 2, width: int = 64, hidden: int = 2, spectral: bool = False):
        super().__init__()
        self.layers = _layers([dim, *[width] * hidden, 1], lambda: nn.LeakyReLU(0.2))
        if spectral:
            spectral_normalise(self)

    def forward(self, points: Tensor) -> Tensor:
        return self.layers(points).flatten()


def _layers(units: Sequence[int], activation: Callable[[], nn.Module]) -> nn.Sequential:
    pairs = [(nn.Linear(before, after), activation()) for before, after in zip(units, units[1:])]
    return nn.Sequential(*[module for pair in pairs for module in pair][:-1])
