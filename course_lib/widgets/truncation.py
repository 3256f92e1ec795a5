"""Truncation slider: the same latents, cut harder and harder, and what that costs."""

from __future__ import annotations

import math

import ipywidgets as w
import torch

from course_lib import data, latent, plots, runtime, zoo
from course_lib.canvas import png
from course_lib.canvas_trade import TradeFrame
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded
from course_lib.zoo import truncation

SHOWN = 16
NAMES = {  # the record's key → what is said
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "fid": "Fréchet distance",
    "class_entropy": "class entropy, nats",
}


class TruncationSlider(Picture):
    """Sixteen images whose latents are cut at a threshold, and the network's recorded trade-off curve beside.

    The images are made as the slider moves (each threshold once, then kept); the curve, the point on it and the table
    come from the record in the zoo, by straight lines between its thresholds. The same uniform numbers serve every
    threshold, so that each image moves and does not jump.

    Parts: .network, .threshold (at 4 nothing is cut), .resample, .image, .curve, .numbers; .values is what the table shows
    """

    def __init__(self, network: str = "dcgan-fashion", seed: int = 0, size: int = 280):
        super().__init__(size, size)
        names = [name for name in zoo.names() if truncation.file_of(name).exists()]
        runtime.known("network", network, names)
        self.seed = seed
        self.curve = w.Image(
            format="png",
            width=2 * size,
            height=size,
            layout=w.Layout(align_self="flex-start", width=f"{2 * size}px", height=f"{size}px", flex="0 0 auto"),
        )
        self.curve.add_class("course-smooth")
        self.network = w.Dropdown(options=names, value=network, description="network")
        lowest = truncation.recorded(network)["rows"][0]["threshold"]
        self.threshold = w.FloatSlider(
            truncation.UNCUT,
            min=lowest,
            max=truncation.UNCUT,
            step=0.05,
            description="threshold",
            layout=w.Layout(width="30em"),
        )
        self.resample = w.Button(description="other latents", tooltip="sixteen new ones")
        self.numbers = w.HTML()
        self._show()
        self.network.observe(self._show, "value")
        self.threshold.observe(self._draw, "value")
        self.resample.on_click(self._again)
        self.children = [
            self.style_tag,
            w.HBox([self.network, self.threshold, self.resample], layout=w.Layout(flex_flow="row wrap")),
            w.HBox([self.image, self.curve], layout=w.Layout(flex_flow="row wrap")),
            self.numbers,
            self.status,
        ]

    def latents(self) -> torch.Tensor:
        """The sixteen latents that are shown: (16, latent_dim)."""
        threshold = self.threshold.value if self.threshold.value < truncation.UNCUT else math.inf
        return latent.truncated_quantile(self.uniform, threshold)

    def _show(self, _=None) -> None:
        with self.lock:
            name = self.network.value
            self.generator, self.record = zoo.load(name)[0], truncation.recorded(name)
            rows = self.record["rows"]
            self.frame = TradeFrame(
                [(row["coverage"], row["precision"]) for row in rows],
                [f"{row['threshold']:g}" if row["threshold"] in (0.1, 0.5, 1.0) else "" for row in rows],
                [row["threshold"] or truncation.UNCUT for row in rows],
                {key: [row[key] for row in rows] for key in ("precision", "recall", "coverage")},
            )
            self._uniform()
        self._draw()

    def _uniform(self) -> None:
        draw = runtime.keyed_generator("cpu", self.seed, "truncation")
        self.uniform = torch.rand(SHOWN, self.generator.latent_dim, generator=draw)
        self.kept: dict[float, bytes] = {}

    def _again(self, _=None) -> None:
        with self.lock:
            self.seed += 1
            self._uniform()
        self._draw()

    @guarded
    def _draw(self):
        threshold = self.threshold.value
        z = self.latents()
        if threshold not in self.kept:
            with torch.inference_mode():
                images = self.generator(z.to(next(self.generator.parameters()).device)).float().cpu()
            self.kept[threshold] = png(plots.tile(data.centre(images, 28), 4))
        self.image.value = self.kept[threshold]
        self.values = {key: truncation.at(self.record, threshold, key) for key in NAMES}
        self.curve.value = png(self.frame.at(self.values["coverage"], self.values["precision"], threshold))
        self.numbers.value = table([tuple(NAMES.values()), tuple(f"{value:.3g}" for value in self.values.values())])
        cut = "all of z" if threshold >= truncation.UNCUT else f"|z| ≤ {threshold:.2f}"
        self.status.value = (
            f"{cut}: mean norm of the sixteen latents {z.norm(dim=1).mean():.2f}; numbers recorded at N = "
            f"{self.record['n']:,}, k = {self.record['k']}, straight lines between the recorded thresholds"
        )
