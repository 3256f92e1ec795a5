"""Covariance ellipse: two deviations and a correlation under your hand, and the distance to a second normal."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import canvas, metrics, runtime
from course_lib.data.normals import Normal, covariance_2d
from course_lib.widgets.frames import Picture, guarded

EXTENT = 5.0
POINTS = 400
TARGET = (1.6, 0.8, 0.6)  # deviations and correlation of the normal that is drawn dashed


class CovarianceEllipse(Picture):
    """Points of N(0, Σ) with their covariance ellipse, and the Fréchet distance to a dashed one.

    target: standard deviations and correlation of the dashed normal;  seed: of the points, which stay the same noise

    Parts, each driven by plain Python too: .std_x, .std_y, .correlation, .reset; .normal is what is shown, .target
    the dashed one, .distance the squared Fréchet distance between them.
    """

    def __init__(self, target: tuple[float, float, float] = TARGET, seed: int = 0):
        super().__init__(440, 440, "course-smooth")
        self.noise = torch.randn(POINTS, 2, generator=runtime.keyed_generator("cpu", seed, "ellipse"))
        self.target = Normal(torch.zeros(2, dtype=torch.float64), covariance_2d(*target))
        wide = w.Layout(width="26em")
        self.std_x = w.FloatSlider(1.0, min=0, max=2.5, step=0.05, description="std of x", layout=wide)
        self.std_y = w.FloatSlider(1.0, min=0, max=2.5, step=0.05, description="std of y", layout=wide)
        self.correlation = w.FloatSlider(0.0, min=-1, max=1, step=0.05, description="correlation", layout=wide)
        self.reset = w.Button(description="start over", tooltip="a circle again")
        self.reset.on_click(self._start_over)
        for part in (self.std_x, self.std_y, self.correlation):
            part.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HBox(
                [self.image, w.VBox([self.std_x, self.std_y, self.correlation, self.reset])],
                layout=w.Layout(flex_flow="row wrap"),
            ),
            self.status,
        ]
        self._draw()

    @property
    def normal(self) -> Normal:
        """The normal distribution that the sliders say."""
        sigma = covariance_2d(self.std_x.value, self.std_y.value, self.correlation.value)
        return Normal(torch.zeros(2, dtype=torch.float64), sigma)

    @property
    def distance(self) -> float:
        """The squared Fréchet distance to the dashed normal."""
        return metrics.frechet_distance(self.normal.mean, self.normal.cov, self.target.mean, self.target.cov)

    @guarded
    def _draw(self):
        normal = self.normal
        picture = canvas.gaussian_frame(
            normal.place(self.noise), normal.ellipse(), normal.half_axes, self.target.ellipse(), EXTENT
        )
        self.image.value = canvas.png(picture)
        (xx, xy), (_, yy) = normal.cov.tolist()
        small, large = normal.half_axes.square().sum(1).tolist()
        self.status.value = (
            f"covariance matrix [{xx:.2f}, {xy:.2f}; {xy:.2f}, {yy:.2f}] · eigenvalues {large:.2f} and {small:.2f} · "
            f"Fréchet distance to the dashed one d² = {self.distance:.3f}"
        )

    def _start_over(self, _=None):
        with self.hold_trait_notifications():
            self.std_x.value = self.std_y.value = 1.0
            self.correlation.value = 0.0
