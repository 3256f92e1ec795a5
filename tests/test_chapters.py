"""The one table of the course: the files, the exercises and the README agree with it."""

import re
import subprocess
import sys

import pytest

from course_lib import chapters
from course_lib.chapters import CHAPTERS
from course_lib.notebook import NOTEBOOKS, ROOT

NUMBERS = [
    "00",
    "00b",
    "01",
    "02",
    "03",
    "03b",
    "04",
    "04b",
    "05",
    "06",
    "07",
    "08",
    "09",
    "09b",
    "10",
    "11",
    "12",
    "13",
]


def test_all_chapters_are_there_in_order():
    assert [chapter.number for chapter in CHAPTERS] == NUMBERS
    assert all(chapter.question.endswith("?") for chapter in CHAPTERS)


def test_written_is_what_lies_in_the_folder():
    assert chapters.get("02").written
    assert {chapter.stem for chapter in CHAPTERS if chapter.written} == {
        path.stem for path in NOTEBOOKS.glob("*.ipynb")
    }
    assert all(chapter.stem.split("_")[0] == chapter.number for chapter in CHAPTERS if chapter.stem)


def test_the_readme_lists_the_written_chapters_as_the_table_has_them():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(.+?)\]\((notebooks/[^)]+)\) \| (.+?) \| (.+?) \|", readme, re.M)
    assert rows == [
        (chapter.name, f"notebooks/{chapter.stem}.ipynb", chapter.question, chapter.you_build)
        for chapter in CHAPTERS
        if chapter.written
    ]


SITTINGS = {
    "a quarter of an hour": 15,
    "20 minutes": 20,
    "three quarters of an hour": 45,
    "an hour": 60,
    "an hour and a quarter": 75,
}
COMPUTING = {  # what the first cell says of the machine's part: seconds, from and to
    "half a minute": (8, 40),
    "under a minute": (15, 60),
    "about a minute": (45, 75),
    "about two minutes": (90, 150),
}


@pytest.mark.parametrize("chapter", [each for each in CHAPTERS if each.written], ids=lambda chapter: chapter.number)
def test_times_are_the_chapters_own_and_the_readmes(chapter):
    first = (NOTEBOOKS / "src" / f"{chapter.stem}.py").read_text(encoding="utf-8").split("# %% ")[1]
    longest_first = "|".join(sorted(SITTINGS, key=len, reverse=True))
    said = re.search(rf"(?:\*\*time\*\*:|\bIn) ({longest_first})\b", " ".join(re.split(r"\n# ?|\s+", first)))[1]
    assert SITTINGS[said] == chapter.minutes_reading
    computing = re.search(r"machine computes ([a-z ]+\b) ?(\(two where)?", " ".join(re.split(r"\n# ?|\s+", first)))
    if chapter.number not in ("00", "00b"):
        low, high = COMPUTING[computing[1].strip()]
        assert low <= chapter.seconds <= (high if not computing[2] else 120)  # two with the optional download
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    amount, unit = re.search(rf"{chapter.stem}\.ipynb\).*\| (\d+) (second|minute)[^|]*\|$", readme, re.M).groups()
    assert int(amount) * {"second": 1, "minute": 60}[unit] == chapter.seconds


def test_a_chapter_that_is_not_there():
    with pytest.raises(ValueError, match="number: expected one of 00, 00b, 01, .*, got '14'"):
        chapters.get("14")


def test_table_and_glossary_need_no_torch():
    script = "import sys, course_lib.chapters, course_lib.glossary; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
