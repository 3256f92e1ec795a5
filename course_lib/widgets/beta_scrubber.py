"""Reconstruction against β: the same photographs given back, and the same latents decoded, by a VAE for each β."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import data, plots
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.training.recipes import RECIPES
from course_lib.widgets.frames import Picture, guarded
from course_lib.zoo.autoencoders import SHOWN, SWEEP, sweep

COLUMNS = 8


class BetaScrubber(Picture):
    """What the recorded β sweep gives at one β.

    Three rows of photographs, under them what comes back, under those what the prior's draws decode to.
    Parts: .beta (slider over the recorded βs), .numbers
    """

    def __init__(self, size: int = 420):
        super().__init__(size, size)
        self.facts, self.images = sweep()
        self.photographs = data.load(RECIPES[SWEEP].data, "test").pixels[:SHOWN]
        self.rows = {f"{row['beta']:g}": row for row in self.facts["rows"]}
        self.beta = w.SelectionSlider(
            options=list(self.rows), value="1", description="β", layout=w.Layout(width="24em")
        )
        self.numbers = w.HTML()
        self.beta.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HBox([self.image, w.VBox([self.beta, self.numbers])], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    @guarded
    def _draw(self):
        index, row = list(self.rows).index(self.beta.value), self.rows[self.beta.value]
        part = slice(2 * COLUMNS)
        sheet = torch.cat(
            [self.photographs[part], self.images["reconstructions"][index, part], self.images["samples"][index, part]]
        )
        self.image.value = png(plots.tile(sheet, COLUMNS))
        self.numbers.value = table(
            [
                ("reconstruction term, nats", f"{row['log_likelihood']:.1f}"),
                ("KL, nats", f"{row['kl']:.1f}"),
                ("ELBO (β = 1), nats", f"{row['elbo']:.1f}"),
                ("latent dimensions in use", f"{row['active']} of 20"),
                ("photographs that share a latent, of 10,000", f"{row['shared']:.0f}"),
                ("sharpness of what comes back, of 1", f"{row['reconstructions']['sharpness']:.2f}"),
                ("Fréchet distance of what comes back", f"{row['reconstructions']['fid']:.2f}"),
                ("Fréchet distance of samples", f"{row['samples']['fid']:.2f}"),
            ]
        )
        self.status.value = (
            f"β = {self.beta.value}: rows 1 and 2 photographs, 3 and 4 what comes back, 5 and 6 samples from the prior"
        )
