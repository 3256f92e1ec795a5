"""Tensors in, figures out. Each figure has a title that states a finding, and alt text with the numbers in it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from course_lib.data import to_uint8
from course_lib.data.normals import Normal
from course_lib.figures import BLUE, FAINT, GREEN, INK, ORANGE, PINK, RED, Figure, axes_grid, plain_ticks
from course_lib.training.history import History


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
        figure, axes = axes_grid(1, len(grids), size=(panel * len(grids), panel * tallest + (0.6 if title else 0.35)))
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
    steps = window_means(history["step"], smooth)
    columns = {
        name: window_means(history[name], smooth)
        for name in ("d_loss", "g_loss", "real_logit", "fake_logit", "d_gradient_norm", "g_gradient_norm")
    }
    panels = [
        ("loss", "d_loss", "g_loss", "discriminator", "generator"),
        ("mean logit", "real_logit", "fake_logit", "real images", "fakes"),
        ("gradient norm", "d_gradient_norm", "g_gradient_norm", "discriminator", "generator"),
    ]

    def draw(theme):
        figure, axes = axes_grid(1, 3, size=(10.5, 3.1))
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
        plain_ticks(axes[0][2].yaxis)
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


def window_means(values: Sequence[float], window: int) -> np.ndarray:
    """Means over as many windows as fit whole; the values themselves where none does."""
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
        figure, axes = axes_grid(size=(8.6 if legend_beside else 6.4, 3.4))
        axis = axes[0][0]
        for (name, values), colour, line in zip(series.items(), (BLUE, ORANGE, GREEN, PINK), ("-", "--", "-.", ":")):
            axis.plot(x, values, line, color=colour, label=name, marker="o" if len(x) < 40 else None, ms=3)
        axis.set(title=textwrap.fill(title, 64), xlabel=xlabel, ylabel=ylabel)
        axis.set_xscale("log" if log_x else "linear")
        axis.set_yscale("log" if log_y else "linear")
        for ticks, logarithmic in ((axis.xaxis, log_x), (axis.yaxis, log_y)):
            if logarithmic:
                plain_ticks(ticks)
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
        figure, axes = axes_grid(size=(7.0, 3.0))
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
        figure, axes = axes_grid(size=(7.0, 1.2 + 0.34 * len(values)))
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
            plain_ticks(axis.xaxis)
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
        figure, axes = axes_grid(1, len(paths), size=(4.3 * len(paths), 4.2))
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
        figure, axes = axes_grid(1, len(both), size=(size * len(both), size + (0.5 if title else 0.2)))
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
        figure, axes = axes_grid(2, len(losses), size=(2.05 * len(losses) + 0.6, 4.6), sharex=True)
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
        figure, axes = axes_grid(size=(5.6, 4.4))
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
