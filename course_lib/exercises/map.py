"""The course as a map: every chapter with its question, its minutes and how far you are."""

from __future__ import annotations

import html
from collections.abc import Iterable

from course_lib.chapters import CHAPTERS, Chapter
from course_lib.exercises import cards, engine, ledger, questions

CELL = "text-align:left;vertical-align:top;padding:.25em 1.2em .25em 0"


def chapter_map() -> cards.Card:
    """All chapters in order: a link where the notebook is there, its question, minutes, and your progress in it."""
    done, exercises = ledger.read(), [item.id for item in engine.all_exercises()]
    right = [item for item in exercises if done["exercises"].get(item, {}).get("status") == "right"]
    here = sum(chapter.written for chapter in CHAPTERS)
    heads = "".join(f'<th scope="col" style="{CELL}">{head}</th>' for head in ("Chapter", "Time", "Your progress"))
    rows = "".join(_row(chapter, done, exercises, right) for chapter in CHAPTERS)
    return cards.Card(
        "note",
        f"The course: {len(CHAPTERS)} chapters, {here} of them here; {len(right)} of {len(exercises)} exercises right",
        [f'<table style="border-collapse:collapse"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'],
    )


def _row(chapter: Chapter, done: dict[str, dict], exercises: list[str], right: list[str]) -> str:
    name, progress = html.escape(f"{chapter.name}:"), "to come"
    if chapter.written:  # the learner's copies lie side by side, as the shipped notebooks do
        name = f'<a href="{chapter.stem}.ipynb">{name}</a>'
        progress = _progress(chapter.number, done, exercises, right)
    return (
        f'<tr><td style="{CELL}">{name} {html.escape(chapter.question)}</td>'
        f'<td style="{CELL};white-space:nowrap">{_time(chapter)}</td><td style="{CELL}">{progress}</td></tr>'
    )


def _time(chapter: Chapter) -> str:
    sitting = "" if chapter.minutes_reading is None else f"{chapter.minutes_reading} minutes"
    seconds = chapter.seconds
    computing = "" if seconds is None else f"{round(seconds / 60) if seconds >= 60 else 'under 1'} of computing"
    return ", ".join(part for part in (sitting, computing) if part)


def _progress(number: str, done: dict[str, dict], exercises: list[str], right: list[str]) -> str:
    def ours(ids: Iterable[str]) -> int:
        return sum(each.split(".")[0] == number for each in ids)

    counts = [f"{ours(right)} of {ours(exercises)} exercises right"] if ours(exercises) else []
    if predictions := ours(done["predictions"]):
        counts.append(f"{predictions} {'prediction' if predictions == 1 else 'predictions'}")
    if quizzes := ours(questions.QUIZZES):
        counts.append(f"{ours(done['quizzes'])} of {quizzes} quizzes")
    return ", ".join(counts)
