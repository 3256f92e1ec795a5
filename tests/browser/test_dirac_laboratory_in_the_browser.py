"""The Dirac laboratory in JupyterLab: a remedy chosen, predicted and run by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"


def run_it(opened):
    opened.page.get_by_role("button", name="run 600 turns").press("Enter")


def test_the_dirac_laboratory_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.dirac_laboratory()"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start = opened.image_bytes(PICTURE)
    assert at_start.startswith(b"\x89PNG") and "predict, then run" in said(opened)
    opened.page.get_by_role("button", name="away", exact=True).first.press("Enter")
    opened.page.get_by_role("button", name="round", exact=True).last.press("Enter")
    run_it(opened)
    opened.until(lambda: "predicted: 2 of 2" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    opened.shot("plain")
    opened.page.locator(".widget-dropdown:has(label:text-is('remedy')) select").select_option("R1 penalty")
    opened.until(lambda: "γ = 1.00" in said(opened) and "predict, then run" in said(opened))
    focus_slider(opened, "γ")
    press(opened, "ArrowLeft", 19)
    opened.until(lambda: "γ = 0.05" in said(opened))
    run_it(opened)
    opened.until(lambda: "at once: away, in turns: home" in said(opened))
    weak = opened.image_bytes(PICTURE)
    focus_slider(opened, "γ")
    press(opened, "ArrowRight", 3)
    opened.until(lambda: "γ = 0.20" in said(opened))
    run_it(opened)
    opened.until(lambda: "at once: home, in turns: home" in said(opened) and opened.image_bytes(PICTURE) != weak)
    opened.shot("penalty")
    assert "stopped" not in said(opened)
