"""Figures of games: the Dirac game under remedies, modes counted over seeds, runs of the failure museum."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from course_lib.figures import BLUE, FAINT, GREEN, INK, ORANGE, RED, Figure, axes_grid, plain_ticks
from course_lib.plots import tile
from course_lib.training.history import History


def remedies(panels: Mapping[str, Sequence[tuple[str, Tensor, float]]], *, title: str) -> Figure:
    """Paths of the Dirac game: a row for each way of taking turns, a column for each remedy.

    panels: {row: (remedy, path (n, 2), largest modulus) for each column}; a path is green if its modulus is below 1, blue if
            it is 1 to rounding, and vermilion if it is above
    """
    names = list(panels)
    columns = max(map(len, panels.values()))

    def kind(modulus: float) -> tuple[str, str, str]:
        if abs(modulus - 1) < 1e-9:
            return BLUE, "stays", "-"
        return (GREEN, "home", "-") if modulus < 1 else (RED, "leaves", "-")

    def draw(theme):
        figure, axes = axes_grid(len(names), columns, size=(2.0 * columns + 0.3, 2.25 * len(names) + 0.5))
        for line, name in zip(axes, names):
            for axis, (remedy, path, modulus) in zip(line, panels[name]):
                colour, word, _ = kind(modulus)
                reach = 1.12 * path.abs().max().item()
                axis.plot(path[:, 0], path[:, 1], color=colour, lw=0.9)
                axis.plot(*path[0], "o", color=INK[theme], ms=4)
                axis.plot(*path[-1], "s", color=colour, ms=5)
                axis.plot(0, 0, "+", color=INK[theme], ms=8)
                axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
                axis.set_title(f"{remedy}\n{modulus:.4f}: {word}", fontsize=8.5, fontweight="normal", loc="center")
                for spine in axis.spines.values():
                    spine.set(visible=True, color=FAINT[theme])
            line[0].set_ylabel(name, fontsize=10)
        figure.suptitle(textwrap.fill(title, 110), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    told = "; ".join(
        f"{name}: " + ", ".join(f"{remedy} {modulus:.4f} ({kind(modulus)[1]})" for remedy, _, modulus in row)
        for name, row in panels.items()
    )
    return Figure(
        draw,
        f"{title}. Small pictures of the path in the plane of both parameters, with the largest modulus of a turn. {told}.",
    )


def counts(
    rows: Mapping[str, Mapping[str, Sequence[int]]],
    totals: Mapping[str, int],
    *,
    title: str,
    reference: str | None = None,
) -> Figure:
    """Modes found, a dot for each seed: a row for each setting, a panel for each world, a bar at the mean.

    rows:      {setting: {world: modes found by each seed}}, a world left out where it was not played;  totals: {world: its number of modes}
    reference: a setting whose mean is a dotted line
    """
    names, worlds = list(rows), list(totals)

    def draw(theme):
        figure, axes = axes_grid(1, len(worlds), size=(3.6 * len(worlds) + 1.6, 0.30 * len(names) + 1.2), sharey=True)
        for axis, world in zip(axes[0], worlds):
            for place, name in enumerate(names):
                if world not in rows[name]:
                    axis.text(0.02 * totals[world], place, "not played", va="center", fontsize=8.5, color=INK[theme])
                    continue
                found = np.asarray(rows[name][world], dtype=float)
                spread = np.linspace(-0.2, 0.2, len(found)) if len(found) > 1 else [0]
                axis.barh(place, found.mean(), height=0.62, color=BLUE, alpha=0.28, zorder=2)
                axis.scatter(found, place + np.asarray(spread), s=13, color=BLUE, zorder=3, linewidths=0)
                axis.text(
                    1.03 * totals[world], place, f"{found.mean():.1f}", va="center", fontsize=8.5, color=INK[theme]
                )
            if reference:
                axis.axvline(np.mean(rows[reference][world]), color=ORANGE, ls=":", lw=1.4, zorder=1)
            axis.set(xlim=(0, 1.02 * totals[world]), xlabel=f"modes found of {totals[world]} ({world})")
            axis.set_yticks(range(len(names)), names, fontsize=9)
            axis.grid(visible=False, axis="y")
            axis.tick_params(axis="y", length=0)
        axes[0][0].invert_yaxis()
        figure.suptitle(textwrap.fill(title, 30 * len(worlds) + 20), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    told = "; ".join(
        f"{name}: " + ", ".join(f"{world} {', '.join(map(str, found))}" for world, found in rows[name].items())
        for name in names
    )
    return Figure(draw, f"{title}. Modes found by each seed. {told}.")


def rates_map(values: Mapping[tuple[float, float], float], *, total: int, title: str) -> Figure:
    """A square for each pair of learning rates (generator, discriminator), darker where more modes were found."""
    across = sorted({rate_d for _, rate_d in values})
    up = sorted({rate_g for rate_g, _ in values}, reverse=True)

    def draw(theme):
        figure, axes = axes_grid(size=(4.6, 3.7))
        axis = axes[0][0]
        table = np.array([[values[rate_g, rate_d] for rate_d in across] for rate_g in up])
        axis.imshow(table, cmap="Blues", vmin=0, vmax=total, aspect="auto")
        for (row, column), value in np.ndenumerate(table):
            axis.text(
                column,
                row,
                f"{value:.1f}",
                ha="center",
                va="center",
                color="#ffffff" if value > total / 2 else "#1f2328",
            )
        axis.set_xticks(range(len(across)), [f"{rate:g}" for rate in across])
        axis.set_yticks(range(len(up)), [f"{rate:g}" for rate in up])
        axis.set(xlabel="learning rate of D", ylabel="learning rate of G", title=textwrap.fill(title, 46))
        axis.grid(visible=False)
        return figure

    told = "; ".join(f"G {rate_g:g}, D {rate_d:g}: {value:.1f}" for (rate_g, rate_d), value in values.items())
    return Figure(draw, f"{title}. Modes found of {total}, mean over the seeds. {told}.")


def exhibits(runs: Mapping[str, tuple[History, Tensor]], *, title: str, alt: str, columns: int = 8) -> Figure:
    """A row for each run: both losses, both mean logits, both gradient norms (logarithmic), and what it draws in the end.

    runs: {name: (history, images (N, 1, H, W) uint8)}
    """
    parts = (
        ("loss", "d_loss", "g_loss"),
        ("mean logit", "real_logit", "fake_logit"),
        ("gradient norm", "d_gradient_norm", "g_gradient_norm"),
    )

    def draw(theme):
        from matplotlib.figure import Figure as Canvas

        figure = Canvas(figsize=(11.0, 1.32 * len(runs) + 0.7), layout="constrained")
        axes = figure.subplots(len(runs), 4, squeeze=False, width_ratios=(1, 1, 1, 1.75))
        for place, (line, (name, (history, images))) in enumerate(zip(axes, runs.items())):
            for axis, (label, one, other) in zip(line, parts):
                axis.plot(history["step"], history[one], color=BLUE, lw=1.0)
                axis.plot(history["step"], history[other], color=ORANGE, lw=1.0, ls=(0, (4, 1.5)))
                axis.tick_params(labelsize=7)
                if label == "gradient norm":
                    axis.set_yscale("log")
                if place == 0:
                    axis.set_title(label, fontweight="normal", fontsize=9)
            line[0].set_ylabel(textwrap.fill(name, 15), fontsize=8.5)
            line[3].imshow(tile(images, columns, background=22 if theme == "dark" else 255), interpolation="nearest")
            line[3].set_axis_off()
        axes[0][3].set_title("samples at the end", fontweight="normal", fontsize=9)
        for axis in axes[-1][:3]:
            axis.set_xlabel("step", fontsize=8)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    return Figure(draw, alt)


def seed_bands(
    worlds: Mapping[str, Mapping[str, tuple[Sequence[int], Sequence[Sequence[float]]]]],
    *,
    title: str,
    xlabel: str,
    log_y: Sequence[str] = (),
) -> Figure:
    """A row for each world and a column for each contestant: its median over seeds and the band from least to greatest.

    worlds: {ylabel: {contestant: (x, one row of values a seed)}}; every panel of a row shows the others' medians faintly
    log_y:  those of the ylabels whose axis is logarithmic
    """
    names = list(next(iter(worlds.values())))

    def draw(theme):
        figure, axes = axes_grid(len(worlds), len(names), size=(1.75 * len(names) + 0.6, 2.3 * len(worlds) + 0.7))
        for index, (row, (ylabel, lines)) in enumerate(zip(axes, worlds.items())):
            highest = max(max(map(max, rows)) for _, rows in lines.values())
            lowest = min(min(map(min, rows)) for _, rows in lines.values())
            for axis, name in zip(row, names):
                for other, (x, rows) in lines.items():
                    if other != name:
                        axis.plot(x, np.median(rows, 0), color=FAINT[theme], lw=0.9, zorder=1)
                x, rows = lines[name]
                axis.fill_between(x, np.min(rows, 0), np.max(rows, 0), color=BLUE, alpha=0.3, lw=0, zorder=2)
                axis.plot(x, np.median(rows, 0), color=BLUE, lw=1.8, zorder=3)
                if ylabel in log_y:
                    axis.set_yscale("log")
                    axis.set_ylim(0.9 * lowest, 1.1 * highest)
                    plain_ticks(axis.yaxis)
                else:
                    axis.set_ylim(min(0, lowest), 1.04 * highest)
                axis.tick_params(labelleft=axis is row[0], labelsize=8)
                if index == 0:
                    axis.set_title(textwrap.fill(name, 15), fontweight="normal", fontsize=9.5)
            row[0].set_ylabel(ylabel, fontsize=9)
        figure.supxlabel(xlabel, fontsize=9)
        figure.suptitle(textwrap.fill(title, 105), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    told = ". ".join(
        f"{ylabel} at the end, median (least to greatest): "
        + "; ".join(
            f"{name} {np.median([row[-1] for row in rows]):.3g} ({min(row[-1] for row in rows):.3g} to {max(row[-1] for row in rows):.3g})"
            for name, (_, rows) in lines.items()
        )
        for ylabel, lines in worlds.items()
    )
    return Figure(draw, f"{title}. {told}.")
