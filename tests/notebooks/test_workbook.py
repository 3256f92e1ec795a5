"""An update brings new text and code and keeps whatever the learner did."""

import copy
import os
import signal
import subprocess
import sys
import textwrap
import time

import nbformat
import pytest

from course_lib.notebook import sha, text
from course_lib.workbook import merge, refresh


def shipped(*cells):
    """A notebook as we ship it, from (id, source) or ("t-…", markdown)."""
    made = []
    for cell_id, source in cells:
        make = nbformat.v4.new_markdown_cell if cell_id.startswith("t-") else nbformat.v4.new_code_cell
        made.append(make(source, id=cell_id, metadata={"course": {"id": cell_id, "sha": sha(source)}}))
    return nbformat.v4.new_notebook(
        cells=made, metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    )


OLD = shipped(("t-1", "Old words"), ("x-a", "def a():\n    ..."), ("knobs", "n = 1"), ("gone", "print('old')"))
NEW = shipped(("t-2", "New words"), ("x-a", "def a():\n    ..."), ("knobs", "n = 2"), ("extra", "print('new')"))


def lines(notebook):
    return [cell.source for cell in notebook.cells]


def by_id(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def merged(change, new=NEW):
    mine = copy.deepcopy(OLD)
    change(mine)
    result = merge(copy.deepcopy(new), mine)
    nbformat.validate(result)
    return result


def test_untouched_takes_the_update_whole():
    assert lines(merged(lambda mine: None)) == lines(NEW)


def test_an_answer_stays_and_its_output_with_it():
    def answer(mine):
        by_id(mine, "x-a").source = "def a():\n    return 42"
        by_id(mine, "x-a").outputs = [nbformat.v4.new_output("stream", text="right")]

    result = merged(answer)
    assert by_id(result, "x-a").source == "def a():\n    return 42" and by_id(result, "x-a").outputs[0].text == "right"
    assert "New words" in lines(result)


def test_an_edited_knob_stays_and_an_untouched_one_is_updated():
    assert by_id(merged(lambda mine: by_id(mine, "knobs").update(source="n = 99")), "knobs").source == "n = 99"
    assert by_id(merged(lambda mine: None), "knobs").source == "n = 2"


def test_an_added_cell_stays_behind_the_cell_it_stood_behind():
    result = merged(lambda mine: mine.cells.insert(2, nbformat.v4.new_code_cell("my own try")))
    assert lines(result)[lines(result).index("def a():\n    ...") + 1] == "my own try"
    result = merged(lambda mine: mine.cells.insert(0, nbformat.v4.new_markdown_cell("my notes")))
    assert lines(result)[0] == "my notes"


def test_a_copied_cell_does_not_displace_the_original():
    def copy_answer(mine):
        by_id(mine, "x-a").source = "def a(): return 1"
        twin = copy.deepcopy(by_id(mine, "x-a"))
        twin.id, twin.source = "random-id", "def a(): return 2"
        mine.cells.insert(1, twin)

    result = merged(copy_answer)
    assert by_id(result, "x-a").source == "def a(): return 1" and "def a(): return 2" in lines(result)


def test_an_edited_cell_that_is_no_longer_shipped_is_kept_and_an_unedited_one_goes():
    assert "print('mine')" in lines(merged(lambda mine: by_id(mine, "gone").update(source="print('mine')")))
    assert "print('old')" not in lines(merged(lambda mine: None))


def test_a_deleted_cell_comes_back():
    assert "def a():\n    ..." in lines(merged(lambda mine: mine.cells.pop(1)))


def test_merging_again_changes_nothing_and_three_releases_lose_nothing():
    def work(mine):
        by_id(mine, "x-a").source = "def a(): return 1"
        mine.cells.insert(2, nbformat.v4.new_code_cell("my own try"))

    once = merged(work)
    again = merge(copy.deepcopy(NEW), copy.deepcopy(once))
    assert text(once) == text(again)
    third = merge(shipped(("t-3", "Newest"), ("x-a", "def a(x):\n    ...")), again)
    assert {"def a(): return 1", "my own try", "Newest"} <= set(lines(third))


@pytest.fixture
def folders(tmp_path):
    release, workbook = tmp_path / "notebooks", tmp_path / "workbook"
    release.mkdir()
    (release / "02.ipynb").write_text(text(OLD))
    return release, workbook


def test_refresh_copies_updates_backs_up_and_then_rests(folders):
    release, workbook = folders
    assert refresh(release, workbook) == ["added 02.ipynb"]
    mine = nbformat.read(workbook / "02.ipynb", 4)
    by_id(mine, "x-a").source = "my answer"
    nbformat.write(mine, workbook / "02.ipynb")
    saved = (workbook / "02.ipynb").read_bytes()
    assert refresh(release, workbook) == []
    (release / "02.ipynb").write_text(text(NEW))
    assert "updated 02.ipynb" in refresh(release, workbook)[0]
    assert by_id(nbformat.read(workbook / "02.ipynb", 4), "x-a").source == "my answer"
    (backup,) = (workbook / ".backup").iterdir()
    assert backup.read_bytes() == saved
    assert refresh(release, workbook) == []


def test_the_glossary_comes_along_and_is_kept_current(folders):
    release, workbook = folders
    page = release.parent / "docs" / "glossary.md"
    page.parent.mkdir()
    for words in ("old", "new"):
        page.write_text(words)
        refresh(release, workbook)
        assert (workbook / "docs" / "glossary.md").read_text() == words


def test_what_jupyterlab_notes_in_the_metadata_does_not_make_a_backup_each_time(folders):
    release, workbook = folders
    refresh(release, workbook)
    mine = nbformat.read(workbook / "02.ipynb", 4)
    mine.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
    nbformat.write(mine, workbook / "02.ipynb")
    assert refresh(release, workbook) == []


def test_a_notebook_that_cannot_be_read_is_kept_aside(folders):
    release, workbook = folders
    refresh(release, workbook)
    (workbook / "02.ipynb").write_text("{ half a file")
    assert "kept as a backup" in refresh(release, workbook)[0]
    assert next((workbook / ".backup").iterdir()).read_text() == "{ half a file"
    assert lines(nbformat.read(workbook / "02.ipynb", 4)) == lines(OLD)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_killed_half_way_nothing_is_lost(folders):
    release, workbook = folders
    for number in range(30):
        (release / f"{number:02}.ipynb").write_text(text(OLD))
    refresh(release, workbook)
    for path in workbook.glob("*.ipynb"):
        mine = nbformat.read(path, 4)
        by_id(mine, "x-a").source = f"my answer to {path.stem}"
        nbformat.write(mine, path)
    for path in release.glob("*.ipynb"):
        path.write_text(text(NEW))
    script = textwrap.dedent(f"""
        from pathlib import Path
        from course_lib.workbook import refresh
        print("go", flush=True)
        refresh(Path({str(release)!r}), Path({str(workbook)!r}))
    """)
    victim = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    victim.stdout.readline()
    time.sleep(0.05)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdout.close()

    def everything_is_there():
        for path in release.glob("*.ipynb"):
            assert by_id(nbformat.read(workbook / path.name, 4), "x-a").source == f"my answer to {path.stem}"

    everything_is_there()
    refresh(release, workbook)
    everything_is_there()
    assert all("New words" in lines(nbformat.read(path, 4)) for path in workbook.glob("*.ipynb"))


def test_an_answered_cell_turned_into_text_is_kept():
    def turn(mine):
        index = [cell.id for cell in mine.cells].index("x-a")
        cell = nbformat.v4.new_markdown_cell("def a(): return 1", id="x-a", metadata=mine.cells[index].metadata)
        mine.cells[index] = cell

    assert "def a(): return 1" in lines(merged(turn))


def test_a_pasted_picture_and_the_learners_metadata_are_kept():
    def paste(mine):
        cell = by_id(mine, "t-1")
        cell.source, cell.attachments = "![](attachment:me.png)", {"me.png": {"image/png": "AAAA"}}
        by_id(mine, "knobs").metadata["collapsed"] = True

    same_text = shipped(("t-1", "Old words"), ("x-a", "def a():\n    ..."), ("knobs", "n = 1"))
    result = merged(paste, new=same_text)
    assert by_id(result, "t-1").attachments["me.png"] and by_id(result, "knobs").metadata.collapsed


@pytest.mark.parametrize("content", ["{}", '{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "null"])
def test_whatever_stands_in_the_file_lab_starts(folders, content):
    release, workbook = folders
    refresh(release, workbook)
    (workbook / "02.ipynb").write_text(content)
    assert "kept as a backup" in refresh(release, workbook)[0]
    assert lines(nbformat.read(workbook / "02.ipynb", 4)) == lines(OLD)


def test_course_metadata_without_a_hash_counts_as_edited():
    result = merged(
        lambda mine: by_id(mine, "x-a").metadata.course.pop("sha") and by_id(mine, "x-a").update(source="mine")
    )
    assert by_id(result, "x-a").source == "mine"
