"""The KL fit driven by plain Python: covering and seeking must be what it shows."""

import io
import math
import re

import numpy as np
import pytest
from PIL import Image

from course_lib import oracle, widgets


@pytest.fixture
def fit():
    return widgets.kl_fit()


def picture(fit):
    return np.asarray(Image.open(io.BytesIO(fit.image.value))).astype(int)


def shown(fit):
    """{row: (now, least)} of the table."""
    cells = re.findall(r"<td[^>]*>(.*?)</td>", fit.numbers.value)
    return {cells[i]: (cells[i + 1], cells[i + 2]) for i in range(0, len(cells), 3)}


def test_it_shows_what_the_oracle_says_at_every_place_of_the_sliders(fit):
    seen = set()
    for mean in (fit.mean.min, 0.0, fit.mean.max):
        for deviation in (fit.deviation.min, 1.5, fit.deviation.max):
            fit.mean.value, fit.deviation.value = mean, deviation
            rows = shown(fit)
            assert rows["KL(data‖model)"][0] == f"{oracle.kl_divergence(fit.p, fit.q):.3f}"
            assert rows["KL(model‖data)"][0] == f"{oracle.kl_divergence(fit.q, fit.p):.3f}"
            seen.add(fit.image.value)
    assert len(seen) == 9 and "stopped" not in fit.status.value


def test_forward_covers_and_reverse_seeks(fit):
    fit.forward.click()
    assert fit.deviation.value > 2 and abs(fit.mean.value) < 1
    covering = oracle.kl_divergence(fit.p, fit.q)
    fit.reverse.click()
    assert fit.deviation.value < 1 and fit.mean.value == pytest.approx(2, abs=0.05)
    assert oracle.kl_divergence(fit.q, fit.p) == pytest.approx(-math.log(0.6), abs=0.01)
    assert oracle.kl_divergence(fit.p, fit.q) > 3 * covering
    assert "99% right" in fit.status.value


def test_the_least_is_shown_once_it_was_jumped_to_and_forgotten_when_the_humps_move(fit):
    assert shown(fit)["KL(data‖model)"][1] == "?"
    fit.forward.click()
    now, least = shown(fit)["KL(data‖model)"]
    assert now == least and shown(fit)["KL(model‖data)"][1] == "?"
    fit.apart.value = 2.0
    assert shown(fit)["KL(data‖model)"][1] == "?"


@pytest.mark.parametrize("apart", ["min", "middle", "max"])
def test_where_the_humps_are_one_both_directions_agree_and_far_apart_they_do_not(fit, apart):
    fit.apart.value = {"min": fit.apart.min, "middle": 3.0, "max": fit.apart.max}[apart]
    widths = []
    for button in (fit.forward, fit.reverse):
        button.click()
        widths.append(fit.deviation.value)
    far = widths[0] / widths[1]
    assert {"min": far < 1.1, "middle": 1.05 < far < 1.5, "max": far > 3}[apart]


def test_where_the_model_leaves_data_out_the_data_pay_in_blue(fit):
    fit.reverse.click()
    image = picture(fit)
    forward, reverse = image[200:300], image[325:400]
    blue = lambda part: (part == np.array([158, 205, 235])).all(2)  # noqa: E731
    left, right = slice(0, 260), slice(260, 520)
    assert blue(forward[:, left]).sum() > 20 * blue(forward[:, right]).sum()
    assert blue(reverse[:, right]).sum() > 20 * blue(reverse[:, left]).sum()
