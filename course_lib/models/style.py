"""StyleGAN: latents are mapped to styles, and a style sets the scale and shift of every layer's feature maps.

Karras, Laine, Aila 2018 (arXiv:1812.04948), grown progressively as in Karras et al. 2017 (arXiv:1710.10196). What is
smaller here: fewer channels, nearest-neighbour upsampling followed by the blur instead of a fused operation. Both
networks hold every resolution from the start; `grow(resolution, alpha)` says which of them is in use.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import latent
from course_lib.models import SMALLEST, doublings, expect_images, expect_latents, expect_stage
from course_lib.models.layers import EqualisedConv2d, EqualisedLinear, MinibatchStd

SLOPE = 0.2  # of the leaky ReLU; its gain √2 stands behind it, as in StyleGAN2
W_MEAN_KEEPS = 0.995  # of the running mean of w, a step


def pixel_norm(x: Tensor) -> Tensor:
    """Each vector along dimension 1 divided by the root of its mean square: (N, C, ...) → the same shape."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU times √2, which keeps the mean square of a normal input about 1."""
    return F.leaky_relu(x, SLOPE) * math.sqrt(2)


def upsample(x: Tensor) -> Tensor:
    """Every pixel four times: (N, C, H, W) → (N, C, 2H, 2W)."""
    return F.interpolate(x, scale_factor=2, mode="nearest")


