"""Each widget driven by plain Python through its parts: what it shows must mean what its sliders say."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import data, latent, widgets, zoo


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value)))


@pytest.fixture(scope="module")
def generator():
    return zoo.load("dcgan-fashion")[0]


def test_the_explorer_draws_what_the_generator_draws(generator):
    explorer = widgets.latent_explorer(generator)
    want = data.to_uint8(generator(explorer.z))[0, 0].numpy()
    assert (picture(explorer)[:, :, 0] == want).all() and picture(explorer).shape == (32, 32, 3)


def test_from_a_to_b_every_slider_place_is_its_own_and_the_ends_are_the_seeds(generator):
    explorer = widgets.latent_explorer(generator, seed=3)
    ends = [widgets.latent_explorer(generator, seed=seed) for seed in (3, 4)]
    places = []
    for t in (0.0, 0.5, 1.0):
        explorer.between.value = t
        places.append(picture(explorer).astype(float))
    assert (places[0] == picture(ends[0])).all()
    assert np.abs(places[2] - picture(ends[1])).max() <= 1  # the arc's end, to rounding
    to_a, to_b = (np.abs(places[1] - places[i]).mean() for i in (0, 2))
    assert to_a > 0 and to_b > 0
    assert explorer.z.norm().item() == pytest.approx(ends[1].z.norm().item(), rel=1e-4)


def test_a_direction_moves_the_latent_along_itself_and_further_means_further(generator):
    explorer = widgets.latent_explorer(generator)
    start, z = picture(explorer).astype(float), explorer.z
    changes = []
    for value in (0.5, 2.0, 4.0):
        explorer.along[0].value = value
        torch.testing.assert_close(explorer.z - z, value * latent.principal_directions(generator, 1), atol=1e-5, rtol=0)
        changes.append(np.abs(picture(explorer) - start).mean())
    assert 0 < changes[0] < changes[1] < changes[2]


def test_resample_gives_new_seeds_and_sets_everything_back(generator):
    explorer = widgets.latent_explorer(generator)
    before = explorer.image.value
    explorer.between.value, explorer.along[2].value = 0.4, 3.0
    explorer.resample.click()
    assert (explorer.seed_a.value, explorer.seed_b.value, explorer.between.value, explorer.along[2].value) == (
        2,
        3,
        0,
        0,
    )
    assert explorer.image.value != before


def test_an_error_in_a_callback_is_seen(generator):
    explorer = widgets.latent_explorer(generator)

    def broken(z):
        raise RuntimeError("out of memory")

    explorer.generator.forward, kept = broken, explorer.generator.forward
    try:
        explorer.between.value = 0.5
    finally:
        explorer.generator.forward = kept
    assert explorer.status.value == "stopped: RuntimeError: out of memory"


def test_the_scrubber_shows_the_recorded_moment():
    scrubber = widgets.training_scrubber("dcgan-fashion")
    recorded, facts = zoo.snapshots("dcgan-fashion"), zoo.card("dcgan-fashion")
    last = len(recorded.steps) - 1
    for moment in (0, last // 2, last):
        scrubber.moment.value = moment
        assert (picture(scrubber)[:32, :32, 0] == recorded.images[moment, 0, 0].numpy()).all()
        assert f"{recorded.steps[moment]:,}" in scrubber.numbers.value
        assert f"{facts['snapshots'][moment]['fid']:.2f}" in scrubber.numbers.value
    assert "loss of D" in scrubber.numbers.value


def test_playing_moves_through_the_training():
    scrubber = widgets.training_scrubber("mlp-fashion")
    scrubber.play.value = 1
    assert scrubber.moment.value == 1 and "moment 1 of" in scrubber.status.value


def test_an_unknown_network_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'dcgan-fashion'"):
        widgets.training_scrubber("dcgan")
    with pytest.raises(ValueError, match="expected a generator with snapshots, got 'classifier-fashion'"):
        widgets.training_scrubber("classifier-fashion")
