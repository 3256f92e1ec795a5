"""Figures of chapter 06: measures over a knob with their intervals, and staircases. Tensors in, figures out, as in `plots`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from torch import Tensor

from course_lib.figures import BLUE, GREEN, INK, ORANGE, PINK, RED, Figure, axes_grid, plain_ticks

LOOKS = ((BLUE, "-", "o"), (ORANGE, "--", "D"), (GREEN, "-.", "s"), (PINK, ":", "^"))


def over_a_knob(
    panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]],
    knob: Sequence[float],
    *,
    title: str,
    xlabel: str,
    marks: Mapping[float, str] | None = None,
) -> Figure:
    """Panels side by side over one knob: each measure as a line, its interval as a bar at each value.

    panels: {what stands above the panel: {measure: (values, halves of their intervals)}}, as long as `knob`
    marks:  words in place of some numbers on the axis
    """
    for lines in panels.values():
        for name, (values, halves) in lines.items():
            if not len(values) == len(halves) == len(knob):
                raise ValueError(f"{name}: expected {len(knob)} values and halves, got {len(values)} and {len(halves)}")

    def draw(theme):
        figure, axes = axes_grid(1, len(panels), size=(3.6 * len(panels), 3.5))
        for axis, (said, lines) in zip(axes[0], panels.items()):
            for (name, (values, halves)), (colour, line, mark) in zip(lines.items(), LOOKS):
                axis.errorbar(
                    knob, values, yerr=halves, fmt=line, color=colour, marker=mark, ms=4, lw=1.5, capsize=2, label=name
                )
            axis.set_title(said, fontweight="normal", fontsize=10)
            axis.set_xlabel(xlabel)
            axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
            if marks:
                places = [*(place for place in axis.get_xticks() if 0 <= place < min(marks)), *marks]
                axis.set_xticks(places, [marks.get(place, f"{place:g}") for place in places])
            axis.legend(fontsize=8)
        figure.suptitle(textwrap.fill(title, 34 * len(panels)), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    told = "; ".join(
        f"{said}: "
        + ", ".join(f"{name} from {values[0]:.3g} to {values[-1]:.3g}" for name, (values, _) in lines.items())
        for said, lines in panels.items()
    )
    last = (marks or {}).get(knob[-1], f"{knob[-1]:g}")
    return Figure(draw, f"{title}. Over the {xlabel} from {knob[0]:g} to {last}: {told}. Bars are 95 % intervals.")


def staircases(
    runs: Mapping[str, tuple[Tensor, Tensor]], targets: Mapping[str, float], *, title: str, found: Mapping[str, float]
) -> Figure:
    """Runs of the staircase side by side: exposure over trial, right answers as dots and wrong ones as crosses.

    runs:    {name: (shown ms (trials,), right (trials,) bool)}
    targets: the exposure that is to be found, a dotted line, for those whose target is known
    found:   what the run settled on, a line through
    """

    def draw(theme):
        figure, axes = axes_grid(1, len(runs), size=(4.3 * len(runs), 3.4))
        for axis, (name, (shown, right)) in zip(axes[0], runs.items()):
            trial = range(1, len(shown) + 1)
            axis.plot(trial, shown, color=BLUE, lw=0.8)
            for wanted, mark, colour, said in ((True, "o", BLUE, "right"), (False, "x", RED, "wrong")):
                chosen = [number for number, was in zip(trial, right.tolist()) if was == wanted]
                axis.plot(chosen, [shown[number - 1] for number in chosen], mark, color=colour, ms=5, label=said)
            axis.axhline(found[name], color=INK[theme], lw=1.2, label=f"found: {found[name]:.0f} ms")
            if name in targets:
                axis.axhline(targets[name], color=ORANGE, ls=":", lw=2, label=f"known: {targets[name]:.0f} ms")
            axis.set_yscale("log")
            plain_ticks(axis.yaxis)
            axis.set(xlabel="flash", ylabel="shown for, ms")
            axis.set_title(name, fontweight="normal", fontsize=10)
            axis.set_ylim(top=3 * axis.get_ylim()[1])  # room for the legend above the data
            axis.legend(fontsize=8, loc="upper right", ncols=2)
        figure.suptitle(textwrap.fill(title, 40 * len(runs)), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    told = "; ".join(
        f"{name}: {len(shown)} flashes from {shown[0]:.0f} ms, {int((~right).sum())} answers wrong, settled on {found[name]:.0f} ms"
        + (f" where {targets[name]:.0f} ms is known" if name in targets else "")
        for name, (shown, right) in runs.items()
    )
    return Figure(draw, f"{title}. {told}.")
