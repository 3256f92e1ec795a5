"""The two looks of the neighbour balls: drawn where they lie, in the colours and shapes that mean them."""

import numpy as np
import torch

from course_lib import canvas

SIZE, EXTENT = 200, 2.0


def frame(real, fake, real_radii, fake_radii, fake_inside, real_inside):
    tensors = [torch.tensor(each, dtype=torch.float32) for each in (real, fake, real_radii, fake_radii)]
    verdicts = [torch.tensor(each) for each in (fake_inside, real_inside)]
    return np.asarray(canvas.balls_frame(*tensors, *verdicts, EXTENT, SIZE)).astype(int)


def near(picture, x, y, colour, look=0, slack=6):
    column, row = round((x + EXTENT) * SIZE / (2 * EXTENT)) + look * SIZE, round((EXTENT - y) * SIZE / (2 * EXTENT))
    return np.abs(picture[row, column] - np.array(colour)).max() <= slack


def test_balls_of_the_real_stand_left_and_those_of_the_fakes_right():
    picture = frame([[-1, 0]], [[1, 1]], [0.5], [0.7], [False], [False])
    assert picture.shape == (SIZE, 2 * SIZE, 3)
    assert near(picture, -1, 0.3, canvas.TINT_REAL) and near(picture, -1, 0.6, canvas.MIDDLE)
    assert near(picture, 1, 0.5, canvas.TINT_FAKE, look=1) and near(picture, 1, 0.2, canvas.MIDDLE, look=1)
    assert near(picture, 1, 0.2, canvas.MIDDLE) and near(picture, -1, 0.3, canvas.MIDDLE, look=1)


def test_inside_is_filled_and_outside_is_hollow_with_a_cross():
    inside = frame([[0, 0]], [[0.5, 0.0]], [1.0], [0.1], [True], [False])
    outside = frame([[0, 0]], [[0.5, 0.0]], [1.0], [0.1], [False], [False])
    assert near(inside, 0.5, 0, canvas.FAKE)
    assert near(outside, 0.5, 0, canvas.INK, slack=60)  # the arms of the cross meet there
    assert (outside[:, :SIZE] >= 250).all(2).sum() > 40  # hollow: whiter than the paper, which nothing else is


def test_a_ball_without_a_radius_is_a_point():
    picture = frame([[0, 0]], [[1, 1]], [0.0], [0.0], [False], [False])
    assert (np.abs(picture[:, :SIZE] - np.array(canvas.TINT_REAL)).max(2) <= 6).sum() < 10
