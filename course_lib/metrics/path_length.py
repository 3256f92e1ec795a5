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
BLOCK = 1000  # paths drawn at a time, whatever the batch size: the same paths for every batch size
ROUNDING = 0.01  # share of a step that may be rounding, of the latents or, squared, of the images


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
    crop:     only StyleGAN's window for faces is seen, half a side wide: rows 3/8 to 7/8, columns 2/8 to 6/8
    clamp:    values beyond [−1, 1] are cut off, as they are where pixels are made of them
    quantise: images are rounded to grey levels first, in which a small step moves most pixels by nothing
    """

    space: str = "z"
    between: str = "lerp"
    where: str = "full"
    epsilon: float = 1e-4
    kept: tuple[float, float] | None = (1, 99)
    resize: int | None = None
    largest: int | None = 256
    crop: bool = False
    clamp: bool = False
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
    "w-full": PathProtocol(space="w"),  # these four: Karras et al. 2018 (arXiv:1812.04948), with VGG
    "w-end": PathProtocol(space="w", where="end"),
    "z-full": PathProtocol(between="slerp_unit"),
    "z-end": PathProtocol(between="slerp_unit", where="end"),
    "torch-fidelity": PathProtocol(
        where="end", resize=64, largest=None, clamp=True, quantise=True
    ),  # 0.4.0's defaults, VGG
    "course": PathProtocol(between="slerp", clamp=True),  # for DCGAN and its kind, whose latents keep their norms
    "course-64": PathProtocol(between="slerp", clamp=True, resize=64),  # images of 28 to 64 pixels, all seen alike
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

    Karras, Laine, Aila 2018 (arXiv:1812.04948). It is a mean squared speed, not the length of a path, and grows with the
    square of the distance's own unit: numbers of two distances, resizes or spaces cannot be compared. The interval is
    the bootstrap's for the trimmed mean.

    generator: z (N, latent_dim) → (N, 1 or 3, H, W) float in [−1, 1], in eval mode; for "w" also with `.mapping`
               (z → w) and `.synthesis` (w → images), which are then used in "z" as well. Noise must be the same
               for both ends of a step
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
    for start in range(0, paths, BLOCK):
        draw = keyed_generator("cpu", seed, "path length", start)
        ends = torch.randn(2, BLOCK, generator.latent_dim, generator=draw, dtype=torch.float64)
        places = torch.rand(BLOCK, 1, generator=draw, dtype=torch.float64)
        drawn = (tensor[: paths - start].to(weight).split(batch_size) for tensor in (*ends, places))
        for z_0, z_1, t in zip(*drawn):
            found = path_lengths(generator, z_0, z_1, t, protocol=protocol, distance=distance)
            lengths.append(found.double().cpu())
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
    parts = [part for part in ("mapping", "synthesis") if not hasattr(generator, part)]
    if protocol.space == "w" and parts:
        raise ValueError(f"space: expected a generator with .{parts[0]} for 'w', got {type(generator).__name__}")
    draw, a, b = generator, z_0, z_1
    if protocol.space == "w":
        draw, (a, b) = generator.synthesis, generator.mapping(torch.cat([z_0, z_1])).chunk(2)
    elif not parts:  # as in "w": what such a generator does to its images besides is no part of the path

        def draw(z):
            return generator.synthesis(generator.mapping(z))

    distance = distance or lpips.load("alex", str(z_0.device), z_0.dtype).of_any_range
    between = BETWEEN[protocol.between]

    def checked(latents: Tensor) -> Tensor:
        first, second = latents.chunk(2)
        _is_a_step(first, second, protocol.epsilon)
        images = draw(latents)
        _keeps_its_noise(draw, first, images[: len(first)])
        return images

    def apart(x: Tensor, y: Tensor) -> Tensor:
        distances = distance(seen(x, protocol), seen(y, protocol))
        if not protocol.quantise:  # grey levels leave no rounding
            _stands_out(distance, seen(x[:2], protocol), distances, protocol.epsilon)
        return distances

    t = torch.zeros_like(t) if protocol.where == "end" else t
    lengths = squared_speeds(checked, apart, a, b, t, protocol.epsilon, between=between)
    if not torch.isfinite(lengths).all():
        raise ValueError("generator: expected finite images and distances, got NaN or infinity")
    return lengths


def squared_speeds(
    generator: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    a: Tensor,
    b: Tensor,
    t: Tensor,
    epsilon: float,
    *,
    between: Callable[[Tensor, Tensor, Tensor], Tensor] = latent.lerp,
) -> Tensor:
    """d(G(u(t)), G(u(t + ε))) / ε² with u from a to b, one for each path: (N,). Their mean is the path length.

    a, b: (N, d);  t: (N, 1) in [0, 1];  generator: (2N, d) → images;  distance: two batches of images → (N,)
    """
    latents = torch.cat([between(a, b, t), between(a, b, t + epsilon)])  # one batch: kept noise is the same for both
    x, y = generator(latents).chunk(2)
    return distance(x, y) / epsilon**2


def trim(lengths: Tensor, kept: tuple[float, float] | None) -> Tensor:
    """The lengths between two percentiles, ends included: the lower rounded down to a length, the upper rounded up."""
    if kept is None:
        return lengths
    ordered = lengths.sort().values
    lower, upper = (share / 100 * (len(ordered) - 1) for share in kept)
    return ordered[int(lower) : -int(-upper // 1) + 1]  # −(−x // 1) rounds up


def seen(images: Tensor, protocol: PathProtocol) -> Tensor:
    """Images as the distance sees them: (N, 3, H, W), in [−1, 1] if the protocol clamps."""
    if protocol.clamp:
        images = images.clamp(-1, 1)
    if protocol.crop:
        rows, columns = (side // 8 for side in images.shape[-2:])
        images = images[..., 3 * rows : 7 * rows, 2 * columns : 6 * columns]
    if protocol.quantise:
        images = images.add(1).mul(127.5).round_().div_(127.5).sub_(1)
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


def _stands_out(distance, images: Tensor, distances: Tensor, epsilon: float) -> None:
    """raises: ValueError if images that differ by one rounding a pixel are not much nearer than the ends of a step."""
    grain = torch.finfo(images.dtype).eps * images.abs().clamp(min=1)
    sign = 1 - 2 * (torch.arange(images[0].numel(), device=images.device).view_as(images[0]) % 2)
    share = distance(images, images + grain * sign).median() / distances.median()
    if share > ROUNDING:
        raise ValueError(
            f"epsilon: expected steps that change the images by more than {images.dtype} rounds them, got {epsilon:g}, of "
            f"whose distance {share.clamp(max=1):.0%} is rounding; take a larger one, or a generator in float64"
        )


def _keeps_its_noise(draw, latents: Tensor, images: Tensor) -> None:
    """raises: ValueError if the same latents do not give the same images again."""
    again = draw(latents[:1])
    if (again - images[:1]).abs().max() > 1e-3:
        raise ValueError(
            "generator: expected the same image from the same latent, got another: noise that is drawn anew (or a "
            "BatchNorm in training mode) would be measured as movement; fix the noise and call .eval()"
        )
