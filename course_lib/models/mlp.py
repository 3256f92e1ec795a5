"""The fully connected GAN: the smallest pair of networks that draws recognisable images.

Goodfellow et al. 2014 (arXiv:1406.2661) used such networks; layer sizes follow the lesson this course grew
from. Any image size. The discriminator returns logits.
"""

from __future__ import annotations

from torch import Tensor, nn

from course_lib.models import expect_images, expect_latents


class Generator(nn.Module):
    """z (N, latent_dim) → images (N, channels, size, size) in [−1, 1].

    Layers of width, 2·width, 4·width, 8·width units; BatchNorm on all but the first, unless it is switched off.
    """

    def __init__(
        self, latent_dim: int = 100, width: int = 128, channels: int = 1, size: int = 28, batch_norm: bool = True
    ):
        super().__init__()
        self.latent_dim, self.shape = latent_dim, (channels, size, size)
        units = [width, 2 * width, 4 * width, 8 * width]
        layers = [nn.Linear(latent_dim, units[0]), nn.LeakyReLU(0.2)]
        for before, after in zip(units, units[1:]):
            layers += [nn.Linear(before, after), *_norm(after, batch_norm), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear(units[-1], channels * size * size), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        expect_latents(z, self.latent_dim)
        return self.layers(z).reshape(len(z), *self.shape)


class Discriminator(nn.Module):
    """Images (N, channels, size, size) in [−1, 1] → logits (N,). Layers of 2·width and width units.

    batch_norm: after both; it couples the images of a batch, which forbids a gradient penalty
    """

    def __init__(self, width: int = 256, channels: int = 1, size: int = 28, batch_norm: bool = False):
        super().__init__()
        self.channels, self.size = channels, size
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * size * size, 2 * width),
            *_norm(2 * width, batch_norm),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, width),
            *_norm(width, batch_norm),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        expect_images(images, self.channels, self.size)
        return self.layers(images).squeeze(1)


def _norm(units: int, batch_norm: bool) -> list[nn.Module]:
    return [nn.BatchNorm1d(units)] if batch_norm else []
