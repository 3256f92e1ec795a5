"""HYPE on yourself: images flash, you say real or generated, the staircase finds how long you must look."""

from __future__ import annotations

import base64
import html
import json
import secrets
import threading
from dataclasses import dataclass, field

import ipywidgets as w
import torch
from torch import Tensor

from course_lib import data, plots, runtime, zoo
from course_lib.canvas import png
from course_lib.exercises import sittings
from course_lib.exercises.cards import table
from course_lib.metrics.hype import HypeInfinity, HypeTime, Observer, Rule, Staircase, hype_infinity, hype_time
from course_lib.widgets.hype_page import framed

MODES = {"timed": "timed", "untimed": "untimed"}
TIPS = ["how long must you look? (HYPE-time)", "how often are you wrong? (HYPE-infinity)"]
COLUMNS = 16  # of the sheet
FRAME_MS = 1000 / 60
MASKS = 8  # different ones; three follow each flash
CROSS_MS = 600
BLOCK = 4  # pixels a side of what a mask shuffles
RULE = Rule()


class Hype(w.VBox):
    """Real or generated? A run of flashes (HYPE-time) or of images without a limit of time (HYPE-infinity).

    network: of the zoo, a generator of Fashion-MNIST;  rule: of the staircase;  untimed: images in an untimed run, even
    seed:    of the images and their order; a new one for each run unless given

    Parts: .network, .threshold (of the truncated latents), .mode, .results, .stage; `.play(observer)` runs a whole
    sitting without a browser, and `.hear(message)` takes what the page would say. `.sitting` is the last finished one.
    """

    def __init__(self, network: str = "dcgan-fashion", rule: Rule = RULE, untimed: int = 40, seed: int | None = None):
        if untimed < 10 or untimed % 2:
            raise ValueError(f"untimed: expected an even number of at least 10, got {untimed}")
        names = [
            name
            for name in zoo.names()
            if zoo.card(name)["data"]["name"] == "fashion-mnist" and "generator" in zoo.card(name)["parameters"]
        ]
        runtime.known("network", network, names)
        super().__init__()
        self.rule, self.untimed, self.seed, self.lock = rule, untimed, seed, threading.RLock()
        self.network = w.Dropdown(options=names, value=network, description="samples of")
        self.threshold = w.Dropdown(
            options=[("none", 0.0), *((f"|z| ≤ {value:g}", value) for value in (2.0, 1.0, 0.5))],
            description="truncation",
        )
        self.mode = w.ToggleButtons(options=MODES, tooltips=TIPS, description="answers are")
        self.stage = w.HTML(framed())
        self.ear = w.HTML(layout=w.Layout(display="none"))
        self.mouth = w.Text(continuous_update=False, layout=w.Layout(display="none"))
        self.status, self.results = w.HTML(), w.HTML()
        self.add_class("course-hype")
        self.ear.add_class("course-hype-ear")
        self.mouth.add_class("course-hype-mouth")
        self.mouth.observe(self._heard, "value")
        self.frame_ms, self.sitting, self._run = None, None, None
        self.children = [
            w.HBox([self.network, self.threshold], layout=w.Layout(flex_flow="row wrap")),
            self.mode, self.stage, self.ear, self.mouth, self.status, self.results,
        ]  # fmt: skip
        self._tell_past()

    # ------------------------------------------------------------ the page speaks

    def _heard(self, change) -> None:
        if not change["new"]:
            return
        with self.lock:
            try:
                self.hear(json.loads(change["new"]))
            except Exception as error:
                self.status.value = f"stopped: {html.escape(f'{type(error).__name__}: {error}')}"
                self._say("It stopped with an error, which stands below. Begin again?")

    def hear(self, message: dict) -> None:
        """What the page says: ready, begin, loaded, answer or stop. An answer to another trial is ignored."""
        kind = runtime.known("kind", message.get("kind"), ("ready", "begin", "loaded", "answer", "stop"))
        if kind == "ready":
            self.frame_ms = float(message["frame_ms"])
            if self._run:  # the page was drawn anew in the middle of a run
                self._tell(self._run.sheet)
            else:
                self._say("Ready. Look at the cross, then at what flashes there.")
        elif kind == "begin":
            self._begin()
            self._tell(self._run.sheet)
        elif kind == "stop":
            self._run = None
            self._say("Stopped; nothing of this run is kept. Begin again?")
        elif self._run and kind == "loaded":
            self._ask()
        elif self._run and message.get("trial") == len(self._run.trials):
            self._take(message)

    def _tell(self, message: dict) -> None:
        self.ear.value = f"<pre>{html.escape(json.dumps(message))}</pre>"

    def _say(self, text: str) -> None:
        self._tell({"say": text, "at": secrets.token_hex(4)})  # the same words twice must be two messages

    # ------------------------------------------------------------ a run

    def _begin(self, keep: bool = True) -> None:
        timed = self.mode.value == "timed"
        seed = secrets.randbelow(2**31) if self.seed is None else self.seed
        images, is_real = pictures(
            self.network.value, self.rule.trials if timed else self.untimed, seed, self.threshold.value or None
        )
        address = base64.b64encode(png(plots.tile(images, COLUMNS, gap=0))).decode()
        self._run = _Run(
            facts={
                "mode": self.mode.value,
                "network": self.network.value,
                "threshold": self.threshold.value or None,
                "seed": seed,
            },
            is_real=is_real,
            staircase=Staircase(self.rule) if timed else None,
            sheet={
                "sheet": f"data:image/png;base64,{address}",
                "columns": COLUMNS,
                "width": images.shape[3],
                "height": images.shape[2],
            },
            keep=keep,
        )
        self.status.value = ""

    def _ask(self) -> None:
        number, total, staircase = len(self._run.trials), len(self._run.is_real), self._run.staircase
        self._tell(
            {
                "trial": number,
                "of": total,
                "cell": number,
                "masks": [total + (number + step) % MASKS for step in range(3)],
                "cross_ms": CROSS_MS,
                "ms": staircase.exposure_ms if staircase else None,  # None: until the answer
            }
        )

    def _take(self, message: dict) -> None:
        run, says = self._run, runtime.known("says", message.get("says"), ("real", "generated"))
        is_real = run.is_real[len(run.trials)]
        trial = {"real": is_real, "says": says, "reaction_ms": _rounded(message.get("reaction_ms"))}
        if run.staircase:
            asked, shown = run.staircase.exposure_ms, message.get("shown_ms") or 0.0  # 0 is refused by the staircase
            run.staircase.report((says == "real") == is_real, shown)
            trial |= {"asked_ms": _rounded(asked), "shown_ms": _rounded(shown)}
        run.trials.append(trial)
        if len(run.trials) < len(run.is_real):
            self._ask()
        else:
            self._finish()

    def _finish(self) -> None:
        run, self._run = self._run, None
        self.sitting = {**run.facts, "frame_ms": _rounded(self.frame_ms), "trials": run.trials}
        self.sitting["result"] = score(self.sitting, self.rule)._asdict()
        if run.keep:
            trouble = sittings.add(self.sitting)
            self.status.value = html.escape(trouble or f"Kept in {sittings.path().name}, beside your progress file.")
        self._say("Done. The result stands below. Once more?")
        self._tell_past([] if run.keep else [self.sitting])

    def play(self, observer: Observer, generator: torch.Generator | None = None, frame_ms: float = FRAME_MS) -> dict:
        """One whole sitting by an observer, on a screen of whole frames, without a browser; not kept on disk."""
        self.hear({"kind": "ready", "frame_ms": frame_ms})
        self._begin(keep=False)
        while (run := self._run) is not None:
            timed = run.staircase is not None
            shown = max(1, round(run.staircase.exposure_ms / frame_ms)) * frame_ms if timed else None
            right = bool(observer.answer(shown if timed else torch.inf, generator))
            says = "real" if run.is_real[len(run.trials)] == right else "generated"
            self.hear({"kind": "answer", "trial": len(run.trials), "says": says, "shown_ms": shown})
        return self.sitting

    # ------------------------------------------------------------ what came of it

    def _tell_past(self, more: list[dict] | tuple = ()) -> None:
        rows = [_row(each) for each in (*sittings.read(), *more)[-6:]]
        self.results.value = table([("when", "samples of", "result", "exposures as asked"), *rows]) if rows else ""


