"""The failure museum driven by plain Python: nothing is told before a diagnosis, and then the truth."""

import html

import pytest

from course_lib import widgets
from course_lib.zoo import museum


@pytest.fixture
def visit():
    return widgets.museum()


def diagnose(visit, letter, told):
    visit.exhibit.value = letter
    visit.diagnosis.value = told
    visit.tell.click()


def truth(visit, letter):
    visit.exhibit.value = letter
    return museum.EXHIBITS[visit.name].diagnosis


def test_every_exhibit_has_curves_of_its_own_and_tells_nothing_before_it_is_diagnosed(visit):
    seen = set()
    for letter in visit.exhibit.options:
        visit.exhibit.value = letter
        seen.add(visit.image.value)
        assert visit.samples.value == b"" and visit.verdict.value == visit.facts.value == ""
        assert visit.after.layout.display == "none"
        assert visit.name not in visit.status.value and truth(visit, letter) not in visit.status.value
    assert len(seen) == len(museum.EXHIBITS) == len(visit.exhibit.options)


def test_the_order_of_the_exhibits_and_of_the_answers_gives_nothing_away(visit):
    assert sorted(visit.order) == sorted(museum.EXHIBITS) and visit.order != list(museum.EXHIBITS)
    answers = [museum.EXHIBITS[name].diagnosis for name in visit.order]
    assert list(visit.diagnosis.options) != answers and set(visit.diagnosis.options) == set(answers)


def test_the_right_diagnosis_is_right_and_any_other_is_told_the_cause(visit):
    for number, letter in enumerate(visit.exhibit.options):
        right = truth(visit, letter)
        told = right if number % 2 else next(each for each in visit.diagnosis.options if each != right)
        diagnose(visit, letter, told)
        verdict = html.unescape(visit.verdict.value)
        assert (f"Right: {right}" in verdict) == (told == right)
        assert (f"Not so: {right}" in verdict) == (told != right)
        assert bytes(visit.samples.value).startswith(b"\x89PNG") and "class entropy" in visit.facts.value
        assert (visit.right, visit.asked) == ((number + 1) // 2, number + 1)
    assert "stopped" not in visit.status.value


def test_only_the_first_answer_counts_and_an_exhibit_stays_open(visit):
    first = visit.exhibit.options[0]
    wrong = next(each for each in visit.diagnosis.options if each != truth(visit, first))
    diagnose(visit, first, wrong)
    assert visit.tell.disabled and visit.diagnosis.disabled
    diagnose(visit, first, truth(visit, first))
    assert (visit.right, visit.asked) == (0, 1)
    visit.exhibit.value = visit.exhibit.options[1]
    assert visit.samples.value == b"" and not visit.tell.disabled and visit.diagnosis.value is None
    visit.exhibit.value = first
    assert visit.samples.value and visit.diagnosis.value == wrong and "right: 0 of 1" in visit.status.value


def test_without_a_choice_nothing_is_told(visit):
    visit.tell.click()
    assert visit.asked == 0 and "choose a diagnosis first" in visit.status.value and visit.samples.value == b""


def test_the_moments_show_what_was_drawn_then(visit):
    letter = visit.exhibit.options[visit.order.index("healthy")]
    diagnose(visit, letter, truth(visit, letter))
    sheets, said = set(), []
    for _, index in visit.moment.options:
        visit.moment.value = index
        sheets.add(visit.samples.value)
        said.append(f"{visit.run.moments[index]['class_entropy']:.2f} of" in visit.facts.value)
    assert len(sheets) == len(museum.MOMENTS) and all(said)
