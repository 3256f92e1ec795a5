"""A doctor is worth its findings on a sick machine."""

import os
import subprocess
import sys

import pytest

from course_lib import doctor, zoo
from course_lib.data import fashion
from course_lib.files import ROOT


def test_missing_data_is_found_with_the_command_that_mends_it(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "CHECKS", [doctor.data])
    monkeypatch.setattr(fashion.read, "__defaults__", (tmp_path,))
    finding = doctor.data()
    assert (
        finding.level == "FAIL"
        and finding.mend == "git checkout -- course_lib/data/fashion_mnist"
        and doctor.main() == 1
    )


def test_a_damaged_network_is_found(monkeypatch):
    def damaged(name):
        raise ValueError("x: expected SHA-256 1, got 2; mend it with: …")

    monkeypatch.setattr(zoo, "load", damaged)
    assert doctor.networks().level == "FAIL" and "git checkout -- course_lib/zoo" in doctor.networks().mend


@pytest.mark.parametrize(
    ("versions", "level"),
    [
        ({"jupyterlab": "4.6.6", "ipywidgets": "8.1.9", "jupyterlab_widgets": "3.0.1", "ipykernel": "7.4.0"}, "ok"),
        ({"jupyterlab": "4.6.6", "ipywidgets": "7.8.5", "jupyterlab_widgets": "1.1.0", "ipykernel": "7.4.0"}, "FAIL"),
    ],
)
def test_versions_that_do_not_fit_are_found(monkeypatch, versions, level):
    monkeypatch.setattr(doctor.importlib.metadata, "version", versions.__getitem__)
    assert doctor.jupyter().level == level


def test_no_browser_is_a_note_and_not_a_failure(monkeypatch):
    monkeypatch.setattr(doctor, "find_chromium", lambda: None)
    assert doctor.browser().level == "note" and doctor.browser().mend


def test_a_broken_check_does_not_hide_the_others(monkeypatch, capsys):
    def broken():
        raise RuntimeError("no")

    monkeypatch.setattr(doctor, "CHECKS", [broken, doctor.python])
    assert doctor.main() == 1
    assert "FAIL  broken: RuntimeError: no" in (said := capsys.readouterr().out) and "ok    Python" in said


def test_it_speaks_where_pytorch_does_not_start(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('[WinError 126] c10.dll not found')")
    found = subprocess.run(
        [sys.executable, "-m", "course_lib.doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert found.returncode == 1 and "Traceback" not in found.stderr
    assert "FAIL  torch does not start: [WinError 126] c10.dll not found\n      mend: " in found.stdout
    assert "ok    your copy of the chapters" in found.stdout
