"""The truncation slider in JupyterLab, moved by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

CURVE = "img.course-smooth"


def test_the_slider_changes_images_and_the_point_on_the_curve(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.truncation_slider('dcgan-fashion')"])
    opened.run(0)
    opened.page.wait_for_selector(CURVE)
    opened.page.wait_for_selector("img.course-pixelated")
    start = opened.image_bytes(), opened.image_bytes(CURVE)
    assert start[0].startswith(b"\x89PNG") and "all of z" in said(opened)
    focus_slider(opened, "threshold")
    press(opened, "ArrowLeft", 60)
    opened.until(lambda: "|z| ≤ 1.00" in said(opened), 40)
    opened.until(lambda: opened.image_bytes() != start[0] and opened.image_bytes(CURVE) != start[1])
    opened.shot("cut")
    press(opened, "End")
    opened.until(lambda: "all of z" in said(opened) and opened.image_bytes() == start[0])
    opened.page.get_by_role("button", name="other latents").click()
    opened.until(lambda: opened.image_bytes() != start[0])
    assert "stopped" not in said(opened)
