"""Interpolation slider and epsilon explorer in JupyterLab, moved by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"
LOAD = "from course_lib import widgets, zoo\ngenerator = zoo.load('dcgan-fashion')[0]\n"


def test_the_place_moves_both_ways_and_new_latents_are_new_films(notebook):
    opened = notebook([LOAD + "widgets.interpolation_slider(generator)"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start = opened.image_bytes(PICTURE)
    assert at_start.startswith(b"\x89PNG") and "t = 0.50" in said(opened)
    focus_slider(opened, "t, A to B")
    press(opened, "Home")
    opened.until(lambda: "t = 0.00" in said(opened) and opened.image_bytes(PICTURE) != at_start)
    press(opened, "ArrowRight", 25)
    opened.until(lambda: "t = 0.25" in said(opened))
    opened.shot("quarter")
    before = opened.image_bytes(PICTURE)
    opened.page.get_by_role("button", name="two new latents").press("Enter")
    opened.until(lambda: "seeds 2 and 3" in said(opened) and opened.image_bytes(PICTURE) != before)
    assert "stopped" not in said(opened)


def test_a_shorter_step_is_another_number_and_the_curve_fills_in(notebook):
    opened = notebook([LOAD + "widgets.epsilon_explorer(generator, paths=2)"])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    at_start = opened.image_bytes(PICTURE)
    assert "ε = 10^-2.0" in said(opened)
    focus_slider(opened, "ε, power of ten")
    press(opened, "ArrowLeft", 4)
    opened.until(lambda: "ε = 10^-4.0" in said(opened) and opened.image_bytes(PICTURE) != at_start, seconds=60)
    opened.page.get_by_role("button", name="the whole curve").press("Enter")
    before = opened.image_bytes(PICTURE)
    opened.until(lambda: opened.image_bytes(PICTURE) != before, seconds=90)
    opened.shot("curve")
    assert "stopped" not in said(opened)
