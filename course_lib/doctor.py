"""A check of the machine: one line a finding, and for each failure the one command that mends it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from course_lib.files import ROOT

INSTALL = "python course.py lab"


@dataclass(frozen=True)
class Finding:
    """level: "ok", "note" (the course works without it) or "FAIL"; mend: one command."""

    level: str
    text: str
    mend: str = ""


def python() -> Finding:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    return Finding(
        "ok" if good else "FAIL",
        f"Python {version} at {sys.executable}",
        "" if good else "install Python 3.11 or newer",
    )


def torch_and_device() -> Finding:
    try:
        import torch
        import torchvision
    except (ImportError, OSError, RuntimeError) as error:
        return Finding(
            "FAIL",
            f"torch does not start: {error}",
            f"{sys.executable} -m pip install --force-reinstall torch torchvision",
        )
    from course_lib import runtime

    facts = runtime.environment(runtime.device())
    return Finding(
        "ok",
        f"torch {torch.__version__}, torchvision {torchvision.__version__}; {facts['device']}, "
        f"{facts['threads']} threads; profile {runtime.profile()}",
    )


def jupyter() -> Finding:
    """ipywidgets 8 needs JupyterLab 3 or newer and jupyterlab_widgets 3: another pair shows text instead of sliders."""
    found = {}
    for name in ("jupyterlab", "ipywidgets", "jupyterlab_widgets", "ipykernel"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return Finding("FAIL", f"{name} is not installed", f"{sys.executable} -m pip install -e .")
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    major = {name: int(version.split(".")[0]) for name, version in found.items()}
    fits = major["jupyterlab"] == 4 and major["ipywidgets"] == 8 and major["jupyterlab_widgets"] == 3
    return Finding("ok" if fits else "FAIL", text, "" if fits else f"{sys.executable} -m pip install -e . --upgrade")


def disk() -> Finding:
    free = shutil.disk_usage(ROOT).free / 1e9
    return Finding(
        "ok" if free > 1 else "FAIL", f"disk: {free:.0f} GB free in {ROOT}", "" if free > 1 else "free at least 1 GB"
    )


def memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return Finding("note", "memory: this system does not tell")
    return Finding(
        "ok" if total > 3.5 else "note",
        f"memory: {total:.0f} GB" + ("" if total > 3.5 else "; chapters need about 2 GB"),
    )


def writable() -> Finding:
    folder = ROOT / "workbook"
    try:
        folder.mkdir(exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return Finding("FAIL", f"workbook/ cannot be written: {error.strerror}", f"chmod u+w {ROOT}")
    return Finding("ok", f"your copy of the chapters: {folder}")


def data() -> Finding:
    from course_lib import data as sets

    try:
        for split in sets.SPLITS:
            sets.load("fashion-mnist", split)
    except (OSError, ValueError) as error:
        return Finding("FAIL", str(error).split("; mend")[0], "git checkout -- course_lib/data/fashion_mnist")
    return Finding("ok", "data: Fashion-MNIST, all four files verified")


def downloads() -> Finding:
    from course_lib import assets

    states = {name: assets.state(name) for name in assets.ASSETS}
    text = "optional data: " + ", ".join(f"{name} {state}" for name, state in states.items())
    lacking = [name for name, state in states.items() if state != "ready"]
    return Finding("note" if lacking else "ok", text, f"gan-course fetch {' '.join(lacking)}" if lacking else "")


def networks() -> Finding:
    from course_lib import zoo

    names = zoo.names()
    try:
        for name in names:
            zoo.load(name)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: weights of another network, told in many lines
        return Finding("FAIL", str(error).splitlines()[0].split("; mend")[0], "git checkout -- course_lib/zoo")
    return Finding("ok", f"trained networks: all {len(names)} verified, {names[0]} to {names[-1]}")


def browser() -> Finding:
    found = find_chromium()
    if found:
        return Finding("ok", f"browser tests: {found}")
    mend = (
        "sudo apt-get install chromium"
        if sys.platform.startswith("linux")
        else f"{sys.executable} -m playwright install chromium"
    )
    return Finding("note", "no Chromium found: the course works, its browser tests are skipped", mend)


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome that playwright can drive: COURSE_CHROMIUM, the PATH, playwright's own."""
    if os.environ.get("COURSE_CHROMIUM"):
        return os.environ["COURSE_CHROMIUM"]
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if shutil.which(name):
            return shutil.which(name)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


CHECKS: list[Callable[[], Finding]] = [
    python,
    torch_and_device,
    jupyter,
    disk,
    memory,
    writable,
    data,
    downloads,
    networks,
    browser,
]


FOR_LEARNERS = [check for check in CHECKS if check is not browser]  # and playwright does not start inside a kernel


def main(checks: list[Callable[[], Finding]] | None = None) -> int:
    """Print the finding of every check, or of these; 1 if one of them is a failure."""
    failed = False
    for check in checks or CHECKS:
        try:
            finding = check()
        except Exception as error:  # a broken check must not hide the others
            finding = Finding("FAIL", f"{check.__name__}: {type(error).__name__}: {error}", INSTALL)
        print(
            f"{finding.level:5} {finding.text}" + (f"\n      mend: {finding.mend}" if finding.mend else ""), flush=True
        )
        failed |= finding.level == "FAIL"
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
