"""Mixtures: densities that integrate to 1, samples that follow them, shapes that are what they are called."""

import math

import pytest
import torch

from course_lib import data
from course_lib.data import mixtures
from course_lib.oracle.densities import quadrature

SHAPES = {
    "ring": mixtures.ring(), "grid": mixtures.grid(), "spiral": mixtures.spiral(), "moons": mixtures.moons(),
    "line": mixtures.mixture([-1.0, 2.0], [0.3, 0.8], [0.2, 0.8]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_densities_integrate_to_1(name):
    nodes, weight = quadrature(SHAPES[name])
    assert weight * SHAPES[name].log_prob(nodes).exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", SHAPES)
def test_samples_have_the_mixtures_mean_and_variance(name):
    world = SHAPES[name]
    drawn = world.sample(40_000, torch.Generator().manual_seed(0)).double()
    mean = world.weights @ world.means
    variance = world.weights @ (world.stds[:, None] ** 2 + (world.means - mean) ** 2)
    assert drawn.dtype == torch.float64 and world.sample(3).dtype == torch.float32
    torch.testing.assert_close(drawn.mean(0), mean, rtol=0, atol=5 * (variance.max() / 40_000).sqrt().item())
    torch.testing.assert_close(drawn.var(0), variance, rtol=0.05, atol=0)


def test_the_density_of_one_normal():
    found = mixtures.mixture([[1.0, 2.0]], 0.5).log_prob(torch.tensor([[1.0, 2.5]], dtype=torch.float64))
    assert found.item() == pytest.approx(-math.log(2 * math.pi * 0.25) - 0.5)


def test_far_away_the_log_density_is_finite():
    assert torch.isfinite(mixtures.ring().log_prob(torch.tensor([[1e3, 1e3]]))).all()


def test_rows_do_not_depend_on_the_block_they_are_computed_in():
    world, x = mixtures.spiral(), torch.randn(50_000, 2, generator=torch.Generator().manual_seed(1))
    whole = world.log_prob(x)  # more than one block of 2²² / 120 rows
    assert torch.equal(whole[40_000:40_010], world.log_prob(x[40_000:40_010]))


def test_the_cdf_is_the_integral_of_the_density():
    world = SHAPES["line"]
    nodes, weight = quadrature(world)
    below = (nodes[:, 0] <= 1.0).double()
    found = world.cdf(torch.tensor([1.0], dtype=torch.float64)).item()
    assert found == pytest.approx(weight * (world.log_prob(nodes).exp() @ below).item(), abs=0.02)
    assert world.cdf(torch.tensor([-50.0, 50.0])).tolist() == [0.0, pytest.approx(1.0)]


def test_ring_and_grid_are_where_they_say():
    assert mixtures.ring(8, radius=2.0).means.norm(dim=1).tolist() == pytest.approx([2.0] * 8)
    grid = mixtures.grid(25, spacing=1.5).means
    assert len(grid) == 25 and grid.abs().max() == 3.0 and torch.cdist(grid, grid).fill_diagonal_(9).min() == 1.5


def test_a_seed_decides_the_samples():
    one, other = (mixtures.ring().sample(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)


def test_bad_input_says_so():
    with pytest.raises(ValueError, match="modes: expected a square number such as 25, got 24"):
        mixtures.grid(24)
    with pytest.raises(ValueError, match="weights: expected a sum of 1, got 1.2"):
        mixtures.mixture([0.0, 1.0], 1.0, [0.6, 0.6])
    with pytest.raises(ValueError, match="stds: expected 2 positive numbers"):
        mixtures.mixture([0.0, 1.0], -1.0)
    with pytest.raises(ValueError, match=r"means: expected \(K, d\) with K ≥ 1"):
        mixtures.mixture([])
    with pytest.raises(ValueError, match=r"x: expected \(N, 2\) floating point, got \(4, 3\)"):
        mixtures.ring().log_prob(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="cdf: expected a mixture in 1 dimension, got 2"):
        mixtures.ring().cdf(torch.zeros(3))
    with pytest.raises(ValueError, match="did you mean 'fashion-mnist'"):
        data.load("fashion")


def test_the_spiral_has_no_gaps():
    world = mixtures.spiral()
    steps = (world.means[1:] - world.means[:-1]).norm(dim=1) / world.stds[0]
    assert steps.min() > 1.2 and steps.max() < 1.7
