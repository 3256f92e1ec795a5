"""Frames of a moving picture, drawn with numpy and Pillow: a few milliseconds each, safe on any thread.

Matplotlib takes 100 ms and more for the same picture (`plots` is for figures that stay).
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

REAL, FAKE = (0, 84, 140), (176, 68, 0)  # Okabe and Ito's blue and vermilion, darkened to stand on their tints
TINT_REAL, TINT_FAKE, MIDDLE = (158, 205, 235), (246, 200, 158), (250, 250, 250)
INK = (40, 40, 40)
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


def _arrow(pen: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], size: int) -> None:
    shaft = np.subtract(end, start)
    length = float(np.hypot(*shaft))
    if length < 1:
        return
    pen.line((start, end), fill=INK, width=2)
    along, head = shaft / length, min(size / 70, length)
    across = np.array([-along[1], along[0]])
    corners = (end, end - head * along + 0.45 * head * across, end - head * along - 0.45 * head * across)
    pen.polygon([tuple(corner) for corner in corners], fill=INK)


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
