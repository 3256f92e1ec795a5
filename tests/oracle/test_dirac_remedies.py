"""Remedies in the Dirac game: one-turn matrices against closed forms, paths against the matrices' powers."""

import cmath
import math

import numpy as np
import pytest
import torch

from course_lib.oracle import dirac
from course_lib.oracle.dirac import Remedy

TURNS = [False, True]  # alternating


def moduli(remedy):
    return sorted(torch.linalg.eigvals(dirac.turn_matrix(remedy)).abs().tolist())


@pytest.mark.parametrize("alternating", TURNS)
@pytest.mark.parametrize(("h", "h_d", "gamma"), [(0.1, 0.1, 0.0), (0.1, 0.4, 0.05), (0.3, 0.1, 1.0), (0.1, 0.1, 3.0)])
def test_rates_and_penalty_against_the_roots_of_the_characteristic_polynomial(h, h_d, gamma, alternating):
    trace = 2 - h_d * gamma - (h * h_d if alternating else 0)
    determinant = 1 - h_d * gamma + (0 if alternating else h * h_d)
    root = cmath.sqrt(trace**2 - 4 * determinant)
    wanted = sorted(abs(trace + sign * root) / 2 for sign in (1, -1))
    assert moduli(Remedy(lr=h, lr_d=h_d, gamma=gamma, alternating=alternating)) == pytest.approx(wanted, abs=1e-9)


def test_two_time_scales_grow_by_the_root_of_1_plus_the_product_of_the_rates():
    for h_d in (0.01, 0.1, 0.5):
        assert moduli(Remedy(lr=0.1, lr_d=h_d)) == pytest.approx([math.sqrt(1 + 0.1 * h_d)] * 2)
        assert moduli(Remedy(lr=0.1, lr_d=h_d, alternating=True)) == pytest.approx([1, 1], abs=1e-7)


def test_simultaneous_r1_contracts_only_if_gamma_is_above_the_step_size_and_alternating_r1_always():
    h = 0.1
    for gamma in (0.01, 0.05, 0.099, 0.101, 0.2, 1.0, 1.9):
        together, in_turns = (max(moduli(Remedy(lr=h, gamma=gamma, alternating=each))) for each in TURNS)
        assert together == pytest.approx(math.sqrt(1 - h * gamma + h * h)) and (together < 1) == (gamma > h)
        assert in_turns == pytest.approx(math.sqrt(1 - h * gamma)) and in_turns < 1


@pytest.mark.parametrize("beta", [0.9, 0.5, 0.1, -0.3, -0.9])
def test_momentum_against_its_polynomials(beta):
    """At once the game is w ← (1 − ih)w + β(w − w₋) with w = θ + iψ; in turns ((λ − 1)(λ − β))² = −h²λ³."""
    h = 0.1
    middle = 1 + beta - 1j * h
    root = cmath.sqrt(middle**2 - 4 * beta)
    twice = [abs(middle + sign * root) / 2 for sign in (1, -1)] * 2
    assert moduli(Remedy(lr=h, momentum=beta)) == pytest.approx(sorted(twice))
    quartic = np.polymul(np.poly([1, 1]), np.poly([beta, beta])) + np.array([0, h * h, 0, 0, 0])
    wanted = sorted(np.abs(np.roots(quartic)).tolist())
    assert moduli(Remedy(lr=h, momentum=beta, alternating=True)) == pytest.approx(wanted, abs=1e-7)


def test_momentum_leads_home_only_if_negative_and_in_turns():
    for beta in (0.9, 0.5, 0.1):
        plain = max(moduli(Remedy()))
        assert max(moduli(Remedy(momentum=beta))) > plain
        assert max(moduli(Remedy(momentum=beta, alternating=True))) > 1.001
    for beta in (-0.1, -0.5, -0.9):
        assert max(moduli(Remedy(momentum=beta))) > 1 > max(moduli(Remedy(momentum=beta, alternating=True)))


