"""What the learner answered in the HYPE test, kept beside the progress file in one JSON file, replaced atomically."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from course_lib.exercises import ledger
from course_lib.files import write_atomically


def path() -> Path:
    """hype.json in the folder of the progress file."""
    return ledger.path().with_name("hype.json")


def read(mode: str | None = None) -> list[dict]:
    """Every finished sitting, oldest first, or those of one mode ("timed", "untimed"); empty if there is no file.

    A damaged file is put aside under another name and counts as empty.
    """
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise ValueError("not a list of sittings")
    except ValueError:
        os.replace(path(), path().with_suffix(f".damaged-{time.strftime('%Y%m%d-%H%M%S')}.json"))
        found = []
    except OSError:
        found = []
    return [each for each in found if mode in (None, each.get("mode"))]


def add(sitting: dict) -> str | None:
    """Append one sitting; returns a sentence if it could not be saved, else None."""
    try:
        everything = [*read(), {"when": time.strftime("%Y-%m-%d %H:%M"), **sitting}]
        write_atomically(path(), json.dumps(everything, indent=1, ensure_ascii=False).encode("utf-8"))
    except OSError as error:
        return f"Your answers could not be saved: {error.strerror or error}."
    return None
