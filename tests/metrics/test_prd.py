"""PRD curves: by hand, laws, clusters that are plain to see, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import metrics
from course_lib.metrics.prd import k_means

cells = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5).filter(lambda values: sum(values) > 0.01)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def test_equal_histograms_reach_the_corner_and_disjoint_ones_nothing():
    same = metrics.prd_from_histograms(real=double([0.5, 0.5]), fake=double([0.5, 0.5]))
    assert same.f8 == pytest.approx(1, abs=1e-9) and same.f1_8 == pytest.approx(1, abs=1e-9)
    apart = metrics.prd_from_histograms(real=double([1, 0]), fake=double([0, 1]))
    assert apart.f8 == apart.f1_8 == 0 and apart.precision.max() == apart.recall.max() == 0


def test_half_of_the_modes_has_all_precision_and_half_the_recall():
    curve = metrics.prd_from_histograms(real=double([0.5, 0.5]), fake=double([1, 0]))
    assert curve.precision.max().item() == pytest.approx(1) and curve.recall.max().item() == pytest.approx(0.5)
    assert curve.f1_8 > 0.98 and curve.f8 < 0.51


@settings(deadline=None, max_examples=50)
@given(cells, cells)
def test_swap_order_bounds_and_monotone(p, q):
    p, q = double(p), double(q)
    curve, swapped = metrics.prd_from_histograms(real=p, fake=q), metrics.prd_from_histograms(real=q, fake=p)
    torch.testing.assert_close(curve.precision, swapped.recall.flip(0), rtol=0, atol=1e-6)
    assert curve.f8 == pytest.approx(swapped.f1_8, abs=1e-6)
    assert (curve.precision.diff() >= -1e-12).all() and (curve.recall.diff() <= 1e-12).all()
    for side in curve[:2]:
        assert side.min() >= 0 and side.max() <= 1
    torch.testing.assert_close(metrics.prd_from_histograms(real=p.flip(0), fake=q.flip(0)).precision, curve.precision)


def test_k_means_finds_clusters_that_are_far_apart():
    centres = 100 * torch.eye(6)
    truth = torch.arange(6).repeat(50)
    points = centres[truth] + torch.randn(300, 6)
    labels = k_means(points - points.mean(0), 6, 5, seed=0)
    best = min(len(set(zip(truth.tolist(), run.tolist()))) for run in labels)
    assert best == 6  # each truth has one label


def test_dropping_modes_lowers_f8_and_not_f1_8():
    torch.manual_seed(0)
    centres = 30 * torch.randn(10, 12)
    real, fake = (centres[torch.randint(0, 10, (600,))] + torch.randn(600, 12) for _ in range(2))
    few = centres[torch.randint(0, 5, (600,))] + torch.randn(600, 12)
    whole, dropped = (metrics.prd_curve(real=real, fake=rows, clusters=10, runs=3) for rows in (fake, few))
    assert whole.f8 > 0.9 and dropped.f8 < 0.7 and dropped.f1_8 > 0.9
    again = metrics.prd_curve(real=real, fake=few, clusters=10, runs=3)
    assert torch.equal(again.precision, dropped.precision)


def test_constant_features_are_one_cluster():
    ones = torch.ones(30, 4)
    assert metrics.prd_curve(real=ones, fake=ones).f8 == pytest.approx(1, abs=1e-9)


def test_bad_input_is_named():
    x = torch.randn(30, 3)
    with pytest.raises(ValueError, match="fake: expected 30 rows like real, got 25"):
        metrics.prd_curve(real=x, fake=x[:25])
    with pytest.raises(ValueError, match="real: expected at least 20 rows .one for each cluster., got 5"):
        metrics.prd_curve(real=x[:5], fake=x)
    with pytest.raises(ValueError, match=r"fake: expected \(2,\) floating point"):
        metrics.prd_from_histograms(real=double([1, 1]), fake=double([1, 1, 1]))
    with pytest.raises(ValueError, match="fake: expected finite cells that are not negative"):
        metrics.prd_from_histograms(real=double([1, 1]), fake=double([1, -1]))
