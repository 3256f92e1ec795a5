"""Feedback as a small card: plain HTML that works in a light and a dark theme, and text where there is no HTML.

Colour is never the only sign: each kind has its word. Theme colours come from JupyterLab's CSS variables, with
fall-backs for other front-ends.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

COLOURS = {"right": "#1b9e77", "wrong": "#d95f02", "error": "#d95f02", "open": "#7570b3", "note": "#7570b3"}


def escape(text: str) -> str:
    """Text as HTML; `code` between backticks becomes code, a *word* between asterisks emphasis."""
    parts = re.split(r"`([^`]+)`", html.escape(text))
    return "".join(
        f"<code>{part}</code>"
        if number % 2
        else re.sub(r"(?<![\w*])\*(\S(?:[^*]*\S)?)\*(?![\w*])", r"<em>\1</em>", part)
        for number, part in enumerate(parts)
    )


@dataclass(frozen=True)
class Card:
    """kind: a key of COLOURS; title: plain text; parts: pieces of HTML, empty ones are left out."""

    kind: str
    title: str
    parts: Sequence[str] = ()

    def _repr_html_(self) -> str:
        body = "".join(f'<div style="margin-top:.4em">{part}</div>' for part in self.parts if part)
        return (
            f'<div class="course-card course-{self.kind}" role="status" style="border-left:.3em solid {COLOURS[self.kind]};'
            "padding:.5em .9em;margin:.3em 0;max-width:52em;line-height:1.45;"
            "background:var(--jp-layout-color1,transparent);color:var(--jp-content-font-color1,inherit);"
            'font-family:var(--jp-content-font-family,sans-serif);font-size:var(--jp-content-font-size1,14px)">'
            f"<strong>{html.escape(self.title)}</strong>{body}</div>"
        )

    def __repr__(self) -> str:
        text = re.sub(r"</(tr|li|p|div|pre)>", "\n", "\n".join(part for part in self.parts if part))
        text = html.unescape(re.sub(r"<[^>]+>", " ", text))
        lines = [" ".join(line.split()) for line in text.splitlines()]
        return "\n".join([self.title, *(line for line in lines if line)])


def bullets(items: Iterable[str]) -> str:
    """Pieces of HTML as a list."""
    return '<ul style="margin:.2em 0 0 1.2em;padding:0">' + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """Plain values as a table without decoration; `head` names its columns."""
    cells = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:left;padding:.1em 1em .1em 0">{html.escape(str(value))}</td>' for value in row
        )
        + "</tr>"
        for row in rows
    )
    names = "".join(
        f'<th scope="col" style="text-align:left;padding:.1em 1em .1em 0">{html.escape(name)}</th>' for name in head
    )
    top = f"<thead><tr>{names}</tr></thead>" if names else ""
    return f'<table style="border-collapse:collapse">{top}{cells}</table>'


def show(*things: object) -> None:
    """Display in a notebook, print elsewhere."""
    try:
        from IPython import get_ipython
    except ImportError:
        get_ipython = lambda: None  # noqa: E731
    if get_ipython() is None:
        print(*things, sep="\n")
        return
    from IPython.display import display

    display(*things)
