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
from course_lib.data.normals import Normal
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
            _fit_titles(figure)
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


def _fit_titles(figure) -> None:
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
        room, fitting = figure.bbox.x1 - 4 - place.x0, max(map(len, words.split("\n")))
        while place.width > room > 0 and fitting > 8:
            fitting = min(fitting - 1, int(fitting * room / place.width))
            title.set_text(textwrap.fill(words.replace("\n", " "), fitting))
            place = title.get_window_extent()
        added = max(added, title.get_text().count("\n") - before)
    figure.set_figheight(figure.get_figheight() + 0.2 * added)


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
    grids: Mapping[str, Tensor],
    columns: int = 8,
    alt: str | None = None,
    title: str = "",
    panel: float = 3.2,
    apart: float = 0.02,
) -> Figure:
    """Sheets of images side by side, a title above each.

    grids: {title: (N, C, H, W) images}, uint8 or float in [−1, 1]
    panel: width of a sheet in inches;  apart: the space between sheets, in sheets
    """

    def draw(theme):
        sheets = {
            name: tile(images, columns, background=22 if theme == "dark" else 255) for name, images in grids.items()
        }
        tallest = max(sheet.shape[0] / sheet.shape[1] for sheet in sheets.values())
        figure, axes = _axes(1, len(grids), size=(panel * len(grids), panel * tallest + (0.6 if title else 0.35)))
        figure.get_layout_engine().set(wspace=apart)
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
    legend_beside: bool = False,
) -> Figure:
    """A few lines over a common axis; the alt text gives each line's first and last value, and its peak or dip between."""

    def draw(theme):
        figure, axes = _axes(size=(8.6 if legend_beside else 6.4, 3.4))
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
            axis.legend(**({"loc": "center left", "bbox_to_anchor": (1, 0.5)} if legend_beside else {}))
        return figure

    ways = "; ".join(f"{name} {_way(x, values)}" for name, values in series.items())
    return Figure(draw, f"{title}. {ylabel} over {xlabel} from {x[0]:.3g} to {x[-1]:.3g}: {ways}.")


def _way(x: Sequence[float], values: Sequence[float]) -> str:
    """A line in words: its ends, and where between them it leaves their range by more than a tenth."""
    said = f"from {values[0]:.3g} to {values[-1]:.3g}"
    low, high = sorted((values[0], values[-1]))
    slack = (max(values) - min(values)) / 10
    for word, most, beyond in (("up to", max(values), max(values) - high), ("down to", min(values), low - min(values))):
        if beyond > slack:
            said += f", {word} {most:.3g} at {x[list(values).index(most)]:.3g}"
    return said


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


def intervals(
    values: Mapping[str, tuple[float, float, float]], *, title: str, xlabel: str, log_x: bool = False
) -> Figure:
    """One line for each name: a dot at a number, a bar over its interval. values: {name: (low, number, high)}"""

    def draw(theme):
        figure, axes = _axes(size=(7.0, 1.2 + 0.34 * len(values)))
        axis = axes[0][0]
        for row, (low, number, high) in enumerate(values.values()):
            axis.plot((low, high), (row, row), color=BLUE, lw=5, alpha=0.45, solid_capstyle="butt")
            axis.plot(number, row, "o", color=BLUE, ms=7)
            axis.annotate(
                f"{number:.3g}", (number, row), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8
            )
        axis.set(title=textwrap.fill(title, 72), xlabel=xlabel, ylim=(len(values) - 0.5, -0.75))
        axis.set_yticks(range(len(values)), list(values))
        axis.set_xscale("log" if log_x else "linear")
        if log_x:
            _plain_ticks(axis.xaxis)
        elif min(low for low, _, _ in values.values()) >= 0:
            axis.set_xlim(left=0)
        axis.grid(visible=False, axis="y")
        return figure

    told = "; ".join(
        f"{name} {number:.3g}, from {low:.3g} to {high:.3g}" for name, (low, number, high) in values.items()
    )
    return Figure(draw, f"{title}. {xlabel}, with intervals: {told}.")


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


