"""ψ slider: eight faces on their way to the mean one, beside what that did to fidelity and diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as w
import torch

from course_lib import plots, runtime
from course_lib.canvas import png
from course_lib.canvas_marked import marked_frame
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded, pixel_image

COUNT, COLUMNS, HEIGHT = 8, 4, 260


class PsiSlider(Picture):
    """Eight images at one ψ, with the measured curve and a line where the slider stands.

    generator: a StyleGAN generator in eval mode
    rows:      the curve, ascending in "psi", each row with "precision", "recall" and "attribute_entropy"
    entropy:   what real images have of the last, so that all three lines end near 1
    Parts: .psi, .cutoff (layers from it on keep their style), .seed, .curve (the second picture); .images, .nearest
    """

    def __init__(
        self, generator: torch.nn.Module, rows: Sequence[Mapping[str, float]], entropy: float, tile: int = 120
    ):
        super().__init__(COLUMNS * tile, COUNT // COLUMNS * tile)
        self.generator, self.rows = generator.eval(), sorted(rows, key=lambda row: row["psi"])
        depth = generator.synthesis.depth
        self.lines = {
            "precision": [row["precision"] for row in self.rows],
            "recall": [row["recall"] for row in self.rows],
            "entropy / real": [row["attribute_entropy"] / entropy for row in self.rows],
        }
        wide = w.Layout(width="24em")
        self.psi = w.FloatSlider(0.7, min=0.0, max=1.5, step=0.05, description="ψ", layout=wide)
        self.cutoff = w.IntSlider(depth, min=0, max=depth, description="cutoff", layout=wide)
        self.seed = w.IntSlider(0, min=0, max=100, description="seed", layout=wide)
        self.curve = pixel_image(360, HEIGHT + 20, "course-smooth")
        self.numbers = w.HTML()
        self.frames: dict[tuple, tuple] = {}
        for part in (self.psi, self.cutoff, self.seed):
            part.observe(self._draw, "value")
        self.psi.observe(self._measure, "value")
        self.children = [
            self.style_tag,
            w.HBox([self.image, self.curve], layout=w.Layout(flex_flow="row wrap")),
            w.HBox([w.VBox([self.psi, self.cutoff, self.seed]), self.numbers], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()
        self._measure()

    @guarded
    @torch.inference_mode()
    def _draw(self):
        key = (round(self.psi.value, 4), self.cutoff.value, self.seed.value)
        if key not in self.frames:
            draw = runtime.keyed_generator("cpu", self.seed.value, "psi")
            z = torch.randn(COUNT, self.generator.latent_dim, generator=draw).to(self.generator.w_mean.device)
            images = self.generator(z, psi=key[0], cutoff=key[1]).float().cpu()
            self.frames = dict(list(self.frames.items())[-200:]) | {key: (png(plots.tile(images, COLUMNS)), images)}
        self.image.value, self.images = self.frames[key]
        spread = self.images.std(0).mean().item()
        layers = self.generator.synthesis.depth
        which = "all layers" if self.cutoff.value == layers else f"layers below {self.cutoff.value} of {layers}"
        self.status.value = f"ψ {self.psi.value:.2f} in {which}, seed {self.seed.value}: a pixel's deviation over these 8 is {spread:.3f}"

    @guarded
    def _measure(self):
        """The curve's line and the table, which ψ alone moves."""
        x = [row["psi"] for row in self.rows]
        self.curve.value = png(marked_frame(x, self.lines, self.psi.value, across="psi", height=HEIGHT + 20))
        self.nearest = min(self.rows, key=lambda row: abs(row["psi"] - self.psi.value))
        self.numbers.value = table(
            [
                (
                    name,
                    f"{self.nearest[name]:.3f}",
                    f"± {self.nearest[f'{name}_half']:.3f}" if f"{name}_half" in self.nearest else "",
                )
                for name in ("precision", "recall", "attribute_entropy")
            ],
            head=[f"measured at ψ = {self.nearest['psi']:g}, all layers", "", ""],
        )
