"""Metric microscope: spoil a set of images by sliders and watch what each metric makes of it."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import data, plots, zoo
from course_lib.canvas import png
from course_lib.data import degrade
from course_lib.exercises.cards import table
from course_lib.metrics.panel import METRICS, Panel
from course_lib.models.classifier import folded
from course_lib.widgets.frames import Picture, guarded
from course_lib.zoo.judging import classify

SHOWN = 64
SOURCES = ("held-out photographs", "samples of dcgan-fashion")


class MetricMicroscope(Picture):
    """FID, KID, classifier score, precision, recall, density and coverage of a set that is spoilt by hand.

    The reference is `count` training images of Fashion-MNIST; the set beside it, as large, are test images or samples
    of the zoo's DCGAN. Everything is measured on features of the course's classifier at that N.

    Parts: .source, .blur, .noise, .dropped, .duplicates, .copies, .threshold (of the truncated latents; samples only),
    .reset; .values holds the metrics' present numbers, .before those of each source's untouched set
    """

    def __init__(self, count: int = 2000, size: int = 360):
        super().__init__(size, size)
        self.count, self.classifier = count, folded(zoo.load("classifier-fashion")[0])
        train, test = (data.load("fashion-mnist", split).subset(slice(count)) for split in ("train", "test"))
        self.train = data.to_float(train.pixels)
        self.panel = Panel(self._features(self.train)[0])
        self.sets = {SOURCES[0]: (data.to_float(test.pixels), test.labels)}
        wide = w.Layout(width="25em")

        def slider(description, top, step):
            return w.FloatSlider(0.0, min=0, max=top, step=step, description=description, layout=wide)

        self.source = w.Dropdown(options=SOURCES, description="images")
        self.blur, self.noise = slider("blur, pixels", 2, 0.1), slider("noise", 1, 0.05)
        self.dropped = w.IntSlider(0, min=0, max=9, description="lost classes", layout=wide)
        self.duplicates, self.copies = slider("duplicates", 1, 0.05), slider("memorised", 1, 0.05)
        self.threshold = w.SelectionSlider(
            options=[("off", 0.0), *((str(value), value) for value in (2.0, 1.5, 1.0, 0.7, 0.5))],
            description="truncation",
            layout=wide,
        )
        self.reset = w.Button(description="undo all")
        self.reset.on_click(lambda _: self._undo())
        self.numbers = w.HTML()
        self.spoilers = (self.blur, self.noise, self.dropped, self.duplicates, self.copies, self.threshold)
        for part in (self.source, *self.spoilers):
            part.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HBox(
                [self.image, w.VBox([self.source, *self.spoilers, self.reset, self.numbers])],
                layout=w.Layout(flex_flow="row wrap"),
            ),
            self.status,
        ]
        self.before: dict[str, dict[str, float]] = {}
        self._draw()

    def _features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return classify(images, self.classifier)

    def _undo(self) -> None:
        with self.lock:
            for part in self.spoilers:
                part.value = 0

    def _images(self) -> torch.Tensor:
        images, labels = self._set()
        chosen = degrade.without_classes(labels, self.dropped.value)
        chosen = chosen[degrade.with_duplicates(self.count, self.duplicates.value)]
        images = degrade.with_copies(images[chosen], self.train, self.copies.value)
        return degrade.noise(degrade.blur(images, self.blur.value), self.noise.value)

    def _set(self, threshold: float | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The untouched images and their classes; samples are drawn once for each threshold (a second or two).

        threshold: of truncated latents, 0 for none; None for the slider's
        """
        name, threshold = self.source.value, self.threshold.value if threshold is None else threshold
        key = name if name == SOURCES[0] else (name, threshold)
        if key not in self.sets:
            generator = zoo.load("dcgan-fashion")[0]
            images = data.centre(zoo.sample(generator, self.count, threshold=threshold or None), 28)
            self.sets[key] = images, self._features(images)[1].argmax(1)
        return self.sets[key]

    @guarded
    def _draw(self):
        images = self._images()
        self.values = self.panel.measure(*self._features(images))
        source = self.source.value
        if not any(part.value for part in self.spoilers):
            self.before[source] = self.values
        elif source not in self.before:
            self.before[source] = self.panel.measure(*self._features(self._set(threshold=0.0)[0]))
        self.image.value = png(plots.tile(images[:SHOWN], 8))
        rows = [("", "now", "untouched", "best")]
        for name, best in METRICS.items():
            now, then = self.values[name], self.before[source][name]
            mark = "" if abs(now - then) <= 0.02 * abs(then) else "▲" if now > then else "▼"
            rows.append((name, f"{now:.3g} {mark}", f"{then:.3g}", best))
        self.numbers.value = table(rows)
        self.status.value = f"N = {self.count:,} against {self.count:,} training images, features of classifier-fashion"
