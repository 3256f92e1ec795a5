"""Counting modes: against counts by hand, and the share that exact samples have."""

import math

import pytest
import torch

from course_lib.data import mixtures
from course_lib.metrics.modes import count_modes

GRID = mixtures.grid(25, spacing=1.0, std=0.05)


@pytest.mark.parametrize(("world", "modes"), [(mixtures.ring(8), 8), (GRID, 25)])
def test_exact_samples_reach_every_mode_and_have_the_share_of_three_deviations(world, modes):
    samples = world.sample(20_000, torch.Generator().manual_seed(0))
    found, share = count_modes(samples, world.means, world.stds, at_least=400)
    assert found == modes and share == pytest.approx(1 - math.exp(-4.5), abs=0.003)


def test_a_count_by_hand():
    means, stds = torch.tensor([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]), torch.tensor([1.0, 1.0, 2.0])
    rows = [[0, 0], [0, 2.9], [2.5, 2.5], [10, 3.0], [10, 0], [10, 0], [20, 5.9], [15, 0]]
    samples = torch.tensor(rows, dtype=torch.float64)  # the third is 3.5 from home, the last 5 from its nearest
    assert count_modes(samples, means, stds, at_least=1) == (3, 6 / 8)
    assert count_modes(samples, means, stds, at_least=2) == (2, 6 / 8)
    assert count_modes(samples, means, stds, at_least=3) == (1, 6 / 8)
    assert count_modes(samples, means, stds, at_least=4) == (0, 6 / 8)


def test_a_sample_between_two_modes_counts_for_the_nearest_alone():
    means, stds = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.ones(2)
    assert count_modes(torch.tensor([[0.2, 0.0]] * 5), means, stds, at_least=5) == (1, 1.0)


def test_neither_order_nor_place_matters_and_nan_belongs_nowhere():
    samples = GRID.sample(500, torch.Generator().manual_seed(1)).double()
    wanted = count_modes(samples, GRID.means, GRID.stds, at_least=15)
    shift = torch.tensor([3.0, -7.0], dtype=torch.float64)
    assert count_modes(samples.flip(0) + shift, GRID.means.flip(0) + shift, GRID.stds, at_least=15) == wanted
    assert count_modes(torch.full((10, 2), torch.nan), GRID.means, GRID.stds, at_least=1) == (0, 0.0)


def test_bad_input_says_so():
    with pytest.raises(ValueError, match=r"expected \(N, d\), \(K, d\) and \(K,\), got \(4, 3\), \(25, 2\), \(25,\)"):
        count_modes(torch.zeros(4, 3), GRID.means, GRID.stds)
    with pytest.raises(ValueError, match="at_least: expected at least 1 sample, got 0"):
        count_modes(torch.zeros(4, 2), GRID.means, GRID.stds, at_least=0)
