"""Delay of the metric microscope, updates a second of the latent explorer and of StyleGAN's sliders, frames and delay of the playground.

    python benchmarks/sliders.py [--presses 60] [--rate 30] [--no-browser]

First in plain Python: the course's classifier on 2,000 images, and the metric microscope with all its metrics on 2,000
images, from setting a slider to the new numbers. Then in a real browser.

JupyterLab and a headless Chromium run on this machine; arrow keys are pressed at a steady rate, and the page
counts how often the picture's source changes. Beside it, the same with a callback that only returns a cached
frame: what the browser and the connection allow at best. Then the playground plays: pictures a second, and the
time from a key press on a slider to the status line's answer while it plays. The microscope: the time from a key press
on its blur to the new table.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

from course_lib.doctor import find_chromium
from course_lib.notebook import ROOT

IMPORTS = "from course_lib import widgets, zoo\nfrom course_lib.zoo import avatars\n"
AT_64 = "zoo.load('style-avatars-64')[0]"
CELLS = {  # what is measured: its slider, its cell
    "latent explorer, 32 px": ("A → B", f"{IMPORTS}widgets.latent_explorer(zoo.load('dcgan-fashion')[0])"),
    "style mixer, 64 px, new rows": ("rows, seed", f"{IMPORTS}widgets.style_mixer({AT_64})"),
    "ψ slider, 64 px, 8 new images": (
        "seed",
        f"{IMPORTS}widgets.psi_slider({AT_64}, avatars.curve('style-avatars-32')['psi'], entropy=20.1)",
    ),
    "ψ slider, 64 px, ψ itself": (
        "ψ",
        f"{IMPORTS}widgets.psi_slider({AT_64}, avatars.curve('style-avatars-32')['psi'], entropy=20.1)",
    ),
    "noise, 64 px, 8 new draws": ("seed", f"{IMPORTS}widgets.noise_layers({AT_64})"),
    "cached frames, no network": (
        "A → B",
        "import ipywidgets as w, torch\nfrom course_lib import plots\nfrom course_lib.canvas import png\nfrom course_lib.widgets.frames import pixel_image\n"
        "frames = [png(plots.tile(torch.full((1, 1, 32, 32), i, dtype=torch.uint8), 1)) for i in range(200)]\n"
        "image, slider = pixel_image(320, 320), w.FloatSlider(0.0, min=0, max=1, step=0.02, description='A → B')\n"
        "slider.observe(lambda change: setattr(image, 'value', frames[int(50 * change['new'])]), 'value')\n"
        "w.VBox([slider, image])",
    ),
}
PLAYGROUND = "from course_lib import widgets\nwidgets.playground()"
MICROSCOPE = "from course_lib import widgets\nwidgets.metric_microscope()"
ANSWERS = """selector => { window.answers = []; let pressed = null;
  document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  new MutationObserver(() => { if (pressed !== null) { window.answers.push(performance.now() - pressed); pressed = null; } })
    .observe(document.querySelector(selector), {childList: true, characterData: true, subtree: true}); }"""
COUNT = """selector => { window.changes = []; const image = document.querySelector(selector);
  new MutationObserver(() => window.changes.push(performance.now())).observe(image, {attributes: true, attributeFilter: ['src']}); }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=60)
    parser.add_argument("--rate", type=float, default=30, help="key presses a second")
    parser.add_argument("--no-browser", action="store_true", help="only what plain Python can tell")
    options = parser.parse_args()
    in_plain_python()
    if options.no_browser:
        return
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        token = secrets.token_hex(8)
        isolated = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}",
             f"--ServerApp.root_dir={home}", "--LabApp.expose_app_in_browser=True",
             f"--LabApp.app_settings_dir={ROOT / 'course_lib' / 'jupyter_settings'}"],
            env={**os.environ, **isolated, "JUPYTER_TOKEN": token}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/api")
            with sync_playwright() as driver:
                browser = driver.chromium.launch(
                    executable_path=find_chromium(),
                    args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                )
                print(
                    f"{options.presses} key presses at {options.rate:g} a second, {os.cpu_count()} cores, {browser.version}\n"
                )
                for name, (slider, cell) in CELLS.items():
                    rate = measure(browser, home, port, token, slider, cell, options)
                    print(f"{name:32}{rate:6.1f} updates a second", flush=True)
                frames, delays = measure_playground(browser, home, port, token)
                print(
                    f"\n{'playground, playing':32}{frames:6.1f} pictures a second\n{'its sliders, while it plays':32}"
                    f"{told(delays)}, {len(delays)} presses"
                )
                delays = measure_microscope(browser, home, port, token)
                print(f"{'microscope, key to numbers':32}{told(delays)}, {len(delays)} presses")
                browser.close()
        finally:
            server.terminate()
            server.wait()


