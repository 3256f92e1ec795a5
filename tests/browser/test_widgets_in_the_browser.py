"""Each widget, moved by keyboard in JupyterLab: what the eye would see must change, and go back."""


def focus_slider(opened, description):
    """Put the keyboard on the slider with this label."""
    opened.page.locator(f".widget-slider:has(label:text-is('{description}')) .noUi-handle").focus()


def press(opened, key, times=1):
    for _ in range(times):
        opened.page.keyboard.press(key)


def said(opened):
    return opened.page.locator(".jp-OutputArea").first.inner_text()


def test_the_latent_explorer_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets, zoo\nwidgets.latent_explorer(zoo.load('dcgan-fashion')[0])"])
    opened.run(0)
    opened.page.wait_for_selector("img.course-pixelated")
    at_start = opened.image_bytes()
    assert at_start.startswith(b"\x89PNG")
    focus_slider(opened, "A → B")
    press(opened, "ArrowRight", 25)
    opened.until(lambda: "at 0.50" in said(opened))
    half_way = opened.image_bytes()
    assert half_way != at_start
    press(opened, "ArrowLeft", 25)
    opened.until(lambda: "at 0.00" in said(opened))
    opened.until(lambda: opened.image_bytes() == at_start)  # the same latent gives the same picture
    focus_slider(opened, "direction 1")
    press(opened, "ArrowRight", 20)
    opened.until(lambda: "1: +2.0" in said(opened) and opened.image_bytes() != at_start)
    opened.shot("explorer")
    opened.page.get_by_role("button", name="resample").click()
    opened.until(lambda: "seed 2 → 3" in said(opened) and opened.image_bytes() not in (at_start, half_way))
    assert "stopped" not in said(opened)


def test_the_training_scrubber_answers_the_keyboard(notebook):
    opened = notebook(["from course_lib import widgets\nwidgets.training_scrubber('dcgan-fashion')"])
    opened.run(0)
    opened.page.wait_for_selector("img.course-pixelated")
    at_the_end = opened.image_bytes()
    opened.shot("scrubber")
    focus_slider(opened, "moment")
    press(opened, "Home")
    opened.until(lambda: "step 0," in said(opened) and opened.image_bytes() != at_the_end)
    press(opened, "End")
    opened.until(lambda: opened.image_bytes() == at_the_end)
    opened.page.locator(".widget-play button").first.click()  # plays through the training from its beginning
    opened.until(lambda: "moment 2 of" in said(opened))
    assert "stopped" not in said(opened)
