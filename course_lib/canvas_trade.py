"""The trade-off curve of a slider: everything that stands still is drawn once, the moving point each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from course_lib.canvas import FAINT, FAKE, INK, MIDDLE, REAL

SCALE = 2  # drawn twice as large: Pillow's lines have hard edges
LEFT, RIGHT, TOP, FOOT = 40, 14, 26, 36
LINES = ((REAL, 0), (FAKE, 9), (INK, 3))  # colour and length of dashes, 0 for none


class TradeFrame:
    """Two panels: fidelity over diversity as one line, and each measure over the knob.

    plane:  (diversity, fidelity) in the order of the knob, each from 0 to 1;  words: beside those points, or ""
    knob:   values, ascending;  lines: up to three measures over it, each from 0 to 1, in Latin letters
    names:  of the plane's axes and of the knob
    raises: ValueError if the numbers of points differ or there are fewer than two
    """

    def __init__(
        self,
        plane: Sequence[tuple[float, float]],
        words: Sequence[str],
        knob: Sequence[float],
        lines: Mapping[str, Sequence[float]],
        names: tuple[str, str, str] = ("coverage", "precision", "threshold"),
        size: int = 280,
    ):
        lengths = {len(plane), len(words), len(knob), *map(len, lines.values())}
        if len(lengths) != 1 or min(lengths) < 2:
            raise ValueError(
                f"plane, words, knob, lines: expected the same number of points, at least 2, got {lengths}"
            )
        self.size, self.ends = size, (knob[0], knob[-1])
        self.still = Image.new("RGB", (2 * size, size), MIDDLE)
        large = Image.new("RGB", (2 * SCALE * size, SCALE * size), MIDDLE)
        pen = ImageDraw.Draw(large)
        across, up, over = names
        self._axes(pen, 0, across, up, [0, 0.5, 1], (0.0, 1.0))
        step = 1 if self.ends[1] - self.ends[0] > 1.5 else 0.25
        marks = [number * step for number in range(int(self.ends[1] / step) + 1) if number * step >= self.ends[0]]
        self._axes(pen, 1, over, "", marks, self.ends)
        points = [self._place(0, x, y) for x, y in plane]
        pen.line(points, fill=REAL, width=2 * SCALE, joint="curve")
        for (x, y), word in zip(points, words):
            pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=REAL)
            pen.text((x + 10, y - 16), word, fill=INK, font_size=SCALE * 11, anchor="lm")
        for row, ((name, values), (colour, dash)) in enumerate(zip(lines.items(), LINES)):
            _dashed(pen, [self._place(1, x, y) for x, y in zip(self._shares(knob), values)], colour, SCALE * dash)
            at = SCALE * (size + LEFT + 78 * row)
            _dashed(pen, [(at, SCALE * 14), (at + SCALE * 18, SCALE * 14)], colour, SCALE * dash)
            pen.text((at + SCALE * 21, SCALE * 14), name, fill=colour, font_size=SCALE * 11, anchor="lm")
        self.still = large.reduce(SCALE)

    def at(self, diversity: float, fidelity: float, knob: float) -> Image.Image:
        """The frame with the point there: (2·size, size)."""
        picture = self.still.copy()
        pen = ImageDraw.Draw(picture)
        x, y = (value / SCALE for value in self._place(0, diversity, fidelity))
        pen.ellipse((x - 7, y - 7, x + 7, y + 7), outline=FAKE, width=3)
        share = self._shares([min(max(knob, self.ends[0]), self.ends[1])])[0]
        (x, top), (_, foot) = ((a / SCALE, b / SCALE) for a, b in (self._place(1, share, 1), self._place(1, share, 0)))
        pen.line((x, top, x, foot), fill=FAKE, width=2)
        return picture

    def _shares(self, knob: Sequence[float]) -> list[float]:
        return [(value - self.ends[0]) / (self.ends[1] - self.ends[0]) for value in knob]

    def _place(self, panel: int, x: float, y: float) -> tuple[float, float]:
        wide, tall = self.size - LEFT - RIGHT, self.size - TOP - FOOT
        return SCALE * (panel * self.size + LEFT + wide * x), SCALE * (TOP + tall * (1 - min(max(y, 0.0), 1.05)))

    def _axes(self, pen, panel: int, across: str, up: str, marks: Sequence[float], ends: tuple[float, float]) -> None:
        for level in (0, 0.25, 0.5, 0.75, 1):
            (left, y), (right, _) = self._place(panel, 0, level), self._place(panel, 1, level)
            pen.line((left, y, right, y), fill=(226, 226, 226), width=SCALE)
            pen.text((left - 8, y), f"{level:g}", fill=INK, font_size=SCALE * 10, anchor="rm")
        for mark in marks:
            x, y = self._place(panel, (mark - ends[0]) / (ends[1] - ends[0]), 0)
            pen.line((x, y, x, y + 8), fill=FAINT, width=SCALE)
            pen.text((x, y + 12), f"{mark:g}", fill=INK, font_size=SCALE * 10, anchor="mt")
        x, y = self._place(panel, 0.5, 0)
        pen.text((x, y + SCALE * 18), across, fill=INK, font_size=SCALE * 11, anchor="mt")
        pen.text((self._place(panel, 0, 1)[0], SCALE * 14), up, fill=INK, font_size=SCALE * 11, anchor="lm")


def _dashed(pen, points: Sequence[tuple[float, float]], colour, dash: float) -> None:
    """A line of several pieces, in dashes of that length; 0 draws it through."""
    if not dash:
        pen.line(points, fill=colour, width=2 * SCALE, joint="curve")
        return
    travelled = 0.0
    for (x, y), (u, v) in zip(points, points[1:]):
        length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
        done = 0.0
        while done < length:
            part = min(dash - travelled % dash, length - done)
            if int(travelled / dash) % 2 == 0:
                a, b = done / length, (done + part) / length
                pen.line(
                    (x + a * (u - x), y + a * (v - y), x + b * (u - x), y + b * (v - y)), fill=colour, width=2 * SCALE
                )
            done, travelled = done + part, travelled + part + 1e-6
