"""The best critics in one dimension: what they earn in closed form, and that no other earns more."""

import pytest
import torch
import torch.nn.functional as F

from course_lib import oracle, runtime
from course_lib.data.mixtures import grid, mixture
from course_lib.oracle.critics import best_critic, least_hinge_loss
from course_lib.training.game2d import Scores

HUMPS = mixture([-1.5, 1.2], stds=[0.4, 0.7], weights=[0.35, 0.65])
X = torch.linspace(-12, 14, 26001, dtype=torch.float64)


def earned(f, p, q):
    """E_p f − E_q f by a sum over X."""
    return ((X[1] - X[0]) * f @ (p.log_prob(X[:, None]).exp() - q.log_prob(X[:, None]).exp())).item()


@pytest.mark.parametrize("q", [mixture([3.0], stds=0.5), mixture([0.2], stds=1.5), mixture([-4, 4], stds=0.2)])
def test_the_best_critic_of_slope_1_earns_w1(q):
    f = best_critic(HUMPS, q, X)
    assert earned(f, HUMPS, q) == pytest.approx(oracle.wasserstein_1(HUMPS, q), abs=1e-4)
    assert earned(best_critic(q, HUMPS, X), q, HUMPS) == pytest.approx(oracle.wasserstein_1(HUMPS, q), abs=1e-4)
    assert ((f[1:] - f[:-1]).abs() <= X[1:] - X[:-1] + 1e-12).all()


@pytest.mark.parametrize("seed", range(5))
def test_no_other_critic_of_slope_1_earns_more(seed):
    q = mixture([0.2], stds=1.5)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        critic = Scores(dim=1).double()
    with torch.no_grad():
        f = critic(X[:, None])
    slope = ((f[1:] - f[:-1]).abs() / (X[1:] - X[:-1])).max()
    assert abs(earned(f / slope, HUMPS, q)) <= oracle.wasserstein_1(HUMPS, q)


def test_a_shift_has_a_straight_critic_also_far_from_all_mass():
    f = best_critic(mixture([0.0], stds=0.1), mixture([3.0], stds=0.1), X)
    torch.testing.assert_close(f, f[0] - (X - X[0]))


def test_beyond_all_mass_the_slope_goes_on_as_on_its_own_side():
    f = best_critic(mixture([-2, 2], stds=0.1), mixture([0.0], stds=0.1), X)  # a valley: down, then up
    assert f[0] - f[1] == pytest.approx(X[1] - X[0]) and f[-1] - f[-2] == pytest.approx(X[1] - X[0])


def test_between_equal_distributions_there_is_nothing_to_say():
    assert best_critic(HUMPS, HUMPS, X).abs().max() == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"p, q: expected mixtures in 1 dimension, got 2 and 2"):
        best_critic(grid(), grid(), X)
    with pytest.raises(ValueError, match=r"x: expected \(M,\) ascending, got \(26001,\)"):
        best_critic(HUMPS, HUMPS, X.flip(0))


@pytest.mark.parametrize("shift", [2.0, 4.0])
def test_on_disjoint_supports_the_hinge_loss_is_0_however_far_apart(shift):
    assert least_hinge_loss(mixture([0.0], stds=0.1), mixture([shift], stds=0.1)) < 1e-9


def test_the_least_hinge_loss_is_2_for_equals_and_2_minus_twice_the_total_variation():
    assert least_hinge_loss(HUMPS, HUMPS) == pytest.approx(2)
    p, q = mixture([0.0], stds=1.0), mixture([1.0], stds=1.0)
    overlap = 2 * torch.special.ndtr(torch.tensor(-0.5, dtype=torch.float64)).item()  # of two normals 1 apart
    assert least_hinge_loss(p, q) == pytest.approx(2 * overlap, abs=1e-5)


def test_no_critic_has_a_lower_hinge_loss():
    q = mixture([0.2], stds=1.5)
    draw = runtime.keyed_generator("cpu", 0)
    p_x, q_x = ((X[1] - X[0]) * world.log_prob(X[:, None]).exp() for world in (HUMPS, q))
    for scale in (0.3, 1.0, 3.0):
        f = scale * torch.randn(len(X), generator=draw, dtype=torch.float64)
        assert (F.relu(1 - f) @ p_x + F.relu(1 + f) @ q_x).item() > least_hinge_loss(HUMPS, q)
    best = torch.sign(p_x - q_x)
    assert (F.relu(1 - best) @ p_x + F.relu(1 + best) @ q_x).item() == pytest.approx(
        least_hinge_loss(HUMPS, q), abs=1e-6
    )
