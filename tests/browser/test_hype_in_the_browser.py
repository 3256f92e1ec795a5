"""HYPE in JupyterLab, answered by keyboard: the page flashes, the kernel counts, the file keeps what was really shown."""

import json

SETUP = """
import course_lib.exercises.sittings as sittings
from course_lib import widgets
from course_lib.metrics.hype import Rule
test = widgets.hype(rule=Rule(trials=10, start_ms=200), untimed=10, seed=3)
test
"""
FACTS = "import json; print('SITTINGS', json.dumps(sittings.read()), 'FRAME', test.frame_ms)"


def page_of(opened):
    return opened.page.frame_locator("iframe[title^='HYPE']")


def answer(opened, number, of, key):
    """Wait until the page asks about this image, then press R or G."""
    page_of(opened).locator("#say", has_text=f"{number} of {of}: real or generated?").wait_for(timeout=30_000)
    page_of(opened).locator("body").press(key)


def kept(opened):
    opened.run(1)
    text = next("".join(output["text"]) for output in opened.outputs() if "SITTINGS" in "".join(output.get("text", "")))
    found, frame = text.removeprefix("SITTINGS ").split(" FRAME ")
    return json.loads(found), float(frame)


def test_a_timed_run_is_flashed_answered_and_kept(notebook):
    opened = notebook([SETUP, FACTS])
    opened.run(0)
    begin = page_of(opened).locator("#go")
    begin.wait_for(timeout=30_000)
    opened.shot("ready")
    begin.click()
    answer(opened, 1, 10, "r")
    answer(opened, 2, 10, "x")  # no answer: the page waits
    page_of(opened).locator("#say", has_text="2 of 10: real or generated?").wait_for()
    opened.shot("asked")
    for number in range(2, 11):
        answer(opened, number, 10, "g" if number % 3 else "r")
    page_of(opened).locator("#say", has_text="Done").wait_for(timeout=30_000)
    opened.until(lambda: "HYPE-time" in opened.page.locator(".course-hype").inner_text())
    opened.shot("done")
    sittings, frame = kept(opened)
    (sitting,) = [each for each in sittings if each["mode"] == "timed"]
    trials = sitting["trials"]
    assert [each["says"] for each in trials] == ["real", *("generated" if n % 3 else "real" for n in range(2, 11))]
    assert 3 < frame < 200 and sitting["frame_ms"] == round(frame, 2)
    for each in trials:  # a busy machine may hold a flash too long, never cut it short by more than rounding to a frame
        assert each["shown_ms"] > 0 and each["shown_ms"] > each["asked_ms"] - frame and each["reaction_ms"] > 0
    right = [(each["says"] == "real") == each["real"] for each in trials]
    assert trials[0]["asked_ms"] == 200 and (trials[1]["asked_ms"] < 200) == right[0]
    print("asked and shown:", [(each["asked_ms"], each["shown_ms"]) for each in trials], "frame", frame)


def test_an_untimed_run_waits_and_stopping_keeps_nothing(notebook):
    opened = notebook([SETUP, FACTS], theme="dark")
    opened.run(0)
    opened.page.get_by_role("button", name="untimed").click()
    page_of(opened).locator("#go").click()
    page_of(opened).locator("#say", has_text="1 of 10: real or generated?").wait_for(timeout=30_000)
    opened.page.wait_for_timeout(700)
    opened.shot("untimed")
    page_of(opened).get_by_role("button", name="real (R)").click()
    page_of(opened).locator("#say", has_text="2 of 10: real or generated?").wait_for(timeout=30_000)
    page_of(opened).get_by_role("button", name="stop").click()
    page_of(opened).locator("#say", has_text="Stopped").wait_for()
    assert not [each for each in kept(opened)[0] if each["mode"] == "untimed"]
    page_of(opened).locator("#go").click()
    for number in range(1, 11):
        answer(opened, number, 10, "r")
    opened.until(lambda: "50% wrong" in opened.page.locator(".course-hype").inner_text())  # who says real to all
    (sitting,) = [each for each in kept(opened)[0] if each["mode"] == "untimed"]
    assert sitting["result"]["share"] == 0.5 and "shown_ms" not in sitting["trials"][0]
