"""One JupyterLab and one Chromium for all browser tests; each test gets a notebook and a page of its own."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from course_lib.doctor import find_chromium
from course_lib.notebook import ROOT

HERE = Path(__file__).parent
SHOTS = ROOT / "build" / "screenshots"  # git-ignored: kept on failure, and where a test is asked to show its widget


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    path = find_chromium()
    if path is None:
        message = "no Chromium on this machine (python course.py doctor says how to get one)"
        if os.environ.get("COURSE_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-quic",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory, chromium):
    """A running JupyterLab as `course.py lab` sets it up, on an empty folder. → (address, token, folder)"""
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "work"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "COURSE_PROFILE": "ci",
        "COURSE_PROGRESS": str(home / "progress.json"),
        **{f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")},
    }
    log = (home / "server.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--LabApp.app_settings_dir={ROOT / 'course_lib' / 'jupyter_settings'}",
            "--LabApp.expose_app_in_browser=True",
        ],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=1).close()
            break
        except OSError:
            if time.monotonic() > end or server.poll() is not None:
                pytest.fail(f"JupyterLab did not start:\n{(home / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
    yield address, token, folder
    server.terminate()
    server.wait(timeout=20)
    log.close()


class Notebook:
    """A notebook open in JupyterLab."""

    def __init__(self, page, name):
        self.page, self.name = page, name

    def command(self, name, **arguments):
        return self.page.evaluate(
            "([name, options]) => window.jupyterapp.commands.execute(name, options).then(() => null)", [name, arguments]
        )

    def run_all(self, seconds=120):
        self.command("notebook:run-all-cells")
        self.wait_until_idle(seconds)

    def wait_until_idle(self, seconds=120):
        """Until no cell shows [*]."""
        self.page.wait_for_timeout(150)
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.jp-InputPrompt')].every(each => !each.textContent.includes('*'))",
            timeout=1000 * seconds,
        )

    def cell(self, index):
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def write(self, index, source):
        """Replace a cell's text as a learner would: click into it, select all, type."""
        editor = self.cell(index).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(source)

    def run(self, index, seconds=60):
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+Enter")
        self.wait_until_idle(seconds)

    def source(self, index):
        return self.page.evaluate(
            "index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.getSource()", index
        )

    def outputs(self):
        """Every output of every cell, as the notebook would save it (JupyterLab draws only what is in view)."""
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets"
            ".filter(cell => cell.model.type === 'code').flatMap(cell => cell.model.outputs.toJSON())"
        )

    def image_bytes(self, selector="img.course-pixelated"):
        """What the picture widget shows right now, byte for byte."""
        return bytes(
            self.page.evaluate(
                "async selector => [...new Uint8Array(await (await fetch(document.querySelector(selector).src)).arrayBuffer())]",
                selector,
            )
        )

    def until(self, condition, seconds=20):
        """Wait until `condition()` is true: a slow machine takes longer, it does not fail."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s in vain"
            self.page.wait_for_timeout(60)

    def shot(self, label, full=False):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{self.name}-{label}.png", full_page=full)


@pytest.fixture
def notebook(lab, chromium, request):
    """open(cells or path) → Notebook; keeps a screenshot if the test fails."""
    address, token, folder = lab
    pages = []

    def open_notebook(cells, width=1280, height=1000, theme="light"):
        name = f"{request.node.name.replace('[', '-').replace(']', '')}-{len(pages)}"
        content = (
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            if isinstance(cells, list)
            else nbformat.read(cells, as_version=4)
        )
        content.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(content, folder / f"{name}.ipynb")
        page = chromium.new_page(viewport={"width": width, "height": height})
        page.goto(f"{address}/lab/tree/{name}.ipynb?token={token}&reset")
        page.wait_for_function(
            "() => window.jupyterapp && document.querySelectorAll('.jp-Notebook .jp-Cell').length > 0", timeout=60_000
        )
        opened = Notebook(page, name)
        if theme == "dark":
            opened.command("apputils:change-theme", theme="JupyterLab Dark")
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        pages.append(opened)
        return opened

    yield open_notebook
    failed = getattr(request.node, "failed", False)
    for opened in pages:
        if opened.page.is_closed():
            continue
        if failed:
            opened.shot("failed")
        opened.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        opened.page.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call" and outcome.get_result().failed:
        item.failed = True
