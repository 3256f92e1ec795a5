"""Layers that keep a critic in bounds or show it the batch: spectral normalisation, minibatch statistics, equalised rates."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from course_lib.runtime import keyed_generator


def power_iteration(matrix: Tensor, u: Tensor, steps: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """The largest singular value of a matrix and its two vectors, nearer with every step.

    v ← Wᵀu / ‖Wᵀu‖, u ← Wv / ‖Wv‖, then σ = uᵀWv: Miyato et al. 2018 (arXiv:1802.05957). The error of σ shrinks
    by (σ₂/σ₁)² a step; σ is never above the true one.

    matrix:  (m, n);  u: (m,), not orthogonal to the wanted vector, which a random one never is
    returns: σ, differentiable in the matrix with u and v held fixed (its slope is then uvᵀ); u (m,); v (n,)
    raises:  ValueError for other shapes or steps below 1
    """
    if matrix.ndim != 2 or u.shape != matrix.shape[:1]:
        raise ValueError(f"matrix, u: expected (m, n) and (m,), got {tuple(matrix.shape)} and {tuple(u.shape)}")
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    with torch.no_grad():
        for _ in range(steps):
            v = F.normalize(matrix.T @ u, dim=0)
            u = F.normalize(matrix @ v, dim=0)
    return u @ (matrix @ v), u, v


class SpectralNorm(nn.Module):
    """Weight → weight / σ, σ the largest singular value of the weight as a matrix: spectral normalisation to be read.

    Gives what `torch.nn.utils.parametrizations.spectral_norm` gives, which the networks use (`spectral_normalise`).
    In training every call goes `steps` of power iteration on from where the last one stopped, in eval mode none.
    Used as `nn.utils.parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))`.

    A convolution's weight (out, in, h, w) is taken as the matrix (out, in·h·w). That bounds one patch's slope and not
    the convolution's, whose patches overlap: `convolution_norm` is at most √(h·w) times as large.

    weight: (out, ...), or with its outputs along another `dim` (1 for a transposed convolution)
    """

    def __init__(self, weight: Tensor, steps: int = 1, dim: int = 0):
        super().__init__()
        self.steps, self.dim = steps, dim
        matrix = self._matrix(weight.detach())
        v = F.normalize(torch.randn(matrix.shape[1], dtype=weight.dtype, device=weight.device), dim=0)
        # PyTorch starts from the right vector: the same algorithm on the transpose, after 15 steps to begin with
        _, v, u = power_iteration(matrix.T, v, steps=15)
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def forward(self, weight: Tensor) -> Tensor:
        matrix = self._matrix(weight)
        if self.training:
            sigma, self.v, self.u = power_iteration(matrix.T, self.v, self.steps)
        else:
            sigma = self.u @ (matrix @ self.v)
        return weight / sigma

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)


def spectral_normalise(network: nn.Module) -> nn.Module:
    """Put PyTorch's spectral normalisation on the weight of every convolution, linear and embedding layer, in place."""
    for module in network.modules():
        if isinstance(module, (nn.modules.conv._ConvNd, nn.Linear, nn.Embedding)):
            parametrizations.spectral_norm(module)
    return network


@torch.no_grad()
def convolution_norm(kernel: Tensor, size: int, *, stride: int = 1, padding: int = 1, steps: int = 100) -> Tensor:
    """The largest factor by which a convolution stretches a map: its norm as the linear map that it is.

    Power iteration with the convolution and its transpose in place of a matrix.

    kernel: (out, in, h, w);  size: height and width of the maps;  steps: from below, as with `power_iteration`
    """
    draw = keyed_generator(kernel.device, "convolution_norm")
    x = torch.randn(1, kernel.shape[1], size, size, generator=draw, dtype=kernel.dtype, device=kernel.device)
    for _ in range(steps):
        x = x / x.norm()
        y = F.conv2d(x, kernel, stride=stride, padding=padding)
        x = torch.nn.grad.conv2d_input(x.shape, kernel, y, stride=stride, padding=padding)
    return x.norm().sqrt()


