"""docs/claims.md names functions and tests that exist; docs and README name files that exist."""

import importlib
import re

import pytest

from course_lib.notebook import ROOT

ROWS = re.findall(
    r"^\| (.+?) \| `([\w.]+)` \| `([\w/.]+)::(\w+)` \|$",
    (ROOT / "docs" / "claims.md").read_text(encoding="utf-8"),
    re.M,
)


def test_the_table_was_read():
    assert len(ROWS) == (ROOT / "docs" / "claims.md").read_text(encoding="utf-8").count("\n| ") - 1  # less its header


@pytest.mark.parametrize(("claim", "function", "file", "test"), ROWS, ids=[row[3] for row in ROWS])
def test_a_claim_has_its_function_and_its_test(claim, function, file, test):
    parts = function.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        break
    assert callable(found)
    assert re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_files_that_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)|srcset=\"([^\"]+)\"|src=\"([^\"]+)\"", text):
        path = next(part for part in target if part)
        assert (ROOT / path).exists(), path


def test_papers_named_in_docstrings_are_listed():
    listed = set(re.findall(r"arXiv:(\d{4}\.\d{5})", (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")))
    for path in (ROOT / "course_lib").rglob("*.py"):
        for paper in re.findall(r"arXiv:(\d{4}\.\d{5})", path.read_text(encoding="utf-8")):
            assert paper in listed, f"{path.name} names arXiv:{paper}, docs/papers.md does not"
