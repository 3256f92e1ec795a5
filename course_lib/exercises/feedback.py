"""What a learner sees after an answer: the verdict in words that teach, and under it the folded help."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_lib.exercises import cards

if TYPE_CHECKING:
    from course_lib.exercises.engine import Exercise, Verdict


def card(item: Exercise, verdict: Verdict, trouble: str | None = None) -> cards.Card:
    """The verdict in words that teach."""
    warning = cards.escape(trouble or "")
    instead = "The chapter runs on the library's function until yours is right."
    if verdict.status == "not attempted":
        effort = f"{'easy' if item.difficulty == 1 else 'medium' if item.difficulty == 2 else 'hard'}, about {item.minutes} minutes"
        return cards.Card("open", f"{item.id}: not attempted yet ({effort})", [instead])
    if verdict.status == "right":
        return cards.Card(
            "right",
            f"{item.id}: right",
            [
                "Checked:" + cards.bullets(map(cards.escape, verdict.checked)),
                "The rest of this chapter runs on your function.",
                warning,
            ],
        )
    titles = {
        "wrong": "not right yet",
        "error": "it stopped with an error",
        "stopped": "stopped",
        "too long": "stopped",
    }
    message = "<br>".join(cards.escape(line) for line in verdict.message.splitlines())
    diagnosis = cards.escape(item.wrong_answers[verdict.recognised].diagnosis) if verdict.recognised else ""
    return cards.Card(
        "error" if verdict.status == "error" else "wrong",
        f"{item.id}: {titles[verdict.status]}",
        [message, diagnosis, instead, warning],
    )


@dataclass(frozen=True)
class Folded:
    """Hints and solution under `<details>`: Markdown, so that JupyterLab renders mathematics and colours code."""

    item: Exercise

    def _repr_markdown_(self) -> str:
        parts = [
            f"<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>"
            for number, hint in enumerate(self.item.hints, 1)
        ]
        code = "\n\n".join(
            inspect.getsource(function).rstrip() for function in (self.item.reference, *self.item.solution_also)
        )
        parts.append(
            f"<details><summary>Solution (the library's own source)</summary>\n\n```python\n{code}\n```\n\n</details>"
        )
        parts.append(
            "<details><summary>Start over</summary>\n\nChange the first line to "
            f'`@exercise("{self.item.id}", reset=True)` and run the cell: the empty stub comes back, and what '
            "you wrote is kept in `progress.json`.\n\n</details>"
        )
        return "\n".join(parts)

    def __repr__(self) -> str:
        return f"({len(self.item.hints)} hints and a solution are folded here)"
