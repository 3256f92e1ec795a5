"""Training scrubber: the same 64 latents at every recorded moment of a run."""

from __future__ import annotations

import ipywidgets as w

from course_lib import plots, zoo
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded


class TrainingScrubber(Picture):
    """Samples, losses, logits, gradient norms and distance at a moment of a zoo network's training.

    name: a generator of the zoo;  .moment is the slider (0 … number of snapshots − 1), .numbers the table,
          .play runs through the training
    """

    def __init__(self, name: str, columns: int = 8, size: int = 400):
        super().__init__(size, size)
        self.facts, self.columns = zoo.card(name), columns
        self.snapshots = zoo.snapshots(name)
        self.frames: dict[int, bytes] = {}
        last = len(self.snapshots.steps) - 1
        self.moment = w.IntSlider(
            last, min=0, max=last, description="moment", readout=False, layout=w.Layout(width="22em")
        )
        self.play = w.Play(min=0, max=last, interval=400, show_repeat=False)
        self.play.observe(
            lambda change: setattr(self.moment, "value", change["new"]), "value"
        )  # jslink would start at 0
        self.numbers = w.HTML()
        self.moment.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HBox([self.moment, self.play]),
            w.HBox([self.image, self.numbers], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    def row(self, step: int) -> dict[str, float]:
        """What was logged nearest to a step."""
        return min(self.facts["history"], key=lambda row: abs(row["step"] - step))

    @guarded
    def _draw(self):
        index = self.moment.value
        if index not in self.frames:
            self.frames[index] = png(plots.tile(self.snapshots.images[index], self.columns))
        self.image.value = self.frames[index]
        step, measured = self.snapshots.steps[index], self.facts["snapshots"][index]
        rows = [
            ("finished steps", f"{step:,}"),
            ("epochs", f"{step * self.facts['config']['batch_size'] / 60_000:.2f}"),
        ]
        if step:
            logged = self.row(step)
            rows += [
                ("logged at step", f"{logged['step']:,}"),
                ("loss of D (sum)", f"{logged['d_loss']:.3f}"),
                ("loss of G", f"{logged['g_loss']:.3f}"),
                ("mean logit, real", f"{logged['real_logit']:+.2f}"),
                ("mean logit, fakes", f"{logged['fake_logit']:+.2f}"),
                ("gradient norm of D", f"{logged['d_gradient_norm']:.2f}"),
                ("gradient norm of G", f"{logged['g_gradient_norm']:.2f}"),
            ]
        rows += [
            (f"Fréchet distance, N = {measured['n']:,}", f"{measured['fid']:.2f}"),
            ("samples the classifier is sure of", f"{measured['sure']:.0%}"),
        ]
        self.numbers.value = table(rows)
        self.status.value = (
            f"moment {index} of {len(self.snapshots.steps) - 1}: step {step:,}, Fréchet distance {measured['fid']:.2f}"
        )
