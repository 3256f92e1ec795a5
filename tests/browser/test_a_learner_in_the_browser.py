"""Chapter 02 as a learner meets it: all cells run, then a wrong answer, half an answer, the right one, and a reset."""

import re

import pytest

from course_lib.exercises import engine
from course_lib.notebook import NOTEBOOKS

HEADER = "from course_lib.exercises import exercise, explain, predict, quiz, reveal\nimport torch"
STUB = '@exercise("02.to_uint8")\ndef to_uint8(images):\n    """Pixels."""\n    '


def test_wrong_half_right_and_reset(notebook):
    opened = notebook([HEADER, STUB + "..."])
    opened.run(0)
    said = lambda: opened.cell(1).locator(".jp-OutputArea").inner_text()  # noqa: E731
    opened.run(1)
    opened.until(lambda: "not attempted yet" in said())
    for body, expected in [
        ("return (images * 127.5 + 127.5).to(torch.uint8)", "without round"),
        ("return (images * 127.5 + 127.5).round()", "only the cast"),
        ("return image * 127.5", "name 'image' is not defined"),
        ("return torch.round(images * 127.5 + 127.5).to(torch.uint8)", "02.to_uint8: right"),
    ]:
        opened.write(1, STUB + body)
        opened.run(1)
        opened.until(lambda expected=expected: expected in said())
    opened.shot("right")
    opened.cell(1).locator("summary", has_text="Solution").click()
    opened.until(lambda: "def to_uint8(images: Tensor)" in said())  # the library's own source, unfolded
    opened.write(1, opened.source(1).replace('("02.to_uint8")', '("02.to_uint8", reset=True)'))
    opened.run(1)
    stub = '@exercise("02.to_uint8")\ndef to_uint8(images):\n    """Images from [-1, 1] to pixels'
    opened.until(lambda: opened.source(1).startswith(stub))


def test_an_endless_loop_is_stopped(notebook):
    opened = notebook(
        [
            HEADER + "\nfrom course_lib.exercises import engine\nimport dataclasses\n"
            "item = engine.get('02.to_uint8')\nengine.EXERCISES[item.id] = dataclasses.replace(item, seconds=2.0)",
            STUB + "while True: pass",
            "print('alive after it')",
        ]
    )
    for index in range(3):
        opened.run(index)
    opened.until(lambda: "had not returned after 2 seconds" in opened.cell(1).inner_text())
    opened.until(lambda: "alive after it" in opened.cell(2).locator(".jp-OutputArea").inner_text())


def test_prediction_quiz_and_explanation(notebook):
    opened = notebook(
        [
            HEADER,
            "predict('02.x', ['up', 'down'])",
            "reveal('02.x', 'down', 'it fell by `3`')",
            "quiz('02.recall')",
            "explain('02.why_no_convergence')",
        ]
    )
    opened.run(0)
    opened.run(1)
    opened.cell(1).get_by_role("radio", name="up").check()
    opened.until(lambda: "Noted" in opened.cell(1).inner_text())
    opened.run(2)
    opened.until(lambda: "Not as you predicted: down" in opened.cell(2).inner_text())
    opened.run(3)
    opened.cell(3).get_by_role("radio", name="1.386").check()
    opened.until(lambda: "both terms are" in opened.cell(3).inner_text())
    opened.run(4)
    opened.cell(4).get_by_role("button", name="Compare").click()
    opened.until(lambda: "Write something first" in opened.cell(4).inner_text())
    opened.cell(4).locator("textarea").fill("Each loss depends on the other player.")
    opened.cell(4).locator("textarea").press("Tab")
    opened.cell(4).get_by_role("button", name="Compare").click()
    opened.until(lambda: "Which of these" in opened.cell(4).inner_text())
    opened.cell(4).locator("input[type=checkbox]").first.check()
    opened.until(lambda: "1 of 4 points" in opened.cell(4).inner_text())
    opened.shot("questions")


@pytest.mark.parametrize("chapter", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_whole_chapter_runs_unanswered(notebook, chapter):
    opened = notebook(chapter, height=1400)
    opened.run_all(240)
    outputs = opened.outputs()
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    pages = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    for item in engine.all_exercises():
        if item.id.split(".")[0] == chapter.stem.split("_")[0]:
            assert any(f"{item.id}: not attempted yet" in page for page in pages)
    figures = [page for page in pages if "course-figure" in page]
    for figure in figures:
        for alt in re.findall(r'alt="([^"]*)"', figure):
            assert len(alt) > 40, alt
    drawn = opened.page.locator("figure.course-figure img:visible")
    opened.page.locator(".jp-Notebook .jp-WindowedPanel-outer, .jp-Notebook").first.evaluate(
        "panel => panel.scrollTo(0, 0)"
    )
    opened.until(lambda: drawn.count() > 0)
    assert drawn.first.evaluate("image => image.complete && image.naturalWidth > 200")
