"""Frames of a moving picture, drawn with numpy and Pillow: a few milliseconds each, safe on any thread.

Matplotlib takes 100 ms and more for the same picture (`plots` is for figures that stay).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

REAL, FAKE = (0, 84, 140), (176, 68, 0)  # Okabe and Ito's blue and vermilion, darkened to stand on their tints
TINT_REAL, TINT_FAKE, MIDDLE = (158, 205, 235), (246, 200, 158), (250, 250, 250)
INK, FAINT = (40, 40, 40), (190, 190, 190)
RIM = (90, 150, 190)  # around a point of a cloud: lighter than the line through it
ARROW = 0.4  # units of the plane for a gradient of 1


def game_frame(
    surface: Tensor, real: Tensor, fake: Tensor, pull: tuple[Tensor, Tensor] | None, extent: float, size: int = 640
) -> Image.Image:
    """One moment of a game in the plane, as it looks from above.

    surface: (n, n) probabilities of "real", row 0 at the top; blue where D says real, orange where it says fake,
             a dark line where it is undecided
    real:    (N, 2), drawn as circles;  fake: (M, 2), drawn as diamonds;  both within [−extent, extent] to be seen
    pull:    (points (K, 2), arrows (K, 2)): drawn from each point at ARROW times its length, at most a tenth of the
             picture, so that a gradient that dies is seen to die
    """
    picture = Image.fromarray(_tinted(surface.numpy(), size))
    pen = ImageDraw.Draw(picture)
    scale = size / (2 * extent)

    def place(points: Tensor) -> list[tuple[float, float]]:
        return [((x + extent) * scale, (extent - y) * scale) for x, y in points.tolist()]

    dot, diamond = size / 160, size / 110
    for x, y in place(real):
        pen.ellipse((x - dot, y - dot, x + dot, y + dot), outline=REAL, width=2)
    if pull is not None:
        points, arrows = pull
        length = arrows.norm(dim=1, keepdim=True).clamp(min=1e-12)
        drawn = arrows / length * (ARROW * length).clamp(max=0.2 * extent)
        for start, end in zip(place(points), place(points + drawn)):
            _arrow(pen, start, end, size)
    for x, y in place(fake):
        pen.polygon(((x, y - diamond), (x + diamond, y), (x, y + diamond), (x - diamond, y)), fill=FAKE)
    return picture


def gaussian_frame(
    points: Tensor, ellipse: Tensor, half_axes: Tensor, other: Tensor, extent: float, size: int = 640
) -> Image.Image:
    """A cloud of points with its covariance ellipse, and a second ellipse to compare it with.

    points:    (N, 2), drawn as small circles;  ellipse: (n, 2), a closed line in the same colour, drawn through
    half_axes: (2, 2), drawn both ways from the ellipse's middle;  other: (m, 2), a dashed line in the second colour
    extent:    the picture shows [−extent, extent] both ways, with a line at every whole number, zero darker
    """
    picture = Image.new("RGB", (size, size), MIDDLE)
    pen = ImageDraw.Draw(picture)
    scale = size / (2 * extent)

    def place(rows: Tensor) -> list[tuple[float, float]]:
        return [((x + extent) * scale, (extent - y) * scale) for x, y in rows.tolist()]

    for number in sorted(range(-int(extent), int(extent) + 1), key=lambda each: each == 0):
        colour, at = ((150, 150, 150) if number == 0 else (224, 224, 224)), (number + extent) * scale
        pen.line(((at, 0), (at, size)), fill=colour)
        pen.line(((0, at), (size, at)), fill=colour)
        if number:
            pen.text((at + 4, size / 2 + 3), f"{number}", fill=INK, font_size=size // 40)
            pen.text((size / 2 + 5, size - at + 2), f"{number}", fill=INK, font_size=size // 40)
    pen.text((size - size // 28, size / 2 - size // 26), "x", fill=INK, font_size=size // 30)
    pen.text((size / 2 - size // 34, 4), "y", fill=INK, font_size=size // 30)
    dot = size / 200
    for x, y in place(points):
        pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=TINT_REAL, outline=RIM)
    for start, end in _dashes(place(other)):
        pen.line((start, end), fill=FAKE, width=max(2, size // 160))
    middle = (ellipse[:-1] if len(ellipse) > 1 else ellipse).mean(0)
    for axis in half_axes:
        pen.line(place(middle + axis[None] * axis.new_tensor([[-1.0], [1.0]])), fill=INK, width=max(2, size // 220))
    pen.line(place(ellipse), fill=REAL, width=max(2, size // 130), joint="curve")
    return picture


def _dashes(corners: Sequence[tuple[float, float]], on: int = 2, off: int = 2) -> list[tuple]:
    """Pairs of neighbouring corners, `on` of them kept and `off` left out, again and again."""
    return [pair for number, pair in enumerate(zip(corners, corners[1:])) if number % (on + off) < on]


def _tinted(probability: np.ndarray, size: int) -> np.ndarray:
    """Probabilities as a (size, size, 3) uint8 picture, with the line where they cross ½."""
    sure = np.clip(2 * probability - 1, -1, 1)[..., None]
    middle, real, fake = (np.array(colour, np.float32) for colour in (MIDDLE, TINT_REAL, TINT_FAKE))
    tints = middle + np.maximum(sure, 0) * (real - middle) + np.maximum(-sure, 0) * (fake - middle)
    picture = np.array(_enlarged(np.rint(tints).astype(np.uint8), size))
    side = np.asarray(_enlarged(probability.astype(np.float32), size)) > 0.5
    edge = np.zeros_like(side)
    edge[:, 1:] |= side[:, 1:] != side[:, :-1]
    edge[1:] |= side[1:] != side[:-1]
    picture[edge] = 120
    return picture


def _enlarged(values: np.ndarray, size: int) -> Image.Image:
    return Image.fromarray(values).resize((size, size), Image.Resampling.BICUBIC)


def _arrow(
    pen: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], size: int, colour=INK
) -> None:
    shaft = np.subtract(end, start)
    length = float(np.hypot(*shaft))
    if length < 1:
        return
    pen.line((start, end), fill=colour, width=2)
    along, head = shaft / length, min(size / 70, length)
    across = np.array([-along[1], along[0]])
    corners = (end, end - head * along + 0.45 * head * across, end - head * along - 0.45 * head * across)
    pen.polygon([tuple(corner) for corner in corners], fill=colour)


def balls_frame(
    real: Tensor,
    fake: Tensor,
    real_radii: Tensor,
    fake_radii: Tensor,
    fake_inside: Tensor,
    real_inside: Tensor,
    extent: float,
    size: int = 400,
) -> Image.Image:
    """Two looks at one plane, side by side: the fakes over the balls of the real points, the real over the fakes' balls.

    real, fake:               (N, 2) and (M, 2), shown where they lie within [−extent, extent]; circles and diamonds
    real_radii, fake_radii:   (N,) and (M,), radii of their balls
    fake_inside, real_inside: (M,) and (N,) booleans; who is inside is filled, who is outside is hollow with a cross
    size:                     of one look, in pixels; the picture is (2·size, size)
    """
    looks = (
        (real, real_radii, TINT_REAL, REAL, fake, fake_inside, FAKE, "diamond"),
        (fake, fake_radii, TINT_FAKE, FAKE, real, real_inside, REAL, "circle"),
    )
    picture = Image.new("RGB", (4 * size, 2 * size), MIDDLE)  # drawn twice as large: Pillow's circles have hard edges
    for column, (centres, radii, tint, rim, points, inside, colour, shape) in enumerate(looks):
        look = Image.new("RGB", (2 * size, 2 * size), MIDDLE)
        pen, scale = ImageDraw.Draw(look), size / extent
        balls = [
            ((x + extent) * scale, (extent - y) * scale, r * scale)
            for (x, y), r in zip(centres.tolist(), radii.tolist())
        ]
        for x, y, r in balls:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=tint)
        for x, y, r in balls:
            pen.ellipse((x - r, y - r, x + r, y + r), outline=rim, width=1)
        for x, y, _ in balls:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=rim)
        for (x, y), is_in in zip(points.tolist(), inside.tolist()):
            _marker(pen, (x + extent) * scale, (extent - y) * scale, size / 40, shape, colour, is_in)
        picture.paste(look, (2 * size * column, 0))
    pen = ImageDraw.Draw(picture)
    pen.line((2 * size, 0, 2 * size, 2 * size), fill=INK, width=4)
    return picture.reduce(2)


def _marker(
    pen: ImageDraw.ImageDraw, x: float, y: float, reach: float, shape: str, colour: tuple, inside: bool
) -> None:
    fill = colour if inside else (255, 255, 255)
    if shape == "circle":
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill, outline=colour, width=3)
    else:
        corners = ((x, y - 1.3 * reach), (x + 1.3 * reach, y), (x, y + 1.3 * reach), (x - 1.3 * reach, y))
        pen.polygon(corners, fill=fill, outline=colour, width=3)
    if not inside:
        arm = 0.5 * reach
        pen.line((x - arm, y - arm, x + arm, y + arm), fill=INK, width=3)
        pen.line((x - arm, y + arm, x + arm, y - arm), fill=INK, width=3)


@dataclass(frozen=True)
class Strip:
    """A panel of `curves_frame`: what it says above itself, the range of its height, its lines over the shared x.

    filled: (n,), tinted down to zero, blue above and orange below;  line: (n,), drawn over it, or None
    share:  of the picture's height, relative to the other strips
    Whatever leaves the range is cut off at its edge.
    """

    title: str
    low: float
    high: float
    filled: Tensor
    line: Tensor | None = None
    share: float = 1.0


def curves_frame(x: Tensor, strips: Sequence[Strip], width: int = 540, height: int = 440) -> Image.Image:
    """Curves over one axis, in strips below each other; the last one carries the numbers of the axis.

    x: (n,) ascending; a strip is as high as its share of all shares. `filled` has a blue rim, `line` is orange.
    """
    scale, head, foot, side = 2, 22, 20, 8  # drawn twice as large: Pillow's lines have hard edges
    picture = Image.new("RGB", (scale * width, scale * height), MIDDLE)
    pen = ImageDraw.Draw(picture)
    left, right = x[0].item(), x[-1].item()
    across = [scale * (side + (width - 2 * side) * (value - left) / (right - left)) for value in x.tolist()]
    free = height - foot - head * len(strips)
    top = 0.0
    for strip in strips:
        pen.text((scale * side, scale * (top + 3)), strip.title, fill=INK, font_size=scale * 13)
        low, high = top + head + free * strip.share / sum(each.share for each in strips), top + head

        def place(values: Tensor, strip=strip, low=low, high=high) -> list[tuple[float, float]]:
            part = ((values - strip.low) / (strip.high - strip.low)).clamp(0, 1)
            return list(zip(across, (scale * (low - (low - high) * part)).tolist()))

        zero = place(torch.zeros(1))[0][1]
        for sign, tint in ((1, TINT_REAL), (-1, TINT_FAKE)):
            area = place((sign * strip.filled).clamp(min=0) * sign)
            pen.polygon([(across[0], zero), *area, (across[-1], zero)], fill=tint)
        pen.line((across[0], zero, across[-1], zero), fill=(170, 170, 170), width=scale)
        pen.line(place(strip.filled), fill=REAL, width=2 * scale, joint="curve")
        if strip.line is not None:
            pen.line(place(strip.line), fill=FAKE, width=2 * scale, joint="curve")
        top = low
    for number in range(math.ceil(left), math.floor(right) + 1):
        at = scale * (side + (width - 2 * side) * (number - left) / (right - left))
        pen.line((at, scale * (height - foot), at, scale * (height - foot + 4)), fill=INK, width=scale)
        pen.text((at, scale * (height - 2)), f"{number}", fill=INK, font_size=scale * 11, anchor="ms")
    return picture.reduce(scale)


@dataclass(frozen=True)
class Look:
    """One panel of `paths_frame`: what it says above itself, and a path in the plane with what belongs to it.

    points: (n, 2), a blue line from a circle to a square;  other: (m, 2), an orange line, dashed, or None
    step:   (k, 2) places → where each goes in one step, drawn as arrows of a common scale, or None
    level:  height of two dotted lines, beyond which no arrow is drawn, or None
    across, up: names of the axes, in Latin letters (the font has no others)
    """

    title: str
    points: Tensor
    other: Tensor | None = None
    step: Callable[[Tensor], Tensor] | None = None
    level: float | None = None
    across: str = "generator"
    up: str = "critic"


def paths_frame(looks: Sequence[Look], size: int = 360) -> Image.Image:
    """Paths in a plane side by side, each within its own extent: (size · looks, size + a line of text).

    A cross marks home, the origin; a dotted circle the distance at which the path began.
    """
    scale, head = 2, 24  # drawn twice as large: Pillow's lines have hard edges
    picture = Image.new("RGB", (scale * size * len(looks), scale * (size + head)), MIDDLE)
    for column, look in enumerate(looks):
        panel = Image.new("RGB", (scale * size, scale * size), MIDDLE)
        pen = ImageDraw.Draw(panel)
        seen = [each for each in (look.points, look.other) if each is not None]
        extent = 1.15 * max(each.abs().max().item() for each in seen)
        unit = scale * size / (2 * extent)

        def place(rows: Tensor, extent=extent, unit=unit) -> list[tuple[float, float]]:
            return [((x + extent) * unit, (extent - y) * unit) for x, y in rows.tolist()]

        middle = scale * size / 2
        pen.line((0, middle, scale * size, middle), fill=(224, 224, 224), width=scale)
        pen.line((middle, 0, middle, scale * size), fill=(224, 224, 224), width=scale)
        if look.step is not None:
            line = torch.linspace(-0.9 * extent, 0.9 * extent, 11, dtype=look.points.dtype)
            upright = line if look.level is None else line[line.abs() <= look.level]
            places = torch.cartesian_prod(line, upright)
            moves = look.step(places) - places
            moves = moves / moves.norm(dim=1).max() * 0.16 * extent
            for start, end in zip(place(places), place(places + moves)):
                _arrow(pen, start, end, scale * size, FAINT)
        angle = torch.linspace(0, 2 * math.pi, 181, dtype=look.points.dtype)
        began = look.points[0].norm() * torch.stack([angle.cos(), angle.sin()], 1)
        lines = (
            []
            if look.level is None
            else [
                torch.stack([angle / math.pi - 1, torch.full_like(angle, height / extent)], 1) * extent
                for height in (look.level, -look.level)
            ]
        )
        for dotted in (began, *lines):
            for start, end in _dashes(place(dotted), on=1, off=1):
                pen.line((start, end), fill=(130, 130, 130), width=scale)
        if len(look.points) > 1:
            pen.line(place(look.points), fill=REAL, width=scale, joint="curve")
        if look.other is not None and len(look.other) > 1:
            for start, end in _dashes(place(look.other), on=4, off=2):
                pen.line((start, end), fill=FAKE, width=2 * scale)
        for points, colour in ((look.points, REAL), (look.other, FAKE)):
            if points is None:
                continue
            (x, y), (u, v) = place(points[:1])[0], place(points[-1:])[0]
            pen.ellipse((x - 9, y - 9, x + 9, y + 9), outline=colour, width=2 * scale)
            pen.rectangle((u - 8, v - 8, u + 8, v + 8), fill=colour)
        pen.line((middle - 12, middle, middle + 12, middle), fill=INK, width=2 * scale)
        pen.line((middle, middle - 12, middle, middle + 12), fill=INK, width=2 * scale)
        pen.text((scale * size - 8, middle + 6), look.across, fill=INK, font_size=scale * 12, anchor="ra")
        pen.text((middle + 8, 4), look.up, fill=INK, font_size=scale * 12)
        pen.text((8, scale * size - 8), f"edge at {extent:.2g}", fill=INK, font_size=scale * 12, anchor="ls")
        picture.paste(panel, (scale * size * column, scale * head))
        top = ImageDraw.Draw(picture)
        top.text((scale * (size * column + 6), scale * 4), look.title, fill=INK, font_size=scale * 13)
        if column:
            top.line((scale * size * column, 0, scale * size * column, scale * (size + head)), fill=INK, width=scale)
    return picture.reduce(scale)


def png(picture: Image.Image | np.ndarray) -> bytes:
    """A picture, or (H, W, 3) uint8, as PNG bytes, at the compression level that costs least time."""
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, format="png", compress_level=1)
    return buffer.getvalue()


def jpeg(picture: Image.Image) -> bytes:
    """A picture as JPEG bytes: a tenth of the time that PNG takes, for frames that pass."""
    buffer = io.BytesIO()
    picture.save(buffer, format="jpeg", quality=88)
    return buffer.getvalue()


def gif(frames: Sequence[Image.Image], milliseconds: int = 80) -> bytes:
    """An animation that repeats. raises: ValueError for no frame at all"""
    if not frames:
        raise ValueError("frames: expected at least one picture, got none")
    palettes = [frame.convert("P", palette=Image.Palette.ADAPTIVE, colors=64) for frame in frames]
    buffer = io.BytesIO()
    palettes[0].save(
        buffer, format="gif", save_all=True, append_images=palettes[1:], duration=milliseconds, loop=0, optimize=False
    )
    return buffer.getvalue()
