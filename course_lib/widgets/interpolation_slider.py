"""Interpolation slider: one place on each way between two latents, all images along it, and how long its steps are."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import runtime, ways
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded


class InterpolationSlider(Picture):
    """Lerp and slerp between two latents side by side; for a generator with a mapping also the straight way in W.

    generator: as for `ways.ways`;  .t is the place, .seed_a and .seed_b choose the two latents, .resample (a button)
    takes two new ones, .numbers is the table; .films are what is shown: images, norms and LPIPS of the steps
    """

    def __init__(self, generator: torch.nn.Module, count: int = 10, seed: int = 0):
        self.generator, self.count = generator.eval(), count
        self.ways = ways.ways(generator)
        self.device = next(generator.parameters()).device
        self.films: list[ways.Film] = []
        width, height = self._frame_size()
        super().__init__(width, height, "course-smooth")
        self.seed_a, self.seed_b = (
            w.BoundedIntText(number, 0, 10**6, description=f"seed {letter}", layout=w.Layout(width="11em"))
            for letter, number in (("A", seed), ("B", seed + 1))
        )
        self.t = w.FloatSlider(0.5, min=0, max=1, step=0.01, description="t, A to B", layout=w.Layout(width="34em"))
        self.resample = w.Button(description="two new latents", layout=w.Layout(width="max-content"))
        self.numbers = w.HTML()
        self.t.observe(self._draw, "value")
        for part in (self.seed_a, self.seed_b):
            part.observe(self._renew, "value")
        self.resample.on_click(self._resample)
        self.children = [
            self.style_tag,
            w.HBox([self.t, self.seed_a, self.seed_b, self.resample], layout=w.Layout(flex_flow="row wrap")),
            self.image,
            self.numbers,
            self.status,
        ]
        self._renew()

    def _frame_size(self) -> tuple[int, int]:
        blank = ways.Film("", torch.zeros(self.count, 1, 1, 1), torch.ones(self.count), torch.ones(self.count - 1))
        return ways.film_frame([blank] * len(self.ways), [torch.zeros(1, 1, 1, 1)] * len(self.ways), 0.5).size

    @property
    def ends(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The two latents, (1, latent_dim) each."""
        return tuple(
            torch.randn(
                1, self.generator.latent_dim, generator=runtime.keyed_generator("cpu", part.value, "explorer")
            ).to(self.device)
            for part in (self.seed_a, self.seed_b)
        )

    @guarded
    def _renew(self):
        self.films = [ways.film(way, *self.ends, self.count) for way in self.ways]
        self._show()

    @guarded
    def _draw(self):
        self._show()

    def _show(self) -> None:
        t, rows, said, now = self.t.value, [], [], []
        for way, film in zip(self.ways, self.films):
            latents, image = way.at(*self.ends, t)
            now.append(image.float().cpu())
            norm, steps = latents.norm().item(), film.steps
            rows.append(
                (
                    way.name,
                    f"{norm:.2f}",
                    f"{steps.min():.4f} to {steps.max():.4f}",
                    f"{steps.max() / steps.mean():.1f}",
                    f"{steps.sqrt().sum():.2f}",
                )
            )
            said.append(f"{way.name}: norm {norm:.2f}")
        self.image.value = png(ways.film_frame(self.films, now, t))
        self.numbers.value = table(
            rows, head=["way", "norm at t", "LPIPS of a step", "largest over mean", "length: sum of √LPIPS"]
        )
        self.status.value = f"seeds {self.seed_a.value} and {self.seed_b.value}, t = {t:.2f}; {'; '.join(said)}"

    def _resample(self, _=None):
        for part in (self.seed_a, self.seed_b):
            part.unobserve(self._renew, "value")
        self.seed_a.value, self.seed_b.value = self.seed_b.value + 1, self.seed_b.value + 2
        for part in (self.seed_a, self.seed_b):
            part.observe(self._renew, "value")
        self._renew()
