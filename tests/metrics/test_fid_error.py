"""The error bar of FID: against gradients, against the spread of many draws, and where there is none."""

import math

import pytest
import torch

from course_lib import metrics


def drawn(n, d, seed, shift=0.0, scale=1.0):
    draw = torch.Generator().manual_seed(seed)
    spread = torch.linspace(1, 2, d, dtype=torch.float64)
    return torch.randn(n, d, generator=draw, dtype=torch.float64) * spread * scale + shift


def test_in_one_dimension_it_is_the_textbooks():
    """FID is (m − n)² + (s − t)²; by the delta method a mean has variance s²/N and a deviation (κ − 1)·s²/4N."""
    x, y = drawn(4000, 1, 0), drawn(3000, 1, 1, shift=0.5, scale=1.6)
    variance = 0.0
    for rows, other in ((x, y), (y, x)):
        c = rows - rows.mean()
        s, t = rows.std(), other.std()
        # what one image adds: 2Δ·c for the mean, and 2(s − t)·(c² − s²)/2s for the deviation
        pulls = 2 * (rows.mean() - other.mean()) * c + (s - t) * (c.square() - s.square()) / s
        variance += pulls.var() / len(rows)
    assert metrics.fid_standard_error(x, y) == pytest.approx(variance.sqrt().item(), rel=1e-9)


def test_the_pulls_are_the_gradient_of_the_distance():
    """Weights on the images, moved a little: autograd through another formula of the distance says how FID moves."""
    x, y = drawn(60, 3, 2), drawn(50, 3, 3, shift=0.4, scale=1.3)

    def distance(u, v):
        moments = []
        for rows, weights in ((x, u), (y, v)):
            p = weights / weights.sum()
            mean = p @ rows
            moments += [mean, (p[:, None] * (rows - mean)).T @ (rows - mean) * len(rows) / (len(rows) - 1)]
        mean_x, cov_x, mean_y, cov_y = moments
        root = torch.linalg.eigvals(cov_x @ cov_y).sqrt().real.sum()
        return (mean_x - mean_y).square().sum() + cov_x.trace() + cov_y.trace() - 2 * root

    u, v = torch.ones(60, dtype=torch.float64), torch.ones(50, dtype=torch.float64)
    u.requires_grad_(), v.requires_grad_()
    assert distance(u, v).item() == pytest.approx(metrics.fid(x, y), rel=1e-9)
    slopes = torch.autograd.grad(distance(u, v), (u, v))
    expected = math.sqrt(sum(len(g) * g.var().item() for g in slopes))  # slope = pull / n, variance of pulls over n
    assert metrics.fid_standard_error(x, y) == pytest.approx(expected, rel=0.02)  # the factor n/(n − 1) in one place


@pytest.mark.parametrize(
    ("n", "d", "shift", "scale", "least", "most"),
    [
        (1000, 16, 0.2, 1.2, 0.85, 1.15),
        (300, 16, 0.0, 1.0, 1.0, 1.5),  # one distribution: up to √2 too large
        (100, 64, 0.2, 1.2, 0.9, 1.5),  # hardly more images than features
    ],
)
def test_it_is_the_spread_of_fid_over_draws(n, d, shift, scale, least, most):
    """200 draws know their own spread to 5 %; the mean of 30 errors is known better."""
    pairs = [(drawn(n, d, 2 * i), drawn(n, d, 2 * i + 1, shift, scale)) for i in range(200)]
    spread = torch.tensor([metrics.fid(*pair) for pair in pairs], dtype=torch.float64).std().item()
    errors = torch.tensor([metrics.fid_standard_error(*pair) for pair in pairs[:30]])
    assert least < errors.mean().item() / spread < most


def test_order_and_swap_and_constant_features_do_not_change_it():
    x, y = drawn(300, 8, 0), drawn(200, 8, 1, 0.3)
    error = metrics.fid_standard_error(x, y)
    assert metrics.fid_standard_error(y, x) == pytest.approx(error, rel=1e-9)
    assert metrics.fid_standard_error(x.flip(0), y) == pytest.approx(error, rel=1e-9)
    wide = [torch.cat([rows, torch.full((len(rows), 1), value)], 1) for rows, value in ((x, 3.0), (y, 4.0))]
    assert metrics.fid_standard_error(*wide) == pytest.approx(error, rel=1e-9)
    assert metrics.fid_standard_error(3 * x, 3 * y) == pytest.approx(9 * error, rel=1e-9)
    assert metrics.fid_standard_error(torch.ones(5, 2), torch.zeros(5, 2)) == 0


@pytest.mark.parametrize("spoil", ["few", "double", "dead in one"])
def test_without_an_inverse_there_is_no_error(spoil):
    x, y = drawn(300, 8, 0), drawn(300, 8, 1)
    if spoil == "few":
        x = x[:8]
    elif spoil == "double":
        x, y = (torch.cat([rows, rows[:, :1] + rows[:, 1:2]], 1) for rows in (x, y))
    else:
        y[:, 2] = 1.0
    with pytest.raises(ValueError, match=r"expected covariances with an inverse \(more rows than the . features"):
        metrics.fid_standard_error(x, y)
    with pytest.raises(ValueError, match="real_features: expected finite numbers"):
        metrics.fid_standard_error(torch.full((9, 2), float("nan")), torch.ones(9, 2))
