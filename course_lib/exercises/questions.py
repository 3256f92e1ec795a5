"""Beside code: predictions (choose, run, see), quizzes with a reason for every option, explanations with a rubric.

Quizzes and explanations of a chapter stand in its file of exercises; a prediction's options stand in the
notebook, and its answer is whatever the run shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.exercises import cards, engine, ledger
from course_lib.runtime import known


@dataclass(frozen=True)
class Option:
    """One possible answer: whether it is right, and why."""

    text: str
    right: bool
    reason: str


@dataclass(frozen=True)
class Question:
    text: str
    options: Sequence[Option]


@dataclass(frozen=True)
class Explanation:
    """prompt: what to explain; rubric: points a good answer makes; example: one good answer."""

    prompt: str
    rubric: Sequence[str]
    example: str


QUIZZES: dict[str, Sequence[Question]] = {}
EXPLANATIONS: dict[str, Explanation] = {}
_options: dict[str, list[str]] = {}


def predict(prediction_id: str, options: Sequence[str]):
    """A choice to make before running on; `reveal` compares it with what the run shows. → ipywidgets.Widget"""
    import ipywidgets as w

    _options[prediction_id] = list(options)
    chosen = ledger.read()["predictions"].get(prediction_id, {}).get("choice")
    radio = w.RadioButtons(
        options=list(options), value=chosen if chosen in options else None, layout=w.Layout(width="max-content")
    )
    status = w.HTML(_noted(chosen) if chosen in options else "Choose one; then run on.")

    def note(change):
        status.value = _noted(change["new"], ledger.record("predictions", prediction_id, choice=change["new"]))

    radio.observe(note, "value")
    return w.VBox([w.HTML("<strong>Your prediction</strong>"), radio, status])


def _noted(choice: str, trouble: str | None = None) -> str:
    return cards.escape(trouble or "Noted. Run on to see; you can change your mind until then.")


def reveal(prediction_id: str, answer: str, because: str) -> cards.Card:
    """What the run showed, beside what was predicted.

    answer:  one of the prediction's options, computed by the cells above
    because: why, with the run's numbers; `code` between backticks
    raises:  ValueError if no such prediction was made above or `answer` is none of its options
    """
    known("prediction", prediction_id, _options)
    known("answer", answer, _options[prediction_id])
    choice = ledger.read()["predictions"].get(prediction_id, {}).get("choice")
    if choice is not None:
        ledger.record("predictions", prediction_id, outcome=answer)
    title = {None: "The run says", answer: "As you predicted"}.get(choice, "Not as you predicted")
    yours = f"You said: {choice}." if choice not in (None, answer) else ""
    return cards.Card(
        "right" if choice == answer else "note", f"{title}: {answer}", [cards.escape(yours), cards.escape(because)]
    )


def quiz(quiz_id: str):
    """A few questions; each option says why it is right or wrong once it is chosen. → ipywidgets.Widget"""
    import ipywidgets as w

    engine.all_exercises()
    questions = QUIZZES[known("quiz", quiz_id, QUIZZES)]
    first = ledger.read()["quizzes"].get(quiz_id, {}).get("first", {})  # {question number: was it right}

    def ask(number: int, question: Question):
        radio = w.RadioButtons(
            options=[option.text for option in question.options], value=None, layout=w.Layout(width="max-content")
        )
        reason = w.HTML()

        def answered(change):
            option = next(option for option in question.options if option.text == change["new"])
            first.setdefault(str(number), option.right)  # the first answer is the one that counts, for good
            reason.value = cards.Card(
                "right" if option.right else "wrong",
                "Right" if option.right else "Not so",
                [cards.escape(option.reason)],
            )._repr_html_()
            ledger.record("quizzes", quiz_id, first=first, of=len(questions))

        radio.observe(answered, "value")
        return w.VBox([w.HTML(f"<strong>{number}. {cards.escape(question.text)}</strong>"), radio, reason])

    return w.VBox([ask(number, question) for number, question in enumerate(questions, 1)])


def explain(explanation_id: str):
    """Write first, then compare with a rubric and mark yourself. → ipywidgets.Widget"""
    import ipywidgets as w

    engine.all_exercises()
    item = EXPLANATIONS[known("explanation", explanation_id, EXPLANATIONS)]
    before = ledger.read()["explanations"].get(explanation_id, {})
    text = w.Textarea(
        value=before.get("text", ""),
        placeholder="In your own words …",
        layout=w.Layout(width="100%", max_width="52em", height="8em"),
    )
    compare = w.Button(description="Compare with the rubric", layout=w.Layout(width="max-content"))
    status = w.HTML()
    marks = [
        w.Checkbox(
            value=point in before.get("points", []),
            description=point,
            indent=False,
            layout=w.Layout(width="100%", max_width="52em"),
        )
        for point in item.rubric
    ]
    below = w.VBox([])

    def save(_=None):
        points = [point for point, mark in zip(item.rubric, marks) if mark.value]
        trouble = ledger.record("explanations", explanation_id, text=text.value, points=points)
        status.value = cards.escape(trouble or f"Saved: {len(points)} of {len(marks)} points.")

    def show(_):
        if not text.value.strip():
            status.value = "Write something first: comparing teaches only who has tried."
            return
        below.children = [
            w.HTML("<strong>Which of these does your text say?</strong>"),
            *marks,
            w.HTML(f"<details><summary>One good answer</summary>{cards.escape(item.example)}</details>"),
        ]
        save()

    compare.on_click(show)
    for mark in marks:
        mark.observe(save, "value")
    return w.VBox([w.HTML(f"<strong>{cards.escape(item.prompt)}</strong>"), text, compare, status, below])
