"""The failure museum: recorded runs to be diagnosed from their curves, before cause and samples are shown."""

from __future__ import annotations

import ipywidgets as w

from course_lib import canvas, plots
from course_lib.canvas_lines import Panel, lines_frame
from course_lib.exercises.cards import Card, escape, table
from course_lib.widgets.frames import Picture, guarded, pixel_image
from course_lib.zoo import museum

SIZE = (250, 230)  # of one panel of curves
SHEET = 464  # width of the samples: two rows of eight, doubled


class Museum(Picture):
    """Choose an exhibit, read its curves, name its fault; then see what it was and what it drew.

    Parts: .exhibit (a letter each, in an order that says nothing), .diagnosis, .tell (a button), .verdict,
    .moment and .samples, which stay shut until the exhibit is diagnosed; .right and .asked count first answers.
    """

    def __init__(self):
        super().__init__(3 * SIZE[0], SIZE[1], "course-smooth")
        self.order = museum.in_disguise()
        self.answers: dict[str, str] = {}  # exhibit → the first diagnosis
        self.exhibit = w.ToggleButtons(
            options=[chr(ord("A") + k) for k in range(len(self.order))], description="exhibit"
        )
        self.exhibit.style.button_width = "3em"
        self.diagnosis = w.RadioButtons(
            options=[museum.EXHIBITS[name].diagnosis for name in sorted(self.order)],
            value=None,
            layout=w.Layout(width="max-content"),
        )
        self.tell = w.Button(description="that is my diagnosis", layout=w.Layout(width="max-content"))
        self.verdict = w.HTML()
        self.moment = w.SelectionSlider(  # as many options as it will have: its End key never learns of more
            options=range(len(museum.MOMENTS)), description="samples at", layout=w.Layout(width="24em")
        )
        self.samples = pixel_image(SHEET, SHEET // 4)
        self.facts = w.HTML()
        self.after = w.VBox(
            [self.verdict, self.moment, w.HBox([self.samples, self.facts], layout=w.Layout(flex_flow="row wrap"))]
        )
        self.exhibit.observe(self._enter, "value")
        self.moment.observe(self._draw_samples, "value")
        self.tell.on_click(self._answer)
        question = w.HTML("<b>Your diagnosis</b>, from the curves alone:")
        self.children = [
            self.style_tag,
            self.exhibit,
            self.image,
            w.HBox([w.VBox([question, self.diagnosis, self.tell]), self.after], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._enter()

    @property
    def name(self) -> str:
        """Which run is shown."""
        return self.order[self.exhibit.options.index(self.exhibit.value)]

    @property
    def right(self) -> int:
        """First diagnoses that were right."""
        return sum(museum.EXHIBITS[name].diagnosis == told for name, told in self.answers.items())

    @property
    def asked(self) -> int:
        """Exhibits that were diagnosed."""
        return len(self.answers)

    @guarded
    def _enter(self):
        self.run = museum.load(self.name)
        self.image.value = canvas.png(lines_frame(panels(self.run), *SIZE))
        self.diagnosis.value = self.answers.get(self.name)
        self._show()

    @guarded
    def _answer(self):
        if self.diagnosis.value is None:
            self.status.value = "choose a diagnosis first"
            return
        self.answers.setdefault(self.name, self.diagnosis.value)
        self._show()

    def _show(self) -> None:
        known = self.name in self.answers
        self.after.layout.display = "" if known else "none"
        self.diagnosis.disabled = self.tell.disabled = known
        if known:
            self._reveal()
        else:
            self.verdict.value = self.facts.value = ""
            self.samples.value = b""
        score = f"; right: {self.right} of {self.asked}" if self.asked else ""
        state = museum.EXHIBITS[self.name].diagnosis if known else "read the curves, then say what is wrong"
        self.status.value = f"exhibit {self.exhibit.value}: {state}{score}"

    def _reveal(self) -> None:
        facts = museum.EXHIBITS[self.name]
        right = self.answers[self.name] == facts.diagnosis
        said = "" if right else escape(f"You said: {self.answers[self.name]}.")
        words = [
            said,
            escape(facts.cause),
            escape(f"In the curves: {facts.seen}"),
            escape(f"What helps: {facts.remedy}"),
        ]
        title = f"{'Right' if right else 'Not so'}: {facts.diagnosis}"
        self.verdict.value = Card("right" if right else "note", title, words)._repr_html_()
        self.moment.options = [(f"step {each['step']:,}", index) for index, each in enumerate(self.run.moments)]
        self.moment.value = len(self.run.moments) - 1
        self._draw_samples()

    @guarded
    def _draw_samples(self):
        if self.name not in self.answers:
            return
        self.samples.value = canvas.png(plots.tile(self.run.images[self.moment.value], 8))
        found = self.run.moments[self.moment.value]
        self.facts.value = table(
            [
                ("what was changed", museum.EXHIBITS[self.name].changed),
                ("class entropy of the samples", f"{found['class_entropy']:.2f} of {museum.LOG_CLASSES:.2f}"),
                (f"Fréchet distance, N = {found['n']:,}", f"{found['fid']:.1f}"),
            ]
        )


def panels(run: museum.Run) -> list[Panel]:
    """The three panels of a run's curves: losses, logits, gradient norms."""
    steps = run.history["step"]
    return [
        Panel("loss", steps, run.history["d_loss"], run.history["g_loss"], ("discriminator", "generator")),
        Panel("mean logit", steps, run.history["real_logit"], run.history["fake_logit"], ("real", "fake")),
        Panel(
            "gradient norm",
            steps,
            run.history["d_gradient_norm"],
            run.history["g_gradient_norm"],
            ("discriminator", "generator"),
            log=True,
        ),
    ]