def clouds(
    panels: Mapping[str, Tensor | tuple[Tensor, Tensor]],
    *,
    alt: str,
    title: str = "",
    size: float = 3.6,
    together: bool = False,
    ellipses: bool = True,
    axes_of: tuple[str, str] = ("x", "y"),
) -> Figure:
    """Clouds of points in the plane side by side, each with its covariance ellipse.

    panels:   {title: points (N, 2)}, or {title: (points, where each of them goes)}, drawn with a line between the two
    together: whether all panels show the same part of the plane;  ellipses: whether they are drawn
    axes_of:  what the two coordinates are called
    """
    both = {name: each if isinstance(each, tuple) else (each, None) for name, each in panels.items()}

    def draw(theme):
        figure, axes = _axes(1, len(both), size=(size * len(both), size + (0.5 if title else 0.2)))
        for axis, (name, (start, end)) in zip(axes[0], both.items()):
            if end is not None:
                axis.plot(*torch.stack([start, end], 1).permute(2, 1, 0), color=FAINT[theme], lw=0.8, zorder=1)
            for points, colour, mark, line in ((start, BLUE, "o", "-"), (end, ORANGE, "D", "--")):
                if points is not None:
                    axis.scatter(*points.T, s=7, color=colour, marker=mark, alpha=0.45, linewidths=0, zorder=2)
                if points is not None and ellipses:
                    edge = Normal(points.double().mean(0), torch.cov(points.double().T)).ellipse()
                    axis.plot(*edge.T, line, color=colour, lw=2, zorder=3)
            axis.set_title(textwrap.fill(name, round(11 * size)), fontweight="normal" if title else "bold", fontsize=10)
            axis.set(aspect="equal", adjustable="datalim", xlabel=axes_of[0], ylabel=axes_of[1])
            if together:
                reach = max(
                    points.abs().max().item() for pair in both.values() for points in pair if points is not None
                )
                axis.set(adjustable="box", xlim=(-1.05 * reach, 1.05 * reach), ylim=(-1.05 * reach, 1.05 * reach))
        if title:
            figure.suptitle(textwrap.fill(title, 40 * len(both)), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    return Figure(draw, alt)


def losses_and_slopes(
    x: Sequence[float],
    losses: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    *,
    title: str,
    xlabel: str,
    alt: str,
) -> Figure:
    """A column for each loss: above its values on a scale of its own, below its slopes on a scale that all share.

    losses: {loss: {line: (values, slopes), each over x}}; the same lines in the same order for every loss
    """
    slopes = [slope for lines in losses.values() for _, each in lines.values() for slope in each]
    low, high = min(slopes), max(slopes)
    margin = 0.05 * (high - low)

    def draw(theme):
        figure, axes = _axes(2, len(losses), size=(2.05 * len(losses) + 0.6, 4.6), sharex=True)
        for axis, (name, lines) in zip(axes.T, losses.items()):
            looks = zip((BLUE, ORANGE, GREEN), ("-", "--", "-."), (3.4, 1.7, 1.7))  # a wide one shows beneath another
            for (label, rows), (colour, line, width) in zip(lines.items(), looks):
                for part, values in zip(axis, rows):
                    part.plot(x, values, line, color=colour, label=label, lw=width)
            axis[0].set_title(name, fontweight="normal", fontsize=10)
            axis[1].axhline(0, color=INK[theme], lw=0.7, ls=":")
            axis[1].set_xlabel(xlabel, fontsize=9)
            axis[1].set_ylim(low - margin, high + margin)
            axis[1].tick_params(labelleft=axis[1] is axes[1][0])
        axes[0][0].set_ylabel("loss (own scale)")
        axes[1][0].set_ylabel("slope (one scale)")
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=9)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    return Figure(draw, alt)


INCEPTION = {  # from an input upwards: the layers of each branch
    "v1": (("1×1",), ("1×1", "3×3"), ("1×1", "5×5"), ("pool", "1×1")),
    "v2": (("1×1",), ("1×1", "3×3"), ("1×1", "3×3", "3×3"), ("pool", "1×1")),
    "v3": (("1×1",), ("1×1", "1×7", "7×1"), ("1×1", "7×1", "1×7", "7×1", "1×7"), ("pool", "1×1")),
}


