"""The learner's own copy of the chapters: workbook/, which git ignores and an update never harms.

`refresh` copies the notebooks there; run again after an update it brings new text and code, and keeps every
cell the learner changed or added. What it replaces is first copied to workbook/.backup. Each notebook is
replaced by one rename, so a crash half-way leaves every file whole: the old one or the new one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.files import write_atomically
from course_lib.notebook import NOTEBOOKS, ROOT, sha, text

WORKBOOK = ROOT / "workbook"


def refresh(shipped: Path = NOTEBOOKS, workbook: Path = WORKBOOK) -> list[str]:
    """Bring the workbook up to date with the shipped notebooks; returns what was done, a sentence each.

    raises: OSError naming the file if the folder cannot be written
    """
    done = []
    for path in sorted(shipped.glob("*.ipynb")):
        target = workbook / path.name
        new = nbformat.read(path, as_version=4)
        if not target.exists():
            write_atomically(target, text(new).encode("utf-8"))
            done.append(f"added {target.name}")
            continue
        before = target.read_bytes()
        try:
            merged = text(merge(new, nbformat.reads(before.decode("utf-8"), as_version=4))).encode("utf-8")
        except Exception as error:  # a file can be broken in many ways, and each must leave the learner with a copy
            _back_up(target, before)
            write_atomically(target, text(new).encode("utf-8"))
            done.append(
                f"{target.name} could not be read ({type(error).__name__}); kept as a backup and replaced by a fresh copy"
            )
            continue
        if merged != before:
            _back_up(target, before)
            write_atomically(target, merged)
            done.append(
                f"updated {target.name} (your cells are kept; the version before is in {workbook.name}/.backup)"
            )
    page = shipped.parent / "docs" / "glossary.md"  # JupyterLab's root is the workbook: there `../docs` means `docs`
    if page.exists():
        copy = workbook / "docs" / page.name
        if not copy.exists() or copy.read_bytes() != page.read_bytes():
            write_atomically(copy, page.read_bytes())
    return done


def merge(new: NotebookNode, mine: NotebookNode) -> NotebookNode:
    """The shipped notebook `new` with everything that is the learner's in `mine`.

    A cell's course metadata (the id and the hash it was shipped with) makes the base of a three-way merge:
    a shipped cell that was edited keeps the learner's text; one left alone takes ours, and keeps its outputs
    if nothing changed; cells that the learner added stay behind the cell they stood behind.
    """
    first: dict[str, NotebookNode] = {}
    for cell in mine.cells:  # a copied cell carries our metadata too: only one of them is the shipped cell
        course_id = cell.metadata.get("course", {}).get("id")
        if course_id and (course_id not in first or cell.get("id") == course_id):
            first[course_id] = cell
    originals = {id(cell) for cell in first.values()}
    kinds = {cell.metadata.course.id: cell.cell_type for cell in new.cells}

    added: dict[str | None, list[NotebookNode]] = {}
    anchor = None
    for cell in mine.cells:
        course_id = cell.metadata.get("course", {}).get("id")
        if id(cell) in originals and course_id in kinds:
            anchor = course_id
        if id(cell) not in originals or (_edited(cell) and kinds.get(course_id) != cell.cell_type):
            cell.metadata.pop("course", None)  # the learner's own, or edited and no longer shipped (as such a cell)
            added.setdefault(anchor, []).append(cell)

    cells = list(added.get(None, []))
    for cell in new.cells:
        old = first.get(cell.metadata.course.id)
        if old is not None and old.cell_type == cell.cell_type:
            if _edited(old):
                cell.source = old.source
                if "attachments" in old:
                    cell.attachments = old.attachments
            cell.metadata = {**old.metadata, **cell.metadata}
            if cell.cell_type == "code" and cell.source == old.source:
                cell.outputs, cell.execution_count = old.get("outputs", []), old.get("execution_count")
        cells += [cell, *added.get(cell.metadata.course.id, [])]

    taken: set[str] = set()
    for cell in cells:
        while cell.get("id") is None or cell.id in taken:
            cell.id = f"{cell.get('id') or 'mine'}-b"[-64:]
        taken.add(cell.id)
    return nbformat.v4.new_notebook(cells=cells, metadata=mine.metadata)  # what JupyterLab noted there stays


def _edited(cell: NotebookNode) -> bool:
    return sha(cell.source) != cell.metadata.get("course", {}).get("sha")


def _back_up(target: Path, content: bytes) -> None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    write_atomically(
        target.parent / ".backup" / f"{target.stem}-{stamp}-{sha(content.decode('latin-1'))[:6]}.ipynb", content
    )


def main() -> int:
    try:
        for sentence in refresh():
            print(f"workbook: {sentence}")
    except OSError as error:
        print(
            f"workbook: {error.strerror or error}\nmend: make {WORKBOOK} writable, or copy the course to a folder that is"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
