"""Moving supports: one heap of samples is pulled along a line; what JSD says of it, what W₁ does, and their best critics."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import canvas, oracle
from course_lib.data import mixtures
from course_lib.exercises.cards import table
from course_lib.oracle.critics import best_critic
from course_lib.widgets.frames import Picture, guarded

REACH = 5.0  # the picture shows [−REACH, REACH]
SIZE = (520, 430)
NUDGE = 0.01  # how far the samples are moved to see a slope


class MovingSupports(Picture):
    """Data around 0, samples around a slider, both of one width: their divergences, and each with its critic.

    Parts: .place and .width (sliders), .numbers; .p (data) and .q (samples) are what is shown, .slopes how fast JSD and
    W₁ change as the samples move to the right.
    """

    def __init__(self, place: float = 3.0, width: float = 0.15):
        super().__init__(*SIZE, "course-smooth")
        wide = w.Layout(width="22em")
        self.place = w.FloatSlider(place, min=-4, max=4, step=0.05, description="samples at", layout=wide)
        self.width = w.FloatSlider(width, min=0.05, max=1.5, step=0.05, description="width", layout=wide)
        self.numbers = w.HTML()
        for part in (self.place, self.width):
            part.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HBox([self.image, w.VBox([self.place, self.width, self.numbers])], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    @property
    def p(self) -> mixtures.Mixture:
        """The data."""
        return self._at(0.0)

    @property
    def q(self) -> mixtures.Mixture:
        """The samples."""
        return self._at(self.place.value)

    @property
    def slopes(self) -> tuple[float, float]:
        """Change of JSD and of W₁ per unit that the samples move to the right."""
        before, after = (self._at(self.place.value + side * NUDGE) for side in (-1, 1))
        return tuple(
            (distance(self.p, after) - distance(self.p, before)) / (2 * NUDGE)
            for distance in (oracle.js_divergence, oracle.wasserstein_1)
        )

    def _at(self, place: float) -> mixtures.Mixture:
        return mixtures.mixture([place], stds=self.width.value)

    @guarded
    def _draw(self):
        p, q = self.p, self.q
        x = torch.linspace(-REACH, REACH, 1001, dtype=torch.float64)
        p_x, q_x = p.log_prob(x[:, None]).exp(), q.log_prob(x[:, None]).exp()
        says = oracle.optimal_logits(p, q, x[:, None]).sigmoid()
        f = best_critic(p, q, x)
        f -= f[(x - self.place.value / 2).abs().argmin()].clone()  # only differences count: zero half-way
        tallest = 1.1 * p_x.max().item()
        self.image.value = canvas.png(
            canvas.curves_frame(
                x,
                [
                    canvas.Strip("data (blue) and samples (orange)", 0, tallest, p_x, q_x, share=1.2),
                    canvas.Strip("the best discriminator, above and below one half", -0.55, 0.55, says - 0.5),
                    canvas.Strip("the best critic of slope 1", -REACH - 2, REACH + 2, f),
                ],
                *SIZE,
            )
        )
        jsd, w1 = oracle.js_divergence(p, q), oracle.wasserstein_1(p, q)
        slopes = [f"{slope + 0.0:+.4f}".replace("-0.0000", "+0.0000") for slope in self.slopes]
        self.numbers.value = table(
            [("JSD (log 2 = 0.6931)", f"{jsd:.4f}", slopes[0]), ("W₁", f"{w1:.4f}", slopes[1])],
            head=["", "now", "slope"],
        )
        self.status.value = (
            f"samples at {self.place.value:.2f}, width {self.width.value:.2f}: JSD {jsd:.4f}, W₁ {w1:.2f}"
        )
