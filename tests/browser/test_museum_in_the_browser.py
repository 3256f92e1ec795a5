"""The failure museum in JupyterLab: an exhibit chosen, diagnosed and looked at by keyboard."""

from test_widgets_in_the_browser import focus_slider, press, said

from course_lib.zoo import museum

CURVES, SAMPLES = "img.course-smooth", "img.course-pixelated"


def visit(opened, letter, diagnosis):
    opened.page.get_by_role("button", name=letter, exact=True).press("Enter")
    opened.until(lambda: f"exhibit {letter}:" in said(opened))
    opened.page.get_by_role("radio", name=diagnosis, exact=True).press("Space")
    opened.page.get_by_role("button", name="that is my diagnosis").press("Enter")


def test_the_museum_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.museum()"])
    opened.run(0)
    opened.page.wait_for_selector(CURVES)
    at_start = opened.image_bytes(CURVES)
    assert at_start.startswith(b"\x89PNG") and not opened.page.locator(SAMPLES).is_visible()
    opened.shot("shut")
    order = museum.in_disguise()
    letter = {name: chr(ord("A") + order.index(name)) for name in order}
    visit(opened, letter["vanishing"], museum.EXHIBITS["vanishing"].diagnosis)
    opened.until(lambda: "right: 1 of 1" in said(opened) and opened.page.locator(SAMPLES).is_visible())
    opened.shot("right")
    at_the_end = opened.image_bytes(SAMPLES)
    focus_slider(opened, "samples at")
    press(opened, "Home")
    opened.until(lambda: opened.image_bytes(SAMPLES) != at_the_end)
    press(opened, "End")
    opened.until(lambda: opened.image_bytes(SAMPLES) == at_the_end)
    visit(opened, letter["collapse"], museum.EXHIBITS["healthy"].diagnosis)
    opened.until(lambda: "right: 1 of 2" in said(opened) and "Not so: mode collapse" in said(opened))
    opened.shot("wrong")
    assert opened.image_bytes(CURVES) != at_start and "stopped" not in said(opened)