def upsample_blurred(x: Tensor) -> Tensor:
    """The same, then the binomial filter [1, 2, 1] in both directions, edges repeated: bilinear interpolation is just that."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def downsample_blurred(x: Tensor) -> Tensor:
    """The binomial filter, edges repeated, then means of four: (N, C, H, W) → (N, C, H/2, W/2), [1, 3, 3, 1] in one pass."""
    with torch.autocast(x.device.type, enabled=False):  # one channel at a time, bfloat16 is slow on CPUs
        taps = torch.tensor([0.125, 0.375, 0.375, 0.125], device=x.device, dtype=_wide(x.dtype))
        kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 4, 4)
        padded = F.pad(x.to(taps.dtype), (1, 1, 1, 1), mode="replicate")
        return F.conv2d(padded, kernel, stride=2, groups=x.shape[1]).to(x.dtype)


def _wide(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype == torch.float64 else torch.float32


class Mapping(nn.Module):
    """z (N, latent_dim) → w (N, w_dim): pixel norm, then linear layers that learn `lr_multiplier` times as fast as others."""

    def __init__(self, latent_dim: int, w_dim: int, layers: int = 8, lr_multiplier: float = 0.01):
        super().__init__()
        self.latent_dim = latent_dim
        widths = [latent_dim, *[w_dim] * layers]
        self.layers = nn.ModuleList(
            EqualisedLinear(before, after, lr_multiplier=lr_multiplier) for before, after in zip(widths, widths[1:])
        )

    def forward(self, z: Tensor) -> Tensor:
        expect_latents(z, self.latent_dim)
        x = pixel_norm(z)
        for layer in self.layers:
            x = activate(layer(x))
        return x


class AdaIN(nn.Module):
    """Adaptive instance normalisation: each map of each image to mean 0 and deviation 1, then to the style's.

    arXiv:1812.04948, eq. 1. Scale and shift are learned linear functions of w. They are not the statistics of any
    style image, and without a style (w = 0) they begin at 1 and 0.

    x: (N, C, H, W);  w: (N, w_dim) → (N, C, H, W)
    """

    def __init__(self, channels: int, w_dim: int):
        super().__init__()
        self.style = EqualisedLinear(w_dim, 2 * channels)
        with torch.no_grad():
            self.style.bias[:channels] = 1.0

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        return scale * F.instance_norm(x, eps=1e-8) + shift


class Noise(nn.Module):
    """One map of normal noise an image, added to every channel by a learned amount that begins at 0."""

    def __init__(self, channels: int):
        super().__init__()
        self.amount = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        return torch.addcmul(x, self.amount[:, None, None].to(x.dtype), noise.to(x.dtype))


class Layer(nn.Module):
    """Convolution (or nothing, for the constant), noise, bias, leaky ReLU, AdaIN: (N, C, H, W) → (N, C′, H or 2H, …)."""

    def __init__(
        self, before: int, after: int, w_dim: int, *, up: bool = False, convolve: bool = True, lr: float = 1.0
    ):
        super().__init__()
        self.up = up
        self.conv = EqualisedConv2d(before, after, 3, padding=1, bias=False, lr_multiplier=lr) if convolve else None
        self.noise, self.bias, self.adain = Noise(after), nn.Parameter(torch.zeros(after)), AdaIN(after, w_dim)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        x = self.conv(x) if self.conv is not None else x
        x = upsample_blurred(x) if self.up else x
        x = self.noise(x + self.bias[:, None, None].to(x.dtype), noise)
        return self.adain(F.leaky_relu(x, SLOPE), w)  # no gain: AdaIN takes any scale off


class Synthesis(nn.Module):
    """Styles w → images (N, channels, resolution, resolution): a learned constant, changed by two layers a resolution.

    Layers 0 and 1 work at 4×4, 2 and 3 at 8×8, and so on. `images` is linear in the last maps, with no tanh, as in
    the paper; the generator clamps only where it is asked for pixels.
    """

    def __init__(self, w_dim: int, width: int, most: int, channels: int, size: int, convolution_lr: float = 1.0):
        super().__init__()
        self.w_dim, self.size = w_dim, size
        maps = _widths(width, most, size)[::-1]  # at 4, 8, … size
        self.constant = nn.Parameter(torch.randn(1, maps[0], SMALLEST, SMALLEST))
        lr = convolution_lr
        layers = [Layer(maps[0], maps[0], w_dim, convolve=False), Layer(maps[0], maps[0], w_dim, lr=lr)]
        for before, after in zip(maps, maps[1:]):
            layers += [Layer(before, after, w_dim, up=True, lr=lr), Layer(after, after, w_dim, lr=lr)]
        self.layers = nn.ModuleList(layers)
        self.to_rgb = nn.ModuleList(EqualisedConv2d(count, channels, 1, lr_multiplier=lr) for count in maps)
        self.resolution, self.alpha = size, 1.0

    @property
    def depth(self) -> int:
        """Layers in use, so styles that count: 2 at 4×4, two more at each doubling."""
        return 2 * doublings(self.resolution) + 2

    def noise(self, count: int, generator: torch.Generator | None = None) -> list[Tensor]:
        """One map (count, 1, H, W) for each layer in use."""
        like = self.constant
        sides = [SMALLEST * 2 ** (index // 2) for index in range(self.depth)]
        return [
            torch.randn(count, 1, side, side, generator=generator, device=like.device, dtype=like.dtype)
            for side in sides
        ]

    def forward(self, w: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        """w: (N, w_dim), or (N, L, w_dim) with one style a layer, L at least `depth`

        noise: from `noise`; None is noise that is always the same, layer by layer, for every image
        """
        if w.shape[-1] != self.w_dim or not (w.ndim == 2 or (w.ndim == 3 and w.shape[1] >= self.depth)):
            raise ValueError(
                f"w: expected (N, {self.w_dim}) or (N, {self.depth} or more, {self.w_dim}), got {tuple(w.shape)}"
            )
        styles = w[:, None].expand(-1, self.depth, -1) if w.ndim == 2 else w
        if noise is None:
            noise = self.noise(1, torch.Generator(w.device).manual_seed(0))
        last = doublings(self.resolution)
        before = self.through(self.constant.expand(len(w), -1, -1, -1), styles, noise, 0, 2 * last)
        image = self.to_rgb[last](self.through(before, styles, noise, 2 * last, self.depth))
        if self.alpha == 1 or last == 0:
            return image
        return torch.lerp(upsample(self.to_rgb[last - 1](before)), image, self.alpha)  # at α = 0 exactly that stage's

    def through(self, x: Tensor, styles: Tensor, noise: list[Tensor], start: int, stop: int) -> Tensor:
        """Maps x, which layer `start` expects, through the layers from there up to, and without, `stop`.

        styles: (N, L, w_dim), of which only those of these layers count
        """
        for index in range(start, stop):
            x = self.layers[index](x, styles[:, index], noise[index])
        return x


class Generator(nn.Module):
    """z (N, latent_dim) → images (N, channels, resolution, resolution), about [−1, 1], clamped to it in eval mode.

    In training each image has its styles from two latents with probability `mixing` (style mixing regularisation),
    noise is drawn anew, and the running mean of w moves; all that is random comes from `draw`.

    width:          channels at `size`; each halving doubles them, up to `most`
    mapping_lr:     the mapping network learns that many times as fast as the rest
    convolution_lr: and the synthesis network's convolutions
    """

    def __init__(
        self,
        latent_dim: int = 128,
        width: int = 16,
        channels: int = 3,
        size: int = 64,
        most: int = 128,
        w_dim: int | None = None,
        mixing: float = 0.9,
        mapping_lr: float = 0.01,
        convolution_lr: float = 1.0,
    ):
        super().__init__()
        self.latent_dim, self.mixing = latent_dim, mixing
        self.mapping = Mapping(latent_dim, w_dim or latent_dim, lr_multiplier=mapping_lr)
        self.synthesis = Synthesis(w_dim or latent_dim, width, most, channels, size, convolution_lr)
        self.register_buffer("w_mean", torch.zeros(w_dim or latent_dim))

    def grow(self, resolution: int, alpha: float = 1.0) -> None:
        """Use the layers up to `resolution`, the newest faded in by alpha in [0, 1]."""
        self.synthesis.resolution, self.synthesis.alpha = expect_stage(resolution, alpha, self.synthesis.size), alpha

    def up_to(self, resolution: int) -> Generator:
        """A copy that ends at `resolution`: the layers beyond it are gone."""
        smaller = copy.deepcopy(self)
        expect_stage(resolution, 1.0, self.synthesis.size)
        smaller.synthesis.size = resolution
        smaller.grow(resolution)
        smaller.synthesis.layers = smaller.synthesis.layers[: smaller.synthesis.depth]
        smaller.synthesis.to_rgb = smaller.synthesis.to_rgb[: doublings(resolution) + 1]
        return smaller

    def forward(
        self, z: Tensor, *, psi: float = 1.0, cutoff: int | None = None, draw: torch.Generator | None = None
    ) -> Tensor:
        w = self.mapping(z)
        if not self.training:
            if psi != 1 or cutoff is not None:
                w = latent.truncate(w, self.w_mean, psi, layers=self.synthesis.depth, cutoff=cutoff)
            return self.synthesis(w).clamp(-1, 1)
        if psi != 1 or cutoff is not None:
            raise ValueError("psi: expected 1 while training; truncation is for sampling, after .eval()")
        with torch.no_grad():
            self.w_mean.lerp_(w.detach().float().mean(0), 1 - W_MEAN_KEEPS)
        return self.synthesis(self._mixed(w, draw), self.synthesis.noise(len(z), draw))

    def _mixed(self, w: Tensor, draw: torch.Generator | None) -> Tensor:
        """(N, depth, w_dim): some images take the styles of the next latent in the batch from a random layer on."""
        depth = self.synthesis.depth
        crossover = torch.randint(1, depth, (len(w),), generator=draw, device=w.device)
        apart = torch.rand(len(w), generator=draw, device=w.device) >= self.mixing
        crossover = crossover.masked_fill(apart, depth)  # beyond the last layer: no second latent
        return latent.mix_styles(w, w.roll(1, 0), crossover, depth)


class Discriminator(nn.Module):
    """Images (N, channels, resolution, resolution) → logits (N,): two convolutions a resolution, blurred and halved."""

    def __init__(self, width: int = 16, channels: int = 3, size: int = 64, most: int = 128, group: int = 4):
        super().__init__()
        self.channels, self.size = channels, size
        maps = _widths(width, most, size)[::-1]  # at 4, 8, … size
        self.from_rgb = nn.ModuleList(EqualisedConv2d(channels, count, 1) for count in maps)
        self.blocks = nn.ModuleList(Down(after, before) for before, after in zip(maps, maps[1:]))
        self.statistics = MinibatchStd(group)
        self.conv = EqualisedConv2d(maps[0] + 1, maps[0], 3, padding=1)
        self.hidden = EqualisedLinear(maps[0] * SMALLEST**2, maps[0])
        self.logit = EqualisedLinear(maps[0], 1)
        self.resolution, self.alpha = size, 1.0

    def grow(self, resolution: int, alpha: float = 1.0) -> None:
        """Use the blocks up to `resolution`, the newest faded in by alpha in [0, 1]."""
        self.resolution, self.alpha = expect_stage(resolution, alpha, self.size), alpha

    def forward(self, images: Tensor) -> Tensor:
        expect_images(images, self.channels, self.resolution)
        last = doublings(self.resolution)
        x = activate(self.from_rgb[last](images))
        for index in range(last - 1, -1, -1):
            x = self.blocks[index](x)
            if index == last - 1 and self.alpha < 1:  # at α = 0 exactly what the stage before sees
                x = torch.lerp(activate(self.from_rgb[index](F.avg_pool2d(images, 2))), x, self.alpha)
        x = activate(self.conv(self.statistics(x)))
        return self.logit(activate(self.hidden(x.flatten(1)))).flatten()


class Down(nn.Module):
    """(N, before, H, W) → (N, after, H/2, W/2)."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.first = EqualisedConv2d(before, before, 3, padding=1)
        self.second = EqualisedConv2d(before, after, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return activate(self.second(downsample_blurred(activate(self.first(x)))))


def _widths(width: int, most: int, size: int) -> list[int]:
    """Channels at size, size/2, … 4."""
    if not isinstance(size, int) or size < 8 or size & (size - 1):
        raise ValueError(f"size: expected a power of two from 8 up, got {size}")
    return [min(most, width * 2**level) for level in range(doublings(size) + 1)]
