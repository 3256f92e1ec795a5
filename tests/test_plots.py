"""Figures: drawn in both themes, never empty, never without words."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib import figures, plots, plots_networks
from course_lib.training import History


def pixels(figure, theme):
    return np.asarray(Image.open(io.BytesIO(figure.png(theme))).convert("RGB")).astype(int)


HISTORY = History(
    [
        {
            "step": s,
            "d_loss": 1 / s,
            "g_loss": s / 10,
            "real_logit": 1.0,
            "fake_logit": -1.0,
            "d_gradient_norm": 2.0,
            "g_gradient_norm": 3.0 * s,
            "images_per_second": 9.0,
        }
        for s in range(1, 30)
    ]
)
FIGURES = {
    "intervals": lambda: plots.intervals(
        {"one": (1.0, 2.0, 4.0), "two": (10.0, 20.0, 30.0)}, title="Finding", xlabel="length", log_x=True
    ),
    "grids": lambda: plots.image_grids(
        {"a": torch.rand(6, 1, 8, 8), "b": torch.zeros(3, 3, 8, 8, dtype=torch.uint8)}, columns=3
    ),
    "grids apart": lambda: plots.image_grids({"a": torch.zeros(4, 1, 8, 8), "b": torch.zeros(4, 1, 8, 8)}, apart=0.3),
    "training": lambda: plots.training_curves(HISTORY, "Finding", smooth=3),
    "curves": lambda: plots.curves(
        [1, 10, 100],
        {"x": [3, 2, 1], "y": [1, 1, 5]},
        title="Finding",
        xlabel="step",
        ylabel="d",
        log_x=True,
        log_y=True,
    ),
    "clouds": lambda: plots.clouds(
        {"a": torch.randn(50, 2), "b": (torch.randn(50, 2), torch.randn(50, 2) + 3)}, title="Finding", alt="Two clouds."
    ),
    "clouds together": lambda: plots.clouds(
        {"a": torch.randn(9, 2), "b": 5 * torch.randn(9, 2)}, alt="Two.", together=True
    ),
    "clouds without ellipses": lambda: plots.clouds({"a": torch.randn(50, 2)}, alt="One.", ellipses=False),
    "losses and slopes": lambda: plots.losses_and_slopes(
        [-1, 0, 1],
        {name: {"on a fake": ([2, 1, 3], [-1, 0, 1]), "on a real": ([9, 8, 7], [-1, -1, -1])} for name in "abc"},
        title="Finding",
        xlabel="logit",
        alt="Three losses above, their slopes below.",
    ),
    "inception": lambda: plots_networks.inception_blocks(
        dict.fromkeys(("v1", "v2", "v3", "whole"), "a version"), title="Finding", alt="Four diagrams."
    ),
    "plane": lambda: plots.precision_recall_plane(
        {"a": [(0.9, 0.8), (0.4, 0.95)], "b": [(i / 30, 1 - i / 30) for i in range(31)]},
        title="Finding",
        labels={"a": ["first", "second"]},
    ),
    "beside": lambda: plots.curves(
        [1, 2, 3], {"x": [3, 2, 1], "y": [1, 1, 5]}, title="F", xlabel="x", ylabel="y", legend_beside=True
    ),
    "bars": lambda: plots.bars({"a": 1, "b": 2.5}, title="Finding", ylabel="share", reference=("even", 1.75)),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_drawn_in_both_themes_on_their_own_paper(make):
    figure = make()
    for theme, paper in (("light", 255), ("dark", 22)):
        found = pixels(figure, theme)
        assert (found[0, 0] == paper).all(), "the corner is paper"
        assert (np.abs(found - paper).max(axis=2) > 60).mean() > 0.005, "something is drawn"


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
def test_the_page_carries_both_pictures_and_the_words(make):
    page = make()._repr_html_()
    assert page.count("<img") == 2 and page.count("alt=") == 2 and "course-dark" in page


def test_alt_text_has_the_numbers():
    assert "discriminator loss 0.61 to 0.04" in plots.training_curves(HISTORY, "Finding", smooth=3).alt
    assert "x from 3 to 1; y from 1 to 5" in FIGURES["curves"]().alt
    assert "a 1, b 2.5; even 1.75" in FIGURES["bars"]().alt


def test_intervals_are_told_with_both_their_ends():
    alt = plots.intervals({"Z": (1.0, 2.0, 4.0), "W": (0.5, 1.5, 1.75)}, title="Finding", xlabel="path length").alt
    assert "Z 2, from 1 to 4; W 1.5, from 0.5 to 1.75" in alt and alt.startswith("Finding. path length")


def test_slopes_of_different_losses_share_a_scale_and_their_values_do_not():
    drawn = plots.losses_and_slopes(
        [0, 1],
        {"a": {"on a fake": ([0, 1], [0, 2])}, "b": {"on a fake": ([50, 90], [-5, 0])}},
        title="Finding",
        xlabel="logit",
        alt="Two losses.",
    ).draw("light")
    values_a, values_b, slopes_a, slopes_b = drawn.axes
    assert slopes_a.get_ylim() == slopes_b.get_ylim() and slopes_a.get_ylim()[0] <= -5
    assert values_a.get_ylim()[1] < 2 and values_b.get_ylim()[0] > 2


def test_a_figure_without_words_is_refused():
    with pytest.raises(ValueError, match="alt: expected a description"):
        figures.Figure(lambda theme: None, " ")


def test_a_sheet_is_laid_out_row_by_row():
    images = torch.stack([torch.full((1, 2, 2), value, dtype=torch.uint8) for value in (10, 20, 30)])
    sheet = plots.tile(images, columns=2, gap=1, background=99)
    assert sheet.shape == (5, 5, 3)
    assert (
        sheet[0, 0, 0] == 10
        and sheet[0, 3, 0] == 20
        and sheet[3, 0, 0] == 30
        and sheet[3, 3, 0] == 99
        and sheet[2, 0, 0] == 99
    )
    with pytest.raises(ValueError, match="images: expected 1 or 3 channels, got 2"):
        plots.tile(torch.zeros(1, 2, 2, 2), 1)


def test_smoothing_averages_whole_windows():
    assert plots.window_means([1, 3, 5, 7, 100], 2).tolist() == [2, 6] and plots.window_means([1, 2], 1).tolist() == [
        1,
        2,
    ]


def test_a_title_that_is_too_long_is_broken_and_nothing_of_it_is_lost():
    """Left of the right edge, in as many lines as it takes, and the picture is the higher for it."""
    words = "a finding that goes on and on for much longer than any picture of this course is wide, with numbers such as 0.123 in it"
    make = lambda title: plots.image_grids({"one": torch.zeros(4, 1, 8, 8)}, columns=2, title=title)  # noqa: E731
    short, long = (Image.open(io.BytesIO(make(title).png())) for title in ("brief", words))
    assert long.width == short.width and long.height > short.height + 60
    edge = np.asarray(long.convert("L"))[:, -4:]
    assert (edge > 250).all()  # nothing runs into the margin
    drawn = make(words).draw("light")
    figures.fit_titles(drawn)
    assert drawn.get_suptitle().count("\n") >= 2 and drawn.get_suptitle().split() == words.split()


def test_a_peak_between_the_ends_is_told():
    said = plots.curves([0, 1, 2, 3], {"a": [0.0, 5.0, 1.0, 0.5]}, title="t", xlabel="x", ylabel="y").alt
    assert "a from 0 to 0.5, up to 5 at 1" in said and "down to" not in said
