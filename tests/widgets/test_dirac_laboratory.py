"""The Dirac laboratory driven by plain Python: where it says a game ends must be where its matrix sends it."""

import re

import pytest
import torch

from course_lib import widgets
from course_lib.oracle import dirac
from course_lib.widgets.dirac_laboratory import AWAY, HOME, ROUND, SETTINGS


@pytest.fixture
def lab():
    return widgets.dirac_laboratory()


def run(lab, remedy, strength=None, lr=0.1):
    lab.remedy.value = remedy
    lab.lr.value = lr
    if strength is not None:
        lab.strength.value = strength
    lab.go.click()
    return lab.outcomes


@pytest.mark.parametrize("remedy", ["none", "R1 penalty", "two time scales", "momentum"])
def test_at_every_place_of_the_sliders_the_largest_modulus_says_where_it_ends(lab, remedy):
    seen = set()
    for lr in (lab.lr.min, 0.1, 0.3):
        for share in (0.0, 0.5, 1.0):
            low, high = SETTINGS[remedy].low, SETTINGS[remedy].high
            outcomes = run(lab, remedy, low + share * (high - low), lr)
            for found, each in zip(outcomes, lab.remedies()):
                radius = dirac.spectral_radius(dirac.turn_matrix(each))
                expected = HOME if radius < 1 - 2e-4 else AWAY if radius > 1 + 2e-4 else ROUND
                assert found == expected or abs(radius - 1) < 3e-4, (each, radius)
            seen.add(lab.image.value)
    assert len(seen) == (3 if remedy == "none" else 9) and "stopped" not in lab.status.value


def test_what_leads_home_and_what_only_looks_as_if_it_did(lab):
    assert run(lab, "none") == (AWAY, ROUND)
    assert run(lab, "R1 penalty", 1.0) == (HOME, HOME)
    assert run(lab, "R1 penalty", 0.05) == (AWAY, HOME)  # γ below the step size
    assert run(lab, "two time scales", 8.0) == (AWAY, ROUND)
    assert run(lab, "averaged weights", 0.95) == (AWAY, ROUND)
    assert run(lab, "momentum", 0.5) == (AWAY, AWAY)
    assert run(lab, "momentum", -0.5) == (AWAY, HOME)
    assert run(lab, "weight clipping", 0.5) == (ROUND, ROUND)


def test_averaging_shows_a_smaller_circle_and_leaves_the_game_alone(lab):
    run(lab, "none")
    game = lab.paths
    run(lab, "averaged weights", 0.95)
    for average, path in zip(lab.paths, game):
        assert average[300:].norm(dim=1).max() < 0.6 * path[300:].norm(dim=1).max()
    assert torch.equal(dirac.play(lab.remedies()[1], turns=600), game[1])
    run(lab, "averaged weights", 0.0)
    assert torch.equal(lab.paths[0], game[0])


def test_clipping_ends_on_a_circle_as_large_as_the_bound(lab):
    for bound in (0.1, 0.5):
        run(lab, "weight clipping", bound)
        assert all(path[-100:].norm(dim=1).max() < 1.15 * bound for path in lab.paths)


def test_nothing_is_told_before_the_run_nor_after_a_change(lab):
    assert lab.numbers.value.count("?") == 6 and "predict" in lab.status.value
    at_start = lab.image.value
    run(lab, "none")
    assert "?" not in lab.numbers.value and lab.image.value != at_start
    cells = re.findall(r"<td[^>]*>(.*?)</td>", lab.numbers.value)
    assert cells[:4] == ["at once", "1.0050", f"{1.01**300:.3g}", "away"]  # (1 + h²)^(600/2)
    assert cells[4:6] == ["in turns", "1.0000"] and 0.9 < float(cells[6]) < 1.1 and cells[7] == "round"
    for change in (lambda: setattr(lab.lr, "value", 0.2), lambda: setattr(lab.remedy, "value", "momentum")):
        change()
        assert lab.outcomes is None and lab.numbers.value.count("?") == 6
        lab.go.click()
    lab.remedy.value, lab.lr.value = "none", 0.1
    assert lab.image.value == at_start


def test_predictions_are_counted_once_and_only_where_made(lab):
    lab.guesses[0].value, lab.guesses[1].value = AWAY, HOME
    lab.go.click()
    lab.go.click()
    assert (lab.right, lab.asked) == (1, 2) and "predicted: 1 of 2" in lab.status.value
    lab.lr.value = 0.2
    assert all(guess.value is None for guess in lab.guesses)
    lab.go.click()
    assert (lab.right, lab.asked) == (1, 2)


def test_the_strength_slider_fits_its_remedy_in_any_order(lab):
    for remedy in [*SETTINGS, *reversed(SETTINGS)]:
        lab.remedy.value = remedy
        chosen = SETTINGS[remedy]
        assert (lab.strength.min, lab.strength.max) == (chosen.low, chosen.high)
        assert lab.strength.value == chosen.start and lab.strength.description == chosen.symbol
        assert lab.strength.disabled == (remedy == "none") and "stopped" not in lab.status.value
