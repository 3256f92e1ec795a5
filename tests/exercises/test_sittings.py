"""HYPE's answers are kept beside the progress file: appended, atomic, and a damaged file is put aside."""

import json

import pytest

from course_lib.exercises import ledger, sittings


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


def test_sittings_are_appended_and_read_by_mode(tmp_path):
    assert sittings.read() == []
    assert (
        sittings.add({"mode": "timed", "result": 1}) is None and sittings.add({"mode": "untimed", "result": 2}) is None
    )
    assert sittings.path() == tmp_path / "hype.json" and sittings.path().parent == ledger.path().parent
    assert [each["result"] for each in sittings.read()] == [1, 2] and sittings.read("untimed")[0]["result"] == 2
    assert (
        sittings.read()[0]["when"].startswith("20") and json.loads(sittings.path().read_text())[1]["mode"] == "untimed"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "hype.json"], "no temporary file is left"


@pytest.mark.parametrize("damage", ['[{"mode": "ti', '{"mode": "timed"}', "[1, 2]"])
def test_a_damaged_file_is_put_aside(tmp_path, damage):
    sittings.path().write_text(damage)
    assert sittings.read() == []
    (aside,) = tmp_path.glob("hype.damaged-*.json")
    assert aside.read_text() == damage
    assert sittings.add({"mode": "timed"}) is None and len(sittings.read()) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert sittings.add({"mode": "timed"}).startswith("Your answers could not be saved: ")
    assert sittings.read() == []
