"""The truncation slider driven by plain Python: what the images do, and that the numbers are the record's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import widgets, zoo
from course_lib.canvas_trade import TradeFrame
from course_lib.zoo import truncation


@pytest.fixture(params=["dcgan-fashion", "mlp-fashion"])
def slider(request):
    return widgets.truncation_slider(request.param)


def picture(image):
    return np.asarray(Image.open(io.BytesIO(image.value))).astype(int)


def at(slider, threshold):
    slider.threshold.value = threshold
    assert "stopped" not in slider.status.value, slider.status.value
    return slider.values


def images(slider):
    with torch.inference_mode():
        return slider.generator(slider.latents())


def test_it_starts_with_all_of_z_and_the_cards_network(slider):
    assert "all of z" in slider.status.value and "N = 10,000" in slider.status.value
    assert picture(slider.image).shape == (4 * 29 - 1, 4 * 29 - 1, 3) and picture(slider.curve).shape == (280, 560, 3)
    row = truncation.recorded(slider.network.value)["rows"][-1]
    assert slider.values["fid"] == row["fid"] and f"{row['fid']:.3g}" in slider.numbers.value


def test_cut_harder_images_become_alike_and_diversity_falls(slider):
    spreads, found = [], []
    for threshold in (slider.threshold.max, 1.0, slider.threshold.min):
        found.append(at(slider, threshold))
        spreads.append(torch.pdist(images(slider).flatten(1)).mean().item())
    assert spreads[0] > spreads[1] > 2 * spreads[2]
    for key in ("coverage", "class_entropy"):
        assert found[0][key] > found[1][key] > found[2][key]
    assert found[0]["fid"] < found[1]["fid"] < found[2]["fid"]


def test_latents_stay_inside_and_move_without_jumps(slider):
    before = None
    for threshold in (0.5, 0.55, 0.6):
        at(slider, threshold)
        z = slider.latents()
        assert z.abs().max() <= threshold
        assert before is None or (z - before).abs().max() < 0.06
        before = z
    assert at(slider, 4.0) and slider.latents().abs().max() > 2.5


def test_the_picture_and_the_point_move_and_come_back(slider):
    start = picture(slider.image), picture(slider.curve)
    at(slider, 0.5)
    assert (picture(slider.image) != start[0]).any() and (picture(slider.curve) != start[1]).any()
    at(slider, slider.threshold.max)
    assert (picture(slider.image) == start[0]).all() and (picture(slider.curve) == start[1]).all()
    slider.resample.click()
    assert (picture(slider.image) != start[0]).any() and (picture(slider.curve) == start[1]).all()


def test_another_network_has_another_curve():
    slider = widgets.truncation_slider("dcgan-fashion")
    first = at(slider, 0.5)["precision"], picture(slider.curve)
    slider.network.value = "mlp-fashion"
    assert slider.values["precision"] > first[0] + 0.2 and (picture(slider.curve) != first[1]).any()
    assert at(slider, 4.0)["fid"] == pytest.approx(zoo.card("mlp-fashion")["metrics"]["fid"], rel=0.1)


def test_a_network_without_a_record_is_refused():
    with pytest.raises(ValueError, match="network: expected one of dcgan-fashion, mlp-fashion"):
        widgets.truncation_slider("classifier-fashion")


def test_the_frame_refuses_unequal_points_and_keeps_the_marker_inside():
    with pytest.raises(ValueError, match="plane, words, knob, lines: expected the same number"):
        TradeFrame([(0, 0), (1, 1)], ["", ""], [0, 1], {"a": [1]})
    frame = TradeFrame([(0.1, 0.9), (0.8, 0.7)], ["tight", ""], [0.1, 4.0], {"precision": [0.9, 0.7]})
    shots = [np.asarray(frame.at(x, y, knob)) for x, y, knob in ((0.1, 0.9, 0.1), (0.8, 0.7, 4.0), (0.8, 0.7, 99.0))]
    assert shots[0].shape == (280, 560, 3) and (shots[0] != shots[1]).any() and (shots[1] == shots[2]).all()
