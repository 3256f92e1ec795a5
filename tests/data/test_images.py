"""The range conversion is exact, and wrong input is told what was expected."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib import data


def test_every_grey_level_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(data.to_uint8(data.to_float(levels)), levels)
    assert data.to_float(levels).aminmax() == (-1, 1)


@given(st.floats(-1, 1, width=32))
def test_to_uint8_rounds_to_the_nearest_level(x):
    assert abs(int(data.to_uint8(torch.full((1, 1, 1, 1), x))) - (127.5 * x + 127.5)) <= 0.5 + 1e-5


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "expected float in \\[-1, 1\\], got torch.uint8"),
        (torch.full((1, 1, 2, 2), 1.01), "expected values in \\[-1, 1\\], got \\[1.01, 1.01\\]"),
        (torch.full((1, 1, 2, 2), float("nan")), "expected values in"),
    ],
)
def test_to_uint8_refuses_what_it_would_have_to_clip(images, says):
    with pytest.raises(ValueError, match=says):
        data.to_uint8(images)


def test_to_float_refuses_floats():
    with pytest.raises(ValueError, match="pixels: expected uint8 in \\[0, 255\\], got torch.float32"):
        data.to_float(torch.zeros(1))


def test_padding_adds_black_and_resamples_nothing():
    images = data.load("fashion-mnist", "test").subset(slice(0, 5))
    padded = images.padded(32)
    assert padded.pixels.shape == (5, 1, 32, 32)
    assert torch.equal(padded.pixels[:, :, 2:30, 2:30], images.pixels)
    assert padded.pixels.sum() == images.pixels.sum()
    with pytest.raises(ValueError, match="size: expected at least 28, got 16"):
        images.padded(16)


def test_shrinking_takes_means_of_blocks():
    pixels = torch.tensor([[[[0, 4, 9, 9], [8, 4, 9, 9]]]], dtype=torch.uint8).expand(2, 3, 2, 4).repeat(1, 1, 2, 1)
    images = data.Images(pixels, torch.zeros(2, dtype=torch.long), ("shirt",))
    assert images.shrunk(2).pixels.tolist() == [[[[4, 9], [4, 9]]] * 3] * 2
    assert torch.equal(images.shrunk(4).pixels, images.pixels)
    with pytest.raises(ValueError, match="size: expected a divisor of 4 and 4, got 3"):
        images.shrunk(3)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'fashion-mnist'"):
        data.load("fashion_mnist")
    with pytest.raises(ValueError, match="split: expected one of train, test, got 'tests'; did you mean 'test'"):
        data.load("fashion-mnist", "tests")


def test_images_check_their_own_shapes():
    with pytest.raises(ValueError, match="labels: expected \\(2,\\) like pixels, got \\(3,\\)"):
        data.Images(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.long), ())
    with pytest.raises(ValueError, match="pixels: expected \\(N, C, H, W\\) uint8"):
        data.Images(torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.long), ())


def test_each_epoch_is_a_permutation_of_its_own():
    one, again, other = (data.epoch_order(100, epoch, 7, "cpu") for epoch in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert sorted(one.tolist()) == list(range(100))


def test_the_hash_names_pixels_and_labels():
    images = data.load("fashion-mnist", "test").subset(slice(0, 9))
    changed = data.Images(images.pixels.clone(), images.labels.clone(), images.class_names)
    assert changed.sha256() == images.sha256()
    changed.labels[0] += 1
    assert changed.sha256() != images.sha256()


def test_batches_cover_everything_in_order():
    images = data.load("fashion-mnist", "test").subset(slice(0, 10))
    parts = list(data.batches(images, 4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert torch.equal(torch.cat(parts), data.to_float(images.pixels))
