"""Neighbour balls driven by plain Python: each slider must do to the four shares what the chapter says it does."""

import io

import numpy as np
import pytest
from PIL import Image

from course_lib import metrics, widgets
from course_lib.data import crowds


@pytest.fixture
def balls():
    return widgets.neighbour_balls()


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)


def shares(widget, **parts):
    for name, value in parts.items():
        getattr(widget, name).value = value
    assert "stopped" not in widget.status.value
    return widget.found


def test_it_shows_two_looks_and_says_what_is_counted(balls):
    assert picture(balls).shape == (380, 760, 3)
    for word in ("precision", "recall", "density", "coverage", "of 36 generated inside"):
        assert word in balls.numbers.value


def test_the_numbers_are_the_librarys(balls):
    shares(balls, k=4, dropped=2, spread=1.5, at=-1.0, outlier="fake")
    real, fake = crowds.ring_pair(36, dropped=2, spread=1.5, outlier_at=-1.0, outlier="fake")
    assert balls.found == metrics.prdc(real=real, fake=fake, k=4, strict=False)


def test_a_larger_k_widens_balls_and_raises_both(balls):
    found = [shares(balls, k=k) for k in (balls.k.min, 5, balls.k.max)]
    assert found[0].precision < found[1].precision <= found[2].precision == 1
    assert found[0].recall < found[1].recall <= found[2].recall == 1


def test_dropped_humps_lower_recall_and_coverage_and_not_precision(balls):
    whole, half, one = (shares(balls, dropped=dropped) for dropped in (0, 3, balls.dropped.max))
    assert whole.recall > half.recall + 0.3 > one.recall + 0.5
    assert whole.coverage > half.coverage + 0.3 > one.coverage + 0.5
    assert min(half.precision, one.precision) >= whole.precision


def test_wide_fakes_lower_precision_and_not_recall(balls):
    normal, wide, widest = (shares(balls, spread=spread) for spread in (1.0, 2.0, balls.spread.max))
    assert normal.precision > wide.precision + 0.2 > widest.precision + 0.3
    assert wide.recall == widest.recall == 1


def test_repeated_points_keep_precision_and_lose_recall(balls):
    repeated = shares(balls, spread=balls.spread.min)
    assert repeated.precision == 1 and repeated.recall < 0.1 and repeated.coverage > 0.7


def test_one_real_outlier_raises_precision(balls):
    at_home = shares(balls, spread=3.0)
    moved = shares(balls, at=0.0)
    assert moved.precision > at_home.precision + 0.2
    assert moved.coverage - at_home.coverage <= 2 / 36  # itself, and the hump it left


def test_one_fake_outlier_raises_recall_and_leaves_density_and_coverage(balls):
    at_home = shares(balls, dropped=3, outlier="fake")
    moved = shares(balls, at=balls.at.min)
    assert moved.recall > at_home.recall + 0.15
    assert moved.coverage == pytest.approx(at_home.coverage, abs=1 / 36 + 1e-9)
    assert abs(moved.density - at_home.density) < 0.1


def test_every_slider_changes_the_picture_and_starting_over_brings_it_back(balls):
    start = picture(balls)
    for name, value in (("k", 5), ("dropped", 2), ("spread", 2.0), ("at", -2.0), ("outlier", "fake")):
        before = picture(balls)
        getattr(balls, name).value = value
        assert (picture(balls) != before).any(), name
    balls.home.click()
    assert (picture(balls) == start).all()