def in_plain_python(moves: int = 40) -> None:
    """The classifier's forward pass in batches of two sizes, and the microscope through its traits."""
    import torch

    from course_lib import data, widgets, zoo
    from course_lib.models.classifier import folded
    from course_lib.zoo.judging import BATCH, classify

    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else "load not told"
    print(f"in plain Python, {torch.get_num_threads()} threads, {load}")
    images, network = data.to_float(data.load("fashion-mnist", "test").pixels[:2000]), zoo.load("classifier-fashion")[0]
    fast = folded(network)
    with torch.inference_mode():
        forward = {
            "1,000 at a time, as trained": lambda: [network(batch) for batch in images.split(1000)],
            f"{BATCH} at a time, as trained": lambda: [network(batch) for batch in images.split(BATCH)],
            f"{BATCH} at a time, folded": lambda: [fast(batch) for batch in images.split(BATCH)],
        }
        for name, run in forward.items():
            run()
            print(f"{'classifier, ' + name:42}{told(timed(lambda _, run=run: run(), moves))} for 2,000 images")
    print(f"{'classifier as the microscope asks it':42}{told(timed(lambda _: classify(images, fast), moves))}")
    microscope = widgets.metric_microscope()

    def move(index: int) -> None:
        before = microscope.numbers.value
        microscope.blur.value = 0.1 * (5 + index % 10)  # below 0.5 the digits shown hardly move
        if microscope.numbers.value == before:
            raise RuntimeError(f"the microscope did not answer: {microscope.status.value}")

    move(9)
    print(f"{'microscope, slider to numbers':42}{told(timed(move, moves))}, {moves} moves\n", flush=True)


def timed(work, repeats: int) -> list[float]:
    """Milliseconds of work(0), work(1), …"""
    milliseconds = []
    for index in range(repeats):
        start = time.perf_counter()
        work(index)
        milliseconds.append(1000 * (time.perf_counter() - start))
    return milliseconds


def told(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    return f"{statistics.median(ordered):6.0f} ms at the median, {ordered[int(0.9 * len(ordered))]:.0f} ms at 90 %"


def measure(browser, home, port, token, slider, cell, options) -> float:
    """Changes of the picture from the first key press to the last change, a second; the slider goes up and down."""
    steps = {"A → B": 45, "ψ": 15}.get(slider, 100)  # a seed only goes up: nothing that was kept is shown again
    page = show(browser, home, port, token, cell, "img.course-pixelated")
    page.locator(f".widget-slider:has(label:text-is('{slider}')) .noUi-handle").focus()
    page.evaluate(COUNT, "img.course-pixelated")
    start = page.evaluate("() => performance.now()")
    begun = time.perf_counter()
    for press in range(options.presses):
        page.keyboard.press("ArrowRight" if press // steps % 2 == 0 else "ArrowLeft")
        time.sleep(max(0, begun + (press + 1) / options.rate - time.perf_counter()))
    page.wait_for_timeout(1500)
    changes = page.evaluate("() => window.changes")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()
    return len(changes) / ((changes[-1] - start) / 1000) if changes else 0.0


def measure_playground(browser, home, port, token, seconds=10.0, presses=40) -> tuple[float, list[float]]:
    """(pictures a second while it plays, milliseconds from each key press to the answer in the status line)."""
    page = show(browser, home, port, token, PLAYGROUND, "img.course-smooth")
    page.locator(".widget-play button").first.click()
    page.wait_for_timeout(1000)
    page.evaluate(COUNT, "img.course-smooth")
    page.wait_for_timeout(1000 * seconds)
    frames = page.evaluate("() => window.changes.length") / seconds
    page.locator(".widget-slider:has(label:text-is('rate of D')) .noUi-handle").focus()
    page.evaluate(ANSWERS, ".course-status")
    for press in range(presses):
        page.keyboard.press("ArrowLeft" if press % 20 < 10 else "ArrowRight")
        page.wait_for_timeout(230)
    delays = page.evaluate("() => window.answers")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()
    return frames, delays


def measure_microscope(browser, home, port, token, presses=30) -> list[float]:
    """Milliseconds from each key press on the blur to the change of the table of numbers."""
    page = show(browser, home, port, token, MICROSCOPE, ".widget-html-content table")
    page.evaluate("() => document.querySelector('.widget-html-content:has(table)').classList.add('measured')")
    page.locator(".widget-slider:has(label:text-is('blur, pixels')) .noUi-handle").focus()
    for _ in range(5):  # to half a pixel: below it the blur changes no digit of the table
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(1000)
    page.evaluate(ANSWERS, ".measured")
    for press in range(presses):
        page.keyboard.press("ArrowRight" if press % 20 < 10 else "ArrowLeft")
        page.wait_for_function("count => window.answers.length >= count", arg=press + 1, timeout=20_000)
        page.wait_for_timeout(100)
    delays = page.evaluate("() => window.answers")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()
    return delays


def show(browser, home, port, token, cell, selector):
    """A page with a notebook of this one cell, run until its picture is there."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}  # or JupyterLab asks which
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)], metadata={"kernelspec": kernel})
    nbformat.write(notebook, home / "slider.ipynb")
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/lab/tree/slider.ipynb?token={token}&reset")
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=60_000,
    )
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
    page.wait_for_selector(selector, timeout=60_000)
    page.wait_for_timeout(1500)
    return page


def wait_for(address: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main()
