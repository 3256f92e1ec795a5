"""One command for the whole course. Needs nothing but Python 3.11 or newer:

    python course.py lab       opens JupyterLab on your own copy of the chapters
    python course.py test      proves that everything in the course works
    python course.py doctor    says what is missing on this machine and what mends it

The first run makes a virtual environment in .venv beside this file and installs the course into it; an
environment that already holds the course (conda, Binder) is used as it is. Standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "course-installed.json"
OLDEST = (3, 11)
GIGABYTES_NEEDED = 8
GIGABYTES_NEEDED_SMALL = 3  # macOS, Windows, and Linux with --cpu


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(
        prog="python course.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["lab", "test", "doctor"], nargs="?", default="lab")
    parser.add_argument(
        "--cpu", action="store_true", help="install PyTorch's smaller CPU builds where they can be had (first run only)"
    )
    parser.add_argument("--port", type=int, default=8888, help="lab: first port to try (default 8888)")
    parser.add_argument("--ip", default="127.0.0.1", help="lab: address to listen on; 0.0.0.0 inside a container")
    parser.add_argument("--no-browser", action="store_true", help="lab: print the address instead of opening it")
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "test":
        parser.error(f"unrecognised: {' '.join(rest)}")
    if sys.version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        print(
            f"The course needs Python {oldest} or newer; this is {sys.version.split()[0]}.\n"
            f"Install one from python.org and run: python3.12 course.py {options.command}"
        )
        return 1
    if options.command == "doctor":
        return doctor()
    try:
        python = environment(cpu=options.cpu)
    except InstallFailed as error:
        print(f"\n{error}")
        return 1
    return lab(python, options) if options.command == "lab" else test(python, rest)


# ---------------------------------------------------------------- the environment, made once


class InstallFailed(Exception):
    """What went wrong, and the command that mends it."""


def environment(cpu: bool) -> str:
    """Path of an interpreter that has the course installed; installs it if there is none yet."""
    if is_installed_here():
        return sys.executable
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if stamped(python):
        return str(python)
    if any(VENV.glob("lib/python*/site-packages/torch")) or (VENV / "Lib/site-packages/torch").exists():
        print("Bringing .venv up to date: new packages, or an installation that was interrupted.", flush=True)
    else:
        announce(cpu)
    started = time.monotonic()
    make_venv(python)
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", *quiet]
    if cpu:
        small_torch(python, pip)
    if subprocess.call([*pip, "--editable", f"{ROOT}[test]"]) != 0:
        raise InstallFailed(
            "pip could not install the course (its last lines are above). Run the same command again: "
            "what was downloaded is kept."
        )
    STAMP.write_text(json.dumps({"key": stamp_key()}), encoding="utf-8")
    print(f"Installed in {time.monotonic() - started:.0f} s.\n", flush=True)
    return str(python)


def announce(cpu: bool) -> None:
    """Say what the first run does; raise InstallFailed if this machine cannot take it."""
    machine = platform.machine().lower()
    if (sys.platform, machine) in (("darwin", "x86_64"), ("win32", "arm64")):
        raise InstallFailed(
            "PyTorch has no current builds for this Python: "
            + ("Macs with an Intel chip are no longer supported by it." if sys.platform == "darwin"
               else "on Windows for ARM, install the x64 Python from python.org and use that.")
        )  # fmt: skip
    needed = GIGABYTES_NEEDED if sys.platform == "linux" and not cpu else GIGABYTES_NEEDED_SMALL
    free = shutil.disk_usage(ROOT).free / 1e9
    print(
        f"First run: making {VENV.name} and installing PyTorch, JupyterLab and the course into it.\n"
        f"This takes 2 to 10 minutes and up to {needed - 1} GB"
        + (" (a Linux PyTorch carries its CUDA libraries)" if needed == GIGABYTES_NEEDED else "")
        + f"; {free:.0f} GB are free. It happens once.",
        flush=True,
    )
    if free < needed:
        smaller = ", or take PyTorch's smaller builds: python course.py lab --cpu" if needed == GIGABYTES_NEEDED else ""
        raise InstallFailed(f"Expected at least {needed} GB free in {ROOT}, found {free:.1f}. Free some{smaller}")


def is_installed_here() -> bool:
    """Whether the running interpreter, a conda environment say, already holds this checkout of the course."""
    if Path(sys.prefix) == VENV:
        return False  # our own .venv is judged by its stamp
    from importlib import metadata

    for found in metadata.distributions(name="gan-course"):
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        if origin.get("url", "") == ROOT.as_uri():
            return True
    return False


def stamp_key() -> str:
    """Changes when the list of dependencies, the environment's Python or the folder does; then pip runs again."""
    made_with = VENV / "pyvenv.cfg"
    parts = [
        (ROOT / "pyproject.toml").read_bytes(),
        made_with.read_bytes() if made_with.exists() else b"",
        str(ROOT).encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def stamped(python: Path) -> bool:
    """A finished installation of the present pyproject.toml; the folder alone may be half a one."""
    try:
        return python.exists() and json.loads(STAMP.read_text(encoding="utf-8"))["key"] == stamp_key()
    except (OSError, ValueError, KeyError):
        return False


def make_venv(python: Path) -> None:
    if python.exists() and subprocess.call([str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0:
        return
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)], stderr=subprocess.DEVNULL) == 0:
        return
    # Debian without python3-venv has no ensurepip: make it without pip and let an outer pip fill it
    made = subprocess.call([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]) == 0
    outer = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "pip"]
    if not made or subprocess.call(outer) != 0:
        raise InstallFailed(
            "This Python cannot make a virtual environment. On Debian or Ubuntu: "
            "sudo apt-get install python3-venv python3-pip"
        )


