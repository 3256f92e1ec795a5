"""What each exercise of each chapter must do; a new chapter is covered by being there."""

import itertools
import re
from inspect import signature

import pytest

from course_lib.exercises import engine
from course_lib.notebook import NOTEBOOKS, shipped_cell

ITEMS = engine.all_exercises()
WRONG = [(item, name) for item in ITEMS for name in item.wrong_answers]


def by_id(item):
    return item.id if hasattr(item, "id") else None


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_the_reference_is_right(item):
    verdict = engine.judge(item, item.reference)
    assert verdict.status == "right", verdict


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_other_right_forms_are_right(item):
    assert item.other_forms, "every exercise needs another right form: COURSE_SOLVE=1 answers with it"
    for form in item.other_forms:
        verdict = engine.judge(item, form)
        assert verdict.status == "right", verdict


@pytest.mark.parametrize(("item", "name"), WRONG, ids=lambda value: getattr(value, "id", value))
def test_a_wrong_answer_is_rejected_and_recognised(item, name):
    verdict = engine.judge(item, item.wrong_answers[name].function)
    assert verdict.status in ("wrong", "error"), f"{name} was accepted"
    assert verdict.recognised == name, verdict
    assert len(verdict.message) > 20


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_wrong_answers_differ_from_each_other_and_from_right_ones(item):
    assert len(item.wrong_answers) >= 5
    behaviours = {name: engine.observe(item, wrong.function) for name, wrong in item.wrong_answers.items()}
    for one, other in itertools.combinations(behaviours, 2):
        assert not engine.same(behaviours[one], behaviours[other], item.tolerance), (one, other)
    for right in (item.reference, *item.other_forms):
        seen = engine.observe(item, right)
        for name, behaviour in behaviours.items():
            assert not engine.same(seen, behaviour, item.tolerance), f"{name} looks like a right answer"


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_the_notebooks_stub_is_not_attempted_and_has_the_reference_signature(item):
    source = shipped_cell("x-" + re.sub(r"[._]", "-", item.id))
    assert source is not None, f"{item.id} stands in no notebook of {NOTEBOOKS}"
    stubs = []
    space = {"exercise": lambda exercise_id: stubs.append}
    exec(source, space)
    assert engine.judge(item, stubs[0]).status == "not attempted"
    assert stubs[0].__doc__
    asked, library = (list(signature(each).parameters.values()) for each in (stubs[0], item.reference))
    assert [each.name for each in asked] == [each.name for each in library[: len(asked)]]
    assert all(each.default is not each.empty for each in library[len(asked) :])  # what the library's can do besides


@pytest.mark.parametrize("item", ITEMS, ids=by_id)
def test_it_says_what_it_is(item):
    assert 2 <= len(item.hints) <= 3
    assert item.difficulty in (1, 2, 3) and 1 <= item.minutes <= 30
    card = engine.card(item, engine.judge(item, item.reference))
    assert all(check.says in repr(card) for check in item.properties)
