"""Tensors in, figures out. Each figure has a title that states a finding, and alt text with the numbers in it.

A figure is drawn twice, for a light and for a dark theme, and the page shows the one that fits. Colours are
those of Okabe and Ito, which readers with any colour vision can tell apart; lines differ in style as well.
"""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from course_lib.data import to_uint8
from course_lib.training.history import History

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


def _axes(rows=1, columns=1, size=(7.0, 3.2), **options):
    from matplotlib.figure import Figure as Canvas  # not pyplot: nothing global, nothing to close, any thread

    figure = Canvas(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def _plain_ticks(axis) -> None:
    """A logarithmic axis labelled 1, 2, 5, 10, … instead of powers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())


def tile(images: Tensor, columns: int, gap: int = 1, background: int = 127) -> np.ndarray:
    """(N, C, H, W), uint8 in [0, 255] or float in [−1, 1] → one (h, w, 3) uint8 picture, row by row."""
    pixels = (images if images.dtype == torch.uint8 else to_uint8(images)).cpu()
    count, channels, height, width = pixels.shape
    if channels not in (1, 3):
        raise ValueError(f"images: expected 1 or 3 channels, got {channels}")
    rows = -(-count // columns)
    sheet = torch.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), background, dtype=torch.uint8)
    for index, image in enumerate(pixels.permute(0, 2, 3, 1).expand(-1, -1, -1, 3)):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet.numpy()


def image_grids(
    grids: Mapping[str, Tensor], columns: int = 8, alt: str | None = None, title: str = "", panel: float = 3.2
) -> Figure:
    """Sheets of images side by side, a title above each.

    grids: {title: (N, C, H, W) images}, uint8 or float in [−1, 1]
    """

    def draw(theme):
        sheets = {
            name: tile(images, columns, background=22 if theme == "dark" else 255) for name, images in grids.items()
        }
        tallest = max(sheet.shape[0] / sheet.shape[1] for sheet in sheets.values())
        figure, axes = _axes(1, len(grids), size=(panel * len(grids), panel * tallest + (0.6 if title else 0.35)))
        for axis, (name, sheet) in zip(axes[0], sheets.items()):
            axis.imshow(sheet, interpolation="nearest")
            axis.set_title(name, fontweight="normal" if title else "bold")
            axis.set_axis_off()
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    return Figure(draw, alt or "; ".join(f"{name}: {len(images)} images" for name, images in grids.items()))


def training_curves(history: History, title: str, smooth: int = 1) -> Figure:
    """Losses, logits and gradient norms of one run over steps; `smooth` rows are averaged (1: raw values).

    The discriminator's loss is the sum of both terms: 1.386 where it can tell nothing apart.
    """
    steps = _smooth(history["step"], smooth)
    columns = {
        name: _smooth(history[name], smooth)
        for name in ("d_loss", "g_loss", "real_logit", "fake_logit", "d_gradient_norm", "g_gradient_norm")
    }
    panels = [
        ("loss", "d_loss", "g_loss", "discriminator", "generator"),
        ("mean logit", "real_logit", "fake_logit", "real images", "fakes"),
        ("gradient norm", "d_gradient_norm", "g_gradient_norm", "discriminator", "generator"),
    ]

    def draw(theme):
        figure, axes = _axes(1, 3, size=(10.5, 3.1))
        for axis, (label, one, other, one_name, other_name) in zip(axes[0], panels):
            axis.plot(steps, columns[one], color=BLUE, label=one_name, lw=1.3)
            axis.plot(steps, columns[other], color=ORANGE, label=other_name, lw=1.3, ls=(0, (4, 1.5)))
            axis.set_xlabel("step")
            axis.set_title(label, fontweight="normal")
            axis.legend(fontsize=8)
        axes[0][0].axhline(np.log(4), color=BLUE, lw=0.8, ls=":")
        axes[0][0].axhline(np.log(2), color=ORANGE, lw=0.8, ls=":")
        axes[0][1].axhline(0, color=INK[theme], lw=0.8, ls=":")
        axes[0][2].set_yscale("log")
        _plain_ticks(axes[0][2].yaxis)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    first, last = ({name: values[i] for name, values in columns.items()} for i in (0, -1))
    return Figure(
        draw,
        f"{title}. From step {steps[0]:.0f} to {steps[-1]:.0f}: discriminator loss {first['d_loss']:.2f} to "
        f"{last['d_loss']:.2f}, generator loss {first['g_loss']:.2f} to {last['g_loss']:.2f}, mean logit of real "
        f"images {last['real_logit']:.1f} and of fakes {last['fake_logit']:.1f} at the end. Dotted lines: the "
        "losses where nothing can be told apart, 1.386 and 0.693.",
    )


def _smooth(values: Sequence[float], window: int) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    whole = len(values) // window * window
    return values[:whole].reshape(-1, window).mean(1) if window > 1 and whole else values


def curves(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    log_y: bool = False,
) -> Figure:
    """A few lines over a common axis; the alt text gives each line's first and last value."""

    def draw(theme):
        figure, axes = _axes(size=(6.4, 3.4))
        axis = axes[0][0]
        for (name, values), colour, line in zip(series.items(), (BLUE, ORANGE, GREEN, PINK), ("-", "--", "-.", ":")):
            axis.plot(x, values, line, color=colour, label=name, marker="o" if len(x) < 40 else None, ms=3)
        axis.set(title=textwrap.fill(title, 64), xlabel=xlabel, ylabel=ylabel)
        axis.set_xscale("log" if log_x else "linear")
        axis.set_yscale("log" if log_y else "linear")
        for ticks, logarithmic in ((axis.xaxis, log_x), (axis.yaxis, log_y)):
            if logarithmic:
                _plain_ticks(ticks)
        if len(series) > 1:
            axis.legend()
        return figure

    ends = "; ".join(f"{name} from {values[0]:.3g} to {values[-1]:.3g}" for name, values in series.items())
    return Figure(draw, f"{title}. {ylabel} over {xlabel} from {x[0]:.3g} to {x[-1]:.3g}: {ends}.")


def bars(values: Mapping[str, float], *, title: str, ylabel: str, reference: tuple[str, float] | None = None) -> Figure:
    """One bar per name, with the number on it; `reference` is a named dotted line."""

    def draw(theme):
        figure, axes = _axes(size=(7.0, 3.0))
        axis = axes[0][0]
        drawn = axis.bar(list(values), list(values.values()), color=BLUE, width=0.7, zorder=2)
        axis.bar_label(drawn, [f"{value:.3g}" for value in values.values()], color=INK[theme], fontsize=8)
        if reference:
            axis.axhline(reference[1], color=RED, ls=":", label=reference[0])
            axis.legend()
        axis.set(title=textwrap.fill(title, 72), ylabel=ylabel)
        axis.grid(visible=False, axis="x")
        axis.tick_params(axis="x", labelrotation=30 if len(values) > 6 else 0)
        return figure

    numbers = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
    return Figure(
        draw, f"{title}. {ylabel}: {numbers}" + (f"; {reference[0]} {reference[1]:.3g}." if reference else ".")
    )


def vector_field_paths(
    step, paths: Sequence[Tensor], *, lr: float, gammas: Sequence[float], titles: Sequence[str]
) -> Figure:
    """Two-parameter games side by side: the step as arrows, the path as a line from a circle to a square.

    step:  step(theta, psi, lr, gamma) → the next (theta, psi), on tensors of any shape
    paths: each (n, 2), drawn within its own extent
    """

    def draw(theme):
        figure, axes = _axes(1, len(paths), size=(4.3 * len(paths), 4.2))
        for axis, path, gamma, title in zip(axes[0], paths, gammas, titles):
            reach = 1.15 * path.abs().max().item()
            line = torch.linspace(-reach, reach, 15, dtype=torch.float64)
            psi, theta = torch.meshgrid(line, line, indexing="ij")
            moved = step(theta, psi, lr, gamma)
            axis.quiver(theta, psi, moved[0] - theta, moved[1] - psi, color=FAINT[theme], angles="xy", width=0.004)
            axis.plot(path[:, 0], path[:, 1], color=BLUE, lw=1.4)
            axis.plot(*path[0], "o", color=BLUE, ms=7)
            axis.plot(*path[-1], "s", color=RED, ms=7)
            axis.plot(0, 0, "+", color=INK[theme], ms=10)
            axis.set(title=title, xlabel="θ (generator)", ylabel="ψ (critic)", aspect="equal")
        return figure

    told = "; ".join(
        f"{title}: from ({path[0, 0]:.2f}, {path[0, 1]:.2f}) to ({path[-1, 0]:.2f}, {path[-1, 1]:.2f}) in {len(path) - 1} steps"
        for title, path in zip(titles, paths)
    )
    return Figure(draw, f"Vector field and path of the game in the plane of θ and ψ. {told}.")
