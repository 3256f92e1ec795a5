"""Reconstruction against β, driven by plain Python: it shows the recorded sweep, and the sweep says what the chapter says."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import data, widgets
from course_lib.zoo.autoencoders import BETAS, sharpness, sweep

CELL = 28 + 1  # an image and the gap beside it


@pytest.fixture
def scrubber():
    return widgets.beta_scrubber()


def rows(scrubber):
    """{name: value} of the table."""
    cells = re.findall(r"<td[^>]*>(.*?)</td>", scrubber.numbers.value)
    return {name: float(value.split(" ")[0]) for name, value in zip(cells[::2], cells[1::2])}


def images(scrubber):
    """(6 rows, 8, 28, 28): two rows of photographs, two of what comes back, two of samples."""
    sheet = np.asarray(Image.open(io.BytesIO(scrubber.image.value)))[..., 0]
    return np.stack([[sheet[r * CELL :, c * CELL :][:28, :28] for c in range(8)] for r in range(6)])


def test_every_beta_of_the_sweep_can_be_chosen_and_shows_its_own_images(scrubber):
    assert scrubber.beta.options == tuple(f"{beta:g}" for beta in BETAS) and scrubber.beta.value == "1"
    recorded = sweep()[1]
    for index, beta in enumerate(scrubber.beta.options):
        scrubber.beta.value = beta
        shown = images(scrubber)
        assert (shown[:2] == data.load("fashion-mnist", "test").pixels[:16, 0].reshape(2, 8, 28, 28).numpy()).all()
        for first, kind in ((2, "reconstructions"), (4, "samples")):
            want = recorded[kind][index, :16, 0].reshape(2, 8, 28, 28).numpy()
            assert (shown[first : first + 2] == want).all(), (beta, kind)
        assert f"β = {beta}:" in scrubber.status.value and "stopped" not in scrubber.status.value


def test_up_the_slider_less_is_said_about_the_latent_and_less_comes_back(scrubber):
    found = []
    for beta in ("0.1", "1", "8"):
        scrubber.beta.value = beta
        found.append(rows(scrubber))
    for low, high in zip(found, found[1:]):
        for falls in ("KL, nats", "reconstruction term, nats", "sharpness of what comes back, of 1"):
            assert high[falls] < low[falls], falls
        assert high["photographs that share a latent, of 10,000"] >= low["photographs that share a latent, of 10,000"]
    assert found[2]["latent dimensions in use"] < found[0]["latent dimensions in use"]
    ends = ("0.1", "8")
    pictures = []
    for beta in ends:
        scrubber.beta.value = beta
        pictures.append(images(scrubber)[2:4].reshape(16, 1, 28, 28))

    sharp, dull = (sharpness(data.to_float(torch.from_numpy(each.copy()))) for each in pictures)
    assert dull < 0.8 * sharp, "what the eye sees is what the table says"


def test_the_numbers_are_the_sweeps_and_the_bound_is_the_difference_of_its_terms(scrubber):
    for row in sweep()[0]["rows"]:
        scrubber.beta.value = f"{row['beta']:g}"
        found = rows(scrubber)
        assert found["ELBO (β = 1), nats"] == pytest.approx(row["elbo"], abs=0.06)
        difference = found["reconstruction term, nats"] - found["KL, nats"]
        assert found["ELBO (β = 1), nats"] == pytest.approx(difference, abs=0.16)  # three roundings
        assert row["elbo"] < row["iwae_50"]
