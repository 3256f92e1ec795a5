"""Normals: their points have the covariance that was asked for, their ellipse the axes that it has."""

import pytest
import torch

from course_lib.data.normals import Normal, covariance_2d

SLANTED = Normal(torch.tensor([1.0, -2.0], dtype=torch.float64), covariance_2d(2.0, 0.5, 0.6))


def test_deviations_and_correlation_make_the_matrix():
    assert covariance_2d(2.0, 0.5, 0.6).tolist() == [[4.0, 0.6], [0.6, 0.25]]


def test_points_have_the_mean_and_the_covariance():
    rows = SLANTED.sample(200_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(rows.mean(0), SLANTED.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(torch.cov(rows.T), SLANTED.cov, atol=0.03, rtol=0)


def test_the_root_squared_is_the_covariance():
    torch.testing.assert_close(SLANTED.root @ SLANTED.root, SLANTED.cov)
    torch.testing.assert_close(SLANTED.root, SLANTED.root.T)


def test_the_ellipse_is_where_the_quadratic_form_is_1_and_its_axes_end_on_it():
    def form(points):
        return ((points - SLANTED.mean) @ SLANTED.cov.inverse() * (points - SLANTED.mean)).sum(1)

    edge = SLANTED.ellipse(60)
    assert edge.shape == (61, 2)
    torch.testing.assert_close(edge[0], edge[-1])
    torch.testing.assert_close(form(edge), torch.ones(61, dtype=torch.float64))
    torch.testing.assert_close(form(SLANTED.mean + SLANTED.half_axes), torch.ones(2, dtype=torch.float64))
    short, long = SLANTED.half_axes.square().sum(1)
    assert short < long and (short + long).item() == pytest.approx(4.25)


def test_a_correlation_of_1_is_a_line():
    flat = Normal(torch.zeros(2, dtype=torch.float64), covariance_2d(1.0, 2.0, 1.0))
    rows = flat.sample(50, torch.Generator().manual_seed(0))
    torch.testing.assert_close(rows[:, 1], 2 * rows[:, 0], atol=1e-6, rtol=0)


def test_what_cannot_be_is_named():
    with pytest.raises(ValueError, match=r"correlation: expected a number within \[-1, 1\], got 1.2"):
        covariance_2d(1, 1, 1.2)
    with pytest.raises(ValueError, match="std_x, std_y: expected numbers ≥ 0, got -1 and 1"):
        covariance_2d(-1, 1, 0)
    with pytest.raises(ValueError, match=r"cov: expected \(2, 2\) like mean, got \(3, 3\)"):
        Normal(torch.zeros(2), torch.eye(3))
