"""AdaIN's maps driven by plain Python: what is shown has the style's moments, and follows seed, layer and strength."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import widgets
from course_lib.models import style


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    network = style.Generator(latent_dim=16, width=8, size=16, most=32).eval().requires_grad_(False)
    network.w_mean.copy_(network.mapping(torch.randn(1000, 16)).mean(0))
    return network


@pytest.fixture
def maps(generator):
    return widgets.adain_maps(generator)


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)


def styles(generator, widget, strength):
    """Scale and shift of the shown layer for the shown latent."""
    from course_lib import runtime

    z = torch.randn(1, 16, generator=runtime.keyed_generator("cpu", widget.seed.value, "maps"))
    w = generator.w_mean + strength * (generator.mapping(z) - generator.w_mean)
    return generator.synthesis.layers[widget.layer.value].adain.style(w)[0].chunk(2)


@pytest.mark.parametrize("layer", [0, 3, 5])
@pytest.mark.parametrize("strength", [0.0, 1.0, 2.0])
def test_the_maps_after_have_the_styles_moments(generator, maps, layer, strength):
    maps.layer.value, maps.strength.value, maps.seed.value = layer, strength, 3
    assert "stopped" not in maps.status.value
    scale, shift = (each[:16] for each in styles(generator, maps, strength))
    after = maps.after
    torch.testing.assert_close(after.mean((1, 2)), shift, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(after.std((1, 2), correction=0), scale.abs(), atol=1e-3, rtol=1e-3)
    assert f"{shift.min():.2f} to {shift.max():.2f}" in maps.numbers.value


def test_the_picture_shows_both_sides_in_one_range(maps):
    maps.layer.value = 3  # sixteen maps of 8×8
    sheet = picture(maps)
    side = 4 * 33 - 1
    assert sheet.shape == (side, 2 * side + 12, 3)
    both = torch.stack([maps.before, maps.after])
    reach = both.flatten().abs().quantile(0.98)
    for column, values in ((0, maps.before), (side + 12, maps.after)):
        shown = sheet[1, column + 1, 0]
        want = ((values[0, 0, 0] / reach).clamp(-1, 1) + 1) * 127.5
        assert abs(shown - want.item()) <= 1


def test_at_strength_0_seeds_make_no_difference_and_more_strength_makes_more(maps):
    apart = []
    for strength in (0.0, 1.0, 2.0):
        maps.strength.value = strength
        seen = []
        for seed in (1, 2):
            maps.seed.value = seed
            seen.append(maps.after.clone())
        apart.append((seen[0] - seen[1]).abs().mean().item())
    assert apart[0] < 1e-6 < apart[1] < apart[2]


def test_every_slider_changes_the_picture_and_the_words(maps):
    for name, value in (("seed", 7), ("layer", 0), ("strength", 0.3), ("layer", maps.layer.max)):
        before = maps.image.value, maps.status.value
        getattr(maps, name).value = value
        assert maps.image.value != before[0] and maps.status.value != before[1], name
    assert "layer 5 (16×16)" in maps.status.value
    assert len(re.findall(r"<tr>", maps.numbers.value)) == 4
