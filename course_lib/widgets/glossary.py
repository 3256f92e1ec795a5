"""The glossary with a search box."""

from __future__ import annotations

import html
import threading

import ipywidgets as w

from course_lib import glossary
from course_lib.exercises.cards import escape
from course_lib.widgets.frames import guarded

# a region that Tab reaches and the arrow keys scroll; colours are the theme's, as in course_lib.exercises.cards
LIST = (
    '<div tabindex="0" role="region" aria-label="terms" style="height:22em;overflow:auto;padding:.2em .9em;line-height:1.45;'
    "border-left:.3em solid #7570b3;background:var(--jp-layout-color1,transparent);"
    "color:var(--jp-content-font-color1,inherit);font-family:var(--jp-content-font-family,sans-serif);"
    'font-size:var(--jp-content-font-size1,14px)">{}</div>'
)


class Glossary(w.VBox):
    """Every term of the course, and those that match as you type.

    words: to begin with;  .search is the text box, .list the HTML, .status how many there are or what may be meant
    """

    def __init__(self, words: str = ""):
        super().__init__(layout=w.Layout(max_width="52em"))
        self.lock = threading.RLock()
        self.search = w.Text(
            words,
            description="search",
            placeholder="a term, or words to look for",
            continuous_update=True,
            layout=w.Layout(width="26em"),
        )
        self.status, self.list = w.Label(), w.HTML()
        self.search.observe(self._look, "value")
        self.children = [w.HBox([self.search, self.status], layout=w.Layout(flex_flow="row wrap")), self.list]
        self._look()

    @guarded
    def _look(self):
        found = glossary.search(self.search.value)
        self.status.value = glossary.found_in_words(self.search.value)
        self.list.value = LIST.format("".join(_entry(name, term) for name, term in found))


def _entry(name: str, term: glossary.Term) -> str:
    also = f" ({html.escape(', '.join(term.also))})" if term.also else ""
    return (
        f'<p style="margin:.5em 0"><strong>{html.escape(name)}</strong>{also}: {escape(term.definition)} '
        f"<em>Chapter {term.chapter}.</em></p>"
    )
