"""Growth scrubber: the same 24 latents at every recorded moment of a generator that grew."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as w
import torch.nn.functional as F

from course_lib import plots, zoo
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded

COLUMNS = 6


class GrowthScrubber(Picture):
    """Samples at a moment of training, with its resolution and how far the newest layers are faded in.

    name: a generator of the zoo that grew, or its moments (zoo.Grown) in order
    Parts: .moment (a slider), .play, .numbers
    """

    def __init__(self, name: str | Sequence, size: int = 480):
        super().__init__(size, size * 4 // COLUMNS)
        self.moments = zoo.growth(name) if isinstance(name, str) else list(name)
        self.side = max(each.resolution for each in self.moments)
        self.frames: dict[int, bytes] = {}
        last = len(self.moments) - 1
        self.moment = w.IntSlider(
            last, min=0, max=last, description="moment", readout=False, layout=w.Layout(width="22em")
        )
        self.play = w.Play(min=0, max=last, interval=400, show_repeat=False)
        self.play.observe(lambda change: setattr(self.moment, "value", change["new"]), "value")
        self.numbers = w.HTML()
        self.moment.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HBox([self.moment, self.play]),
            w.HBox([self.image, self.numbers], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    @guarded
    def _draw(self):
        index = self.moment.value
        now = self.moments[index]
        if index not in self.frames:
            images = F.interpolate(now.images.float(), self.side, mode="nearest").to(now.images.dtype)
            self.frames[index] = png(plots.tile(images, COLUMNS))
        self.image.value = self.frames[index]
        self.numbers.value = table(
            [
                ("finished steps", f"{now.step:,}"),
                ("thousand images seen", f"{now.kimg:.1f}"),
                ("resolution", f"{now.resolution}×{now.resolution}"),
                ("α of the newest layers", f"{now.alpha:.2f}"),
            ]
        )
        self.status.value = (
            f"moment {index} of {len(self.moments) - 1}: {now.kimg:.1f} thousand images, "
            f"{now.resolution}×{now.resolution}, α {now.alpha:.2f}"
        )
