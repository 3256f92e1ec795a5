"""What the learner has done, in one JSON file that is replaced atomically."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from course_lib.exercises import cards
from course_lib.files import ROOT, write_atomically

KINDS = ("exercises", "predictions", "quizzes", "explanations", "report")
_lock = threading.Lock()


def path() -> Path:
    """COURSE_PROGRESS, else workbook/progress.json of this checkout."""
    return Path(os.environ.get("COURSE_PROGRESS") or ROOT / "workbook" / "progress.json")


def read() -> dict[str, dict]:
    """Everything recorded so far: {kind: {id: fields}}; empty if it cannot be read at this moment."""
    try:
        return _read()
    except OSError:
        return {kind: {} for kind in KINDS}


def _read() -> dict[str, dict]:
    """As `read`, but an unreadable file is an OSError; a damaged one is kept aside and counts as empty."""
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("not a table of entries")
    except FileNotFoundError:
        found = {}
    except ValueError:
        found = {}
        os.replace(path(), path().with_suffix(f".damaged-{time.strftime('%Y%m%d-%H%M%S')}.json"))
    return {kind: found.get(kind, {}) for kind in KINDS}


def record(kind: str, item_id: str, **fields) -> str | None:
    """Merge `fields` into one entry and save; returns a sentence if it could not be saved, else None."""
    try:
        with _lock, _between_kernels():
            everything = _read()
            entry = everything[kind].setdefault(item_id, {})
            entry.update(fields, when=time.strftime("%Y-%m-%d %H:%M"))
            write_atomically(path(), json.dumps(everything, indent=1, ensure_ascii=False).encode("utf-8"))
    except OSError as error:
        return f"Your progress could not be saved: {error.strerror or error}."
    return None


@contextmanager
def _between_kernels(patience: float = 2.0):
    """Two notebooks may finish an exercise at once: a lock file makes one wait; one left by a crash is ignored."""
    lock = path().with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + patience
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > end:
                break
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def add_to_report(chapter: str, sentence: str) -> cards.Card:
    """A line of the learner's own report on their generator; the capstone prints them all."""
    trouble = record("report", chapter, sentence=sentence)
    return cards.Card(
        "note", f"Added to your report, chapter {chapter}", [cards.escape(sentence), cards.escape(trouble or "")]
    )


def progress(chapter: str | None = None) -> cards.Card:
    """Exercises done, of all there are; one chapter ("02") or the whole course."""
    from course_lib.exercises import engine

    def ours(item_id: str) -> bool:
        return chapter is None or item_id.split(".")[0] == chapter

    done = read()
    rows = []
    for item in engine.all_exercises():
        if not ours(item.id):
            continue
        entry = done["exercises"].get(item.id, {})
        state, tries = entry.get("status", "not attempted"), entry.get("attempts", 0)
        rows.append((item.id, state, "" if not tries else f"{tries} {'try' if tries == 1 else 'tries'}"))
    right = sum(state == "right" for _, state, _ in rows)
    counts = [
        f"{len([key for key in done[kind] if ours(key)])} {kind}" for kind in ("predictions", "quizzes", "explanations")
    ]
    return cards.Card("note", f"{right} of {len(rows)} exercises right", [cards.table(rows), ", ".join(counts) + "."])
