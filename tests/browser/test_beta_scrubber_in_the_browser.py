"""Reconstruction against β in JupyterLab, moved by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said


def test_beta_changes_what_comes_back_and_goes_back(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.beta_scrubber()"])
    opened.run(0)
    opened.page.wait_for_selector("img.course-pixelated")
    at_start = opened.image_bytes()
    assert at_start.startswith(b"\x89PNG") and "β = 1:" in said(opened)
    focus_slider(opened, "β")
    press(opened, "End")
    opened.until(lambda: "β = 8:" in said(opened) and opened.image_bytes() != at_start)
    opened.shot("beta-8")
    press(opened, "Home")
    opened.until(lambda: "β = 0.1:" in said(opened))
    opened.shot("beta-0.1")
    press(opened, "ArrowRight")
    opened.until(lambda: "β = 1:" in said(opened) and opened.image_bytes() == at_start)
    assert "stopped" not in said(opened)
