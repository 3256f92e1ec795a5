"""The moving supports in JupyterLab: by keyboard, JSD sticks at log 2 while W₁ follows the slider."""

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"


def test_the_moving_supports_answer_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.moving_supports()"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start = opened.image_bytes(PICTURE)
    assert at_start.startswith(b"\x89PNG") and "JSD 0.6931, W₁ 3.00" in said(opened)
    focus_slider(opened, "samples at")
    press(opened, "ArrowRight", 20)
    opened.until(lambda: "JSD 0.6931, W₁ 4.00" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    press(opened, "ArrowLeft", 20)
    opened.until(lambda: opened.image_bytes(PICTURE) == at_start)
    focus_slider(opened, "width")
    press(opened, "End")
    opened.until(lambda: "width 1.50" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    opened.shot("wide")
    assert "JSD 0.6931" not in said(opened) and "W₁ 3.00" in said(opened)
    assert "stopped" not in said(opened)
