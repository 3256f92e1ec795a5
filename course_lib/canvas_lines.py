"""Frames of curves with axes, for widgets that change them often: drawn with Pillow in milliseconds, like `canvas`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from course_lib.canvas import FAINT, FAKE, INK, MIDDLE, REAL

SCALE = 2  # drawn twice as large: Pillow's lines have hard edges
LEFT, HEAD, FOOT = 46, 40, 22  # room for the numbers, the title with its key, the numbers of the axis


@dataclass(frozen=True)
class Panel:
    """One panel of `lines_frame`: what it says above itself, and two curves over a common x.

    x:    ascending;  blue, orange: as many values, the second drawn dashed;  names: of the two, in Latin letters
    log:  whether heights are logarithmic; values below `floor` are drawn at it
    """

    title: str
    x: Sequence[float]
    blue: Sequence[float]
    orange: Sequence[float]
    names: tuple[str, str]
    log: bool = False
    floor: float = 1e-12


def lines_frame(panels: Sequence[Panel], width: int = 250, height: int = 230) -> Image.Image:
    """Panels side by side, (width · panels, height), each within the extent of its own curves.

    raises: ValueError if a curve is not as long as its x, or has no point
    """
    picture = Image.new("RGB", (SCALE * width * len(panels), SCALE * height), MIDDLE)
    for column, panel in enumerate(panels):
        for name, values in zip(panel.names, (panel.blue, panel.orange)):
            if len(values) != len(panel.x) or not values:
                raise ValueError(f"{name}: expected {len(panel.x)} values like x, at least one, got {len(values)}")
        picture.paste(_panel(panel, width, height), (SCALE * width * column, 0))
    return picture.reduce(SCALE)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers between low and high: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _panel(panel: Panel, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (SCALE * width, SCALE * height), MIDDLE)
    pen = ImageDraw.Draw(image)

    def measure(value: float) -> float:
        return math.log10(max(value, panel.floor)) if panel.log else value

    heights = [measure(value) for value in (*panel.blue, *panel.orange)]
    low, high = min(heights), max(heights)
    if panel.log:
        low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin
    first, last = panel.x[0], max(panel.x[-1], panel.x[0] + 1)

    def across(x: float) -> float:
        return SCALE * (LEFT + (width - LEFT - 10) * (x - first) / (last - first))

    def up(level: float) -> float:
        return SCALE * (HEAD + (height - HEAD - FOOT) * (high - level) / (high - low))

    pen.text((SCALE * 6, SCALE * 4), panel.title, fill=INK, font_size=SCALE * 13)
    at = SCALE * 6
    for name, colour, dashed in zip(panel.names, (REAL, FAKE), (False, True)):
        _line(pen, [(at, SCALE * 29), (at + SCALE * 18, SCALE * 29)], colour, dashed)
        pen.text((at + SCALE * 22, SCALE * 29), name, fill=colour, font_size=SCALE * 11, anchor="lm")
        at += SCALE * 34 + pen.textlength(name, font_size=SCALE * 11)
    levels = ticks(low, high) if not panel.log else range(math.ceil(low), math.floor(high) + 1)
    for level in levels if len(levels) <= 7 else [each for each in levels if each % -(-len(levels) // 6) == 0]:
        pen.line((across(first), up(level), across(last), up(level)), fill=(226, 226, 226), width=SCALE)
        said = f"{10.0**level:g}" if panel.log else f"{level:,g}"
        pen.text((SCALE * (LEFT - 5), up(level)), said, fill=INK, font_size=SCALE * 10, anchor="rm")
    for x in ticks(first, last, 3):
        pen.line((across(x), up(low), across(x), up(low) + SCALE * 3), fill=FAINT, width=SCALE)
        pen.text((across(x), SCALE * (height - 3)), f"{x:,g}", fill=INK, font_size=SCALE * 10, anchor="ms")
    pen.line((across(first), up(low), across(last), up(low)), fill=FAINT, width=SCALE)
    for values, colour, dashed in ((panel.blue, REAL, False), (panel.orange, FAKE, True)):
        points = [(across(x), up(measure(value))) for x, value in zip(panel.x, values)]
        _line(pen, points if len(points) > 1 else points * 2, colour, dashed)
    return image


def _line(pen: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour, dashed: bool) -> None:
    """A polyline; dashed by length along it, so that a steep part is as dashed as a flat one."""
    if not dashed:
        pen.line(points, fill=colour, width=SCALE + 1, joint="curve")
        return
    on, off, travelled = SCALE * 7, SCALE * 3, 0.0
    for (x, y), (u, v) in zip(points, points[1:]):
        length, done = math.hypot(u - x, v - y), 0.0
        while done < length:
            place = travelled % (on + off)
            part = min((on if place < on else on + off) - place, length - done)
            part = max(part, 1e-3)
            if place < on:
                a, b = done / length, (done + part) / length
                pen.line(
                    (x + a * (u - x), y + a * (v - y), x + b * (u - x), y + b * (v - y)), fill=colour, width=SCALE + 1
                )
            done, travelled = done + part, travelled + part
