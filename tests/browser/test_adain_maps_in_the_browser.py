"""AdaIN's maps in JupyterLab, moved by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

SETUP = """
import torch
from course_lib import widgets
from course_lib.models import style
torch.manual_seed(0)
widgets.adain_maps(style.Generator(size=32).eval().requires_grad_(False))
"""


def test_sliders_move_through_the_layers(notebook):
    opened = notebook([SETUP])
    opened.run(0)
    opened.page.wait_for_selector("img.course-pixelated")
    at_start = opened.image_bytes()
    assert at_start.startswith(b"\x89PNG") and "layer 2 (8×8)" in said(opened)
    focus_slider(opened, "layer")
    press(opened, "End")
    opened.until(lambda: "layer 7 (32×32)" in said(opened) and opened.image_bytes() != at_start)
    opened.shot("last-layer")
    focus_slider(opened, "style ×")
    press(opened, "ArrowRight", 5)
    opened.until(lambda: "style × 1.5" in said(opened))
    press(opened, "ArrowLeft", 5)
    focus_slider(opened, "layer")
    press(opened, "Home")
    press(opened, "ArrowRight", 2)
    opened.until(lambda: "layer 2 (8×8)" in said(opened) and opened.image_bytes() == at_start)
    assert "stopped" not in said(opened)
