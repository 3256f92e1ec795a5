"""A frame of curves with a marker that moves along them, for a slider beside its record: drawn with Pillow, like `canvas`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from course_lib.canvas import FAINT, FAKE, INK, MIDDLE, REAL

GREEN = (0, 110, 80)  # Okabe and Ito's, darkened like the other two
LOOKS = ((REAL, (1, 0)), (FAKE, (9, 5)), (GREEN, (2, 4)))  # colour, dashes on and off
SCALE, LEFT, HEAD, FOOT, RIGHT = 2, 34, 26, 24, 10


def marked_frame(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    at: float,
    *,
    across: str,
    width: int = 360,
    height: int = 280,
) -> Image.Image:
    """Up to three curves from 0 to the largest of 1 and their values, and an upright line at `at`.

    x: ascending;  lines: {name in Latin letters: as many values};  across: name of the axis
    raises: ValueError for no curve, more than three, or one of another length than x
    """
    if not 1 <= len(lines) <= len(LOOKS):
        raise ValueError(f"lines: expected 1 to {len(LOOKS)} curves, got {len(lines)}")
    for name, values in lines.items():
        if len(values) != len(x):
            raise ValueError(f"{name}: expected {len(x)} values like x, got {len(values)}")
    top, first = max(1.0, *(max(values) for values in lines.values())), x[0]
    last = max(x[-1], at, first + 1e-9)
    picture = Image.new("RGB", (SCALE * width, SCALE * height), MIDDLE)
    pen = ImageDraw.Draw(picture)

    def place(value: float, level: float) -> tuple[float, float]:
        return (
            SCALE * (LEFT + (width - LEFT - RIGHT) * (value - first) / (last - first)),
            SCALE * (height - FOOT - (height - HEAD - FOOT) * level / top),
        )

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        pen.line((*place(first, tick), *place(last, tick)), fill=(226, 226, 226), width=SCALE)
        pen.text(place(first, tick), f"{tick:g} ", fill=INK, font_size=SCALE * 11, anchor="rm")
    for step in range(5):
        value = first + (last - first) * step / 4
        pen.text(
            (place(value, 0)[0], SCALE * (height - 6)), f"{value:.2g}", fill=INK, font_size=SCALE * 11, anchor="ms"
        )
    pen.text(
        (SCALE * (width - RIGHT), SCALE * (height - FOOT - 4)), across, fill=INK, font_size=SCALE * 11, anchor="rs"
    )
    pen.line((*place(first, 0), *place(last, 0)), fill=FAINT, width=SCALE)
    key = SCALE * 8
    for (name, values), (colour, (on, off)) in zip(lines.items(), LOOKS):
        points = [place(a, b) for a, b in zip(x, values)]
        _line(pen, points, colour, on, off)
        _line(pen, [(key, SCALE * 12), (key + SCALE * 20, SCALE * 12)], colour, on, off)
        pen.text((key + SCALE * 24, SCALE * 12), name, fill=colour, font_size=SCALE * 12, anchor="lm")
        key += SCALE * 34 + pen.textlength(name, font_size=SCALE * 12)
    pen.line((*place(at, 0), *place(at, top)), fill=INK, width=SCALE)
    return picture.reduce(SCALE)


def _line(pen: ImageDraw.ImageDraw, points, colour, on: int, off: int) -> None:
    """A polyline, dashed along its length if `off` is not 0."""
    if off == 0:
        pen.line(points, fill=colour, width=2 * SCALE, joint="curve")
        return
    gone = 0.0
    for (x, y), (u, v) in zip(points, points[1:]):
        length, done = max(((u - x) ** 2 + (v - y) ** 2) ** 0.5, 1e-6), 0.0
        while done < length:
            phase = gone % (SCALE * (on + off))
            part = max(min((SCALE * on if phase < SCALE * on else SCALE * (on + off)) - phase, length - done), 0.5)
            if phase < SCALE * on:
                a, b = done / length, min((done + part) / length, 1.0)
                pen.line(
                    (x + a * (u - x), y + a * (v - y), x + b * (u - x), y + b * (v - y)), fill=colour, width=2 * SCALE
                )
            done, gone = done + part, gone + part
