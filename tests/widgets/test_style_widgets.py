"""Style mixer, noise layers, growth scrubber and ψ slider driven by plain Python: each must show what its sliders say."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import latent, plots, widgets
from course_lib.canvas_marked import marked_frame
from course_lib.models import style

ROWS = [
    {
        "psi": psi,
        "precision": 0.9 - 0.2 * psi,
        "precision_half": 0.01,
        "recall": 0.6 * psi,
        "attribute_entropy": 8 * psi,
    }
    for psi in (0.0, 0.25, 0.5, 0.75, 1.0)
]


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    network = style.Generator(latent_dim=16, width=8, size=32, most=16).eval().requires_grad_(False)
    network.w_mean.copy_(network.mapping(torch.randn(1000, 16)).mean(0))
    for layer in network.synthesis.layers:
        layer.noise.amount.fill_(0.1)
    return network


def picture(image):
    return np.asarray(Image.open(io.BytesIO(image.value))).astype(int)


# ---------------------------------------------------------------- style mixer


@pytest.mark.parametrize("crossover", [0, 1, 4, 7, 8])
def test_the_mixes_are_the_networks_own(generator, crossover):
    mixer = widgets.style_mixer(generator)
    mixer.crossover.value = crossover
    assert "stopped" not in mixer.status.value
    rows, columns = mixer._styles(0, 2), mixer._styles(100, 4)
    for row in range(2):
        styles = latent.mix_styles(rows[row].expand(4, -1), columns, crossover, 8)
        want = generator.synthesis(styles).clamp(-1, 1)
        torch.testing.assert_close(mixer.mixed[4 * row : 4 * row + 4], want, atol=1e-4, rtol=0)
    assert picture(mixer.image).shape == (3 * 33 - 1, 5 * 33 - 1, 3)


def test_at_the_ends_one_parent_rules_alone(generator):
    mixer = widgets.style_mixer(generator)
    mixer.crossover.value = 0
    torch.testing.assert_close(mixer.mixed[:4], mixer.mixed[4:], atol=1e-4, rtol=0)  # both rows are the columns' images
    assert "all layers of the column" in mixer.status.value
    mixer.crossover.value = mixer.crossover.max
    torch.testing.assert_close(mixer.mixed[:1].expand(4, -1, -1, -1), mixer.mixed[:4], atol=1e-4, rtol=0)
    assert (mixer.mixed[0] - mixer.mixed[4]).abs().max() > 0.05 and "all layers of the row" in mixer.status.value


def test_a_later_crossover_is_nearer_to_the_row(generator):
    mixer = widgets.style_mixer(generator)
    mixer.crossover.value = 8
    whole = mixer.mixed.clone()
    away = []
    for crossover in (0, 4, 8):
        mixer.crossover.value = crossover
        away.append((mixer.mixed - whole).abs().mean().item())
    assert away[0] > away[1] > away[2] < 1e-4


def test_seeds_change_their_own_parents(generator):
    mixer = widgets.style_mixer(generator)
    before = picture(mixer.image)
    mixer.row_seed.value = 7
    after = picture(mixer.image)
    assert (before[:32] == after[:32]).all() and (before[33:, :32] != after[33:, :32]).any()
    mixer.column_seed.value = 42
    assert (picture(mixer.image)[:32] != after[:32]).any() and (picture(mixer.image)[33:, :32] == after[33:, :32]).all()
    mixer.row_seed.value, mixer.column_seed.value = 0, 100
    assert (picture(mixer.image) == before).all()


# ---------------------------------------------------------------- noise layers


def test_without_noise_nothing_varies_and_every_layer_adds(generator):
    noise = widgets.noise_layers(generator)
    everything = noise.deviation.mean().item()
    noise.none.click()
    assert noise.deviation.abs().max() == 0 and "layers none" in noise.status.value
    sheet = picture(noise.image)
    assert (sheet[:, :32] == sheet[:, 33:65]).all() and sheet[:, 66:].max() == 0
    single = []
    for box in noise.layers:
        box.value = True
        single.append(noise.deviation.mean().item())
        box.value = False
    assert min(single) > 0 and max(single) < everything
    noise.all.click()
    assert noise.deviation.mean().item() == pytest.approx(everything)


def test_the_deviation_is_that_of_the_draws_that_are_shown(generator):
    noise = widgets.noise_layers(generator)
    draws = []
    for draw in range(noise.draw.max + 1):
        noise.draw.value = draw
        draws.append(picture(noise.image)[:, 33:65] / 127.5 - 1)
    want = np.stack(draws).std(0, ddof=1).mean(-1)
    assert np.abs(noise.deviation.numpy() - want).max() < 0.01
    shown = picture(noise.image)[:, 66:, 0]
    assert np.abs(shown - np.clip(4 * noise.deviation.numpy(), 0, 2) * 127.5).max() <= 1
    noise.gain.value = 20
    assert picture(noise.image)[:, 66:].mean() > shown.mean()


def test_the_first_picture_has_no_noise_whatever_is_chosen(generator):
    noise = widgets.noise_layers(generator)
    first = picture(noise.image)[:, :32]
    for layer in (0, 3):
        noise.layers[layer].value = False
        assert np.abs(picture(noise.image)[:, :32] - first).max() <= 1
    assert "layers 1, 2, 4, 5, 6, 7:" in noise.status.value


# ---------------------------------------------------------------- growth


def moments():
    draw = torch.Generator().manual_seed(0)
    return [
        SimpleNamespace(
            step=100 * index,
            kimg=3.2 * index,
            resolution=side,
            alpha=alpha,
            images=torch.randint(0, 256, (24, 3, side, side), dtype=torch.uint8, generator=draw),
        )
        for index, (side, alpha) in enumerate([(4, 1.0), (8, 0.5), (8, 1.0), (16, 1.0)])
    ]


def test_the_growth_scrubber_shows_each_moment_in_one_size():
    recorded = moments()
    scrubber = widgets.growth_scrubber(recorded)
    for index, each in enumerate(recorded):
        scrubber.moment.value = index
        sheet = picture(scrubber.image)
        assert sheet.shape == (4 * 17 - 1, 6 * 17 - 1, 3)
        times = 16 // each.resolution
        want = each.images[0].repeat_interleave(times, 1).repeat_interleave(times, 2).permute(1, 2, 0).numpy()
        assert (sheet[:16, :16] == want).all()
        assert f"{each.resolution}×{each.resolution}, α {each.alpha:.2f}" in scrubber.status.value
        assert f"{each.step:,}" in scrubber.numbers.value
    scrubber.play.value = 1
    assert scrubber.moment.value == 1


# ---------------------------------------------------------------- ψ


def test_psi_down_means_diversity_down_and_the_images_are_the_networks(generator):
    slider = widgets.psi_slider(generator, ROWS, entropy=8.0)
    spread = []
    for psi in (0.0, 0.7, 1.5):
        slider.psi.value = psi
        assert "stopped" not in slider.status.value
        spread.append(slider.images.std(0).mean().item())
        sheet = plots.tile(slider.images, 4)
        assert (picture(slider.image) == sheet).all()
    assert spread[0] < 1e-6 < spread[1] < spread[2]
    slider.psi.value = 0.0
    want = generator.synthesis(generator.w_mean[None]).clamp(-1, 1)
    torch.testing.assert_close(slider.images, want.expand(8, -1, -1, -1), atol=1e-4, rtol=0)


def test_the_cutoff_spares_the_fine_layers(generator):
    slider = widgets.psi_slider(generator, ROWS, entropy=8.0)
    slider.psi.value = 0.0
    spread = []
    for cutoff in (0, 4, 8):
        slider.cutoff.value = cutoff
        spread.append(slider.images.std(0).mean().item())
    assert spread[0] > spread[1] > spread[2] < 1e-6
    slider.cutoff.value, slider.psi.value = 0, 1.0
    whole = slider.images.clone()
    slider.psi.value = 0.3
    torch.testing.assert_close(slider.images, whole, atol=1e-4, rtol=0)  # a cutoff of 0 truncates nothing


def test_the_line_stands_where_the_slider_is_and_the_numbers_are_the_nearest_rows(generator):
    slider = widgets.psi_slider(generator, ROWS, entropy=8.0)
    places = []
    for psi in (0.25, 0.5, 0.75):
        slider.psi.value = psi
        columns = picture(slider.curve)[40:230].sum(-1).mean(0)  # between the key and the axis: one of them is all ink
        places.append(int(np.argmin(columns[36:])))
        assert slider.nearest["psi"] == psi and f"{0.9 - 0.2 * psi:.3f}" in slider.numbers.value
    assert places[0] < places[1] < places[2] and places[1] - places[0] == pytest.approx(places[2] - places[1], abs=3)


def test_a_marked_frame_says_what_it_cannot_draw():
    with pytest.raises(ValueError, match="a: expected 2 values like x, got 3"):
        marked_frame([0, 1], {"a": [1, 2, 3]}, 0.5, across="x")
    with pytest.raises(ValueError, match="lines: expected 1 to 3 curves, got 0"):
        marked_frame([0, 1], {}, 0.5, across="x")
