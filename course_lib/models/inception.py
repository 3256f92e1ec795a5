"""The Inception network of 2015, as TensorFlow shipped it: the eyes of the FID.

Szegedy et al. 2015 (arXiv:1512.00567v3, figures 5 to 7 and table 1); Heusel et al. 2017 (arXiv:1706.08500v6) took its
last pooling layer as features. It is not torchvision's Inception-v3, and their FIDs cannot be compared: BatchNorm has
no scale, average pooling does not count the padding, and the last block pools by maximum.
Its 1008-class head is left out, since no package has it: a published-protocol Inception Score needs the official
checkpoint (pt_inception-2015-12-05-6726825d.pth of the pytorch-fid release).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import assets

EPSILON = 1e-3  # of BatchNorm; PyTorch's default is 1e-5
FEATURES, SIZE = 2048, 299


class Unit(nn.Module):
    """(N, before, H, W) → (N, after, H', W'): convolution, BatchNorm without a scale, ReLU. Inference only."""

    def __init__(self, before: int, after: int, kernel: int | tuple[int, int] = 1, stride: int = 1, pad: bool = True):
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.stride, self.padding = stride, (height // 2, width // 2) if pad else 0
        self.weight = nn.Parameter(torch.empty(after, before, height, width))
        self.beta = nn.Parameter(torch.zeros(after))
        self.register_buffer("mean", torch.zeros(after))
        self.register_buffer("var", torch.ones(after))
        nn.init.kaiming_normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.weight, stride=self.stride, padding=self.padding)
        return F.batch_norm(x, self.mean, self.var, None, self.beta, eps=EPSILON).relu_()


class FoldedUnit(nn.Module):
    """The same function as one convolution with a bias: nothing is left of BatchNorm but its numbers."""

    def __init__(self, unit: Unit):
        super().__init__()
        self.stride, self.padding = unit.stride, unit.padding
        scale = (unit.var.double() + EPSILON).rsqrt()
        self.weight = nn.Parameter((unit.weight.double() * scale[:, None, None, None]).float())
        self.bias = nn.Parameter((unit.beta.double() - unit.mean.double() * scale).float())

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding).relu_()


class Side(nn.ModuleDict):
    """Branches that see the same input; their maps are joined along the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.values()], 1)


def side(*branches: nn.Module) -> Side:
    """Named as in the TensorFlow graph: conv, then tower, tower_1, …; pooling alone is `pool`."""
    return Side(_named(branches, "tower"))


def chain(*layers: nn.Module) -> nn.Sequential:
    """Named as in the TensorFlow graph: conv, conv_1, …, pool, mixed."""
    return nn.Sequential(_named(layers, "mixed"))


def _named(modules: tuple[nn.Module, ...], otherwise: str) -> OrderedDict[str, nn.Module]:
    named = OrderedDict()
    for module in modules:
        kind = {Unit: "conv", nn.MaxPool2d: "pool", nn.AvgPool2d: "pool"}.get(type(module), otherwise)
        count = sum(name.split("_")[0] == kind for name in named)
        named[f"{kind}_{count}" if count else kind] = module
    return named


def average() -> nn.AvgPool2d:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def block_a(before: int, pooled: int) -> Side:
    """(N, before, 35, 35) → (N, 224 + pooled, 35, 35)"""
    return side(
        Unit(before, 64),
        chain(Unit(before, 48), Unit(48, 64, 5)),
        chain(Unit(before, 64), Unit(64, 96, 3), Unit(96, 96, 3)),
        chain(average(), Unit(before, pooled)),
    )


def block_b() -> Side:
    """(N, 288, 35, 35) → (N, 768, 17, 17)"""
    return side(
        Unit(288, 384, 3, stride=2, pad=False),
        chain(Unit(288, 64), Unit(64, 96, 3), Unit(96, 96, 3, stride=2, pad=False)),
        nn.MaxPool2d(3, 2),
    )


def block_c(width: int) -> Side:
    """(N, 768, 17, 17) → (N, 768, 17, 17)"""
    row, column = (1, 7), (7, 1)
    return side(
        Unit(768, 192),
        chain(Unit(768, width), Unit(width, width, row), Unit(width, 192, column)),
        chain(
            Unit(768, width),
            Unit(width, width, column),
            Unit(width, width, row),
            Unit(width, width, column),
            Unit(width, 192, row),
        ),
        chain(average(), Unit(768, 192)),
    )


def block_d() -> Side:
    """(N, 768, 17, 17) → (N, 1280, 8, 8)"""
    return side(
        chain(Unit(768, 192), Unit(192, 320, 3, stride=2, pad=False)),
        chain(Unit(768, 192), Unit(192, 192, (1, 7)), Unit(192, 192, (7, 1)), Unit(192, 192, 3, stride=2, pad=False)),
        nn.MaxPool2d(3, 2),
    )


def block_e(before: int, pool: nn.Module) -> Side:
    """(N, before, 8, 8) → (N, 2048, 8, 8)"""

    def cross() -> Side:
        return side(Unit(384, 384, (1, 3)), Unit(384, 384, (3, 1)))

    return side(
        Unit(before, 320),
        chain(Unit(before, 384), cross()),
        chain(Unit(before, 448), Unit(448, 384, 3), cross()),
        chain(pool, Unit(before, 192)),
    )


class Inception(nn.Module):
    """Images (N, 3, 299, 299), float scaled as the protocol says → features (N, 2048), non-negative."""

    def __init__(self):
        super().__init__()
        self.layers = chain(
            Unit(3, 32, 3, stride=2, pad=False),  # 299 → 149
            Unit(32, 32, 3, pad=False),
            Unit(32, 64, 3),
            nn.MaxPool2d(3, 2),  # 147 → 73
            Unit(64, 80),
            Unit(80, 192, 3, pad=False),
            nn.MaxPool2d(3, 2),  # 71 → 35
            block_a(192, 32),
            block_a(256, 64),
            block_a(288, 64),
            block_b(),
            block_c(128),
            block_c(160),
            block_c(160),
            block_c(192),
            block_d(),
            block_e(1280, average()),
            block_e(2048, nn.MaxPool2d(3, stride=1, padding=1)),
        )

    def forward(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or images.shape[1:] != (3, SIZE, SIZE) or not images.is_floating_point():
            raise ValueError(
                f"images: expected (N, 3, {SIZE}, {SIZE}) floating point, got {tuple(images.shape)} {images.dtype}"
            )
        return self.layers(images).mean((2, 3))


def fold(network: nn.Module) -> nn.Module:
    """The network with BatchNorm folded into the convolutions, in place: same function, fewer passes over memory."""
    for name, module in list(network.named_children()):
        setattr(network, name, FoldedUnit(module) if isinstance(module, Unit) else fold(module))
    return network


def load() -> Inception:
    """The network of the FID, with its weights, in eval mode on the CPU.

    raises: FileNotFoundError if they were never fetched, ValueError if they are damaged; both name the command
    """
    network = Inception()
    stored = {name.replace(".", "_"): value for name, value in assets.load("fid-inception", "weights").items()}
    names = {name: name.removeprefix("layers.").replace(".", "_") for name in network.state_dict()}
    network.load_state_dict({name: stored[flat] for name, flat in names.items()})
    return network.eval().requires_grad_(False)


def weights_sha256() -> str:
    """Hash of the weights that `load` insists on: what a number made with them carries."""
    return assets.ASSETS["fid-inception"].parts["weights"].sha256