def small_torch(python: Path, pip: list) -> None:
    """PyTorch's CPU builds through uv, which knows where they are; without them the usual builds do."""
    uv = [str(python), "-m", "uv", "pip", "install", "--python", str(python), "--torch-backend", "cpu"]
    if subprocess.call([*pip, "uv"]) == 0 and subprocess.call([*uv, "torch>=2.11", "torchvision>=0.26"]) == 0:
        return
    print(
        "The CPU builds cannot be had from here; going on with the usual ones, which run on a CPU as well.", flush=True
    )


# ---------------------------------------------------------------- lab


def lab(python: str, options) -> int:
    """JupyterLab on workbook/, the learner's own copy of the chapters."""
    if subprocess.call([python, "-m", "course_lib.workbook"], cwd=ROOT) != 0:
        return 1
    port = free_port(options.ip, options.port)
    if port != options.port:
        print(f"Port {options.port} is in use; taking {port}.")
    token = secrets.token_hex(24)
    command = [
        python,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.ip={options.ip}",
        f"--ServerApp.root_dir={ROOT / 'workbook'}",
        f"--LabApp.app_settings_dir={ROOT / 'course_lib' / 'jupyter_settings'}",
        "--log-level=WARN",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # Jupyter refuses root otherwise, and in a container there is nobody else
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "JUPYTER_TOKEN": token})
    host = "localhost" if options.ip in ("127.0.0.1", "0.0.0.0", "::") else options.ip
    address = f"http://{host}:{port}/lab/tree/{first_chapter()}?token={token}"
    try:
        if not answers(f"http://{host}:{port}/api", server):
            print(f"JupyterLab did not start (exit code {server.poll()}). See: python course.py doctor")
            return 1
        print(f"\nOpen this address in a browser (Ctrl-C here stops the course):\n\n    {address}\n", flush=True)
        if not options.no_browser and has_screen():
            webbrowser.open(address)
        return server.wait()
    except KeyboardInterrupt:
        print("\nStopping. Your answers are in workbook/.")
        return 0
    finally:
        if server.poll() is None:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()


def free_port(ip: str, first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    try:
        family, _, _, _, (host, *_) = socket.getaddrinfo(ip, None, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        sys.exit(f"--ip: expected an address of this machine such as 127.0.0.1 or 0.0.0.0, got {ip!r} ({error})")
    for port in range(first, min(first + 100, 65536)):
        with socket.socket(family) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Jupyter does: a port just left is free
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue
    sys.exit(f"--port: no free port from {first} to {first + 99}; choose another between 1024 and 65535")


def answers(url: str, server, seconds: float = 60) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows nothing of this machine
    end = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < end:
        try:
            direct.open(url, timeout=1).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


def has_screen() -> bool:
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def first_chapter() -> str:
    return min(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


# ---------------------------------------------------------------- test and doctor


def test(python: str, rest: list) -> int:
    """The library's tests, then every notebook twice: as a learner with no answers and as one with right answers."""
    workers = ["-n", "2"]
    nbval = ["--nbval-lax", "--nbval-cell-timeout=300", "notebooks", "--dist", "loadscope", "--ignore=notebooks/src"]
    stages = [
        ("library, exercises, browser", ["tests", "-rs", *workers, "--dist", "loadgroup", *rest], {}),
        ("notebooks, unsolved", [*nbval, *workers], {"COURSE_SOLVE": "0"}),
        ("notebooks, solved", [*nbval, *workers], {"COURSE_SOLVE": "1"}),
    ]
    if rest:
        stages = stages[:1]
    results, started = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gan-course-") as scratch:
        for title, arguments, extra in stages:
            print(f"\n=== {title}", flush=True)
            settings = {
                "COURSE_PROFILE": "ci",
                "COURSE_PROGRESS": str(Path(scratch, title.split()[-1] + ".json")),
                "COURSE_CACHE": str(Path(scratch, "cache")),
                "OMP_NUM_THREADS": "1",
                **extra,
            }
            begun = time.monotonic()
            code = subprocess.call([python, "-m", "pytest", *arguments], cwd=ROOT, env={**os.environ, **settings})
            results.append((title, code, time.monotonic() - begun))
    print()
    for title, code, seconds in results:
        print(f"{'passed' if code == 0 else 'FAILED':7} {title} ({seconds:.0f} s)")
    print(f"{time.monotonic() - started:.0f} s in all")
    if not os.environ.get("COURSE_REQUIRE_BROWSER"):
        print("Where no Chromium is installed the browser tests are skipped: python course.py doctor says so.")
    return int(any(code != 0 for _, code, _ in results))  # a killed pytest has a negative code


def doctor() -> int:
    """What this machine has and lacks; works before anything is installed."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if is_installed_here():
        python = Path(sys.executable)
    elif not stamped(python):
        free = shutil.disk_usage(ROOT).free / 1e9
        print(f"ok    Python {sys.version.split()[0]} at {sys.executable}")
        print(f"{'ok   ' if free >= GIGABYTES_NEEDED else 'FAIL '} disk: {free:.0f} GB free, {GIGABYTES_NEEDED} wanted")
        print("FAIL  the course is not installed\n      mend: python course.py lab")
        return 1
    return subprocess.call([str(python), "-m", "course_lib.doctor"], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
