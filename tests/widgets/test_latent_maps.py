"""The latent maps driven by plain Python: what is decoded must be the networks' own, and holes must be dark."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import maps, widgets, zoo


@pytest.fixture(scope="module")
def shown():
    return widgets.latent_maps()


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)


def cells(widget):
    """[[name, code, distance, verdict] of each network]"""
    found = re.findall(r"<td[^>]*>(.*?)</td>", widget.numbers.value)
    return [found[i : i + 4] for i in range(0, len(found), 4)]


@pytest.mark.parametrize("place", ["min", "middle", "max"])
def test_what_is_decoded_is_what_the_networks_decode_there(shown, place):
    for slider in (shown.across, shown.up):
        slider.value = {"min": slider.min, "middle": 0.1, "max": slider.max}[place]
    assert "stopped" not in shown.status.value
    sheet = picture(shown)
    for column, (name, entry) in enumerate((("autoencoder", "ae-fashion-2d"), ("VAE", "vae-fashion-2d"))):
        code = shown.maps[name].place(shown.across.value, shown.up.value)
        torch.testing.assert_close(code, shown.codes[name])
        with torch.no_grad():
            want = zoo.load(entry)[0](code)[0, 0]
        left = column * (320 + 16) + (320 - 168) // 2
        part = sheet[328 : 328 + 168, left : left + 168, 0][3::6, 3::6]
        assert np.abs(part - (want.numpy() + 1) * 127.5).max() < 1.5


def test_a_photographs_code_has_no_distance_and_decodes_to_its_kind(shown):
    seen = set()
    for _ in range(3):
        shown.photograph.click()
        assert [row[2] for row in cells(shown)] == ["0.000", "0.000"]
        seen.add(shown.status.value)
    assert len(seen) == 3 and "photograph 2, trouser" in shown.status.value
    assert all(row[3].startswith("trouser") for row in cells(shown))


def test_a_draw_is_the_priors_and_goes_on_at_each_press(shown):
    codes = []
    for _ in range(40):
        shown.draw.click()
        codes.append(torch.cat([shown.codes["autoencoder"], shown.codes["VAE"]]))
    codes = torch.stack(codes)  # (40, 2 networks, 2)
    assert codes[:, 1].std(0).tolist() == pytest.approx([1, 1], abs=0.35)
    spread = shown.maps["autoencoder"].codes.std(0)
    assert (codes[:, 0].std(0) / spread).tolist() == pytest.approx([1, 1], abs=0.4)
    assert len(torch.unique(codes[:, 1], dim=0)) == 40


def test_dark_ground_is_where_decoded_images_are_unlike_photographs(shown):
    found = shown.maps["autoencoder"]
    ground = maps._ground(found.realism.numpy())[..., 0]
    assert ground.min() < 150 < 250 < ground.max()
    assert np.corrcoef(ground.ravel(), found.realism.clamp(0, 1).numpy().ravel())[0, 1] > 0.9


def test_the_cross_is_where_the_sliders_say(shown):
    shown.across.value, shown.up.value = 0.5, -0.5
    sheet = picture(shown)
    assert (sheet[0, 240] == 40).all() and (sheet[240, 1] == 40).all()  # lines through (0.5, −0.5) of 320 pixels


def test_a_map_needs_two_dimensions():
    from course_lib.models.vae import VAE

    with pytest.raises(ValueError, match="network: expected latent_dim 2 for a map, got 3"):
        maps.survey(VAE(3, 4), maps.of_the_zoo()[1])


def test_names_are_pushed_apart_until_none_covers_another():
    sizes = [(20.0, 8.0)] * 4
    free = [[20.0, 20.0], [60.0, 20.0], [20.0, 60.0], [60.0, 60.0]]
    assert maps.apart(free, sizes, 100) == free
    pair = maps.apart([[50, 50], [53, 54]], sizes[:2], 100)
    assert np.allclose(pair, [[50, 48], [53, 56]])  # 4 of 8 overlap upwards, 17 of 20 across
    drawn = np.random.default_rng(0).uniform(40, 60, (10, 2))
    sizes = [(8 + 3 * index, 9) for index in range(10)]
    found, half = np.array(maps.apart(drawn, sizes, 100)), np.array(sizes) / 2
    for one in range(10):
        assert (found[one] >= half[one] - 1e-6).all() and (found[one] <= 100 - half[one] + 1e-6).all()
        for other in range(one):
            overlap = half[one] + half[other] - abs(found[one] - found[other])
            assert (overlap <= 1e-6).any(), (one, other)
