"""LPIPS: how different two images look, learned from what people said.

Zhang et al. 2018 (arXiv:1801.03924v2, eq. 1, the version "lin" with the weights of release 0.1). The AlexNet version
is part of the course; VGG16 comes with `gan-course fetch lpips-vgg`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load as from_bytes
from torch import Tensor, nn

from course_lib import assets
from course_lib.runtime import known

ALEX = Path(__file__).parent / "weights" / "lpips-alex.safetensors"
ALEX_SHA256 = "8da65d43a04059c85eecf139c90958483fbca7f749a9ceaa2d351551dba690cd"  # of its tensors: assets.digest
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # ImageNet's colours, for images in [−1, 1]
EPSILON = 1e-10


@dataclass(frozen=True)
class Layer:
    """Perhaps a maximum pooling, then a convolution and a ReLU; `seen` layers are compared."""

    before: int
    after: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    pool: int = 0  # kernel of the pooling (stride 2) in front; 0 is none
    seen: bool = True


PLANS = {
    "alex": (
        Layer(3, 64, kernel=11, stride=4, padding=2),
        Layer(64, 192, kernel=5, padding=2, pool=3),
        Layer(192, 384, pool=3),
        Layer(384, 256),
        Layer(256, 256),
    ),
    "vgg": tuple(
        Layer(before, after, pool=2 if index in (2, 4, 7, 10) else 0, seen=index in (1, 3, 6, 9, 12))
        for index, (before, after) in enumerate(
            zip((3, 64, 64, 128, 128, 256, 256, 256, *[512] * 5), (64, 64, 128, 128, *[256] * 3, *[512] * 6))
        )
    ),
}
SMALLEST = {"alex": 31, "vgg": 16}  # pixels a side, below which a pooling has nothing left to pool


class LPIPS(nn.Module):
    """x, y (N, 3, H, W) float in [−1, 1] → distances (N,), non-negative, symmetric, 0 for equal images."""

    def __init__(self, network: str = "alex"):
        super().__init__()
        self.plan, self.smallest = PLANS[known("network", network, PLANS)], SMALLEST[network]
        self.convs = nn.ModuleList(nn.Conv2d(l.before, l.after, l.kernel, l.stride, l.padding) for l in self.plan)
        self.heads = nn.ParameterList(torch.full((l.after,), 1 / l.after) for l in self.plan if l.seen)
        self.register_buffer("shift", torch.tensor(SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE)[:, None, None], persistent=False)

    def features(self, x: Tensor) -> list[Tensor]:
        """Five maps (N, C, h, w), not negative."""
        x, found = (x - self.shift) / self.scale, []
        for layer, conv in zip(self.plan, self.convs):
            x = F.relu(conv(F.max_pool2d(x, layer.pool, 2) if layer.pool else x))
            if layer.seen:
                found.append(x)
        return found

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        for image, argument in ((x, "x"), (y, "y")):
            expect_colour(image, self.smallest, argument)
            expect_range(image, argument)
        return self.of_any_range(x, y)

    def of_any_range(self, x: Tensor, y: Tensor) -> Tensor:
        """The same where values may leave [−1, 1], as a generator's do that ends without a tanh."""
        expect_colour(x, self.smallest, "x")
        expect_colour(y, self.smallest, "y")
        if x.shape != y.shape:
            raise ValueError(f"y: expected {tuple(x.shape)} like x, got {tuple(y.shape)}")
        maps = zip(self.features(x), self.features(y), self.heads)
        return sum(layer_distance(a, b, head) for a, b, head in maps)


def layer_distance(a: Tensor, b: Tensor, head: Tensor) -> Tensor:
    """One layer's share of LPIPS: Zhang et al. 2018 (arXiv:1801.03924v2, eq. 1).

    At every place the vector of channels is brought to length 1 (a zero stays zero), the squared differences are
    weighted channel by channel, added up, and averaged over the places.

    a, b: features of the two images (N, C, h, w);  head: (C,), not negative;  returns (N,)
    """

    def unit(x: Tensor) -> Tensor:
        squares = x.square().sum(1, keepdim=True)
        length = torch.where(squares > 0, squares, 1).sqrt()  # a root has no slope at 0: its gradient would be NaN
        return x / (length + EPSILON)

    return (head @ (unit(a) - unit(b)).square().flatten(2)).mean(1)


def expect_colour(x: Tensor, smallest: int, argument: str) -> None:
    """raises: ValueError unless x is (N, 3, H, W), floating point, at least `smallest` pixels a side."""
    if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < smallest:
        raise ValueError(f"{argument}: expected (N, 3, H, W) with H, W >= {smallest}, got {tuple(x.shape)}")
    if not x.is_floating_point():
        raise ValueError(f"{argument}: expected float in [-1, 1], got {x.dtype}; data.to_float converts uint8")


def expect_range(x: Tensor, argument: str) -> None:
    """raises: ValueError unless every value is in [−1, 1]."""
    low, high = x.detach().aminmax() if x.numel() else (torch.zeros(()), torch.zeros(()))
    if not (low >= -1 and high <= 1):  # written so that NaN fails too
        raise ValueError(f"{argument}: expected values in [-1, 1], got [{low:.4g}, {high:.4g}]")


@functools.lru_cache(maxsize=4)
def load(network: str = "alex", device: str = "cpu", dtype: torch.dtype = torch.float32) -> LPIPS:
    """The distance with its weights, frozen, in eval mode; read once for each device and type.

    network: "alex" (part of the course) or "vgg" (after `gan-course fetch lpips-vgg`)
    raises:  ValueError for an unknown network or a damaged file, FileNotFoundError for a missing one
    """
    distance = LPIPS(network)
    if network == "alex":
        tensors = from_bytes(ALEX.read_bytes())
        if (found := assets.digest(tensors)) != ALEX_SHA256:
            raise ValueError(
                f"{ALEX}: expected tensors with SHA-256 {ALEX_SHA256}, got {found}; install the course anew"
            )
    else:
        tensors = assets.load("lpips-vgg", "weights")
    distance.load_state_dict(tensors)
    return distance.to(device, dtype).eval().requires_grad_(False)
