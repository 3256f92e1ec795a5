"""Epsilon explorer: how long a step must be for a path length to mean something, and how short it may be."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import ways
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded

LONGEST, SHORTEST, STEP = 0.0, -6.0, 0.5  # exponents of ten


class EpsilonExplorer(Picture):
    """One step of a path at its two ends, and the mean of d/ε² over ε, in float32, in float64 and on grey levels.

    Places of the curve are computed when the slider visits them and stay; .fill (a button) computes all of them.
    Parts: .exponent (of ten), .shown (whose two images are shown), .numbers, .speeds (a `ways.Speeds`)
    """

    def __init__(self, generator: torch.nn.Module, paths: int = 8, seed: int = 0):
        super().__init__(760, 420, "course-smooth")
        self.speeds = ways.Speeds(generator.eval(), paths, seed)
        wide = w.Layout(width="30em")
        self.exponent = w.FloatSlider(
            -2.0, min=SHORTEST, max=LONGEST, step=STEP, description="ε, power of ten", readout_format=".1f", layout=wide
        )
        self.shown = w.Dropdown(options=ways.KINDS, description="images in", layout=w.Layout(width="17em"))
        self.fill = w.Button(description="the whole curve", layout=w.Layout(width="max-content"))
        self.exponent.style.description_width = "9em"
        self.numbers = w.HTML()
        for part in (self.exponent, self.shown):
            part.observe(self._draw, "value")
        self.fill.on_click(self._fill)
        self.children = [
            self.style_tag,
            w.HBox([self.exponent, self.shown, self.fill], layout=w.Layout(flex_flow="row wrap")),
            self.image,
            self.numbers,
            self.status,
        ]
        self._draw()

    @guarded
    def _draw(self):
        self._show()

    @guarded
    def _fill(self):
        exponent = SHORTEST
        while exponent <= LONGEST:
            for kind in ways.KINDS:
                self.speeds.at(10**exponent, kind)
            exponent += STEP
        self._show()

    def _show(self) -> None:
        epsilon = 10**self.exponent.value
        found = {kind: self.speeds.at(epsilon, kind) for kind in ways.KINDS}
        exact = found["float64"].speeds.mean()
        self.image.value = png(ways.step_frame(self.speeds, epsilon, self.shown.value))
        self.numbers.value = table(
            [
                (
                    kind,
                    f"{each.speeds.mean():.4g}",
                    f"{each.speeds.mean() / exact:.3g}",
                    each.refused.split(",")[0] if each.refused else "measured",
                )
                for kind, each in found.items()
            ],
            head=["images in", "mean of d/ε²", "over float64's", "the library"],
        )
        told = ", ".join(f"{kind} {each.speeds.mean():.4g}" for kind, each in found.items())
        self.status.value = f"ε = 10^{self.exponent.value:.1f}: {told}"