@dataclass
class _Run:
    """A sitting that goes on. facts: what is kept of its settings;  sheet: the message with all images"""

    facts: dict
    is_real: list[bool]
    staircase: Staircase | None
    sheet: dict
    keep: bool
    trials: list[dict] = field(default_factory=list)


def pictures(network: str, count: int, seed: int, threshold: float | None = None) -> tuple[Tensor, list[bool]]:
    """Half photographs, half samples, in random order, then MASKS masks. → ((count + MASKS, 1, 28, 28) uint8, is_real)

    Photographs are test images of Fashion-MNIST. A mask is an image of the run with its blocks of pixels shuffled, so that it
    has the same greys and nothing to recognise.
    """
    if count < 2 or count % 2:
        raise ValueError(f"count: expected an even number of at least 2, got {count}")
    draw = runtime.keyed_generator("cpu", seed, "hype")
    test = data.load("fashion-mnist", "test").pixels
    real = test[torch.randperm(len(test), generator=draw)[: count // 2]]
    fake = zoo.sample(zoo.load(network)[0], count // 2, seed=seed, threshold=threshold)
    fake = data.to_uint8(data.centre(fake, real.shape[-1]))  # without the border: a frame would give samples away
    order = torch.randperm(count, generator=draw)
    images = torch.cat([real, fake])[order]
    masks = torch.stack([_shuffled(images[int(order[number % count])], draw) for number in range(MASKS)])
    return torch.cat([images, masks]), (order < count // 2).tolist()


def _shuffled(image: Tensor, draw: torch.Generator) -> Tensor:
    """(C, H, W) with its blocks of BLOCK×BLOCK pixels in another order."""
    blocks = image.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK)  # (C, h, w, BLOCK, BLOCK)
    channels, h, w_, _, _ = blocks.shape
    blocks = blocks.reshape(channels, h * w_, BLOCK, BLOCK)[:, torch.randperm(h * w_, generator=draw)]
    rows = blocks.reshape(channels, h, w_, BLOCK, BLOCK).transpose(2, 3)
    return rows.reshape(channels, h * BLOCK, w_ * BLOCK)


def score(sitting: dict, rule: Rule = RULE, draws: int = 2000) -> HypeTime | HypeInfinity:
    """The result of a sitting: HYPE-time of a timed one, HYPE-infinity of an untimed one.

    raises: ValueError if it has no answers
    """
    trials = sitting["trials"]
    if not trials:
        raise ValueError("sitting: expected at least one answer, got none")
    right = torch.tensor([(each["says"] == "real") == each["real"] for each in trials])
    if sitting["mode"] == "timed":
        return hype_time([each["shown_ms"] for each in trials], right, rule)
    draw = runtime.keyed_generator("cpu", sitting["seed"], "bootstrap")
    return hype_infinity(~right[:, None], draws, generator=draw)


def in_words(sitting: dict) -> str:
    """A sitting's result as a phrase, with its interval and its number of answers."""
    found, count = sitting["result"], len(sitting["trials"])
    if sitting["mode"] == "untimed":
        return f"HYPE∞ {found['share']:.0%} wrong ({found['low']:.0%} to {found['high']:.0%}; {count} images)"
    if found["bound"]:
        side = {"longest": "more than", "shortest": "at most"}[found["bound"]]
        return f"HYPE-time {side} {found['ms']:.0f} ms: the staircase ended at its {found['bound']} exposures ({count} flashes)"
    return f"HYPE-time {found['ms']:.0f} ms ({found['low']:.0f} to {found['high']:.0f}; {count} flashes)"


def on_screen(sitting: dict) -> str:
    """How well the browser kept the exposures that were asked for, as a phrase; empty for an untimed sitting."""
    if sitting["mode"] != "timed":
        return ""
    off = torch.tensor([abs(each["shown_ms"] - each["asked_ms"]) for each in sitting["trials"]])
    late = (off > 1.5 * sitting["frame_ms"]).sum()
    return f"{off.median():.1f} ms off (median); {late} of {len(off)} by more than 1½ frames of {sitting['frame_ms']:.1f} ms"


def _row(sitting: dict) -> tuple[str, str, str, str]:
    cut = "" if sitting["threshold"] is None else f", |z| ≤ {sitting['threshold']:g}"
    return sitting.get("when", "simulated"), sitting["network"] + cut, in_words(sitting), on_screen(sitting)


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(float(ms), 2)