def inception_blocks(titles: Mapping[str, str], *, title: str, alt: str) -> Figure:
    """Inception's block in its three versions, and the whole network with the place where it is cut.

    titles: what to say above "v1", "v2", "v3" and "whole"; the data flow from below upwards
    """

    def box(axis, x, y, text, colour, width=0.19, height=0.07, theme="light"):
        from matplotlib.patches import FancyBboxPatch

        corner = (x - width / 2, y - height / 2)
        axis.add_patch(FancyBboxPatch(corner, width, height, "round,pad=0.005", fc=PAPER[theme], ec=colour, lw=1.6))
        axis.text(x, y, text, ha="center", va="center", fontsize=8.5)

    def arrow(axis, start, end, theme):
        axis.annotate(
            "", end, start, arrowprops={"arrowstyle": "-|>", "color": INK[theme], "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
        )

    def block(axis, branches, theme):
        below, above, tall = 0.06, 0.94, max(map(len, branches))
        box(axis, 0.5, below, "maps from below", FAINT[theme], 0.9, theme=theme)
        box(axis, 0.5, above, "joined along the channels", FAINT[theme], 0.9, theme=theme)
        for index, layers in enumerate(branches):
            x, gap = 0.125 + 0.25 * index, 0.74 / max(tall, 3)
            heights = [0.5 + (place - (len(layers) - 1) / 2) * gap for place in range(len(layers))]
            for start, end in zip([below, *heights], [*heights, above]):
                arrow(axis, (x, start + 0.042), (x, end - 0.042), theme)
            for layer, y in zip(layers, heights):
                colour = GREEN if layer == "pool" else BLUE if layer == "1×1" else ORANGE
                box(axis, x, y, layer, colour, theme=theme)

    def whole(axis, theme):
        rows = (
            "photograph, 299×299",
            "seven plain layers",
            "3 blocks at 35×35",
            "5 blocks at 17×17",
            "3 blocks at 8×8",
            "mean over places: 2048",
        )
        heights = [0.06 + 0.135 * place for place in range(len(rows))]
        for y, text in zip(heights, rows):
            box(axis, 0.34, y, text, PINK if "2048" in text else BLUE, 0.64, theme=theme)
        for start, end in zip(heights, heights[1:]):
            arrow(axis, (0.34, start + 0.042), (0.34, end - 0.042), theme)
        arrow(axis, (0.34, heights[-1] + 0.042), (0.34, 0.898), theme)
        box(axis, 0.34, 0.94, "fc: 1000 logits", FAINT[theme], 0.64, theme=theme)
        axis.plot((0.0, 0.98), (0.835, 0.835), color=RED, lw=1.8, ls=(0, (4, 2)))
        axis.text(0.7, 0.86, "cut here", color=RED, fontsize=9, fontweight="bold")
        arrow(axis, (0.66, heights[3]), (0.74, heights[3]), theme)
        box(axis, 0.87, heights[3], "auxiliary\nclassifier,\nin training", FAINT[theme], 0.24, 0.17, theme=theme)

    def draw(theme):
        figure, axes = _axes(1, 4, size=(12.0, 3.9))
        for axis, name in zip(axes[0], (*INCEPTION, "whole")):
            axis.set(xlim=(-0.02, 1.02), ylim=(0, 1))
            axis.set_axis_off()
            axis.set_title(textwrap.fill(titles[name], 38), fontweight="normal", fontsize=9.5)
            if name == "whole":
                whole(axis, theme)
            else:
                block(axis, INCEPTION[name], theme)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    return Figure(draw, alt)


def precision_recall_plane(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Precision over recall: a curve for each name; one with less than 20 points has its points marked.

    lines:  {name: (recall, precision) pairs in order}
    labels: {name: a word for each of its points}, written beside them
    """

    def draw(theme):
        figure, axes = _axes(size=(5.6, 4.4))
        axis = axes[0][0]
        looks = zip((BLUE, ORANGE, GREEN, PINK), ("-", "--", "-.", ":"), ("o", "D", "s", "^"))
        for (name, pairs), (colour, line, mark) in zip(lines.items(), looks):
            few = len(pairs) < 20
            axis.plot(*zip(*pairs), line, color=colour, label=name, marker=mark if few else None, ms=6, lw=1.6)
            for (x, y), word in zip(pairs, (labels or {}).get(name, ())):
                axis.annotate(word, (x, y), xytext=(6, -12), textcoords="offset points", fontsize=8.5)
        axis.set(
            title=textwrap.fill(title, 58), xlabel="recall", ylabel="precision", xlim=(-0.03, 1.06), ylim=(-0.03, 1.06)
        )
        axis.legend(loc="lower left" if any(len(pairs) >= 20 for pairs in lines.values()) else "lower right")
        return figure

    told = "; ".join(
        f"{name} from recall {pairs[0][0]:.2f}, precision {pairs[0][1]:.2f} to recall {pairs[-1][0]:.2f}, precision {pairs[-1][1]:.2f}"
        for name, pairs in lines.items()
    )
    return Figure(draw, f"{title}. Precision over recall: {told}.")
