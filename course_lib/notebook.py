"""Text source → notebook: notebooks/src/NN_title.py (py:percent) → notebooks/NN_title.ipynb.

The text is what is edited and reviewed; the notebook is what a learner opens. Cell ids are a pure function of
the source, so building twice gives the same bytes, and each cell carries the hash of what was shipped, so that
an update can tell a learner's edit from ours (course_lib.workbook).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.files import ROOT, write_atomically

NOTEBOOKS = ROOT / "notebooks"
SOURCES = NOTEBOOKS / "src"
NAMED = re.compile(r'\s*(?:@exercise|predict|reveal|quiz|explain)\(\s*"([\w.]+)"')


def sha(text: str) -> str:
    """Twelve hexadecimal digits that stand for a cell's text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def build(source: Path) -> NotebookNode:
    """The notebook of one source file, without outputs.

    raises: ValueError for a code cell that has neither an id (`# %% id="imports"`) nor a course call that names it
    """
    import jupytext

    parsed = jupytext.read(source, fmt="py:percent")
    seen: set[str] = set()
    cells = []
    for cell in parsed.cells:
        cell_id = cell.metadata.get("id") or _natural_id(cell)
        if cell_id is None:
            raise ValueError(
                f'{source.name}: expected an id, as in # %% id="imports", at the code cell {cell.source[:60]!r}'
            )
        while cell_id in seen:
            cell_id += "-b"
        seen.add(cell_id)
        cell.id = cell_id
        cell.metadata = NotebookNode(
            course={"id": cell_id, "sha": sha(cell.source)}, **{k: v for k, v in cell.metadata.items() if k == "tags"}
        )
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    return notebook


def _natural_id(cell: NotebookNode) -> str | None:
    if cell.cell_type == "markdown":
        return "t-" + sha(cell.source)
    named = NAMED.match(cell.source)
    if not named:
        return None
    kind = "r-" if cell.source.lstrip().startswith("reveal") else "x-"
    return kind + re.sub(r"[._]", "-", named[1])


def text(notebook: NotebookNode) -> str:
    """What is written to disk: the same bytes for the same notebook."""
    return nbformat.writes(notebook, version=4) + "\n"


def sources() -> list[Path]:
    """Every chapter's source, in order."""
    return sorted(SOURCES.glob("*.py"))


def build_all() -> list[Path]:
    """Write every notebook from its source; returns those that changed."""
    changed = []
    for source in sources():
        target = NOTEBOOKS / f"{source.stem}.ipynb"
        content = text(build(source)).encode("utf-8")
        if not target.exists() or target.read_bytes() != content:
            write_atomically(target, content)
            changed.append(target)
    return changed


def shipped_cell(cell_id: str) -> str | None:
    """The source of a cell as it was shipped, from whichever notebook has it; None if none does."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.id == cell_id:
                return cell.source
    return None
