"""A residual generator and critic for 8 to 128 px: the small modern baseline, in the two forms that are trained today.

    hinge + spectral normalisation   Generator(…, batch_norm=True), Discriminator(…, spectral=True)
                                     after Miyato et al. 2018 (arXiv:1802.05957)
    relativistic + R1 + R2           Generator(…), Discriminator(…): no normalisation anywhere
                                     after R3GAN (Huang et al. 2025, arXiv:2501.05441)

Both are built of one block: x + f(x), f two 3×3 convolutions, with average pooling or nearest upsampling between
them and a 1×1 convolution on the shortcut where the width changes. Without normalisation the second convolution
starts at 0 and the first is scaled down with the number of blocks, as in Fixup (Zhang, Dauphin, Ma 2019,
arXiv:1901.09321), so that every block starts as its shortcut. Widths double as sizes halve, up to 8·width at 4×4.
Deviations from both papers, for two cores: one block a resolution, plain 3×3 convolutions (R3GAN's are grouped, in
bottlenecks), no blur in the resampling, LeakyReLU(0.2) in all networks, Tanh at the end of the generator.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models import doublings, expect_images, expect_latents, expect_stage
from course_lib.models.layers import MinibatchStd, spectral_normalise

SLOPE = 0.2
SIZES = (8, 16, 32, 64, 128)
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through a leaky ReLU: He et al. 2015 (arXiv:1502.01852)


class Generator(nn.Module):
    """z (N, latent_dim) → images (N, channels, size, size) in [−1, 1].

    Feature maps at 32 px: (8·width, 4, 4) → (4·width, 8, 8) → (2·width, 16, 16) → (width, 32, 32) → image.
    classes: their number, if it is called with labels (N,): an embedding of the label stands beside z
    patch:   with 2, the largest maps are (width, size/2, size/2) and each place gives a square of 2×2 pixels
    """

    def __init__(self, latent_dim=100, width=16, channels=3, size=32, classes=None, batch_norm=False, patch=1):
        super().__init__()
        self.latent_dim, self.classes, self.patch = latent_dim, classes, patch
        maps = _widths(width, size, patch)[::-1]
        self.embed = None if classes is None else nn.Embedding(classes, latent_dim)
        self.project = _scaled(nn.Linear(latent_dim * (1 if classes is None else 2), maps[0] * 16))
        options = {"depth": len(maps) - 1, "batch_norm": batch_norm}
        self.blocks = nn.Sequential(
            *[Block(before, after, "up", **options) for before, after in zip(maps, maps[1:])],
            _norm(maps[-1], batch_norm),
        )
        self.to_image = _scaled(nn.Conv2d(maps[-1], channels * patch**2, 3, padding=1))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        expect_latents(z, self.latent_dim)
        _expect_labels(labels, len(z), self.classes)
        if self.embed is not None:
            z = torch.cat([z, self.embed(labels)], 1)
        x = self.blocks(self.project(z).unflatten(1, (-1, 4, 4)))
        return torch.tanh(F.pixel_shuffle(self.to_image(F.leaky_relu(x, SLOPE)), self.patch))


class Discriminator(nn.Module):
    """Images (N, channels, size, size) in [−1, 1] → logits (N,).

    Feature maps at 32 px: (width, 32, 32) → (2·width, 16, 16) → (4·width, 8, 8) → (8·width, 4, 4) → φ (N, 128·width) → logit.

    classes:       their number, if it is called with labels (N,). The logit is then w·φ + e(label)·φ: projection,
                   Miyato, Koyama 2018 (arXiv:1802.05637)
    spectral:      spectral normalisation of every layer
    batch_norm:    in the blocks; it couples the images of a batch, which forbids a gradient penalty
    minibatch_std: one more map at 4×4, how much the images of a batch differ; it couples them too
    patch:         with 2, each square of 2×2 pixels is one place of the largest maps, (width, size/2, size/2)
    """

    def __init__(
        self,
        width=16,
        channels=3,
        size=32,
        classes=None,
        spectral=False,
        batch_norm=False,
        minibatch_std=False,
        patch=1,
    ):
        super().__init__()
        self.channels, self.size, self.classes, self.patch = channels, size, classes, patch
        maps = _widths(width, size, patch)
        self.from_image = _scaled(nn.Conv2d(channels * patch**2, maps[0], 3, padding=1))
        options = {"depth": len(maps) - 1, "batch_norm": batch_norm, "zero": not spectral}
        self.blocks = nn.Sequential(
            *[Block(before, after, "down", **options) for before, after in zip(maps, maps[1:])],
            _norm(maps[-1], batch_norm),
        )
        self.statistic = MinibatchStd() if minibatch_std else nn.Identity()
        features = (maps[-1] + minibatch_std) * 16
        self.embed = None if classes is None else _scaled(nn.Embedding(classes, features))
        self.score = _scaled(nn.Linear(features, 1))
        if spectral:
            spectral_normalise(self)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        expect_images(images, self.channels, self.size)
        _expect_labels(labels, len(images), self.classes)
        x = self.blocks(self.from_image(F.pixel_unshuffle(images, self.patch)))
        features = self.statistic(F.leaky_relu(x, SLOPE)).flatten(1)
        logits = self.score(features).squeeze(1)
        return logits if self.embed is None else logits + (self.embed(labels) * features).sum(1)


class GrowingDiscriminator(nn.Module):
    """The same critic without normalisation, for a generator that grows: (N, channels, resolution, …) → logits (N,).

    It reads images in squares of 2×2 pixels, so at resolution r the largest maps are (…, r/2, r/2); at 4×4 a pixel is a
    place, and the maps are as large as at 8×8. Each resolution has a layer of its own that reads the image; `grow(resolution, alpha)` says
    which is in use, and how far it has taken over from the one before, which sees the image averaged down.

    width: channels of the largest maps at `size`; each halving doubles them, up to 8·width
    """

    def __init__(self, width: int = 16, channels: int = 3, size: int = 32):
        super().__init__()
        self.channels, self.size = channels, size
        maps = _widths(width, size, patch=2)[::-1]  # at 4, 8, … size/2
        readers = [nn.Conv2d(channels, maps[0], 3, padding=1)]  # at 4×4
        readers += [nn.Conv2d(4 * channels, count, 3, padding=1) for count in maps]
        self.from_image = nn.ModuleList(_scaled(reader) for reader in readers)  # for 4, 8, 16, … size
        self.blocks = nn.ModuleList(
            Block(before, after, "down", depth=len(maps) - 1, batch_norm=False) for after, before in zip(maps, maps[1:])
        )
        self.score = _scaled(nn.Linear(maps[0] * 16, 1))
        self.resolution, self.alpha = size, 1.0

    def grow(self, resolution: int, alpha: float = 1.0) -> None:
        """Use the layers up to `resolution`, the newest faded in by alpha in [0, 1]."""
        self.resolution, self.alpha = expect_stage(resolution, alpha, self.size), alpha

    def forward(self, images: Tensor) -> Tensor:
        expect_images(images, self.channels, self.resolution)
        last = doublings(self.resolution)
        x = self._read(images, last)
        if last >= 2:  # from 4×4 to 8×8 no block is added, only another reader
            x = self.blocks[last - 2](x)
        if last >= 1 and self.alpha < 1:  # at α = 0 exactly what the stage before sees
            x = torch.lerp(self._read(F.avg_pool2d(images, 2), last - 1), x, self.alpha)
        for index in range(last - 3, -1, -1):
            x = self.blocks[index](x)
        return self.score(F.leaky_relu(x, SLOPE).flatten(1)).squeeze(1)

    def _read(self, images: Tensor, level: int) -> Tensor:
        return self.from_image[level](F.pixel_unshuffle(images, 2) if level else images)


class Block(nn.Module):
    """(N, before, H, W) → (N, after, 2H, 2W) for resample "up", (N, after, H/2, W/2) for "down": shortcut + f.

    f is norm, leaky ReLU, 3×3 convolution, norm, leaky ReLU, 3×3 convolution; the resampling stands between the
    convolutions, and the wider side of the block is the side with the smaller maps. The shortcut's 1×1 convolution
    commutes with both resamplings, so it is done where maps are small.

    depth: number of blocks in the network, for the scale of the first convolution
    zero:  start the second convolution at 0; not under spectral normalisation, which would divide by 0
    """

    def __init__(self, before: int, after: int, resample: str, depth: int, batch_norm: bool, zero: bool = True):
        super().__init__()
        between = min(before, after)
        self.up = resample == "up"
        self.norm1, self.norm2 = _norm(before, batch_norm), _norm(between, batch_norm)
        self.conv1 = _scaled(nn.Conv2d(before, between, 3, padding=1), GAIN / math.sqrt(depth))
        self.conv2 = _scaled(nn.Conv2d(between, after, 3, padding=1), 0.0 if zero else GAIN)
        self.shortcut = _scaled(nn.Conv2d(before, after, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(self.norm1(x), SLOPE))
        if self.up:
            y = self.conv2(_doubled(F.leaky_relu(self.norm2(y), SLOPE)))
            return _doubled(self.shortcut(x)) + y
        y = self.conv2(F.leaky_relu(self.norm2(F.avg_pool2d(y, 2)), SLOPE))
        return self.shortcut(F.avg_pool2d(x, 2)) + y


def _doubled(x: Tensor) -> Tensor:
    """Each pixel as a square of four: (N, C, H, W) → (N, C, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2)


