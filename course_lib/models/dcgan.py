"""DCGAN: a generator of strided transposed convolutions against a discriminator of strided convolutions.

Radford, Metz, Chintala 2015 (arXiv:1511.06434v2, section 3): no pooling, BatchNorm everywhere but at the
generator's output and the discriminator's input, ReLU and Tanh in the generator, LeakyReLU(0.2) in the
discriminator, weights from N(0, 0.02²). Any power-of-two size from 8 up; widths halve as sizes double.
Deviations: the discriminator returns logits instead of ending in a sigmoid; the generator's first layer is
the paper's «project and reshape» written as a transposed convolution of a 1×1 map, as usual.
"""

from __future__ import annotations

from torch import Tensor, nn

from course_lib.models import expect_images, expect_latents


class Generator(nn.Module):
    """z (N, latent_dim) → images (N, channels, size, size) in [−1, 1].

    Feature maps: (width·size/8, 4, 4) → … → (2·width, size/4, size/4) → (width, size/2, size/2) → image.
    """

    def __init__(self, latent_dim: int = 100, width: int = 64, channels: int = 3, size: int = 64, block=None):
        super().__init__()
        block = block or upsample  # another block of the same contract can be tried, a learner's own for one
        self.latent_dim = latent_dim
        maps = _widths(width, size)[::-1]
        blocks = [
            nn.Sequential(nn.ConvTranspose2d(latent_dim, maps[0], 4, bias=False), nn.BatchNorm2d(maps[0]), nn.ReLU())
        ]
        blocks += [block(before, after) for before, after in zip(maps, maps[1:])]
        to_image = nn.Sequential(nn.ConvTranspose2d(maps[-1], channels, 4, stride=2, padding=1, bias=False), nn.Tanh())
        self.blocks = nn.Sequential(*blocks, to_image)
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        expect_latents(z, self.latent_dim)
        return self.blocks(z[:, :, None, None])


class Discriminator(nn.Module):
    """Images (N, channels, size, size) in [−1, 1] → logits (N,).

    Feature maps: (width, size/2, size/2) → (2·width, size/4, size/4) → … → (width·size/8, 4, 4) → logit.
    batch_norm: False leaves BatchNorm out and gives its convolutions biases instead, for a gradient penalty, which
    asks for the slope at one image (Gulrajani et al. 2017, arXiv:1704.00028v3, section 4)
    """

    def __init__(self, width: int = 64, channels: int = 3, size: int = 64, batch_norm: bool = True):
        super().__init__()
        self.channels, self.size = channels, size
        maps = _widths(width, size)
        blocks = [nn.Sequential(nn.Conv2d(channels, maps[0], 4, stride=2, padding=1, bias=False), nn.LeakyReLU(0.2))]
        blocks += [downsample(before, after, batch_norm) for before, after in zip(maps, maps[1:])]
        self.blocks = nn.Sequential(*blocks, nn.Conv2d(maps[-1], 1, 4, bias=False))
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        expect_images(images, self.channels, self.size)
        return self.blocks(images).flatten()


def upsample(before: int, after: int) -> nn.Sequential:
    """(N, before, H, W) → (N, after, 2H, 2W): output size (H − 1)·2 − 2·1 + 4 = 2H."""
    return nn.Sequential(
        nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )


def downsample(before: int, after: int, batch_norm: bool = True) -> nn.Sequential:
    """(N, before, 2H, 2W) → (N, after, H, W)."""
    norm = nn.BatchNorm2d(after) if batch_norm else nn.Identity()
    return nn.Sequential(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=not batch_norm), norm, nn.LeakyReLU(0.2))


def initialise(network: nn.Module) -> None:
    """Every convolution's weights from N(0, 0.02²); BatchNorm scales from N(1, 0.02²), shifts and biases 0. In place.

    The paper speaks of «all weights» (section 3); scales around 0 would switch BatchNorm's output off, so
    they are drawn around 1, as the authors' code does.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)


def _widths(width: int, size: int) -> list[int]:
    """Channels at size/2, size/4, … 4: each halving of the map doubles them."""
    if not isinstance(size, int) or size < 8 or size & (size - 1):
        raise ValueError(f"size: expected a power of two from 8 up, got {size}")
    return [width * 2**level for level in range(size.bit_length() - 3)]
