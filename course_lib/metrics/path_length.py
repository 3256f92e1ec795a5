"""Perceptual path length: how far the images move, per squared step, while the latent moves a little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import latent
from course_lib.metrics.checks import whole_number
from course_lib.models import lpips
from course_lib.runtime import keyed_generator, known

DRAWS = 1000  # of the bootstrap
ROUNDING = 0.01  # share of a step that may be rounding of the latents


@dataclass(frozen=True)
class PathProtocol:
    """All that changes a path length besides the generator, the distance and the number of paths.

    space:    "z", or "w": the latents are mapped first and the path is walked between the mapped ones
    between:  "lerp", "slerp" (norms go linearly, for generators that see them), "slerp_unit" (on the unit sphere,
              for generators that normalise z)
    where:    "full": the step begins at a random point of the path; "end": at its first end
    epsilon:  length of the step, as a share of the path
    kept:     percentiles between which lengths are averaged, or None for all
    resize:   pixels a side before the distance; None leaves the images. Smaller by area, larger bilinear
    largest:  images above this many pixels a side are averaged in whole blocks down to it; None: never
    quantise: images are rounded to grey levels first, in which a small step moves most pixels by nothing
    """

    space: str = "z"
    between: str = "lerp"
    where: str = "full"
    epsilon: float = 1e-4
    kept: tuple[float, float] | None = (1, 99)
    resize: int | None = None
    largest: int | None = 256
    quantise: bool = False

    def __post_init__(self):
        known("space", self.space, ("z", "w")), known("between", self.between, BETWEEN)
        known("where", self.where, ("full", "end"))
        if not 0 < self.epsilon <= 1:
            raise ValueError(f"epsilon: expected a number above 0 and up to 1, got {self.epsilon}")
        if self.kept is not None and not 0 <= self.kept[0] < self.kept[1] <= 100:
            raise ValueError(f"kept: expected two percentiles, the lower first, or None, got {self.kept}")


BETWEEN: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "lerp": latent.lerp,
    "slerp": latent.slerp,
    "slerp_unit": lambda a, b, t: F.normalize(latent.slerp(F.normalize(a, dim=-1), F.normalize(b, dim=-1), t), dim=-1),
}
PATHS: dict[str, PathProtocol] = {
    "w-full": PathProtocol(space="w"),  # Karras et al. 2019 (arXiv:1812.04948)
    "w-end": PathProtocol(space="w", where="end"),
    "z-full": PathProtocol(between="slerp_unit"),
    "z-end": PathProtocol(between="slerp_unit", where="end"),
    "torch-fidelity": PathProtocol(where="end", resize=64, largest=None, quantise=True),  # 0.4.0's defaults, VGG
    "course": PathProtocol(between="slerp"),  # for DCGAN and its kind, whose latents keep their norms
}


class PathLength(NamedTuple):
    """Mean length of the kept paths with its interval; `std` is that of the kept lengths (ddof 0)."""

    mean: float
    low: float
    high: float
    std: float
    paths: int
    lengths: Tensor  # (paths,) float64, untrimmed, in the order of drawing


def perceptual_path_length(
    generator: nn.Module,
    *,
    protocol: PathProtocol | str = "course",
    distance: Callable[[Tensor, Tensor], Tensor] | None = None,
    paths: int = 10_000,
    batch_size: int = 50,
    confidence: float = 0.95,
    seed: int = 0,
) -> PathLength:
    """PPL = E d(G(u(t)), G(u(t + ε))) / ε², where u runs from one random latent to another.

    Karras et al. 2019 (arXiv:1812.04948). It is a mean squared speed, not the length of a path, and grows with the
    square of the distance's own unit: numbers of two distances, resizes or spaces cannot be compared. The interval is
    the bootstrap's for the trimmed mean.

    generator: z (N, latent_dim) → (N, 1 or 3, H, W) float in [−1, 1], in eval mode; for "w" also with `.mapping`
               (z → w) and `.synthesis` (w → images). Noise must be the same for both ends of a step
    protocol:  one of PATHS or your own PathProtocol
    distance:  (x, y) (N, 3, H, W) in [−1, 1] → (N,), quadratic in a small difference; LPIPS (Alex) if None
    raises:    ValueError if the generator redraws its noise, if a step drowns in rounding, if lengths are not finite
    """
    whole_number(paths, "paths", least=2), whole_number(batch_size, "batch_size", least=1)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    if isinstance(protocol, str):
        protocol = PATHS[known("protocol", protocol, PATHS)]
    weight = next(generator.parameters())
    lengths = []
    for start in range(0, paths, batch_size):
        draw = keyed_generator("cpu", seed, "path length", start, batch_size)
        count = min(batch_size, paths - start)
        z_0, z_1 = torch.randn(2, count, generator.latent_dim, generator=draw, dtype=torch.float64)
        t = torch.rand(count, 1, generator=draw, dtype=torch.float64)
        a, b, t = (tensor.to(weight) for tensor in (z_0, z_1, t))
        lengths.append(path_lengths(generator, a, b, t, protocol=protocol, distance=distance).double().cpu())
    lengths = torch.cat(lengths)
    kept = trim(lengths, protocol.kept)
    draw = keyed_generator("cpu", seed, "bootstrap")
    drawn = [trim(lengths[torch.randint(paths, (paths,), generator=draw)], protocol.kept).mean() for _ in range(DRAWS)]
    tail = (1 - confidence) / 2
    low, high = torch.stack(drawn).quantile(torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
    return PathLength(kept.mean().item(), low, high, kept.std(correction=0).item(), paths, lengths)


@torch.inference_mode()
def path_lengths(
    generator: nn.Module,
    z_0: Tensor,
    z_1: Tensor,
    t: Tensor,
    *,
    protocol: PathProtocol,
    distance: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Tensor:
    """d / ε² of one step on each path: (N,). The step begins at t, or at 0 if protocol.where is "end".

    z_0, z_1: (N, latent_dim), the two ends;  t: (N, 1) in [0, 1];  the rest as in `perceptual_path_length`
    """
    if z_0.ndim != 2 or z_0.shape != z_1.shape or z_0.shape[1] != generator.latent_dim:
        raise ValueError(
            f"z_1: expected (N, {generator.latent_dim}) like z_0, got {tuple(z_0.shape)} and {tuple(z_1.shape)}"
        )
    if protocol.space == "w":
        for part in ("mapping", "synthesis"):
            if not hasattr(generator, part):
                raise ValueError(f"space: expected a generator with .{part} for 'w', got {type(generator).__name__}")
        draw, (a, b) = generator.synthesis, generator.mapping(torch.cat([z_0, z_1])).chunk(2)
    else:
        draw, a, b = generator, z_0, z_1
    t = torch.zeros_like(t) if protocol.where == "end" else t
    between = BETWEEN[protocol.between]
    first, second = between(a, b, t), between(a, b, t + protocol.epsilon)
    _is_a_step(first, second, protocol.epsilon)
    images = draw(torch.cat([first, second]))  # one batch, so that noise that is kept is the same for both ends
    _keeps_its_noise(draw, first, images[: len(first)])
    x, y = (_seen(half, protocol) for half in images.chunk(2))
    distance = distance or lpips.load("alex", str(x.device)).to(x.dtype)
    lengths = distance(x, y) / protocol.epsilon**2
    if not torch.isfinite(lengths).all():
        raise ValueError("generator: expected finite images and distances, got NaN or infinity")
    return lengths


def trim(lengths: Tensor, kept: tuple[float, float] | None) -> Tensor:
    """The lengths between two percentiles, ends included: the lower rounded down to a length, the upper rounded up."""
    if kept is None:
        return lengths
    ordered = lengths.sort().values
    lower, upper = (share / 100 * (len(ordered) - 1) for share in kept)
    return ordered[int(lower) : -int(-upper // 1) + 1]  # −(−x // 1) rounds up


def _seen(images: Tensor, protocol: PathProtocol) -> Tensor:
    """Images as the distance sees them: (N, 3, H, W) in [−1, 1]."""
    if protocol.quantise:
        images = images.add(1).mul(127.5).round_().clamp_(0, 255).div_(127.5).sub_(1)
    side = images.shape[-1]
    if protocol.largest is not None and side > protocol.largest:
        if side % protocol.largest:
            raise ValueError(f"largest: expected a divisor of {side} pixels, got {protocol.largest}")
        images = F.avg_pool2d(images, side // protocol.largest)
    if protocol.resize is not None and images.shape[-2:] != (protocol.resize,) * 2:
        size, smaller = (protocol.resize,) * 2, min(images.shape[-2:]) > protocol.resize
        images = (
            F.interpolate(images, size, mode="area")
            if smaller
            else F.interpolate(images, size, mode="bilinear", align_corners=False)
        )
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def _is_a_step(first: Tensor, second: Tensor, epsilon: float) -> None:
    """raises: ValueError if rounding is more than ROUNDING of the step between the latents."""
    step = (second - first).norm(dim=1).median().item()
    grain = first.norm(dim=1).median().item() * torch.finfo(first.dtype).eps / 2
    if grain > ROUNDING * step:
        least = epsilon * grain / (ROUNDING * step) if step else 1e3 * grain
        raise ValueError(
            f"epsilon: expected steps that {first.dtype} can hold, got {epsilon:g}, of which {min(1, grain / max(step, 1e-300)):.0%} "
            f"is rounding; take at least {least:.1g}, or a generator in float64"
        )


def _keeps_its_noise(draw, latents: Tensor, images: Tensor) -> None:
    """raises: ValueError if the same latents do not give the same images again."""
    again = draw(latents[:1])
    if (again - images[:1]).abs().max() > 1e-3:
        raise ValueError(
            "generator: expected the same image from the same latent, got another: noise that is drawn anew (or a "
            "BatchNorm in training mode) would be measured as movement; fix the noise and call .eval()"
        )
