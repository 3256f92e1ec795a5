"""docs/teaching.md names variables, commands, exercises and chapters that exist, and its snippet runs."""

import re
import subprocess
import sys

import pytest

from course_lib import cli
from course_lib.chapters import CHAPTERS
from course_lib.exercises import engine, ledger, questions
from course_lib.notebook import ROOT

PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
CODE = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "course.py", *(ROOT / "course_lib").rglob("*.py")]
)
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "notebooks" / "src").glob("*.py"))

VARIABLES = sorted(set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", PAGE)))
COMMANDS = sorted(set(re.findall(r"(?<![/\w])gan-course ([a-z]+)", PAGE)))
IDS = sorted(set(re.findall(r"\b\d\db?\.[a-z]\w+", PAGE)))
SNIPPET = re.search(r"^```python\n(.*?)^```", PAGE, re.S | re.M)[1]


def test_the_page_was_read():
    assert {"COURSE_PROGRESS", "PIP_FIND_LINKS"} <= set(VARIABLES) and "fetch" in COMMANDS
    assert {"00.modes", "00b.detach", "01.value", "02.losses"} <= set(IDS)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_pips_or_read_by_the_course(name):
    assert name.startswith("PIP_") or re.search(rf"\b{name}\b", CODE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_exists(name):
    assert name in {command.name or command.callback.__name__ for command in cli.app.registered_commands}


@pytest.mark.parametrize("item_id", IDS)
def test_a_prediction_or_exercise_is_in_a_chapter(item_id):
    assert f'"{item_id}"' in SOURCES


def test_what_is_put_to_the_vote_is_a_prediction():
    votes = PAGE[PAGE.index("| week |") : PAGE.index("**Where to expect trouble.**")]
    assert set(re.findall(r"`(\d\db?\.\w+)`", votes)) <= set(re.findall(r'^predict\(\s*"([\w.]+)"', SOURCES, re.M))


def test_the_weeks_hold_every_chapter_in_order_with_its_minutes():
    rows = re.findall(r"^\| (\d+) \| (\d\d[^|]*) \| ([^|]+) \|", PAGE, re.M)
    assert [int(week) for week, _, _ in rows] == list(range(1, 15))
    planned = [pair for _, names, minutes in rows for pair in zip(names.split("; "), minutes.split("; "), strict=True)]
    assert planned == [(each.name, str(each.minutes_reading or "to come")) for each in CHAPTERS]
    written = ", ".join(each.number for each in CHAPTERS if each.written)
    assert f"Chapters written so far: {written}.\n" in PAGE


def test_trouble_is_a_mistake_that_the_exercise_knows():
    rows = re.findall(r'^\| `([\w.]+)` \| "([^|]+)" \| [^|]+\? \|$', PAGE, re.M)
    assert len(rows) > 5
    for item_id, mistake in rows:
        assert mistake in engine.get(item_id).wrong_answers, (item_id, mistake)


def test_the_kinds_of_entries_are_the_progress_files():
    assert tuple(re.findall(r"^\| `(\w+)` \| (?:`|chapter)", PAGE, re.M)) == ledger.KINDS


def test_the_snippet_makes_a_table_of_two_progress_files(tmp_path, monkeypatch):
    files = tmp_path / "handed in"
    monkeypatch.setenv("COURSE_PROGRESS", str(files / "Ada.json"))

    def answer_with(answer):
        return engine.exercise("00.probability")(lambda logits: answer(logits))

    answer_with(lambda values: -values)
    answer_with(lambda values: values.sigmoid())
    questions.predict("00.modes", ["one or two", "all eight"]).children[1].value = "one or two"
    questions.reveal("00.modes", "all eight", "it was counted")
    questions.predict("00b.detach", ["6", "3"]).children[1].value = "3"
    questions.reveal("00b.detach", "3", "detach cuts")
    questions.predict("01.disjoint", ["doubles"]).children[1].value = "doubles"  # and did not run on
    options = questions.QUIZZES["01.recall"][0].options
    questions.quiz("01.recall").children[0].children[1].value = next(each.text for each in options if each.right)
    _, text, compare, _, below = questions.explain("01.words").children
    text.value = "One bets, the other is bet on."
    compare.click()
    below.children[1].value = True
    ledger.add_to_report("01", "a sentence")
    monkeypatch.setenv("COURSE_PROGRESS", str(files / "Niels.json"))
    answer_with(lambda values: values.nothing_of_the_kind)

    (tmp_path / "collect.py").write_text(SNIPPET, encoding="utf-8")
    said = subprocess.run(
        [sys.executable, str(tmp_path / "collect.py"), str(files)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line.split() for line in said] == [
        ["name", "right", "tries", "predicted", "quizzes", "points", "reports"],
        ["Ada", "1", "2", "1", "of", "2", "1", "of", "1", "1", "1"],
        ["Niels", "0", "1", "0", "of", "0", "0", "of", "0", "0", "0"],
    ]
