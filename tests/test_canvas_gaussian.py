"""A cloud and two ellipses: drawn where they lie, in the colours that mean them."""

import numpy as np
import pytest
import torch

from course_lib import canvas
from course_lib.data.normals import Normal, covariance_2d

NOBODY = torch.empty(0, 2)


def frame(points=NOBODY, ellipse=NOBODY, half_axes=NOBODY, other=NOBODY):
    return np.asarray(canvas.gaussian_frame(points, ellipse, half_axes, other, extent=4.0, size=400)).astype(int)


def where(picture, colour):
    """Coordinates in the plane of the pixels of that colour."""
    rows, columns = np.nonzero((picture == np.array(colour)).all(2))
    return columns / 50 - 4, 4 - rows / 50


def test_a_point_lies_where_its_coordinates_say_with_y_upwards():
    x, y = where(frame(points=torch.tensor([[2.5, 1.5]])), canvas.TINT_REAL)
    assert x.mean() == pytest.approx(2.5, abs=0.05) and y.mean() == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize(("part", "colour"), [("ellipse", canvas.REAL), ("other", canvas.FAKE)])
def test_an_ellipse_reaches_one_deviation(part, colour):
    normal = Normal(torch.zeros(2, dtype=torch.float64), covariance_2d(3.0, 1.0, 0.0))
    x, y = where(frame(**{part: normal.ellipse()}), colour)
    assert x.max() == pytest.approx(3, abs=0.1) and x.min() == pytest.approx(-3, abs=0.1)
    assert y.max() == pytest.approx(1, abs=0.1) and y.min() == pytest.approx(-1, abs=0.1)


def test_the_second_one_is_dashed():
    edge = Normal(torch.zeros(2, dtype=torch.float64), covariance_2d(2.0, 2.0, 0.0)).ellipse()
    whole, dashed = len(where(frame(ellipse=edge), canvas.REAL)[0]), len(where(frame(other=edge), canvas.FAKE)[0])
    assert 0.2 * whole < dashed < 0.8 * whole


def test_axes_cross_in_the_middle_of_the_ellipse_and_end_on_it():
    shifted = Normal(torch.tensor([1.0, 1.0], dtype=torch.float64), covariance_2d(2.0, 0.5, 0.0))
    x, y = where(frame(ellipse=shifted.ellipse(), half_axes=shifted.half_axes[1:]), canvas.INK)
    row = np.abs(y - 1) < 0.05  # without the numbers along the axes
    assert max(abs(x[row] - 1)) == pytest.approx(2, abs=0.15)
