"""The Dirac laboratory: a remedy and its strength, both ways of taking turns, and where they lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as w
import torch

from course_lib import canvas
from course_lib.exercises.cards import table
from course_lib.oracle import dirac
from course_lib.oracle.dirac import Remedy
from course_lib.widgets.frames import Picture, guarded

SIZE = 340  # of one look
TURNS = 600
HOME, ROUND, AWAY = "home", "round", "away"


@dataclass(frozen=True)
class Setting:
    """A remedy under one slider: what it is called, the slider, and what it does to a turn.

    make: (step size, strength, alternating) → the turn that is played; averaging leaves it as it is
    """

    symbol: str
    low: float
    high: float
    step: float
    start: float
    make: Callable[[float, float, bool], Remedy]


SETTINGS: dict[str, Setting] = {
    "none": Setting("no strength", 0, 1, 1, 0, lambda h, _, turns: Remedy(lr=h, alternating=turns)),
    "R1 penalty": Setting("γ", 0, 3, 0.05, 1, lambda h, gamma, turns: Remedy(lr=h, gamma=gamma, alternating=turns)),
    "two time scales": Setting(
        "h_d / h", 0.25, 8, 0.25, 4, lambda h, ratio, turns: Remedy(lr=h, lr_d=ratio * h, alternating=turns)
    ),
    "averaged weights": Setting("decay", 0, 0.99, 0.01, 0.95, lambda h, _, turns: Remedy(lr=h, alternating=turns)),
    "momentum": Setting(
        "β", -0.9, 0.9, 0.1, 0.5, lambda h, beta, turns: Remedy(lr=h, momentum=round(beta, 6), alternating=turns)
    ),
    "weight clipping": Setting(
        "bound", 0.1, 1.5, 0.05, 0.5, lambda h, bound, turns: Remedy(lr=h, bound=bound, alternating=turns)
    ),
}


class DiracLaboratory(Picture):
    """Choose a remedy, predict where each way of taking turns ends, then run.

    Parts: .remedy, .strength, .lr, .guesses (at once, in turns), .go (a button), .numbers and .image;
    .outcomes holds what the last run showed, None before it; .right and .asked count predictions.
    """

    def __init__(self):
        super().__init__(2 * SIZE, SIZE + 24, "course-smooth")
        wide = w.Layout(width="22em")
        self.remedy = w.Dropdown(options=list(SETTINGS), description="remedy", layout=wide)
        self.strength = self._slider()
        self.lr = w.FloatSlider(0.1, min=0.02, max=0.5, step=0.02, description="step h", layout=wide)
        self.guesses = tuple(
            w.ToggleButtons(options=[HOME, ROUND, AWAY], value=None, description=name)
            for name in ("at once", "in turns")
        )
        for guess in self.guesses:
            guess.style.button_width = "5em"
        self.go = w.Button(description=f"run {TURNS} turns", layout=w.Layout(width="max-content"))
        self.numbers = w.HTML()
        self.right = self.asked = 0
        self.outcomes = None
        self.remedy.observe(self._choose, "value")
        self.lr.observe(self._change, "value")
        self.go.on_click(self._run)
        said = w.HTML("<b>Your prediction</b>: where does each end?")
        self.controls = w.VBox([self.remedy, self.strength, self.lr, said, *self.guesses, self.go, self.numbers])
        self.children = [
            self.style_tag,
            w.HBox([self.image, self.controls], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._change()

    def remedies(self) -> tuple[Remedy, Remedy]:
        """What is played: at once, in turns."""
        make = SETTINGS[self.remedy.value].make
        return make(self.lr.value, self.strength.value, False), make(self.lr.value, self.strength.value, True)

    def _slider(self) -> w.FloatSlider:
        """One of its own for each remedy: a slider whose bounds were moved keeps its first ones for Home and End."""
        chosen = SETTINGS[self.remedy.value]
        slider = w.FloatSlider(
            chosen.start,
            min=chosen.low,
            max=chosen.high,
            step=chosen.step,
            description=chosen.symbol,
            disabled=self.remedy.value == "none",
            layout=w.Layout(width="22em"),
        )
        slider.observe(self._change, "value")
        return slider

    @guarded
    def _choose(self):
        self.strength.close()
        self.strength = self._slider()
        self.controls.children = [self.remedy, self.strength, *self.controls.children[2:]]
        self._change()

    @guarded
    def _change(self):
        self.outcomes = None
        for guess in self.guesses:
            guess.value = None
        self._draw(turns=0)

    @guarded
    def _run(self):
        if self.outcomes is not None:
            return
        shown = self._draw(turns=TURNS)
        self.outcomes = tuple(outcome(path) for path in shown)
        guessed = [guess.value for guess in self.guesses]
        self.asked += sum(each is not None for each in guessed)
        self.right += sum(each == found for each, found in zip(guessed, self.outcomes))
        self._tell()

    def _draw(self, turns: int) -> list[torch.Tensor]:
        """Draws both looks; returns the paths that are judged: the averages where averaging is the remedy."""
        averaging = self.remedy.value == "averaged weights"
        looks, judged = [], []
        for name, remedy in zip(("at once", "in turns"), self.remedies()):
            path = dirac.play(remedy, turns=turns)
            average = dirac.running_average(path, self.strength.value) if averaging and turns else None

            def step(places, remedy=remedy):
                still = torch.zeros_like(places.T)
                return dirac.turn(torch.cat([places.T, still]), remedy)[:2].T

            title = name + (": the game (blue), its average (orange)" if averaging else "")
            looks.append(canvas.Look(title, path, average, step, remedy.bound))
            judged.append(path if average is None else average)
        self.image.value = canvas.png(canvas.paths_frame(looks, SIZE))
        self.paths = judged
        self._tell()
        return judged

    def _tell(self) -> None:
        rows = []
        for index, (name, remedy) in enumerate(zip(("at once", "in turns"), self.remedies())):
            if self.outcomes is None:
                rows.append((name, "?", "?", "?"))
                continue
            radius = dirac.spectral_radius(dirac.turn_matrix(remedy))
            end = self.paths[index][-1].norm().item()
            rows.append((name, f"{radius:.4f}", f"{end:.3g}", self.outcomes[index]))
        whose = "average's distance" if self.remedy.value == "averaged weights" else "distance"
        self.numbers.value = table(rows, head=["", "largest modulus", f"{whose} after {TURNS}", "ends"])
        strength = "" if self.strength.disabled else f", {self.strength.description} = {self.strength.value:.2f}"
        score = f"; predicted: {self.right} of {self.asked}" if self.asked else ""
        waiting = (
            "predict, then run"
            if self.outcomes is None
            else ", ".join(f"{name}: {found}" for name, found in zip(("at once", "in turns"), self.outcomes))
        )
        self.status.value = f"{self.remedy.value}{strength}, h = {self.lr.value:.2f}: {waiting}{score}"


def outcome(path: torch.Tensor) -> str:
    """Where a path ends: home, round and round at a distance, or away."""
    growth = dirac.growth(path)
    return HOME if growth < 1 - 2e-4 else AWAY if growth > 1 + 2e-4 else ROUND
