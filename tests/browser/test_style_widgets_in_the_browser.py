"""StyleGAN's four widgets in JupyterLab, moved by keyboard."""

import pytest
from test_widgets_in_the_browser import focus_slider, press, said

SETUP = """
import torch
from types import SimpleNamespace
from course_lib import widgets
from course_lib.models import style
torch.manual_seed(0)
generator = style.Generator(latent_dim=32, width=8, size=32, most=32).eval().requires_grad_(False)
for layer in generator.synthesis.layers:
    layer.noise.amount.fill_(0.2)
rows = [{"psi": p / 4, "precision": 0.9 - p / 20, "recall": p / 8, "attribute_entropy": 2.0 * p} for p in range(5)]
moments = [SimpleNamespace(step=100 * i, kimg=3.2 * i, resolution=4 * 2**i, alpha=1.0,
                           images=torch.full((24, 3, 4 * 2**i, 4 * 2**i), 60 * i, dtype=torch.uint8)) for i in range(4)]
"""
MOVES = {  # call, slider, keys, what it then says, keys back
    "style_mixer": (
        "style_mixer(generator)",
        "crossover",
        "End",
        "all layers of the row",
        "Home",
        "all layers of the column",
    ),
    "psi_slider": (
        "psi_slider(generator, rows, entropy=8.0)",
        "ψ",
        "Home",
        "ψ 0.00 in all layers",
        "End",
        "ψ 1.50 in all layers",
    ),
    "growth_scrubber": ("growth_scrubber(moments)", "moment", "Home", "moment 0 of 3", "End", "32×32"),
    "noise_layers": ("noise_layers(generator)", "draw", "End", "draw 7", "Home", "draw 0"),
}


@pytest.mark.parametrize("name", MOVES)
def test_the_keyboard_moves_it(notebook, name):
    call, slider, there, then, back, last = MOVES[name]
    opened = notebook([SETUP + f"widgets.{call}"])
    opened.run(0)
    opened.page.wait_for_selector("img.course-pixelated")
    at_start = opened.image_bytes()
    assert at_start.startswith(b"\x89PNG") and "stopped" not in said(opened)
    focus_slider(opened, slider)
    press(opened, there)
    opened.until(lambda: then in said(opened) and opened.image_bytes() != at_start)
    moved = opened.image_bytes()
    press(opened, back)
    opened.until(lambda: last in said(opened) and opened.image_bytes() != moved)
    if name == "noise_layers":
        opened.page.get_by_role("button", name="no layer").press("Enter")
        opened.until(lambda: "layers none" in said(opened))
        opened.page.get_by_role("button", name="all layers").press("Enter")
        opened.until(lambda: "layers 0, 1, 2" in said(opened) and opened.image_bytes() == at_start)
    opened.shot("moved")
    assert "stopped" not in said(opened)