@pytest.mark.parametrize("alternating", TURNS)
def test_without_remedies_a_turn_is_chapter_01s_step(alternating):
    step = dirac.alternating_step if alternating else dirac.simultaneous_step
    remedy = Remedy(lr=0.2, gamma=0.3, alternating=alternating)
    torch.testing.assert_close(dirac.turn_matrix(remedy), dirac.step_matrix(step, lr=0.2, gamma=0.3))
    torch.testing.assert_close(dirac.play(remedy, turns=40), dirac.path(step, steps=40, lr=0.2, gamma=0.3))


@pytest.mark.parametrize("remedy", [Remedy(lr_d=0.3), Remedy(gamma=0.4), Remedy(momentum=-0.4, alternating=True)])
def test_a_path_is_a_power_of_its_matrix_and_grows_in_the_long_run_by_the_spectral_radius(remedy):
    matrix, path = dirac.turn_matrix(remedy), dirac.play(remedy, turns=3000)
    start = torch.eye(len(matrix), dtype=torch.float64)[0]
    torch.testing.assert_close(path[7], (torch.linalg.matrix_power(matrix, 7) @ start)[:2])
    assert dirac.growth(path) == pytest.approx(dirac.spectral_radius(matrix), abs=2e-4)
    assert dirac.growth(torch.zeros(20, 2)) == 0  # arrived: nothing left to shrink


@pytest.mark.parametrize("alternating", TURNS)
def test_clipping_keeps_the_game_near_and_does_not_lead_it_home(alternating):
    for bound in (0.1, 0.5):
        clipped = Remedy(bound=bound, alternating=alternating)
        end = dirac.play(clipped, turns=2000)[-200:]
        assert end[:, 1].abs().max() == pytest.approx(bound, rel=0.01)
        assert 0.9 * bound < end.norm(dim=1).min() and end.norm(dim=1).max() < 1.2 * bound
        assert dirac.spectral_radius(dirac.turn_matrix(clipped)) >= 1 - 1e-9  # near home nothing is cut


def test_the_mean_of_a_loop_comes_home_and_the_mean_of_a_spiral_leaves_later():
    loop, spiral = (dirac.play(Remedy(alternating=each), turns=2000) for each in (True, False))
    home = dirac.running_mean(loop).norm(dim=1)
    assert home[2000] < 0.02 and (home * torch.arange(1, 2002)).max() < 30  # like 1/k
    away = dirac.running_mean(spiral).norm(dim=1)
    assert away[200] < 0.2 and away[2000] > 50


def test_the_running_average_shrinks_a_loop_by_a_factor_and_no_further():
    """The geometric series: an average with decay β of e^{iφk} has modulus (1 − β)/|1 − β e^{−iφ}|."""
    h, beta = 0.1, 0.95
    loop = dirac.play(Remedy(alternating=True), turns=4000)
    phi = 2 * math.asin(h / 2)  # a loop of h turns by φ
    factor = (1 - beta) / abs(1 - beta * cmath.exp(-1j * phi))
    tail = dirac.running_average(loop, beta)[2000:]
    assert tail.norm(dim=1).max() / loop[2000:].norm(dim=1).max() == pytest.approx(factor, rel=0.01)


def test_spectral_radius_is_not_the_spectral_norm():
    shear = torch.tensor([[0.5, 100.0], [0.0, 0.5]])
    assert dirac.spectral_radius(shear) == pytest.approx(0.5) and torch.linalg.matrix_norm(shear, 2) > 100
    with pytest.raises(ValueError, match=r"matrix: expected \(n, n\), got \(2, 3\)"):
        dirac.spectral_radius(torch.ones(2, 3))


def test_bad_input_says_so():
    with pytest.raises(ValueError, match="lr_d: expected a positive number, got 0"):
        Remedy(lr_d=0)
    with pytest.raises(ValueError, match="momentum: expected a number between −1 and 1, got 1.0"):
        Remedy(momentum=1.0)
    with pytest.raises(ValueError, match="points: expected at least 8, got 3"):
        dirac.growth(torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"decay: expected a number in \[0, 1\), got 1"):
        dirac.running_average(torch.zeros(3, 2), 1)
