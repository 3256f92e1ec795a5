"""The glossary in JupyterLab: searched by keyboard, reached from a chapter's links; and the map that leads to chapters."""

import nbformat

from course_lib import glossary
from course_lib.glossary import TERMS
from course_lib.notebook import NOTEBOOKS

ENTRIES = ".widget-html [aria-label=terms] p"


def current(opened):
    """The name of the document in front."""
    return opened.page.evaluate("() => window.jupyterapp.shell.currentWidget?.context?.path")


def test_the_glossary_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.glossary()"], theme="dark")
    opened.run(0)
    opened.page.wait_for_selector(ENTRIES)
    entries = opened.page.locator(ENTRIES)
    assert entries.count() == len(TERMS)
    opened.page.get_by_role("textbox", name="search").focus()
    opened.page.keyboard.type("frechet inc", delay=20)
    opened.until(lambda: entries.count() == 1)
    assert "Fréchet Inception Distance (FID): The squared" in entries.first.inner_text()
    opened.page.keyboard.press("ControlOrMeta+A")
    opened.page.keyboard.type("covarience", delay=20)
    opened.until(lambda: "did you mean 'covariance'?" in opened.page.locator(".jp-OutputArea").inner_text())
    opened.shot("glossary-dark")
    ink, paper = (
        entries.first.evaluate(f"p => getComputedStyle(p.parentElement).{name}")
        for name in ("color", "backgroundColor")
    )
    assert min(map(int, ink[4:-1].split(",")[:3])) > 150 > 80 > max(map(int, paper[4:-1].split(",")[:3])), (ink, paper)
    opened.page.keyboard.press("ControlOrMeta+A")
    opened.page.keyboard.press("Backspace")
    opened.until(lambda: entries.count() == len(TERMS))
    opened.page.keyboard.press("Tab")  # on to the list, which the keyboard scrolls
    region = opened.page.locator("[aria-label=terms]")
    assert region.evaluate("list => list === document.activeElement && list.scrollTop === 0")
    opened.page.keyboard.press("PageDown")
    opened.until(lambda: region.evaluate("list => list.scrollTop") > 100)


def test_a_chapters_link_opens_the_glossary_at_its_term(notebook, lab, tmp_path):
    glossary.write(lab[2] / "docs" / "glossary.md")  # JupyterLab's root has no parent: `../docs` is `docs` there
    text = "A [transposed convolution](../docs/glossary.md#transposed-convolution) paints."
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), tmp_path / "chapter.ipynb")
    opened = notebook(tmp_path / "chapter.ipynb")
    opened.page.get_by_role("link", name="transposed convolution").click()
    opened.until(lambda: current(opened) == "docs/glossary.md")
    opened.shot("glossary-page")
    heading = opened.page.locator(".jp-MarkdownViewer h3", has_text="transposed convolution")
    panel = opened.page.locator(".jp-MarkdownViewer")

    def in_view():
        place, frame = heading.bounding_box(), panel.bounding_box()
        return place and frame["y"] - 1 <= place["y"] < frame["y"] + frame["height"]

    opened.until(in_view)
    assert opened.page.locator(".jp-MarkdownViewer h3").first.bounding_box()["y"] < 0  # it has scrolled there


def test_the_map_opens_a_chapter(notebook, lab):
    (lab[2] / "02_dcgan.ipynb").write_bytes((NOTEBOOKS / "02_dcgan.ipynb").read_bytes())
    opened = notebook(["from course_lib.exercises import chapter_map\nchapter_map()"], theme="dark")
    opened.run(0)
    opened.until(lambda: "02 DCGAN: How does noise" in opened.cell(0).locator(".jp-OutputArea").inner_text())
    opened.shot("chapter-map-dark")
    opened.page.get_by_role("link", name="02 DCGAN:").focus()
    opened.page.keyboard.press("Enter")
    opened.until(lambda: current(opened) == "02_dcgan.ipynb")
