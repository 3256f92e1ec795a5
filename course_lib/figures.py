"""What every figure of the course has: two themes, alt text, and titles that fit.

A figure is drawn twice, for a light and for a dark theme, and the page shows the one that fits. Colours are
those of Okabe and Ito, which readers with any colour vision can tell apart; lines differ in style as well.
"""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Callable
from pathlib import Path

BLUE, ORANGE, GREEN, PINK, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
INK = {"light": "#1f2328", "dark": "#e6e6e6"}
PAPER = {"light": "#ffffff", "dark": "#161616"}
FAINT = {"light": "#d0d5da", "dark": "#3a3a3a"}
STYLE = (
    "<style>.course-dark{display:none}"
    'body[data-jp-theme-light="false"] .course-dark,body.vscode-dark .course-dark{display:block}'
    'body[data-jp-theme-light="false"] .course-light,body.vscode-dark .course-light{display:none}</style>'
)


class Figure:
    """A matplotlib drawing that knows both themes and what it says in words.

    draw: called as draw(theme) → matplotlib Figure
    alt:  what a reader who cannot see it should know
    """

    def __init__(self, draw: Callable[[str], object], alt: str):
        if not alt.strip():
            raise ValueError("alt: expected a description of the figure, got nothing")
        self.draw, self.alt = draw, alt

    def png(self, theme: str = "light", dpi: int = 110) -> bytes:
        """The picture as PNG bytes; theme is "light" or "dark"."""
        import matplotlib

        colours = {
            "figure.facecolor": PAPER[theme],
            "axes.facecolor": PAPER[theme],
            "savefig.facecolor": PAPER[theme],
            "axes.edgecolor": FAINT[theme],
            "grid.color": FAINT[theme],
            "text.color": INK[theme],
            "axes.labelcolor": INK[theme],
            "xtick.color": INK[theme],
            "ytick.color": INK[theme],
            "axes.titlecolor": INK[theme],
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "font.size": 10,
            "axes.grid": True,
            "grid.linewidth": 0.6,
        }
        with matplotlib.rc_context(colours):
            figure = self.draw(theme)
            fit_titles(figure)
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def save(self, path: Path | str, theme: str = "light", dpi: int = 110) -> None:
        """Write the picture as a PNG file."""
        Path(path).write_bytes(self.png(theme, dpi))

    def _repr_html_(self) -> str:
        images = "".join(
            f'<img class="course-{theme}" style="max-width:100%" alt="{html.escape(self.alt, quote=True)}" '
            f'src="data:image/png;base64,{base64.b64encode(self.png(theme)).decode()}">'
            for theme in ("light", "dark")
        )
        return f'{STYLE}<figure class="course-figure" style="margin:0">{images}</figure>'

    def __repr__(self) -> str:
        return f"[figure: {self.alt}]"


def fit_titles(figure) -> None:
    """Titles that would run over the right edge are broken into lines, and the picture grows by their height."""
    from matplotlib.text import Text

    titles = list(figure.texts) + [
        each
        for axis in figure.axes
        for each in axis.get_children()
        if isinstance(each, Text) and each.get_text() and each.get_text() == axis.get_title(loc="left")
    ]
    inches = (max(map(len, each.get_text().split("\n"))) * each.get_fontsize() * 0.68 / 72 for each in titles)
    if max(inches, default=0) < figure.get_figwidth() / max(1, len(figure.axes)) - 0.7:
        return  # short enough wherever they stand: measuring means drawing once more
    figure.draw_without_rendering()
    added = 0
    for title in titles:
        words, before = title.get_text(), title.get_text().count("\n")
        place = title.get_window_extent()
        room, fitting = 0.98 * figure.bbox.x1 - place.x0, max(map(len, words.split("\n")))
        while place.width > room > 0 and fitting > 8:
            fitting = min(fitting - 1, int(fitting * room / place.width))
            title.set_text(textwrap.fill(words.replace("\n", " "), fitting))
            place = title.get_window_extent()
        added = max(added, title.get_text().count("\n") - before)
    figure.set_figheight(figure.get_figheight() + 0.2 * added)


def axes_grid(rows=1, columns=1, size=(7.0, 3.2), **options):
    """(a matplotlib figure of `size` inches, a (rows, columns) array of its axes); options as `Figure.subplots` takes them."""
    from matplotlib.figure import Figure as Canvas  # not pyplot: nothing global, nothing to close, any thread

    figure = Canvas(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def plain_ticks(axis) -> None:
    """A logarithmic axis labelled 1, 2, 5, 10, … instead of powers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())
