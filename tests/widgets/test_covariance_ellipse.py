"""The covariance ellipse driven by plain Python: what it shows must mean what its sliders say."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import widgets
from course_lib.canvas import REAL


@pytest.fixture
def ellipse():
    return widgets.covariance_ellipse()


def line(widget):
    """Pixels (x, y) of the ellipse's line, y upwards, the middle at 0."""
    picture = np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)
    rows, columns = np.nonzero((picture == np.array(REAL)).all(2))
    return columns - picture.shape[1] / 2, picture.shape[0] / 2 - rows


def said(widget):
    return [float(number) for number in re.findall(r"-?\d+\.\d+", widget.status.value)]


def test_it_starts_as_a_circle(ellipse):
    assert said(ellipse)[:6] == [1, 0, 0, 1, 1, 1]
    x, y = line(ellipse)
    assert x.max() - x.min() == pytest.approx(y.max() - y.min(), rel=0.1)


@pytest.mark.parametrize("where", ["min", "middle", "max"])
def test_a_deviation_stretches_its_own_axis(ellipse, where):
    slider = ellipse.std_x
    slider.value = {"min": slider.min, "middle": 1.5, "max": slider.max}[where]
    assert said(ellipse)[0] == pytest.approx(slider.value**2, abs=0.01)
    spread = ellipse.normal.place(ellipse.noise).std(0)
    assert spread[0].item() == pytest.approx(slider.value, rel=0.12) and spread[1].item() == pytest.approx(1, rel=0.12)
    assert said(ellipse)[4:6] == pytest.approx(sorted([slider.value**2, 1.0], reverse=True), abs=0.01)


@pytest.mark.parametrize(("correlation", "leans"), [(-1.0, -1), (-0.5, -1), (0.0, 0), (0.5, 1), (1.0, 1)])
def test_the_correlation_leans_the_cloud_and_flattens_it(ellipse, correlation, leans):
    ellipse.correlation.value = correlation
    assert ellipse.normal.cov[0, 1].item() == pytest.approx(correlation)
    assert said(ellipse)[4:6] == [
        pytest.approx(1 + abs(correlation), abs=0.01),
        pytest.approx(1 - abs(correlation), abs=0.01),
    ]
    points = ellipse.normal.place(ellipse.noise)
    measured = torch.corrcoef(points.T)[0, 1].item()
    assert abs(measured) < 0.15 if leans == 0 else measured * leans > 0.3
    assert "stopped" not in ellipse.status.value


def test_on_the_dashed_one_the_distance_is_0_and_away_from_it_it_grows(ellipse):
    ellipse.std_x.value, ellipse.std_y.value, ellipse.correlation.value = 1.6, 0.8, 0.6
    assert said(ellipse)[-1] == 0 and ellipse.distance == pytest.approx(0, abs=1e-9)
    found = []
    for value in (0.0, -0.6, -1.0):  # same variances all the while
        ellipse.correlation.value = value
        found.append(said(ellipse)[-1])
    assert 0 < found[0] < found[1] < found[2]


def test_start_over_is_a_circle_again(ellipse):
    first = ellipse.image.value
    ellipse.std_y.value, ellipse.correlation.value = 2.5, -0.8
    assert ellipse.image.value != first
    ellipse.reset.click()
    assert ellipse.image.value == first and ellipse.std_y.value == 1


def test_another_target():
    assert widgets.covariance_ellipse(target=(1.0, 1.0, 0.0)).distance == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="correlation: expected"):
        widgets.covariance_ellipse(target=(1.0, 1.0, 2.0))
