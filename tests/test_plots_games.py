"""Figures of games are drawn in both themes, are not empty, and say their numbers."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import plots_games
from course_lib.oracle import dirac
from course_lib.training.history import History


def drawn(figure):
    """Both themes, and that each has ink on it."""
    for theme in ("light", "dark"):
        image = np.asarray(Image.open(io.BytesIO(figure.png(theme, dpi=60))).convert("L"))
        assert image.std() > 5, theme
    return figure.alt


def test_remedies_say_where_each_path_ends():
    panels = {
        order: [
            (name, dirac.play(remedy, turns=60), dirac.spectral_radius(dirac.turn_matrix(remedy)))
            for name, remedy in (
                ("none", dirac.Remedy(alternating=turns)),
                ("R1", dirac.Remedy(gamma=1.0, alternating=turns)),
            )
        ]
        for order, turns in (("at once", False), ("in turns", True))
    }
    alt = drawn(plots_games.remedies(panels, title="one of two"))
    assert "none 1.0050 (leaves), R1 0.9539 (home); in turns: none 1.0000 (stays), R1 0.9487 (home)" in alt


def test_counts_say_every_seed():
    rows = {
        "plain": {"ring": [8, 7], "grid": [0, 25]},
        "other": {"ring": [1, 1], "grid": [2, 3]},
        "third": {"ring": [4, 4]},
    }
    alt = drawn(plots_games.counts(rows, {"ring": 8, "grid": 25}, reference="plain", title="counted"))
    assert "plain: ring 8, 7, grid 0, 25; other: ring 1, 1, grid 2, 3; third: ring 4, 4." in alt


def test_the_map_of_rates_says_every_square():
    alt = drawn(
        plots_games.rates_map(
            {(1e-3, 1e-3): 2.0, (1e-3, 2e-3): 8.0, (2e-3, 1e-3): 0.4, (2e-3, 2e-3): 3.2}, total=8, title="rates"
        )
    )
    assert "G 0.001, D 0.002: 8.0" in alt and "Modes found of 8" in alt


def test_exhibits_are_drawn_with_their_samples():
    columns = ("d_loss", "g_loss", "real_logit", "fake_logit", "d_gradient_norm", "g_gradient_norm")
    history = History([{"step": step, **dict.fromkeys(columns, 1.0 + step)} for step in range(5)])
    images = torch.arange(16 * 28 * 28).reshape(16, 1, 28, 28).remainder(256).to(torch.uint8)
    assert (
        drawn(plots_games.exhibits({"one": (history, images), "two": (history, images)}, title="both", alt="two runs"))
        == "two runs"
    )
    with pytest.raises(ValueError, match="alt: expected a description"):
        plots_games.exhibits({"one": (history, images)}, title="one", alt=" ")
