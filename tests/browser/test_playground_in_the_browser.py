"""The playground in JupyterLab: plays, pauses, answers the keyboard, and stops when it should."""

import re

from test_widgets_in_the_browser import focus_slider, press, said

PICTURE = "img.course-smooth"
CELL = "from course_lib import widgets\nwidgets.playground({!r})"


def step_of(opened):
    return int(re.search(r"step\s+([\d,]+)", said(opened))[1].replace(",", ""))


def play(opened):
    opened.page.locator(".widget-play button").first.click()


def test_it_plays_pauses_and_answers_while_it_plays(notebook):
    opened = notebook([CELL.format("ring of 8")])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    untrained = opened.image_bytes(PICTURE)
    assert untrained.startswith(b"\xff\xd8") and step_of(opened) == 0
    opened.page.get_by_role("button", name="one step").press("Enter")
    opened.until(lambda: step_of(opened) == 1 and opened.image_bytes(PICTURE) != untrained)
    play(opened)
    opened.until(lambda: step_of(opened) > 60)
    focus_slider(opened, "rate of D")
    press(opened, "ArrowLeft", 10)  # a tenth a press: from 1e-3 to 1e-4, while the game goes on
    opened.until(lambda: "rate of D 0.0001" in said(opened))
    opened.shot("playing")
    play(opened)  # the same button pauses
    opened.page.wait_for_timeout(600)
    paused = step_of(opened)
    opened.page.wait_for_timeout(600)
    assert step_of(opened) == paused
    opened.page.get_by_role("button", name="start over").press("Enter")
    opened.until(lambda: step_of(opened) == 0)
    assert "stopped:" not in said(opened)


def test_points_of_your_own_are_learned(notebook):
    opened = notebook([CELL.format("your own points")])
    opened.run(0)
    opened.page.wait_for_selector("button[title='data at (0.0, 0.0)']")
    before = opened.image_bytes(PICTURE)
    opened.page.locator("button[title='data at (0.0, 0.0)']").press("Space")
    opened.until(lambda: "of 8" in said(opened))  # seven to begin with, and this one
    opened.until(lambda: opened.image_bytes(PICTURE) != before)
    opened.shot("own")
    play(opened)
    opened.until(lambda: step_of(opened) > 30)


def test_running_the_cell_again_stops_the_game_before(notebook):
    opened = notebook(
        [
            CELL.format("moons"),
            "",
            "import gc\n[p.game.steps for p in gc.get_objects() if type(p).__name__ == 'Playground']",
        ]
    )
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    play(opened)
    opened.until(lambda: step_of(opened) > 20)
    opened.run(0)  # a second game in the same kernel; the first one's clock is closed
    opened.page.wait_for_timeout(500)
    steps = []
    for _ in range(2):
        opened.run(2)
        steps.append(opened.outputs()[-1]["data"]["text/plain"])
        opened.page.wait_for_timeout(700)
    assert steps[0] == steps[1]


def test_it_stops_when_the_page_closes(notebook, chromium, lab):
    opened = notebook([CELL.format("moons")])
    opened.run(0)
    opened.page.wait_for_selector(PICTURE)
    play(opened)
    opened.until(lambda: step_of(opened) > 20)
    kernel = opened.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
    opened.page.close()
    address, token, _ = lab
    page = chromium.new_page()  # any page of this server, to ask the kernel how far its game is
    page.goto(f"{address}/lab?token={token}&reset")
    page.wait_for_function("() => window.jupyterapp")
    ask = """id => new Promise(resolve => {
      const kernel = window.jupyterapp.serviceManager.kernels.connectTo({model: {id, name: 'python3'}});
      const code = "import sys; print(sys.modules['course_lib.widgets.playground']._live['playground'].game.steps)";
      kernel.requestExecute({code}).onIOPub = message => {
        if (message.header.msg_type === 'stream') resolve(parseInt(message.content.text));
      };
    })"""
    page.wait_for_timeout(500)
    first = page.evaluate(ask, kernel)
    page.wait_for_timeout(1000)
    assert page.evaluate(ask, kernel) == first > 20
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()
