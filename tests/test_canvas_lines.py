"""Frames of curves: they lie where their numbers are, on a plain and on a logarithmic axis."""

import numpy as np
import pytest

from course_lib.canvas import FAKE, REAL
from course_lib.canvas_lines import LEFT, Panel, lines_frame, ticks


def heights(panel, colour):
    """Mean row of a colour in each column of the plot, in a frame of one panel; NaN where it is not."""
    image = np.asarray(lines_frame([panel], 250, 230)).astype(int)[40:, LEFT:]  # below the key
    near = np.abs(image - np.array(colour)).sum(2) < 60
    rows = np.where(near, np.arange(len(image))[:, None], 0).sum(0)
    with np.errstate(invalid="ignore"):
        return rows / near.sum(0)


def test_a_rising_line_rises_and_the_other_falls():
    x = list(range(50))
    panel = Panel("loss", x, x, [-value for value in x], ("up", "down"))
    up, down = heights(panel, REAL), heights(panel, FAKE)
    assert np.nanmean(up[:40]) > np.nanmean(up[-50:-12]) + 20  # rows are counted from above
    assert np.nanmean(down[:40]) < np.nanmean(down[-50:-12]) - 20


def test_on_a_logarithmic_axis_a_power_is_a_straight_line():
    x = list(range(1, 101))
    panel = Panel("norm", x, [10.0 ** (value / 25) for value in x], [1.0] * 100, ("a", "b"), log=True)
    rows = heights(panel, REAL)[5:180]
    rows = rows[np.isfinite(rows)]
    bend = rows - np.linspace(rows[0], rows[-1], len(rows))
    assert np.abs(bend).max() < 4 < rows[0] - rows[-1]


def test_a_constant_a_single_point_and_a_zero_can_be_drawn():
    flat = Panel("flat", [0, 10], [2.0, 2.0], [2.0, 2.0], ("a", "b"))
    point = Panel("point", [5], [1.0], [1.0], ("a", "b"))
    gone = Panel("gone", [0, 1], [0.0, 0.0], [1.0, 1.0], ("a", "b"), log=True)
    assert lines_frame([flat, point, gone], 200, 200).size == (600, 200)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3, 3, [-2, 0, 2]),
        (0, 3000, [0, 1000, 2000, 3000]),
        (4.9, 5.1, [4.9, 4.95, 5.0, 5.05, 5.1]),
    ],
)
def test_ticks_are_round_numbers_within(low, high, wanted):
    found = ticks(low, high)
    assert all(low - 1e-9 <= each <= high + 1e-9 for each in found)
    assert found == pytest.approx(wanted, abs=1e-9)


def test_curves_of_another_length_are_refused():
    with pytest.raises(ValueError, match="b: expected 3 values like x, at least one, got 2"):
        lines_frame([Panel("loss", [0, 1, 2], [1.0, 2.0, 3.0], [1.0, 2.0], ("a", "b"))])
    with pytest.raises(ValueError, match="a: expected 0 values like x, at least one, got 0"):
        lines_frame([Panel("loss", [], [], [], ("a", "b"))])
