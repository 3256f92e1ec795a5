"""The ring and its faulty generator: each fault is there, and only that."""

import pytest
import torch

from course_lib.data import crowds, mixtures

MEANS = mixtures.ring(crowds.MODES, crowds.RADIUS, crowds.STD).means.float()


def humps(points):
    return torch.cdist(points, MEANS).argmin(1).unique().tolist()


def test_without_a_fault_both_fill_every_hump():
    real, fake = crowds.ring_pair(60)
    assert humps(real) == humps(fake) == list(range(crowds.MODES))
    assert real[0].tolist() == pytest.approx([crowds.HOME, 0.0])


def test_dropped_humps_are_empty_and_the_data_keep_theirs():
    real, fake = crowds.ring_pair(60, dropped=4)
    assert humps(fake) == [0, 1] and len(humps(real)) == crowds.MODES


def test_spread_is_that_of_the_fakes_alone():
    one, three, none = (crowds.ring_pair(60, spread=spread) for spread in (1.0, 3.0, 0.0))
    assert torch.equal(one[0], three[0])
    assert torch.cdist(three[1], MEANS).amin(1).mean() > 1.5 * torch.cdist(one[1], MEANS).amin(1).mean()
    assert len(none[1].unique(dim=0)) == crowds.MODES


@pytest.mark.parametrize("outlier", ["real", "fake"])
def test_one_point_moves_and_no_other(outlier):
    before, after = (crowds.ring_pair(20, outlier=outlier, outlier_at=x) for x in (0.0, 5.0))
    moved = (before[outlier == "fake"] != after[outlier == "fake"]).any(1)
    assert moved.tolist() == [True] + [False] * 19 and torch.equal(before[outlier == "real"], after[outlier == "real"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"dropped": 6}, "dropped: expected 0 to 5, got 6"), ({"outlier": "both"}, "outlier: expected 'real' or 'fake'")],
)
def test_what_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        crowds.ring_pair(**arguments)
