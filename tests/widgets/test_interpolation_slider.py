"""The interpolation slider driven by plain Python: its numbers must be the latents', its films the generator's."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import latent, widgets, zoo


@pytest.fixture(scope="module")
def slider():
    return widgets.interpolation_slider(zoo.load("dcgan-fashion")[0])


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)


def norms(widget):
    return [float(found) for found in re.findall(r"norm ([\d.]+)", widget.status.value)]


@pytest.mark.parametrize("t", [0.0, 0.25, 0.5, 1.0])
def test_norms_are_those_of_lerp_and_slerp(slider, t):
    slider.t.value = t
    a, b = slider.ends
    want = [between(a, b, t).norm().item() for between in (latent.lerp, latent.slerp)]
    assert norms(slider) == pytest.approx(want, abs=0.006) and "stopped" not in slider.status.value


def test_at_the_ends_both_ways_show_one_image_and_half_way_two(slider):
    def large():
        sheet = picture(slider)
        return sheet[18 : 18 + 104, :104], sheet[18 + 126 : 18 + 126 + 104, :104]

    for t in (0.0, 1.0):
        slider.t.value = t
        one, other = large()
        assert np.abs(one - other).max() <= 2 and one.std() > 10
    slider.t.value = 0.5
    one, other = large()
    assert np.abs(one - other).mean() > 5
    assert norms(slider)[0] < 0.85 * norms(slider)[1]


def test_the_image_shown_is_what_the_generator_draws_there(slider):
    slider.t.value = 0.25
    a, b = slider.ends
    with torch.inference_mode():
        want = slider.generator(latent.slerp(a, b, 0.25)).cpu()[0, 0].add(1).mul(127.5).numpy()
    found = picture(slider)[144 : 144 + 104, :104, 0]
    rows = (np.arange(32) * 104 + 52) // 32
    assert np.abs(found[np.ix_(rows, rows)] - want).max() < 2


def test_new_latents_are_new_films_and_seeds_bring_them_back(slider):
    before, steps = picture(slider), slider.films[0].steps
    slider.resample.click()
    assert (slider.seed_a.value, slider.seed_b.value) == (2, 3)
    assert (picture(slider) != before).any() and not torch.allclose(slider.films[0].steps, steps)
    slider.seed_a.value, slider.seed_b.value = 0, 1
    torch.testing.assert_close(slider.films[0].steps, steps)
    assert (picture(slider) == before).all()


def test_the_table_tells_the_steps(slider):
    for film in slider.films:
        assert f"{film.steps.min():.4f} to {film.steps.max():.4f}" in slider.numbers.value
        assert f"{film.steps.sqrt().sum():.2f}" in slider.numbers.value


def test_one_latent_twice_is_a_way_of_no_steps(slider):
    slider.seed_b.value = slider.seed_a.value
    assert "stopped" not in slider.status.value
    assert all(film.steps.max() < 1e-4 for film in slider.films)
    slider.seed_b.value = slider.seed_a.value + 1
