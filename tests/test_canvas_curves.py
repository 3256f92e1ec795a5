"""Strips of curves: heights, colours and places are what the numbers say."""

import numpy as np
import torch

from course_lib import canvas

X = torch.linspace(-2, 2, 201, dtype=torch.float64)


def frame(*strips):
    return np.asarray(canvas.curves_frame(X, strips, 400, 300)).astype(int)


def is_(image, colour):
    return (np.abs(image - np.array(colour)) <= 2).all(2)


def test_a_higher_value_is_higher_and_beyond_the_range_it_is_cut_off():
    tops = []
    for value in (0.25, 0.5, 1.0, 3.0):
        rows = np.nonzero(is_(frame(canvas.Strip("", 0, 1, torch.full_like(X, value))), canvas.TINT_REAL))[0]
        tops.append(rows.min())
    assert tops[0] > tops[1] > tops[2] and abs(tops[2] - tops[3]) <= 1
    assert abs((tops[0] - tops[1]) - (tops[1] - tops[2]) / 2) <= 2


def test_above_zero_is_blue_and_below_is_orange_at_its_own_place():
    image = frame(canvas.Strip("", -1, 1, X / 2))
    blue, orange = (np.nonzero(is_(image, colour)) for colour in (canvas.TINT_REAL, canvas.TINT_FAKE))
    assert blue[1].min() > 195 and orange[1].max() < 205 and blue[0].max() <= orange[0].min() + 2


def test_strips_lie_below_each_other_and_share_the_height():
    full, none = torch.ones_like(X), torch.zeros_like(X)
    image = frame(
        canvas.Strip("a", 0, 1, full, share=2.0), canvas.Strip("b", 0, 1, none), canvas.Strip("c", 0, 1, full)
    )
    rows = np.nonzero(is_(image, canvas.TINT_REAL)[:, 200])[0]
    first, last = rows[rows < 150], rows[rows >= 150]
    assert abs(len(first) - 2 * len(last)) < 10 and first.max() < last.min()


def test_a_second_line_is_drawn_in_the_second_colour():
    with_line = frame(canvas.Strip("", 0, 1, torch.zeros_like(X), torch.full_like(X, 0.5)))
    without = frame(canvas.Strip("", 0, 1, torch.zeros_like(X)))
    assert is_(with_line, canvas.FAKE).sum() > 300 and is_(without, canvas.FAKE).sum() == 0
    assert with_line.shape == (300, 400, 3)


def test_the_axis_has_its_numbers_and_a_title_is_written():
    plain, titled = (frame(canvas.Strip(text, 0, 1, torch.zeros_like(X))) for text in ("", "finding"))
    assert (titled[:22] != plain[:22]).any() and (titled[22:] == plain[22:]).all()
    dark = (plain[280:] < 120).all(2).any(0)
    assert dark[:20].any() and dark[195:205].any() and dark[-20:].any()  # −2, 0 and 2
