"""The glossary: its terms searched, told in a terminal, and written as a page. Standard library only.

docs/glossary.md is written from here by `gan-course build`; a chapter links a term's first use to it.
"""

from __future__ import annotations

import difflib
import itertools
import re
import shutil
import textwrap
import unicodedata
from pathlib import Path

from course_lib import chapters
from course_lib.files import ROOT, write_atomically
from course_lib.glossary_terms import TERMS, Term

PAGE = ROOT / "docs" / "glossary.md"


# fmt: on


def heading(name: str) -> str:
    """A term as its heading: lower case, ASCII letters, digits, hyphens and spaces, so that all make one anchor of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9 -]", "", plain)


def anchor(name: str) -> str:
    """The id that GitHub and JupyterLab give to a term's heading, as in `docs/glossary.md#frechet-distance`."""
    return heading(name).replace(" ", "-")


def names(term: str) -> tuple[str, ...]:
    """A term and its other names."""
    return (term, *TERMS[term].also)


def of_chapter(number: str) -> list[str]:
    """The terms that a chapter introduces, in alphabetical order."""
    return sorted((name for name, term in TERMS.items() if term.chapter == number), key=anchor)


# ---------------------------------------------------------------- searching


def search(words: str) -> list[tuple[str, Term]]:
    """Terms that match, best first: a name, the beginning of a name, of a word in it, a part of it, the definition.

    Case, accents, hyphens and -ise or -ize make no difference. If nothing matches, the one term that is spelt most
    like it; an empty list if none is. Without words: all, in alphabetical order.
    """
    return _matching(words) or _spelt_like(words)


def found_in_words(words: str) -> str:
    """What `search(words)` has found, as a sentence."""
    found = _matching(words)
    if found:
        return f"{len(found)} {'term' if len(found) == 1 else 'terms'}" + (f" for {words.strip()!r}" if words else "")
    near = _spelt_like(words)
    return f"no term matches {words.strip()!r}" + (f"; did you mean {near[0][0]!r}?" if near else "")


def _matching(words: str) -> list[tuple[str, Term]]:
    wanted = _fold(words)
    ranked = [(_rank(wanted, name), anchor(name), name) for name in TERMS]
    return [(name, TERMS[name]) for rank, _, name in sorted(ranked) if rank < 5]


def _rank(wanted: str, name: str) -> int:
    """0 (a name of the term) to 4 (in its definition); 5: no match."""
    known = [_fold(each) for each in names(name)]
    long = len(wanted) > 2  # two letters are in nearly every definition
    if wanted in known:
        return 0
    if any(each.startswith(wanted) for each in known):
        return 1
    if any(f" {wanted}" in each for each in known):
        return 2
    if long and any(wanted in each for each in known):
        return 3
    everything = f" {' '.join(known)} {_fold(TERMS[name].definition)}"
    return 4 if long and all(f" {word}" in everything for word in wanted.split()) else 5


def _spelt_like(words: str) -> list[tuple[str, Term]]:
    by_name = {_fold(each): name for name in TERMS for each in names(name)}
    near = difflib.get_close_matches(_fold(words), by_name, n=1)
    return [(by_name[each], TERMS[by_name[each]]) for each in near]


def _fold(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[-–(]", " ", plain).replace("iz", "is").split())


# ---------------------------------------------------------------- for the terminal


def as_text(words: str = "") -> str:
    """What `search(words)` finds, a paragraph each; without words the names alone, chapter by chapter.

    raises: ValueError if no term matches or is spelt nearly so
    """
    wrapped = textwrap.TextWrapper(min(shutil.get_terminal_size().columns, 100), "  ", "  ", break_on_hyphens=False)
    if not words.strip():
        return "\n".join(
            f"{chapter.name}\n{wrapped.fill(', '.join(of_chapter(chapter.number)))}" for chapter in chapters.CHAPTERS
        )
    found = search(words)
    if not found:
        raise ValueError(found_in_words(words))
    paragraphs = [
        f"{', '.join(names(name))} (chapter {term.chapter})\n{wrapped.fill(term.definition.replace('`', ''))}"
        for name, term in found
    ]
    return "\n\n".join([found_in_words(words), *paragraphs])


# ---------------------------------------------------------------- the page


def as_markdown() -> str:
    """The whole of docs/glossary.md: one heading a term, in alphabetical order."""
    parts = [
        "# Glossary",
        "Every term of the course in one line, with the chapter that introduces it. In a notebook `widgets.glossary()` searches "
        "it, in a terminal `gan-course glossary WORDS`. `gan-course build` writes this page from `course_lib/glossary.py`.",
    ]
    for letter, group in itertools.groupby(sorted(TERMS, key=anchor), key=lambda name: anchor(name)[0]):
        parts.append(f"## {letter}")
        for name in group:
            term = TERMS[name]
            also = f" ({', '.join(term.also)})" if term.also else ""
            parts.append(f"### {heading(name)}")
            parts.append(
                f"**{_escaped(name)}**{_escaped(also)}: {_escaped(term.definition)} *Chapter {chapters.get(term.chapter).name}.*"
            )
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    """Text as Markdown: nothing but `code` between backticks is markup."""
    return "".join(
        part if number % 2 else re.sub(r"([*_<\\])", r"\\\1", part)
        for number, part in enumerate(re.split(r"(`[^`]+`)", text))
    )


def write(page: Path = PAGE) -> list[Path]:
    """Write docs/glossary.md if it changes; returns what was written."""
    content = as_markdown().encode("utf-8")
    if page.exists() and page.read_bytes() == content:
        return []
    write_atomically(page, content)
    return [page]