class MinibatchStd(nn.Module):
    """Append how much a group of images differs, as `features` constant channels: (N, C, ...) → (N, C + features, ...).

    Karras et al. 2017 (arXiv:1710.10196) as StyleGAN2 computes it: for each group, channel and place the root of the
    population variance + 10⁻⁸, averaged over the places and C/features channels. A group is strided: of N images in
    groups of `group`, image i is with i + N/group, i + 2N/group, … A critic with this layer sees a batch, not an image.

    group:  images in a group; None, or a batch smaller than it: the whole batch
    raises: ValueError if N is not a multiple of the group or C not of features
    """

    def __init__(self, group: int | None = None, features: int = 1):
        super().__init__()
        for name, count in (("group", 1 if group is None else group), ("features", features)):
            if count < 1:
                raise ValueError(f"{name}: expected at least 1, got {count}")
        self.group, self.features = group, features

    def forward(self, x: Tensor) -> Tensor:
        count, channels = x.shape[:2]
        group = count if self.group is None else min(self.group, count)
        if count % group:
            raise ValueError(f"x: expected a multiple of {group} images (the group), got {count}")
        if channels % self.features:
            raise ValueError(f"x: expected a multiple of {self.features} channels (the features), got {channels}")
        y = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        y = y.reshape(group, count // group, self.features, -1)  # (group, groups, features, C/features·H·W)
        std = (y.var(0, correction=0) + 1e-8).sqrt().mean(2)  # (groups, features)
        std = std.repeat(group, 1).to(x.dtype).reshape(count, self.features, *[1] * (x.ndim - 2))
        return torch.cat([x, std.expand(-1, -1, *x.shape[2:])], 1)


class EqualisedLinear(nn.Module):
    """A linear layer whose weight is kept with standard deviation 1 and scaled at every call: (N, in) → (N, out).

    Karras et al. 2017 (arXiv:1710.10196). Adam's steps do not depend on a gradient's size; so a weight that is stored
    as N(0, 1) and used times gain/√in_features learns at one relative rate in wide and in narrow layers. As StyleGAN2,
    gain is 1 and the √2 of a leaky ReLU stands behind the activation; others put it here.

    lr_multiplier: the layer learns that many times as fast (0.01 in StyleGAN's mapping network): weight and bias are
                   stored 1/lr_multiplier times as large and used lr_multiplier times as large
    """

    def __init__(self, in_features, out_features, gain=1.0, lr_multiplier=1.0, bias=True, bias_init=0.0):
        super().__init__()
        _equalise(self, (out_features, in_features), gain, lr_multiplier, bias, bias_init)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, *_effective(self))


class EqualisedConv2d(nn.Module):
    """The same for a convolution, its fan-in being in_channels·kernel²: (N, in, H, W) → (N, out, H′, W′)."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        gain=1.0,
        lr_multiplier=1.0,
        bias=True,
        bias_init=0.0,
    ):
        super().__init__()
        self.stride, self.padding = stride, padding
        _equalise(self, (out_channels, in_channels, kernel_size, kernel_size), gain, lr_multiplier, bias, bias_init)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, *_effective(self), stride=self.stride, padding=self.padding)


def _equalise(layer: nn.Module, shape: tuple[int, ...], gain, lr_multiplier, bias, bias_init) -> None:
    if not lr_multiplier > 0:
        raise ValueError(f"lr_multiplier: expected a positive number, got {lr_multiplier}")
    layer.weight = nn.Parameter(torch.randn(shape) / lr_multiplier)
    layer.bias = nn.Parameter(torch.full(shape[:1], bias_init / lr_multiplier)) if bias else None
    layer.scale, layer.lr_multiplier = gain * lr_multiplier / math.sqrt(math.prod(shape[1:])), lr_multiplier


def _effective(layer: nn.Module) -> tuple[Tensor, Tensor | None]:
    """The weight and bias that the layer computes with."""
    return layer.weight * layer.scale, None if layer.bias is None else layer.bias * layer.lr_multiplier
