"""The KL fit in JupyterLab: moved and sent to both optima by keyboard."""

import re

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"


def forward_kl(opened):
    return float(re.search(r"KL\(data‖model\)\s+([\d.]+)", said(opened))[1])


def test_the_kl_fit_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.kl_fit()"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start, kl = opened.image_bytes(PICTURE), forward_kl(opened)
    assert at_start.startswith(b"\x89PNG")
    focus_slider(opened, "mean")
    press(opened, "ArrowRight", 20)
    opened.until(lambda: "mean -0.80" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    assert forward_kl(opened) < kl  # nearer to the hump that was left out
    press(opened, "ArrowLeft", 20)
    opened.until(lambda: opened.image_bytes(PICTURE) == at_start)
    opened.page.get_by_role("button", name="least forward KL").press("Enter")
    opened.until(lambda: "deviation 2.08" in said(opened))
    covering = opened.image_bytes(PICTURE)
    opened.shot("covering")
    opened.page.get_by_role("button", name="least reverse KL").press("Enter")
    opened.until(lambda: "deviation 0.82" in said(opened) and opened.image_bytes(PICTURE) != covering)
    opened.shot("seeking")
    focus_slider(opened, "distance")
    press(opened, "End")
    opened.until(lambda: "?" in said(opened))
    assert "stopped" not in said(opened)
