"""The epsilon explorer driven by plain Python: corners cut above, a plateau, and rounding below."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from course_lib import widgets, zoo


@pytest.fixture(scope="module")
def explorer():
    return widgets.epsilon_explorer(zoo.load("dcgan-fashion")[0], paths=3)


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)


def told(widget, exponent):
    widget.exponent.value = exponent
    assert "stopped" not in widget.status.value
    found = re.findall(r"(float32|float64|grey levels) ([\d.e+-]+)", widget.status.value)
    return {kind: float(value) for kind, value in found}


def test_a_long_step_cuts_corners_a_short_one_does_not_and_grey_levels_blow_it_up(explorer):
    longest, middle, customary = (told(explorer, exponent) for exponent in (explorer.exponent.max, -2.0, -4.0))
    assert longest["float64"] < 0.3 * middle["float64"]
    assert customary["float32"] == pytest.approx(customary["float64"], rel=0.02)
    assert customary["grey levels"] > 2 * customary["float64"]
    assert middle["grey levels"] == pytest.approx(middle["float64"], rel=0.2)


def test_the_shortest_step_is_refused_in_float32_and_not_in_float64(explorer):
    told(explorer, explorer.exponent.min)
    rows = re.findall(r"<tr>(.*?)</tr>", explorer.numbers.value)
    words = {re.sub("<.*?>", "|", row).strip("|").split("||")[0]: row for row in rows}
    assert "epsilon: expected steps" in words["float32"] and "measured" in words["float64"]


def test_the_curve_keeps_what_was_visited_and_can_be_filled_in(explorer):
    told(explorer, -1.0)
    before, visited = picture(explorer), len(explorer.speeds.found)
    explorer.fill.click()
    steps = round((explorer.exponent.max - explorer.exponent.min) / explorer.exponent.step) + 1
    assert visited < len(explorer.speeds.found) == 3 * steps
    assert (picture(explorer) != before).any() and "stopped" not in explorer.status.value


def test_images_on_grey_levels_differ_by_few_pixels(explorer):
    told(explorer, -4.0)
    explorer.shown.value = "float32"
    smooth = picture(explorer)[298:418, :120]
    explorer.shown.value = "grey levels"
    rounded = picture(explorer)[298:418, :120]
    assert 0 < (rounded > 0).mean() < 0.1 < (smooth > 0).mean()
    explorer.shown.value = "float32"