def _norm(maps: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(maps) if batch_norm else nn.Identity()


def _scaled(layer: nn.Module, gain: float = 1.0) -> nn.Module:
    """The layer with weights from N(0, gain²/fan_in) and no bias to begin with. In place."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if getattr(layer, "bias", None) is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _widths(width: int, size: int, patch: int) -> list[int]:
    """Channels at size/patch, half of it, … 4: each halving of the map doubles them, up to 8·width."""
    if size not in SIZES:
        raise ValueError(f"size: expected one of {', '.join(map(str, SIZES))}, got {size}")
    if patch not in (1, 2) or size // patch < 8:
        raise ValueError(f"patch: expected 1, or 2 from 16 px up, got {patch} at {size} px")
    return [width * min(2**level, 8) for level in range((size // patch).bit_length() - 2)]


def _expect_labels(labels: Tensor | None, count: int, classes: int | None) -> None:
    """raises: ValueError unless labels is (N,) int64 where there are classes, and None where there are none."""
    if classes is None and labels is not None:
        raise ValueError("labels: expected None for a network built without classes; build it with classes=")
    if classes is not None and (labels is None or labels.shape != (count,) or labels.dtype != torch.int64):
        came = None if labels is None else f"{tuple(labels.shape)} {labels.dtype}"
        raise ValueError(f"labels: expected ({count},) int64 in 0 to {classes - 1}, got {came}")
