"""Latent maps in JupyterLab, moved by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"


def test_sliders_and_buttons_move_the_cross_and_what_is_decoded(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.latent_maps()"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start = opened.image_bytes(PICTURE)
    assert at_start.startswith(b"\x89PNG") and "the middle of both maps" in said(opened)
    focus_slider(opened, "across")
    press(opened, "End")
    opened.until(lambda: "across +1.00, up +0.00" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    focus_slider(opened, "up")
    press(opened, "ArrowDown", 10)
    opened.until(lambda: "up -0.20" in said(opened))
    opened.shot("moved")
    at_the_edge = opened.image_bytes(PICTURE)
    opened.page.get_by_role("button", name="a photograph's code").press("Enter")
    opened.until(lambda: "photograph 0, ankle boot" in said(opened) and opened.image_bytes(PICTURE) != at_the_edge)
    opened.shot("photograph")
    opened.page.get_by_role("button", name="draw a code").press("Enter")
    opened.until(lambda: "draw 1;" in said(opened))
    assert "stopped" not in said(opened)
