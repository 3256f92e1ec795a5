"""KL fit: one normal over two humps, by hand, and what each direction of KL says of it."""

from __future__ import annotations

import functools

import ipywidgets as w
import torch

from course_lib import canvas, oracle
from course_lib.data import mixtures
from course_lib.exercises.cards import table
from course_lib.oracle.fits import best_normal
from course_lib.widgets.frames import Picture, guarded

REACH = 6.0  # the picture shows [−REACH, REACH]
SIZE = (520, 430)


@functools.lru_cache(maxsize=64)
def best(apart: float, divergence: str) -> tuple[float, float, float]:
    """(mean, deviation, divergence) of the normal nearest to the humps at this distance."""
    p = humps(apart)
    q = best_normal(p, divergence)
    return q.means.item(), q.stds.item(), oracle.fits.DIVERGENCES[divergence](p, q)


def humps(apart: float) -> mixtures.Mixture:
    """The data: 40 % in a narrow hump on the left, 60 % in a wider one on the right, their middles `apart`."""
    return mixtures.mixture([-apart / 2, apart / 2], stds=[0.5, 0.8], weights=[0.4, 0.6])


class KLFit(Picture):
    """Data p with two humps, a normal q under two sliders, both directions of KL live and where each is paid.

    Parts: .mean, .deviation, .apart, .forward and .reverse (buttons that jump to the best q of each direction),
    .numbers; .p and .q are the two distributions that are shown.
    """

    def __init__(self, mean: float = -1.0, deviation: float = 1.0, apart: float = 4.0):
        super().__init__(*SIZE, "course-smooth")
        wide = w.Layout(width="22em")
        self.mean = w.FloatSlider(mean, min=-4, max=4, step=0.01, description="mean", layout=wide)
        self.deviation = w.FloatSlider(deviation, min=0.2, max=4, step=0.01, description="deviation", layout=wide)
        self.apart = w.FloatSlider(apart, min=0, max=6, step=0.25, description="distance", layout=wide)
        self.forward, self.reverse = (
            w.Button(description=text, tooltip=tip, layout=w.Layout(width="max-content"))
            for text, tip in (
                ("least forward KL", "the mean and deviation with the least KL(data‖model)"),
                ("least reverse KL", "the mean and deviation with the least KL(model‖data)"),
            )
        )
        self.numbers = w.HTML()
        self.asked = set()  # what has been jumped to at this distance
        for part in (self.mean, self.deviation):
            part.observe(self._draw, "value")
        self.apart.observe(self._move, "value")
        self.forward.on_click(lambda _: self._jump("forward"))
        self.reverse.on_click(lambda _: self._jump("reverse"))
        controls = w.VBox([self.mean, self.deviation, w.HBox([self.forward, self.reverse]), self.apart, self.numbers])
        self.children = [
            self.style_tag,
            w.HBox([self.image, controls], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    @property
    def p(self) -> mixtures.Mixture:
        """The data."""
        return humps(self.apart.value)

    @property
    def q(self) -> mixtures.Mixture:
        """The model."""
        return mixtures.mixture([self.mean.value], stds=self.deviation.value)

    def _jump(self, direction: str) -> None:
        self.asked.add(direction)
        mean, deviation, _ = best(self.apart.value, direction)
        with self.lock:
            self.mean.value, self.deviation.value = mean, deviation
        self._draw()

    def _move(self, _=None) -> None:
        self.asked.clear()
        self._draw()

    @guarded
    def _draw(self):
        p, q = self.p, self.q
        x = torch.linspace(-REACH, REACH, 361, dtype=torch.float64)
        log_p, log_q = p.log_prob(x[:, None]), q.log_prob(x[:, None])
        pays_p, pays_q = log_p.exp() * (log_p - log_q), log_q.exp() * (log_q - log_p)
        found = {"forward": oracle.kl_divergence(p, q), "reverse": oracle.kl_divergence(q, p)}
        self.image.value = canvas.png(
            canvas.curves_frame(
                x,
                [
                    canvas.Strip("data p (blue), model q (orange)", 0, 0.65, log_p.exp(), log_q.exp(), share=1.8),
                    canvas.Strip("forward, p·log(p/q): the data pay (blue) or gain (orange)", -0.3, 0.9, pays_p),
                    canvas.Strip("reverse, q·log(q/p): the model pays or gains", -0.3, 0.9, pays_q),
                ],
                *SIZE,
            )
        )
        rows = []
        for direction, name in (("forward", "KL(data‖model)"), ("reverse", "KL(model‖data)")):
            least = f"{best(self.apart.value, direction)[2]:.3f}" if direction in self.asked else "?"
            rows.append((name, f"{found[direction]:.3f}", least))
        rows.append(("JSD (0 to 0.693)", f"{oracle.js_divergence(p, q):.3f}", ""))
        self.numbers.value = table(rows, head=["", "now", "least"])
        edge = torch.tensor([0.0], dtype=torch.float64)  # halfway between the humps
        left, right = q.cdf(edge).item(), 1 - q.cdf(edge).item()
        self.status.value = f"mean {self.mean.value:.2f}, deviation {self.deviation.value:.2f}: {left:.0%} of the model left of 0, {right:.0%} right"
