"""The map of the course: every chapter, links to those that are there, and the learner's progress in each."""

import re

from course_lib.chapters import CHAPTERS, get
from course_lib.exercises import chapter_map, engine, ledger, questions
from course_lib.notebook import NOTEBOOKS


def row(card, chapter):
    return next(line for line in repr(card).splitlines() if line.startswith(chapter.name))


def test_every_chapter_is_on_it_in_order_with_its_question():
    said = repr(chapter_map())
    places = [said.index(f"{chapter.name}: {chapter.question}") for chapter in CHAPTERS]
    assert places == sorted(places)
    for chapter in CHAPTERS:
        assert row(chapter_map(), chapter).endswith("to come") != chapter.written


def test_links_lead_to_notebooks_and_to_nothing_else():
    links = re.findall(r'href="([^"]*)"', chapter_map()._repr_html_())
    assert links == [f"{chapter.stem}.ipynb" for chapter in CHAPTERS if chapter.written]
    assert all((NOTEBOOKS / link).exists() for link in links)


def test_progress_is_counted_in_its_own_chapter(monkeypatch):
    chapter = get("02")
    ours = [item.id for item in engine.all_exercises() if item.id.startswith("02.")]
    quizzes = sum(key.startswith("02.") for key in questions.QUIZZES)
    assert row(chapter_map(), chapter).endswith(
        f"60 minutes, 2 of computing 0 of {len(ours)} exercises right, 0 of {quizzes} quizzes"
    )
    ledger.record("exercises", ours[0], status="right", attempts=2)
    ledger.record("exercises", ours[1], status="wrong", attempts=1)
    ledger.record("predictions", "02.losses", choice="both fall")
    ledger.record("quizzes", "02.check", first={"1": True}, of=3)
    ledger.record("predictions", "02b.elsewhere", choice="x")  # another chapter, though it begins alike
    assert row(chapter_map(), chapter).endswith(
        f"1 of {len(ours)} exercises right, 1 prediction, 1 of {quizzes} quizzes"
    )
    assert f"1 of {len(engine.all_exercises())} exercises right" in chapter_map().title


def test_less_than_a_minute_of_computing_is_said_so():
    assert "20 minutes, under 1 of computing" in row(chapter_map(), get("00b"))


def test_colours_are_the_themes():
    page = chapter_map()._repr_html_()
    assert "var(--jp-layout-color1" in page and "<table" in page and 'scope="col"' in page
    assert not re.search(r"(?<!-left:.3em solid )#[0-9a-f]{6}", page)
