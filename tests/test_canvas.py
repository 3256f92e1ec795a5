"""Frames: what is drawn lies where it should, in the colours that mean it."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import canvas

NOTHING = torch.empty(0, 2)


def frame(surface=0.5, real=NOTHING, fake=NOTHING, pull=None, size=200):
    return np.asarray(canvas.game_frame(torch.full((8, 8), surface), real, fake, pull, extent=2.0, size=size)).astype(
        int
    )


def middle_of(where):
    rows, columns = np.nonzero(where)
    return rows.mean(), columns.mean()


def test_sure_places_are_tinted_and_undecided_ones_are_not():
    for surface, tint in ((0.0, canvas.TINT_FAKE), (1.0, canvas.TINT_REAL), (0.5, canvas.MIDDLE)):
        assert np.abs(frame(surface) - np.array(tint)).max() <= 1


def test_the_line_is_where_the_discriminator_is_undecided():
    surface = torch.linspace(0, 1, 8).expand(8, 8)
    picture = np.asarray(canvas.game_frame(surface, NOTHING, NOTHING, None, 2.0, size=200)).astype(int)
    row, column = middle_of((picture == 120).all(2))
    assert abs(column - 100) < 3 and abs(row - 100) < 3


def test_points_lie_where_their_coordinates_say_with_y_upwards():
    point = torch.tensor([[1.0, 1.5]])  # right and up
    for kind, colour in (("real", canvas.REAL), ("fake", canvas.FAKE)):
        row, column = middle_of((frame(**{kind: point}) == np.array(colour)).all(2))
        assert column == pytest.approx(150, abs=2) and row == pytest.approx(25, abs=2)


def test_real_and_fake_differ_in_shape_as_well():
    point = torch.tensor([[0.0, 0.0]])
    assert (frame(fake=point, size=640)[320, 320] == np.array(canvas.FAKE)).all()  # filled
    assert (frame(real=point, size=640)[320, 320] > 200).all()  # hollow


def test_arrows_are_as_long_as_the_gradient_up_to_an_end():
    def length(gradient):
        pull = torch.tensor([[0.0, 0.0]]), torch.tensor([[gradient, 0.0]])
        columns = np.nonzero((frame(pull=pull) == np.array(canvas.INK)).all(2))[1]
        return columns.max() - 100 if len(columns) else 0

    assert length(1e-3) == 0
    assert length(0.5) == pytest.approx(0.5 * canvas.ARROW * 50, abs=3)
    assert length(50.0) == length(500.0) == pytest.approx(0.2 * 2.0 * 50, abs=3)


def test_encodings():
    picture = canvas.game_frame(torch.rand(8, 8), NOTHING, NOTHING, None, 2.0, size=64)
    assert canvas.jpeg(picture).startswith(b"\xff\xd8")
    back = Image.open(io.BytesIO(canvas.png(picture)))
    assert (np.asarray(back) == np.asarray(picture)).all()
    assert (np.asarray(Image.open(io.BytesIO(canvas.png(np.asarray(picture))))) == np.asarray(picture)).all()
    with Image.open(io.BytesIO(canvas.gif([picture, picture.rotate(90)], milliseconds=50))) as animation:
        assert animation.n_frames == 2 and animation.info["duration"] == 50
    with pytest.raises(ValueError, match="frames: expected at least one picture, got none"):
        canvas.gif([])
