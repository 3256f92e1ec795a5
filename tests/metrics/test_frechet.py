"""Moments and the Fréchet distance against closed forms and SciPy."""

import numpy as np
import pytest
import scipy.linalg
import torch

from course_lib import metrics


def test_closed_form():
    eye = torch.eye(8)
    assert metrics.frechet_distance(torch.zeros(8), eye, torch.full((8,), 0.5), 4 * eye) == pytest.approx(10, abs=1e-12)


def test_covariances_that_do_not_commute_against_scipy():
    a, b = torch.randn(6, 6, dtype=torch.float64), torch.randn(6, 6, dtype=torch.float64)
    x, y = a @ a.T, b @ b.T
    root = scipy.linalg.sqrtm((x @ y).numpy()).real
    want = 1.0 + np.trace((x + y).numpy() - 2 * root)
    mean = torch.zeros(6)
    mean[0] = 1
    assert metrics.frechet_distance(mean, x, torch.zeros(6), y) == pytest.approx(want, rel=1e-9)


def test_fid_of_a_rank_deficient_set_with_itself_is_zero():
    features = torch.randn(20, 64)
    assert metrics.fid(features, features) == pytest.approx(0, abs=1e-6)


def test_symmetric_and_blind_to_rotation():
    x, y = torch.randn(300, 5, dtype=torch.float64), torch.randn(200, 5, dtype=torch.float64) * 2 + 1
    q, _ = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))
    assert metrics.fid(x, y) == pytest.approx(metrics.fid(y, x), rel=1e-10)
    assert metrics.fid(x, y) == pytest.approx(metrics.fid(x @ q, y @ q), rel=1e-10)


def test_moments_in_pieces_merged_and_far_from_zero():
    rows = torch.randn(1000, 4, dtype=torch.float64) + 1e3
    whole = metrics.GaussianMoments().update(rows)
    pieces = metrics.GaussianMoments().update(rows[:1]).update(rows[1:400])
    pieces.merge(metrics.GaussianMoments().update(rows[400:])).merge(metrics.GaussianMoments())
    assert pieces.count == 1000
    torch.testing.assert_close(pieces.mean, rows.mean(0), rtol=1e-13, atol=0)
    torch.testing.assert_close(pieces.cov(), torch.cov(rows.T), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(whole.cov(ddof=0), torch.cov(rows.T, correction=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("real", "fake", "says"),
    [
        (
            torch.zeros(5, 64),
            torch.zeros(5, 128),
            r"fake_features: expected \(M, 64\) like real_features, got \(5, 128\)",
        ),
        (torch.full((5, 2), float("nan")), torch.zeros(5, 2), "expected finite numbers"),
        (torch.zeros(1, 2), torch.zeros(5, 2), "expected more than 1 rows"),
        (torch.zeros(5, 2, dtype=torch.long), torch.zeros(5, 2), "floating point"),
    ],
)
def test_bad_features_are_named(real, fake, says):
    with pytest.raises(ValueError, match=says):
        metrics.fid(real, fake)


def test_bad_moments_are_named():
    with pytest.raises(ValueError, match=r"cov_y: expected \(3, 3\), got \(2, 2\)"):
        metrics.frechet_distance(torch.zeros(3), torch.eye(3), torch.zeros(3), torch.eye(2))
