"""The covariance ellipse, moved by keyboard in JupyterLab."""

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"


def test_the_covariance_ellipse_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.covariance_ellipse()"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    circle = opened.image_bytes(PICTURE)
    assert circle.startswith(b"\x89PNG") and "[1.00, 0.00; 0.00, 1.00]" in said(opened)
    focus_slider(opened, "correlation")
    press(opened, "ArrowRight", 12)
    opened.until(lambda: "[1.00, 0.60; 0.60, 1.00] · eigenvalues 1.60 and 0.40" in said(opened))
    opened.until(lambda: opened.image_bytes(PICTURE) != circle)
    focus_slider(opened, "std of x")
    press(opened, "ArrowRight", 12)
    focus_slider(opened, "std of y")
    press(opened, "ArrowLeft", 4)
    opened.until(lambda: "d² = 0.000" in said(opened))  # onto the dashed one
    opened.shot("ellipse")
    focus_slider(opened, "correlation")
    press(opened, "Home")
    opened.until(lambda: "eigenvalues 3.20 and 0.00" in said(opened))  # a line
    press(opened, "End")
    opened.until(lambda: "[2.56, 1.28; 1.28, 0.64]" in said(opened))
    opened.page.get_by_role("button", name="start over").press("Enter")
    opened.until(lambda: opened.image_bytes(PICTURE) == circle)
    assert "stopped" not in said(opened)
