"""Neighbour balls in JupyterLab, moved by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"


def test_sliders_change_the_balls_and_the_numbers(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.neighbour_balls()"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start = opened.image_bytes(PICTURE)
    assert at_start.startswith(b"\x89PNG") and "35 of 36 real inside" in said(opened)
    focus_slider(opened, "humps dropped")
    press(opened, "End")
    opened.until(lambda: "5 humps dropped" in said(opened) and "5 of 36 real inside" in said(opened))
    assert opened.image_bytes(PICTURE) != at_start
    focus_slider(opened, "k")
    press(opened, "ArrowRight", 2)
    opened.until(lambda: "k 5," in said(opened))
    opened.shot("dropped")
    opened.page.get_by_role("button", name="start over").press("Enter")
    opened.until(lambda: opened.image_bytes(PICTURE) == at_start)
    focus_slider(opened, "outlier at")
    press(opened, "ArrowRight", 14)
    opened.until(lambda: "real outlier at 3.0" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    opened.shot("outlier")
    assert "stopped" not in said(opened)
