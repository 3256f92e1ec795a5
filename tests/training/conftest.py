import pytest
import torch

from course_lib import data
from course_lib.models import dcgan


@pytest.fixture(scope="session")
def few():
    """256 real images at 8×8, enough for a network that trains in milliseconds a step."""
    images = data.load("fashion-mnist", "test").subset(slice(0, 256))
    return data.Images(images.pixels[:, :, 2:26:3, 2:26:3].contiguous(), images.labels, images.class_names)


@pytest.fixture
def pair():
    """A fresh DCGAN pair at 8×8; the same weights every time."""

    def make(seed=0):
        torch.manual_seed(seed)
        return dcgan.Generator(8, 8, 1, 8), dcgan.Discriminator(8, 1, 8)

    return make
