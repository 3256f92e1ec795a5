"""The moving supports driven by plain Python: JSD must stick where W₁ goes on."""

import io
import math
import re

import numpy as np
import pytest
from PIL import Image

from course_lib import oracle, widgets


@pytest.fixture
def supports():
    return widgets.moving_supports()


def shown(supports):
    """{row: (now, slope)} of the table."""
    cells = re.findall(r"<td[^>]*>(.*?)</td>", supports.numbers.value)
    return {cells[i].split(" ")[0]: (float(cells[i + 1]), float(cells[i + 2])) for i in range(0, len(cells), 3)}


def picture(supports):
    return np.asarray(Image.open(io.BytesIO(supports.image.value))).astype(int)


def test_it_shows_what_the_oracle_says_at_every_place_of_the_sliders(supports):
    seen = set()
    for place in (supports.place.min, 0.5, supports.place.max):
        for width in (supports.width.min, 0.5, supports.width.max):
            supports.place.value, supports.width.value = place, width
            rows = shown(supports)
            assert rows["JSD"][0] == pytest.approx(oracle.js_divergence(supports.p, supports.q), abs=6e-5)
            assert rows["W₁"][0] == pytest.approx(abs(place), abs=6e-5)  # of a shift: its length
            seen.add(supports.image.value)
    assert len(seen) == 9 and "stopped" not in supports.status.value


@pytest.mark.parametrize("side", [-1, 1])
def test_apart_jsd_is_log_2_without_a_slope_and_w1_has_the_slope_1(supports, side):
    supports.width.value = 0.1
    for place in (1.5, 4.0):
        supports.place.value = side * place
        assert shown(supports)["JSD"] == (pytest.approx(math.log(2), abs=5e-5), 0.0)
        assert shown(supports)["W₁"] == (place, side * 1.0)


def test_wide_heaps_overlap_and_jsd_has_a_slope(supports):
    supports.place.value, slopes = 2.0, []
    for width in (supports.width.min, 0.6, supports.width.max):
        supports.width.value = width
        slopes.append(shown(supports)["JSD"][1])
    assert slopes[0] == 0 < slopes[1] and slopes[2] > 0.05


def test_on_top_of_each_other_both_are_0(supports):
    supports.place.value = 0.0
    assert shown(supports) == {"JSD": (0.0, 0.0), "W₁": (0.0, 0.0)}


def test_the_discriminator_is_a_cliff_and_the_critic_a_slope(supports):
    """Blue tint above zero, orange below: the discriminator's is one block each side, the critic's two wedges."""
    supports.place.value, supports.width.value = 3.0, 0.15
    image = picture(supports)
    blue = (image == np.array([158, 205, 235])).all(2)
    heights = []
    for top, bottom in ((175, 285), (310, 405)):  # the two lower strips
        columns = blue[top:bottom].sum(0)
        heights.append([columns[at] for at in (60, 160, 260)])  # left of the cliff at x = 1.5, which is column 336
    cliff, wedge = heights
    assert cliff[0] > 0 and max(cliff) - min(cliff) <= 1
    assert wedge[0] > wedge[1] > wedge[2] > 0
