"""Playground: a GAN in the plane that trains while you watch and turn its knobs."""

from __future__ import annotations

import time
from pathlib import Path

import ipywidgets as w

from course_lib import canvas, runtime
from course_lib.data import mixtures
from course_lib.exercises.cards import table
from course_lib.losses import LOSSES
from course_lib.training.game2d import EXTENT, SHAPES, Game2D
from course_lib.widgets.frames import Picture, guarded

OWN = "your own points"
PAD = 9  # a pad of PAD × PAD buttons to draw with
FRAME_SECONDS = 0.05  # training between two pictures when fast
MOST_FRAMES = 300
_live: dict[str, Playground] = {}


class Playground(Picture):
    """A game of game2d.Game2D with D's surface, the real points, G's samples and the arrows that move them.

    shape: a key of game2d.SHAPES or "your own points";  loss: a key of losses.LOSSES
    key:   one live game per key: running the cell again stops the game that it showed before

    The front-end is the clock (`Play`), so the game stops with the page and never ticks without one. Parts, each
    driven by plain Python too: .shape, .loss, .lr_d, .lr_g, .d_steps, .fast, .arrows, .play, .one_step, .reset,
    .save, .record, .pad_buttons.
    """

    def __init__(self, shape: str = "ring of 8", loss: str = "non_saturating", key: str = "playground", seed: int = 0):
        super().__init__(440, 440, "course-smooth")
        if key in _live:
            _live.pop(key).stop()
        _live[key] = self
        self.image.format, self.seed, self.frames, self.recording = "jpeg", seed, [], False
        known = [*SHAPES, OWN]
        wide = w.Layout(width="24em")
        self.shape = w.Dropdown(options=known, value=runtime.known("shape", shape, known), description="data")
        self.loss = w.Dropdown(options=list(LOSSES), value=runtime.known("loss", loss, LOSSES), description="loss of G")
        self.lr_d = w.FloatLogSlider(1e-3, min=-5, max=-1, step=0.1, description="rate of D", layout=wide)
        self.lr_g = w.FloatLogSlider(1e-3, min=-5, max=-1, step=0.1, description="rate of G", layout=wide)
        self.d_steps = w.IntSlider(1, min=1, max=10, description="D per G", layout=wide)
        self.fast = w.Checkbox(True, description="fast (off: one step a picture)", indent=False)
        self.arrows = w.Checkbox(True, description="arrows: where G's loss pulls", indent=False)
        self.play = w.Play(min=0, max=10**9, interval=80, show_repeat=False)
        self.one_step, self.reset, self.save, self.record = (
            w.Button(description=text, tooltip=tip, layout=w.Layout(width="max-content"))
            for text, tip in (
                ("one step", "the D steps, then one G step"),
                ("start over", "new networks, the same settings"),
                ("save picture", "a PNG file beside this notebook"),
                ("record", "collect frames; press again to write a GIF file"),
            )
        )
        self.numbers = w.HTML()
        self.children = [
            self.style_tag,
            w.HBox([self.image, self._controls()], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._observe()
        self._start_over()

    def _controls(self) -> w.VBox:
        self.pad_place = w.VBox([])
        return w.VBox(
            [
                w.HBox([self.play, self.one_step, self.reset]),
                self.shape,
                self.pad_place,
                self.loss,
                self.lr_d,
                self.lr_g,
                self.d_steps,
                self.fast,
                self.arrows,
                w.HBox([self.save, self.record]),
                self.numbers,
            ]
        )

    def _observe(self) -> None:
        self.play.observe(lambda change: change["new"] and self._tick(), "value")
        self.one_step.on_click(lambda _: self._one_step())
        self.reset.on_click(lambda _: self._start_over())
        self.save.on_click(lambda _: self._save())
        self.record.on_click(lambda _: self._record())
        self.shape.observe(lambda _: self._start_over(), "value")
        for part in (self.loss, self.lr_d, self.lr_g, self.d_steps):
            part.observe(lambda _: self._set(), "value")
        self.arrows.observe(lambda _: self._draw(), "value")

    def stop(self) -> None:
        """Stop for good: what is shown stays, nothing moves it any more."""
        self.play.unobserve_all()
        self.play.close()
        self.status.value = "stopped: its cell was run again"

    # ------------------------------------------------------------ what the parts do

    @guarded
    def _start_over(self):
        if self.shape.value == OWN and not self.pad_place.children:
            self._lay_out_pad()
        self.pad_place.layout.display = "" if self.shape.value == OWN else "none"
        self.game = Game2D(self._data(), seed=self.seed)
        self.real = self.game.data.sample(256, runtime.keyed_generator("cpu", self.seed, "shown"))
        self._apply()
        self._show()

    @guarded
    def _set(self):
        self._apply()
        self.status.value = (
            f"loss {self.loss.value}, rate of D {self.lr_d.value:.2g}, rate of G {self.lr_g.value:.2g}, "
            f"{self.d_steps.value} D per G"
        )

    @guarded
    def _tick(self):
        end = time.perf_counter() + (FRAME_SECONDS if self.fast.value else 0)
        while True:
            self.game.step()
            if time.perf_counter() >= end:
                break
        self._show()

    @guarded
    def _one_step(self):
        self.game.step()
        self._show()

    @guarded
    def _draw(self):
        self._show()

    @guarded
    def _save(self):
        path = Path(f"playground-step-{self.game.steps}.png")
        path.write_bytes(canvas.png(self._picture()))
        self.status.value = f"saved {path}"

    @guarded
    def _record(self):
        self.recording = not self.recording
        self.record.description = "stop recording" if self.recording else "record"
        if self.recording:
            self.frames = [self._picture()]
            self.status.value = "recording: press play"
            return
        path = Path(f"playground-step-{self.game.steps}.gif")
        path.write_bytes(canvas.gif([frame.resize((400, 400)) for frame in self.frames]))
        self.status.value = f"saved {path}: {len(self.frames)} frames"
        self.frames = []

    # ------------------------------------------------------------ below: called with the lock held

    def _apply(self) -> None:
        self.game.loss, self.game.d_steps = self.loss.value, self.d_steps.value
        self.game.set_rates(lr_g=self.lr_g.value, lr_d=self.lr_d.value)

    def _picture(self):
        game = self.game
        return canvas.game_frame(
            game.surface(), self.real, game.samples(), game.pull() if self.arrows.value else None, EXTENT
        )

    def _show(self) -> None:
        picture, game = self._picture(), self.game
        self.image.value = canvas.jpeg(picture)
        if self.recording and len(self.frames) < MOST_FRAMES:
            self.frames.append(picture)
        found, parts = game.modes_found()
        self.numbers.value = table(
            [
                ("step", f"{game.steps:,}"),
                (
                    "loss of D (sum; 1.386: told nothing apart)",
                    f"{game.d_loss:.3f}" if game.steps else "not played yet",
                ),
                ("loss of G", f"{game.g_loss:.3f}" if game.steps else ""),
                ("parts of the data reached", f"{found} of {parts}"),
            ]
        )

    def _data(self) -> mixtures.Mixture:
        if self.shape.value != OWN:
            return SHAPES[self.shape.value]()
        chosen = [place for place, button in self.pad_buttons.items() if button.value]
        if not chosen:
            raise ValueError("your own points: press at least one button of the pad")
        return mixtures.mixture([list(place) for place in chosen], 0.1)

    def _lay_out_pad(self) -> None:
        line = [(index - PAD // 2) * 2 * 2.4 / (PAD - 1) for index in range(PAD)]
        self.pad_buttons = {
            (x, y): w.ToggleButton(
                value=(row, column)
                in ((2, 2), (2, 6), (5, 2), (6, 3), (6, 4), (6, 5), (5, 6)),  # a smile, to begin with
                tooltip=f"data at ({x:.1f}, {y:.1f})",
                layout=w.Layout(width="24px", height="24px", margin="1px", padding="0"),
            )
            for row, y in enumerate(reversed(line))
            for column, x in enumerate(line)
        }
        for button in self.pad_buttons.values():
            button.observe(lambda _: self._start_over(), "value")
        self.pad_place.children = [
            w.HTML("press where the data should be (keyboard: Tab and space)"),
            w.GridBox(list(self.pad_buttons.values()), layout=w.Layout(grid_template_columns=f"repeat({PAD}, 26px)")),
        ]
