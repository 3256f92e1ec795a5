"""Chapter 06's figures: drawn in both themes, with the numbers in their words, and no lines of unequal length."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import plots_trade

FIGURES = {
    "knob": lambda: plots_trade.over_a_knob(
        {"a": {"precision": ([0.2, 0.8, 0.9], [0.1, 0.05, 0.0])}, "b": {"recall": ([0, 0.5, 1], [0, 0, 0])}},
        [0.1, 1.0, 3.0],
        title="Finding",
        xlabel="threshold",
        marks={3.0: "all"},
    ),
    "staircases": lambda: plots_trade.staircases(
        {"one": (torch.tensor([500.0, 250.0, 120.0, 200.0]), torch.tensor([True, True, False, True]))},
        {"one": 150.0},
        found={"one": 160.0},
        title="Finding",
    ),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_drawn_in_both_themes_on_their_own_paper(make):
    for theme, paper in (("light", 255), ("dark", 22)):
        found = np.asarray(Image.open(io.BytesIO(make().png(theme))).convert("RGB")).astype(int)
        assert (found[0, 0] == paper).all() and (np.abs(found - paper).max(axis=2) > 60).mean() > 0.005


def test_alt_text_has_the_numbers():
    assert "from 0.1 to all: a: precision from 0.2 to 0.9; b: recall from 0 to 1" in FIGURES["knob"]().alt
    said = FIGURES["staircases"]().alt
    assert "4 flashes from 500 ms, 1 answers wrong, settled on 160 ms where 150 ms is known" in said


def test_unequal_lines_are_refused():
    with pytest.raises(ValueError, match="precision: expected 2 values and halves, got 3 and 2"):
        plots_trade.over_a_knob({"a": {"precision": ([1, 2, 3], [0, 0])}}, [0.1, 1.0], title="F", xlabel="x")
