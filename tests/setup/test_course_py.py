"""`python course.py` on machines that differ: stamped, half installed, no pip, a busy port, another interpreter."""

import importlib.util
import os
import socket
import subprocess
import sys

import pytest

from course_lib.notebook import ROOT


@pytest.fixture
def course(tmp_path, monkeypatch):
    """course.py as a module, on an empty folder of its own."""
    spec = importlib.util.spec_from_file_location("course", ROOT / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / ".venv" / "course-installed.json")
    return module


@pytest.fixture
def calls(course, monkeypatch):
    """Every command that would be run; all succeed unless the test says otherwise."""
    made = []

    def call(command, **options):
        made.append([str(part) for part in command])
        if "venv" in command:
            (course.VENV / "bin").mkdir(parents=True, exist_ok=True)
            (course.VENV / "bin" / "python").touch()
        return course.fails(made[-1]) if hasattr(course, "fails") else 0

    monkeypatch.setattr(course.subprocess, "call", call)
    return made


def test_it_imports_nothing_but_the_standard_library():
    script = (
        "import sys; sys.argv = ['course.py', '--help']; import runpy\n"
        "try: runpy.run_path('course.py', run_name='__main__')\nexcept SystemExit: pass\n"
        "bad = {name.split('.')[0] for name in sys.modules} & {'torch', 'numpy', 'jupytext', 'course_lib', 'typer'}\nassert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True)


def test_a_bare_machine_is_installed_once_and_told_what_happens(course, calls, capsys):
    python = course.environment(cpu=False)
    assert [("venv" in call, "install" in call) for call in calls] == [(True, False), (False, True)]
    assert calls[-1][-1] == f"{course.ROOT}[test]"
    said = capsys.readouterr().out
    assert "First run" in said and "minutes" in said and "GB" in said and "once" in said
    calls.clear()
    assert course.environment(cpu=False) == python and calls == []


def test_an_interpreter_that_is_gone_is_installed_anew(course, calls):
    course.environment(cpu=False)
    (course.VENV / "bin" / "python").unlink()
    calls.clear()
    course.environment(cpu=False)
    assert any("venv" in call for call in calls)


def test_a_folder_without_a_stamp_is_half_an_installation(course, calls):
    course.environment(cpu=False)
    course.STAMP.unlink()
    calls.clear()
    course.environment(cpu=False)
    assert calls, "installed again"


def test_new_dependencies_are_installed(course, calls):
    course.environment(cpu=False)
    (course.ROOT / "pyproject.toml").write_text("[project] # newer")
    calls.clear()
    course.environment(cpu=False)
    assert any("install" in call for call in calls)


def test_without_ensurepip_the_outer_pip_fills_the_environment(course, calls):
    course.fails = lambda command: int("venv" in command and "--without-pip" not in command)
    course.environment(cpu=False)
    assert any("--python" in call for call in calls) and any("--without-pip" in call for call in calls)


def test_without_any_venv_the_one_command_is_named(course, calls, capsys):
    course.fails = lambda command: int("venv" in command)
    assert course.main(["lab"]) == 1
    assert "sudo apt-get install python3-venv python3-pip" in capsys.readouterr().out


def test_a_failed_install_leaves_no_stamp_and_says_what_to_do(course, calls, capsys):
    course.fails = lambda command: int("--editable" in command)
    assert course.main(["lab"]) == 1
    assert "Run the same command again" in capsys.readouterr().out and not course.STAMP.exists()


def test_cpu_builds_are_tried_first_and_done_without(course, calls, capsys):
    course.fails = lambda command: int("uv" in command and "--torch-backend" in command)
    course.environment(cpu=True)
    assert "cannot be had from here" in capsys.readouterr().out
    assert calls[-1][-1] == f"{course.ROOT}[test]", "and the course is installed all the same"


def test_a_full_disk_is_said_before_anything_is_downloaded(course, calls, monkeypatch, capsys):
    monkeypatch.setattr(course.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2e9})())
    assert course.main(["lab"]) == 1
    assert "Expected at least 8 GB free" in capsys.readouterr().out and calls == []


def test_an_old_python_is_told_before_anything_else(course, monkeypatch, capsys):
    monkeypatch.setattr(course, "OLDEST", (9, 0))
    assert course.main(["lab"]) == 1 and "needs Python 9.0 or newer" in capsys.readouterr().out


def test_a_busy_port_is_passed_over(course):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        assert course.free_port("127.0.0.1", taken) > taken


def test_without_a_screen_no_browser_is_opened(course, monkeypatch):
    monkeypatch.setattr(course.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not course.has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert course.has_screen()


def test_doctor_works_before_anything_is_installed(course, capsys):
    assert course.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "ok    Python" in said and "FAIL  the course is not installed\n      mend: python course.py lab" in said


@pytest.mark.skipif(os.name != "posix", reason="sends an interrupt")
def test_lab_starts_prints_its_address_and_stops(tmp_path):
    import signal
    import urllib.request

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-u", "course.py", "lab", "--no-browser", "--port", str(taken)],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # ignored in background jobs
        )
        address, said = "", []
        for line in server.stdout:
            said.append(line)
            if "http://" in line:
                address = line.strip()
                break
        try:
            assert f"Port {taken} is in use; taking" in "".join(said)
            assert "/lab/tree/00_start_here.ipynb?token=" in address
            root, token = address.split("/lab/")[0], address.split("token=")[1]
            with urllib.request.urlopen(f"{root}/api/contents/02_dcgan.ipynb?content=0&token={token}") as answer:
                assert answer.status == 200
        finally:
            os.killpg(server.pid, signal.SIGINT)
            server.stdout.read()
            server.stdout.close()
            assert server.wait(timeout=30) == 0


def test_a_killed_test_run_is_a_failure(course, monkeypatch):
    codes = iter([-9, 0, 0])
    monkeypatch.setattr(course.subprocess, "call", lambda *_, **__: next(codes))
    assert course.test("python", []) == 1


def test_an_update_does_not_ask_for_the_whole_disk_again(course, calls, monkeypatch, capsys):
    (course.VENV / "lib" / "python3.12" / "site-packages" / "torch").mkdir(parents=True)
    monkeypatch.setattr(course.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 2e9})())
    course.environment(cpu=False)
    assert "Bringing .venv up to date" in capsys.readouterr().out and calls


def test_where_pytorch_has_no_builds_it_is_said_at_once(course, calls, monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "platform", "darwin")
    monkeypatch.setattr(course.platform, "machine", lambda: "x86_64")
    assert course.main(["lab"]) == 1
    assert "Intel chip" in capsys.readouterr().out and calls == []


@pytest.mark.parametrize(
    ("ip", "port", "says"), [("nowhere.invalid", 8888, "--ip: expected"), ("127.0.0.1", 70000, "--port: no free port")]
)
def test_an_address_that_cannot_be_is_named(course, ip, port, says):
    with pytest.raises(SystemExit, match=says):
        course.free_port(ip, port)
