"""Degradations: what they change, what they leave, and where they refuse."""

import pytest
import torch

from course_lib.data import degrade


@pytest.fixture
def images():
    return torch.rand(50, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_blur_of_a_point_is_a_gaussian_of_that_width():
    point = torch.full((1, 1, 41, 41), -1.0)
    point[0, 0, 20, 20] = 1.0
    weight = (degrade.blur(point, 2.0) + 1)[0, 0] / 2
    place = torch.arange(41.0) - 20
    assert weight.sum().item() == pytest.approx(1, abs=1e-5)
    for axis in (0, 1):
        assert (weight.sum(axis) @ place.square()).sqrt().item() == pytest.approx(2.0, rel=0.03)


def test_nothing_is_changed_at_0_and_never_the_input(images):
    before = images.clone()
    assert degrade.blur(images, 0.0) is images and degrade.noise(images, 0.0) is images
    degrade.blur(images, 1.0), degrade.noise(images, 0.5), degrade.with_copies(images, images.flip(0), 0.5)
    assert torch.equal(images, before)
    assert torch.equal(degrade.with_duplicates(50, 0.0), torch.arange(50))
    assert torch.equal(degrade.without_classes(torch.arange(50) % 10, 0), torch.arange(50))


def test_results_stay_in_the_range_and_repeat(images):
    for changed in (degrade.blur(images, 1.5), degrade.noise(images, 0.7)):
        assert changed.min() >= -1.0001 and changed.max() <= 1.0001
    assert torch.equal(degrade.noise(images, 0.3, seed=4), degrade.noise(images, 0.3, seed=4))
    assert not torch.equal(degrade.noise(images, 0.3, seed=4), degrade.noise(images, 0.3, seed=5))


def test_noise_has_the_deviation_it_says():
    grey = torch.zeros(20, 1, 28, 28)
    assert degrade.noise(grey, 0.1).std().item() == pytest.approx(0.1, rel=0.02)


def test_dropped_classes_are_gone_and_the_rest_stays():
    labels = torch.arange(1000) % 10
    chosen = degrade.without_classes(labels, 3)
    assert len(chosen) == 1000 and set(labels[chosen].tolist()) == set(range(7))
    stays = labels < 7
    assert torch.equal(chosen[stays], torch.arange(1000)[stays])


def test_duplicates_are_as_many_as_asked_for():
    chosen = degrade.with_duplicates(1000, 0.6, originals=5)
    assert (chosen < 5).sum() >= 600 and len(chosen.unique()) == pytest.approx(405, abs=6)


def test_copies_are_exact_and_as_many_as_asked_for(images):
    others = torch.rand(30, 1, 12, 12, generator=torch.Generator().manual_seed(1)) * 2 - 1
    changed = degrade.with_copies(images, others, 0.2)
    same = (changed[:, None] == others[None]).flatten(2).all(2).any(1)
    assert same.sum() == 10 and torch.equal(changed[~same], images[~same])


def test_bad_input_says_so(images):
    for call, message in (
        (lambda: degrade.blur(images, -1), "sigma: expected at least 0"),
        (lambda: degrade.noise(images, -0.1), "std: expected at least 0"),
        (lambda: degrade.with_duplicates(10, 1.5), "share: expected 0 to 1, got 1.5"),
        (lambda: degrade.with_copies(images, images, -0.5), "share: expected 0 to 1"),
        (lambda: degrade.without_classes(torch.arange(10), 10), "dropped: expected 0 to 9 of 10 classes, got 10"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
