"""The metric microscope in JupyterLab, by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said


def test_the_microscope_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.metric_microscope(count=300)"])
    opened.run(0)
    opened.page.wait_for_selector("img.course-pixelated")
    untouched = opened.image_bytes()
    focus_slider(opened, "blur, pixels")
    press(opened, "ArrowRight", 10)
    opened.until(lambda: "1.00" in said(opened) and opened.image_bytes() != untouched)
    opened.until(lambda: "▲" in said(opened))
    opened.shot("microscope")
    opened.page.get_by_role("button", name="undo all").press("Enter")
    opened.until(lambda: opened.image_bytes() == untouched and "▲" not in said(opened))
    assert "stopped" not in said(opened)
