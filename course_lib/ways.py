"""Ways from one latent to another, in pictures: what lies along them, how long their steps are, how fast the images move."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from course_lib import latent, plots, runtime
from course_lib.canvas import FAKE, INK, MIDDLE, REAL
from course_lib.metrics.path_length import PATHS, PathProtocol, path_lengths, seen, squared_speeds
from course_lib.models import lpips

THIRD = (0, 115, 80)  # Okabe and Ito's green, darkened like the other two
COLOURS = (REAL, FAKE, THIRD)
PROTOCOL = PATHS["course-64"]


@dataclass(frozen=True)
class Way:
    """How to get from z₀ to z₁: both are prepared (mapped, or left), a path runs between, and its latents are drawn."""

    name: str
    prepare: Callable[[Tensor], Tensor]
    between: Callable[[Tensor, Tensor, float | Tensor], Tensor]
    draw: Callable[[Tensor], Tensor]

    @torch.inference_mode()
    def at(self, z_0: Tensor, z_1: Tensor, t: float | Tensor) -> tuple[Tensor, Tensor]:
        """(latents, images clamped to [−1, 1]) at a place of the way, or at a place (N, 1) of each."""
        where = self.between(self.prepare(z_0), self.prepare(z_1), t)
        return where, self.draw(where).clamp(-1, 1)


def ways(generator: nn.Module) -> list[Way]:
    """Straight and along the sphere; for a generator with a mapping, both in Z and straight in W."""

    def same(z: Tensor) -> Tensor:
        return z

    if not hasattr(generator, "mapping"):
        return [Way("lerp", same, latent.lerp, generator), Way("slerp", same, latent.slerp, generator)]
    return [
        Way("lerp in Z", same, latent.lerp, generator),
        Way("slerp in Z", same, latent.slerp, generator),
        Way("lerp in W", generator.mapping, latent.lerp, generator.synthesis),
    ]


@dataclass(frozen=True)
class Film:
    """What lies along a way: images (count, C, H, W), the norms of their latents (count,), LPIPS of neighbours (count − 1,)."""

    name: str
    images: Tensor
    norms: Tensor
    steps: Tensor


@torch.inference_mode()
def film(way: Way, z_0: Tensor, z_1: Tensor, count: int = 10) -> Film:
    """`count` images from z₀ to z₁, each (1, d), at equal steps of t."""
    t = torch.linspace(0, 1, count, dtype=z_0.dtype, device=z_0.device)[:, None]
    latents, images = way.at(z_0.expand(count, -1), z_1.expand(count, -1), t)
    return Film(way.name, images.float().cpu(), latents.norm(dim=1).cpu(), lpips_between(images[:-1], images[1:]).cpu())


@torch.inference_mode()
def lpips_between(x: Tensor, y: Tensor) -> Tensor:
    """LPIPS (Alex) of pairs of images (N, 1 or 3, H, W) in [−1, 1], seen at 64 pixels a side: (N,)"""
    return lpips.load("alex", str(x.device), x.dtype)(seen(x, PROTOCOL), seen(y, PROTOCOL))


# ---------------------------------------------------------------- how fast images move, for every length of a step

KINDS = ("float32", "float64", "grey levels")


@dataclass(frozen=True)
class Step:
    """d/ε² of the paths (N,), the two images of the first path (2, C, H, W), and why the library refuses this ε, or ""."""

    speeds: Tensor
    images: Tensor
    refused: str


class Speeds:
    """d/ε² on the same few paths for whatever ε is asked for, in both precisions and on images in 256 grey levels."""

    def __init__(self, generator: nn.Module, paths: int = 8, seed: int = 0, protocol: PathProtocol = PROTOCOL):
        device = next(generator.parameters()).device
        draw = runtime.keyed_generator("cpu", seed, "speeds")
        self.z_0, self.z_1 = torch.randn(2, paths, generator.latent_dim, generator=draw, dtype=torch.float64).to(device)
        self.t = torch.rand(paths, 1, generator=draw, dtype=torch.float64).to(device)
        self.protocol = protocol
        self.generators = {"float32": generator, "float64": copy.deepcopy(generator).double(), "grey levels": generator}
        self.found: dict[tuple[float, str], Step] = {}

    def at(self, epsilon: float, kind: str) -> Step:
        """raises: ValueError for an unknown kind"""
        runtime.known("kind", kind, KINDS)
        if (epsilon, kind) not in self.found:
            self.found[epsilon, kind] = self._measure(epsilon, kind)
        return self.found[epsilon, kind]

    @torch.inference_mode()
    def _measure(self, epsilon: float, kind: str) -> Step:
        generator = self.generators[kind]
        dtype = next(generator.parameters()).dtype
        protocol = replace(self.protocol, epsilon=epsilon, quantise=kind == "grey levels")
        a, b, t = (each.to(dtype) for each in (self.z_0, self.z_1, self.t))
        drawn: list[Tensor] = []

        def kept(latents: Tensor) -> Tensor:
            drawn.append(generator(latents))
            return drawn[-1]

        def apart(x: Tensor, y: Tensor) -> Tensor:
            distance = lpips.load("alex", str(x.device), dtype)
            return distance(seen(x, protocol), seen(y, protocol))

        speeds = squared_speeds(kept, apart, a, b, t, epsilon, between=latent.slerp)
        try:
            path_lengths(generator, a[:2], b[:2], t[:2], protocol=protocol)
            refused = ""
        except ValueError as error:
            refused = str(error)
        images = drawn[0][:: len(a)].float().cpu()  # of the first path: its image, then its partner
        return Step(speeds.double().cpu(), images, refused)


# ---------------------------------------------------------------- pictures


def film_frame(films: Sequence[Film], now: Sequence[Tensor], t: float, cell: int = 52, large: int = 104) -> Image.Image:
    """The image at t on each way, beside all images along it; under them the steps and the norms, with a line at t.

    now: for each film the image (1, C, H, W) at t
    """
    count, gap, head, below = len(films[0].images), 4, 18, 178
    width = large + 14 + count * (cell + gap)
    height = len(films) * (large + head + gap) + below
    picture = Image.new("RGB", (width, height), MIDDLE)
    pen = ImageDraw.Draw(picture)
    for row, (each, image) in enumerate(zip(films, now)):
        top = row * (large + head + gap)
        pen.text((2, top + 2), f"{each.name}, at t = {t:.2f}", fill=COLOURS[row], font_size=13)
        pen.text((large + 14, top + 2), f"t = 0 to 1 in {count - 1} steps", fill=INK, font_size=13)
        picture.paste(_enlarged(image, large), (0, top + head))
        middle = top + head + (large - cell) // 2
        for index, frame in enumerate(each.images):
            picture.paste(_enlarged(frame[None], cell), (large + 14 + index * (cell + gap), middle))
        at = large + 14 + t * (count - 1) * (cell + gap) + cell / 2
        pen.polygon([(at, middle - 3), (at - 5, middle - 11), (at + 5, middle - 11)], fill=COLOURS[row])
    top, half = height - below + 6, width // 2
    middles = [(index + 0.5) / (count - 1) for index in range(count - 1)]
    lines = [(middles, each.steps.tolist()) for each in films]
    curve_panel(pen, (0, top, half - 8, height), "LPIPS of each step", lines, cursor=t, x_ticks=TENTHS)
    places = [index / (count - 1) for index in range(count)]
    lines = [(places, each.norms.tolist()) for each in films]
    curve_panel(pen, (half + 8, top, width, height), "norm of the latent", lines, cursor=t, x_ticks=TENTHS)
    return picture


def step_frame(speeds: Speeds, epsilon: float, kind: str, side: int = 120, width: int = 760) -> Image.Image:
    """Both images of one step and their difference, stretched; beside them d/ε² over ε, as far as it was asked for."""
    height, left = 3 * (side + 20), side + 24
    picture = Image.new("RGB", (width, height), MIDDLE)
    pen = ImageDraw.Draw(picture)
    first, second = speeds.at(epsilon, kind).images
    if kind == "grey levels":
        first, second = (each.add(1).mul(127.5).round().div(127.5).sub(1) for each in (first, second))
    gap = (second - first).abs()
    largest = gap.max().item()
    difference = 2 * gap / largest - 1 if largest else gap - 1
    told = f"difference, x {2 / largest:.2g}" if largest else "difference: none"
    for row, (text, image) in enumerate((("G(u(t))", first), ("G(u(t + epsilon))", second), (told, difference))):
        pen.text((2, row * (side + 20) + 2), text, fill=INK, font_size=13)
        picture.paste(_enlarged(image[None], side), (0, row * (side + 20) + 18))
    lines = []
    for each in KINDS:
        visited = sorted(e for e, k in speeds.found if k == each)
        lines.append(([math.log10(e) for e in visited], [speeds.at(e, each).speeds.mean().item() for e in visited]))
    exponents = range(math.floor(min(x for xs, _ in lines for x in xs)), 1)
    curve_panel(
        pen,
        (left, 0, width, height),
        f"mean of d / epsilon^2 over {len(speeds.t)} paths, over epsilon",
        lines,
        cursor=math.log10(epsilon),
        x_ticks={float(k): f"1e{k}" if k else "1" for k in exponents},
        names=KINDS,
        log_y=True,
    )
    return picture


TENTHS = {0.0: "0", 0.25: "0.25", 0.5: "0.5", 0.75: "0.75", 1.0: "1"}


def curve_panel(
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    title: str,
    lines: Sequence[tuple[Sequence[float], Sequence[float]]],
    *,
    cursor: float,
    x_ticks: dict[float, str],
    names: Sequence[str] = (),
    log_y: bool = False,
) -> None:
    """Up to three lines with marks (circle, diamond, square), an axis from 0 or logarithmic, and a line at the cursor."""
    left, top, right, bottom = box
    pen.text((left + 2, top), title, fill=INK, font_size=13)
    inner = (left + 46, top + 22 + (18 if names else 0), right - 10, bottom - 20)
    values = [y for _, ys in lines for y in ys if math.isfinite(y) and (y > 0 or not log_y)] or [1.0]
    low, high = min(values), max(values)
    scale = math.log10 if log_y else float
    if log_y:
        low, high = 10 ** math.floor(math.log10(low) - 0.05), 10 ** math.ceil(math.log10(high) + 0.05)
        ticks = [10.0**k for k in range(round(math.log10(low)), round(math.log10(high)) + 1)]
        ticks = ticks[:: -(-len(ticks) // 8)]
    else:
        low, high = 0.0, high or 1.0
        unit = 10 ** math.floor(math.log10(high))
        unit = next(unit * k for k in (0.2, 0.5, 1, 2, 5) if high / (unit * k) <= 5)
        high = unit * math.ceil(1.02 * high / unit)
        ticks = [unit * k for k in range(round(high / unit) + 1)]
    x_low, x_high = min(x_ticks), max(x_ticks)

    def place(x: float, y: float) -> tuple[float, float]:
        share = (scale(y) - scale(low)) / (scale(high) - scale(low))
        across = (x - x_low) / (x_high - x_low)
        return inner[0] + across * (inner[2] - inner[0]), inner[3] - min(1.0, max(0.0, share)) * (inner[3] - inner[1])

    for tick in ticks:
        y = place(x_low, tick)[1]
        pen.line((inner[0], y, inner[2], y), fill=(220, 220, 220))
        pen.text((inner[0] - 4, y), f"{tick:g}", fill=INK, font_size=11, anchor="rm")
    for tick, word in x_ticks.items():
        x = place(tick, high)[0]
        pen.line((x, inner[3], x, inner[3] + 4), fill=INK)
        pen.text((x, bottom - 2), word, fill=INK, font_size=11, anchor="ms")
    pen.line((inner[0], inner[3], inner[2], inner[3]), fill=INK)
    x = place(cursor, high)[0]
    pen.line((x, inner[1], x, inner[3]), fill=INK, width=2)
    for index, ((xs, ys), colour) in reversed(list(enumerate(zip(lines, COLOURS)))):  # the first one on top
        points = [place(x, y) for x, y in zip(xs, ys) if math.isfinite(y) and (y > 0 or not log_y)]
        if len(points) > 1:
            pen.line(points, fill=colour, width=2, joint="curve")
        for x, y in points:
            _mark(pen, x, y, index, colour)
        if index < len(names):
            at = inner[0] + index * (inner[2] - inner[0]) / 3
            _mark(pen, at + 5, top + 30, index, colour)
            pen.text((at + 14, top + 23), names[index], fill=colour, font_size=13)


def _mark(pen: ImageDraw.ImageDraw, x: float, y: float, index: int, colour: tuple, reach: float = 4) -> None:
    if index == 0:
        near = 0.8 * reach  # a circle on top of a diamond leaves its corners to be seen
        pen.ellipse((x - near, y - near, x + near, y + near), fill=colour)
    elif index == 1:
        far = 1.4 * reach
        pen.polygon(((x, y - far), (x + far, y), (x, y + far), (x - far, y)), fill=colour)
    else:
        pen.rectangle((x - reach, y - reach, x + reach, y + reach), fill=colour)


def _enlarged(image: Tensor, side: int) -> Image.Image:
    return Image.fromarray(plots.tile(image, 1)).resize((side, side), Image.Resampling.NEAREST)
