"""Text and notebook say the same; ids follow from the source; nothing was run into what is committed."""

import re

import nbformat
import pytest

from course_lib import notebook
from course_lib.notebook import NOTEBOOKS, build, sources, text

CHAPTERS = sources()


def test_every_notebook_has_its_source_and_the_other_way_round():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == {path.stem for path in CHAPTERS}


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda path: path.stem)
def test_the_notebook_is_what_its_source_builds(source):
    committed = (NOTEBOOKS / f"{source.stem}.ipynb").read_text(encoding="utf-8")
    assert committed == text(build(source)), "run: gan-course build"
    parsed = nbformat.reads(committed, as_version=4)
    nbformat.validate(parsed)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in parsed.cells)
    assert len({cell.id for cell in parsed.cells}) == len(parsed.cells)


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda path: path.stem)
def test_every_prediction_is_revealed_after_it(source):
    written = source.read_text(encoding="utf-8")
    asked = {found[1]: found.start() for found in re.finditer(r'predict\(\s*"([\w.]+)"', written)}
    told = {found[1]: found.start() for found in re.finditer(r'reveal\(\s*"([\w.]+)"', written)}
    assert asked.keys() == told.keys() and all(asked[key] < told[key] for key in asked)


@pytest.mark.parametrize("source", CHAPTERS, ids=lambda path: path.stem)
def test_figures_say_what_they_show(source):
    """Every picture comes from course_lib.plots, which refuses a figure without alt text."""
    assert not re.search(r"plt\.|pyplot|imshow", source.read_text(encoding="utf-8"))


def test_ids_are_stable_under_edits_elsewhere(tmp_path):
    header = "# ---\n# jupyter:\n#   kernelspec:\n#     display_name: Python 3\n#     language: python\n#     name: python3\n# ---\n"
    first = tmp_path / "a.py"
    first.write_text(
        header
        + '\n# %% [markdown]\n# Words\n\n# %%\n@exercise("09.adain")\ndef adain(x):\n    ...\n\n# %% id="knobs"\nn = 1\n'
    )
    before = [cell.id for cell in build(first).cells]
    first.write_text(first.read_text().replace("n = 1", "n = 2"))
    assert [cell.id for cell in build(first).cells] == before and before[1:] == ["x-09-adain", "knobs"]
    first.write_text(first.read_text() + "\n# %%\nprint(1)\n")
    with pytest.raises(ValueError, match='a.py: expected an id, as in # %% id="imports"'):
        build(first)


def test_a_shipped_cell_is_found_by_its_id():
    assert notebook.shipped_cell("x-02-to-uint8").startswith('@exercise("02.to_uint8")')
    assert notebook.shipped_cell("nowhere") is None
