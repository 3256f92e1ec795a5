"""Neighbour balls: what precision, recall, density and coverage count, on points that can be counted by eye."""

from __future__ import annotations

import ipywidgets as w

from course_lib import canvas, metrics
from course_lib.data import crowds
from course_lib.exercises.cards import table
from course_lib.metrics.manifold import in_manifold
from course_lib.widgets.frames import Picture, guarded

EXTENT = 3.2  # of the plane that is shown
SIZE = 380


class NeighbourBalls(Picture):
    """A ring of real points and a faulty generator's, each over the other's balls, and the four shares.

    Left: the balls of the real points and the fakes over them (precision). Right: the fakes' balls and the real
    points over them (recall). Parts: .k, .outlier (which set has it), .at (where it is), .dropped, .spread,
    .home (a button), .numbers and .image.
    """

    def __init__(self, count: int = 36, seed: int = 0):
        super().__init__(2 * SIZE, SIZE, "course-smooth")
        self.count, self.seed = count, seed
        wide = w.Layout(width="24em")
        self.k = w.IntSlider(3, min=1, max=10, description="k", layout=wide)
        self.dropped = w.IntSlider(0, min=0, max=crowds.MODES - 1, description="humps dropped", layout=wide)
        self.spread = w.FloatSlider(1.0, min=0.0, max=4.0, step=0.1, description="spread of fakes", layout=wide)
        self.at = w.FloatSlider(crowds.HOME, min=-3.0, max=3.0, step=0.1, description="outlier at", layout=wide)
        self.outlier = w.Dropdown(options=["real", "fake"], description="the outlier is", layout=wide)
        self.home = w.Button(description="start over", tooltip="all sliders back")
        for part in (self.k, self.dropped, self.spread, self.at, self.outlier):
            part.style.description_width = "8em"
        self.numbers = w.HTML()
        self._controls = (self.k, self.dropped, self.spread, self.at, self.outlier)
        self._start = [part.value for part in self._controls]
        for part in self._controls:
            part.observe(self._draw, "value")
        self.home.on_click(self._go_home)
        half = w.Layout(width=f"{SIZE}px")
        self.children = [
            self.style_tag,
            w.HBox(
                [
                    w.HTML("<b>precision</b>: generated ◆ in the balls of the real", layout=half),
                    w.HTML("<b>recall</b>: real ● in the balls of the generated", layout=half),
                ]
            ),
            self.image,
            w.HBox([w.VBox([*self._controls, self.home]), self.numbers], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    @guarded
    def _draw(self):
        k = self.k.value
        real, fake = crowds.ring_pair(
            self.count,
            dropped=self.dropped.value,
            spread=self.spread.value,
            outlier_at=self.at.value,
            outlier=self.outlier.value,
            seed=self.seed,
        )
        real_radii, fake_radii = metrics.neighbour_radii(real, k), metrics.neighbour_radii(fake, k)
        fake_in, real_in = in_manifold(fake, real, real_radii), in_manifold(real, fake, fake_radii)
        self.found = metrics.prdc(real=real, fake=fake, k=k, strict=False, real_radii=real_radii, fake_radii=fake_radii)
        self.image.value = canvas.png(
            canvas.balls_frame(real, fake, real_radii, fake_radii, fake_in, real_in, EXTENT, SIZE)
        )
        n = self.count
        self.numbers.value = table(
            [
                ("precision", f"{self.found.precision:.2f}", f"{int(fake_in.sum())} of {n} generated inside"),
                ("recall", f"{self.found.recall:.2f}", f"{int(real_in.sum())} of {n} real inside"),
                ("density", f"{self.found.density:.2f}", f"real balls around a generated point, over k = {k}"),
                (
                    "coverage",
                    f"{self.found.coverage:.2f}",
                    f"{round(self.found.coverage * n)} of {n} real balls are not empty",
                ),
            ]
        )
        self.status.value = (
            f"k {k}, {self.dropped.value} humps dropped, spread {self.spread.value:.1f}, "
            f"{self.outlier.value} outlier at {self.at.value:.1f}; filled: inside, crossed: outside"
        )

    def _go_home(self, _=None):
        for part, value in zip(self._controls, self._start):
            part.value = value
