"""Memorisation: what copying does to the numbers, and what a fair generator leaves alone."""

import pytest
import torch

from course_lib import metrics


def sets(seed, copied):
    draw = torch.Generator().manual_seed(seed)
    train, test, fake = (torch.randn(500, 10, generator=draw) for _ in range(3))
    fake[:copied] = train[:copied] + 1e-3 * torch.randn(copied, 10, generator=draw)
    return metrics.memorisation(train=train, test=test, fake=fake)


def test_new_samples_are_as_far_from_training_as_test_rows():
    fair = [sets(seed, 0) for seed in range(20)]
    assert sum(found.share for found in fair) / 20 == pytest.approx(0.05, abs=0.01)
    assert sum(found.nearer for found in fair) / 20 == pytest.approx(0.5, abs=0.02)
    z = torch.tensor([found.z for found in fair])
    assert z.abs().max() < 4 and 0.6 < z.std() < 1.5


def test_copies_show_in_the_share_and_in_the_rank():
    found = sets(0, 150)
    assert found.low < 0.3 + 0.7 * 0.05 < found.high and found.low > 0.2
    assert found.z > 5 and found.nearer > 0.6
    assert (found.fake_distances < 0.1).sum() == 150


def test_all_copies_and_ties():
    rows = torch.randn(40, 3)
    found = metrics.memorisation(train=rows, test=torch.randn(40, 3), fake=rows)
    assert (found.share, found.high, found.nearer) == (1, 1, 1)
    assert metrics.memorisation(train=rows, test=rows, fake=rows).nearer == 0.5


def test_bad_input_is_named():
    rows = torch.randn(19, 3)
    with pytest.raises(ValueError, match="test: expected at least 20 rows .fewer have no 0.05 quantile., got 19"):
        metrics.memorisation(train=rows, test=rows, fake=rows)
    with pytest.raises(ValueError, match="quantile: expected a number between 0 and 1"):
        metrics.memorisation(train=rows, test=rows, fake=rows, quantile=5)
    with pytest.raises(ValueError, match=r"fake: expected \(M, 3\) like train"):
        metrics.memorisation(train=rows, test=rows.repeat(2, 1), fake=rows[:, :2])
