"""The playground driven by plain Python: what it shows must mean what its parts say."""

import importlib
import io

import numpy as np
import pytest
from PIL import Image

from course_lib import widgets
from course_lib.training.game2d import EXTENT

module = importlib.import_module("course_lib.widgets.playground")  # as an attribute of the package it is the widget


@pytest.fixture
def playground(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it saves beside the notebook
    made = widgets.playground()
    yield made
    module._live.clear()


def picture(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(int)


def tick(widget, times=1):
    for _ in range(times):
        widget.play.value += 1


def test_a_tick_trains_and_draws(playground):
    before = picture(playground)
    tick(playground)
    assert playground.game.steps >= 1 and (picture(playground) != before).any()
    assert f"{playground.game.steps:,}" in playground.numbers.value


def test_slow_motion_is_one_step_a_picture(playground):
    playground.fast.value = False
    tick(playground, 3)
    assert playground.game.steps == 3
    playground.one_step.click()
    assert playground.game.steps == 4


def test_it_never_ticks_by_itself(playground):
    assert playground.game.steps == 0 and not playground.play.playing


def test_knobs_reach_the_game_while_it_goes_on(playground):
    tick(playground)
    steps = playground.game.steps
    playground.lr_d.value, playground.lr_g.value, playground.d_steps.value = 1e-4, 1e-2, 5
    playground.loss.value = "saturating"
    game = playground.game
    assert game.steps == steps and game.loss == "saturating" and game.d_steps == 5
    rates = [optimizer.param_groups[0]["lr"] for optimizer in (game.optimizer_d, game.optimizer_g)]
    assert rates == pytest.approx([1e-4, 1e-2])


@pytest.mark.parametrize("end", ["min", "max"])
def test_knobs_at_their_ends_do_no_harm(playground, end):
    for slider in (playground.lr_d, playground.lr_g):
        slider.value = 10.0 ** getattr(slider, end)
    playground.d_steps.value = getattr(playground.d_steps, end)
    playground.fast.value = False
    tick(playground, 5)
    assert playground.game.steps == 5 or "diverged" in playground.status.value  # it says so, it does not vanish


def test_starting_over_keeps_the_settings_and_repeats_the_game(playground):
    playground.fast.value, playground.lr_d.value = False, 1e-4
    tick(playground, 10)
    shown = picture(playground)
    playground.reset.click()
    assert playground.game.steps == 0 and playground.lr_d.value == pytest.approx(1e-4)
    tick(playground, 10)
    assert (picture(playground) == shown).all()


@pytest.mark.parametrize("shape", ["grid of 25", "spiral", "moons", "your own points"])
def test_every_shape_is_shown_and_played(playground, shape):
    ring = picture(playground)
    playground.shape.value = shape
    assert (picture(playground) != ring).any() and playground.game.steps == 0
    tick(playground)
    assert playground.game.steps > 0 and "stopped" not in playground.status.value


def test_points_of_your_own_are_the_data(playground):
    playground.shape.value = "your own points"
    for button in playground.pad_buttons.values():
        button.value = False
    assert "press at least one button of the pad" in playground.status.value
    playground.pad_buttons[max(playground.pad_buttons)].value = True
    assert len(playground.game.data.means) == 1 and playground.game.data.means.max() < EXTENT
    assert playground.pad_place.layout.display == ""
    playground.shape.value = "moons"
    assert playground.pad_place.layout.display == "none"


def test_arrows_can_be_switched_off(playground):
    playground.fast.value = False  # a step a tick: how many a fast one plays depends on the machine
    tick(playground, 36)  # after three the pull is still too weak for an arrow
    with_arrows = picture(playground)
    playground.arrows.value = False
    dark = lambda image: int((image.max(2) < 90).sum())  # noqa: E731 (ink: the arrows and the line)
    assert dark(picture(playground)) < dark(with_arrows)


def test_saving_a_picture_and_a_recording(playground, tmp_path):
    playground.fast.value = False
    playground.record.click()
    tick(playground, 4)
    playground.record.click()
    with Image.open(tmp_path / "playground-step-4.gif") as animation:
        assert animation.n_frames == 5 and animation.size == (400, 400)
    playground.save.click()
    with Image.open(tmp_path / "playground-step-4.png") as image:
        assert image.size == (640, 640)
    assert "saved playground-step-4.png" in playground.status.value


def test_a_folder_that_cannot_be_written_is_said(playground, monkeypatch):
    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    playground.save.click()
    assert playground.status.value.startswith("stopped: OSError") and "Read-only" in playground.status.value


def test_running_the_cell_again_stops_the_game_before(playground):
    tick(playground)
    steps = playground.game.steps
    again = widgets.playground()
    playground.play.value += 1  # nobody listens any more
    assert playground.game.steps == steps and "run again" in playground.status.value
    tick(again)
    assert again.game.steps > 0
    other = widgets.playground(key="a second one")
    tick(again)
    assert "run again" not in again.status.value and other.game.steps == 0


def test_a_name_that_does_not_exist():
    with pytest.raises(ValueError, match="did you mean 'ring of 8'"):
        widgets.playground("ring of eight")
