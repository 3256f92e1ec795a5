"""Networks drawn as boxes and arrows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from course_lib.figures import BLUE, FAINT, GREEN, INK, ORANGE, PAPER, PINK, RED, Figure, axes_grid

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
        figure, axes = axes_grid(1, 4, size=(12.0, 3.9))
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
