"""Exact worlds: against closed forms, against SciPy's own integration, against themselves at half the step."""

import math

import pytest
import torch
from scipy import integrate

from course_lib import oracle
from course_lib.data import mixtures
from course_lib.oracle import F_DIVERGENCES, densities, dirac

P = mixtures.mixture([-1.5, 1.0], [0.4, 0.7], [0.3, 0.7])
Q = mixtures.mixture([0.0], 1.0)
NORMAL = mixtures.mixture([0.0], 1.0)


def normal(mean, std):
    return mixtures.mixture([mean], std)


def density(world):
    return lambda t: world.log_prob(torch.tensor([[t]], dtype=torch.float64)).exp().item()


@pytest.mark.parametrize(("mean", "std"), [(0.5, 1.0), (-2.0, 0.5), (1.0, 3.0)])
def test_kl_of_two_normals(mean, std):
    """KL(N(m, s²) ‖ N(0, 1)) = −log s + (s² + m² − 1)/2."""
    assert oracle.kl_divergence(normal(mean, std), NORMAL) == pytest.approx(-math.log(std) + (std**2 + mean**2 - 1) / 2)


def test_kl_of_two_normals_in_the_plane():
    shifted = mixtures.mixture([[0.3, -0.4]], 1.0)
    assert oracle.kl_divergence(shifted, mixtures.mixture([[0.0, 0.0]], 1.0)) == pytest.approx(0.125, abs=1e-12)


def test_jsd_against_scipys_adaptive_integration():
    p, q = density(P), density(Q)

    def integrand(t):
        a, b = p(t), q(t)
        return sum(0.5 * one * math.log(2 * one / (a + b)) for one in (a, b) if one)

    wanted = integrate.quad(integrand, -10, 10, epsabs=1e-13, limit=400)[0]
    assert oracle.js_divergence(P, Q) == pytest.approx(wanted, abs=1e-11)


def test_the_value_of_the_best_discriminator_is_2_jsd_minus_log_4():
    for p, q in ((P, Q), (mixtures.ring(std=0.1), mixtures.moons(std=0.2))):
        found = oracle.game_value(p, q)
        assert found == pytest.approx(2 * oracle.js_divergence(p, q) - math.log(4), abs=1e-10)
        assert oracle.game_value(p, q, logits=lambda x, p=p, q=q: 0.9 * oracle.optimal_logits(p, q, x)) < found
        assert oracle.game_value(p, p) == pytest.approx(-math.log(4), abs=1e-10)


def test_halving_the_step_changes_next_to_nothing(monkeypatch):
    fine = densities.quadrature
    for p, q, tolerance in ((P, Q, 1e-12), (mixtures.ring(std=0.1), mixtures.spiral(std=0.12), 1e-9)):
        coarse_value = oracle.js_divergence(p, q)
        with monkeypatch.context() as patch:
            patch.setattr(densities, "quadrature", lambda *worlds: fine(*worlds, finer=2.0))
            assert oracle.js_divergence(p, q) == pytest.approx(coarse_value, abs=tolerance)


def test_jsd_of_disjoint_humps_is_log_2():
    assert oracle.js_divergence(normal(0, 0.1), normal(5, 0.1)) == pytest.approx(math.log(2), abs=1e-10)


@pytest.mark.parametrize("shift", [0.0, 0.3, -2.5])
def test_w1_of_a_shift_is_its_length(shift):
    there = mixtures.mixture([-1.5 + shift, 1.0 + shift], [0.4, 0.7], [0.3, 0.7])
    assert oracle.wasserstein_1(P, there) == pytest.approx(abs(shift), abs=1e-12)


def test_w1_against_scipys_adaptive_integration_where_the_curves_cross():
    def gap(t):
        point = torch.tensor([t], dtype=torch.float64)
        return abs((P.cdf(point) - Q.cdf(point)).item())

    wanted = integrate.quad(gap, -10, 10, epsabs=1e-12, limit=500)[0]
    assert oracle.wasserstein_1(P, Q) == pytest.approx(wanted, abs=1e-9)


def test_w1_of_points_by_assignment():
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    assert oracle.wasserstein_1_samples(points, points.flip(0) + torch.tensor([3.0, 4.0])) == pytest.approx(5.0)
    with pytest.raises(ValueError, match=r"y: expected \(3, 2\) like x, \(N, d\), got \(2, 2\)"):
        oracle.wasserstein_1_samples(points, points[:2])


def test_total_variation_of_two_normals():
    """2Φ(d/2) − 1; |u − 1| has a kink, so the sum over nodes is less exact here than elsewhere."""
    wanted = 2 * torch.special.ndtr(torch.tensor(0.5, dtype=torch.float64)).item() - 1
    assert oracle.f_divergence("total_variation", NORMAL, normal(1.0, 1.0)) == pytest.approx(wanted, abs=2e-4)


@pytest.mark.parametrize("name", F_DIVERGENCES)
def test_the_bound_is_tight_at_the_slope_of_f_and_nowhere_broken(name):
    entry, exact = F_DIVERGENCES[name], oracle.f_divergence(name, P, Q)
    best = oracle.variational_bound(name, lambda x: entry.slope(oracle.optimal_logits(P, Q, x).exp()), P, Q)
    assert best == pytest.approx(exact, abs=1e-10)
    for seed in range(5):
        slope, shift = torch.randn(2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        another = lambda x, a=slope, b=shift: entry.critic((a * x[:, 0] + b).clamp(-3, 3))  # noqa: E731
        assert oracle.variational_bound(name, another, P, Q) <= exact


@pytest.mark.parametrize("name", F_DIVERGENCES)
def test_the_conjugate_is_the_supremum(name):
    entry = F_DIVERGENCES[name]
    u = torch.logspace(-6, 6, 200_001, dtype=torch.float64)
    for v in (-1.5, -0.3, 0.4, 1.2):
        t = entry.critic(torch.tensor(v, dtype=torch.float64))
        assert (u * t - entry.f(u)).max().item() == pytest.approx(entry.conjugate(t).item(), abs=1e-3)


@pytest.mark.parametrize("name", F_DIVERGENCES)
def test_f_is_0_at_1_but_for_the_gans_own(name):
    at_one = F_DIVERGENCES[name].f(torch.tensor(1.0, dtype=torch.float64)).item()
    assert at_one == pytest.approx(-math.log(4) if name == "gan" else 0.0, abs=1e-15)


def test_what_the_two_likenesses_measure():
    two_jsd = 2 * oracle.js_divergence(P, Q)
    assert oracle.f_divergence("jensen_shannon", P, Q) == pytest.approx(two_jsd, abs=1e-10)
    assert oracle.f_divergence("gan", P, Q) == pytest.approx(two_jsd - math.log(4), abs=1e-10)


def test_bad_input_says_so():
    with pytest.raises(ValueError, match="did you mean 'reverse_kl'"):
        oracle.f_divergence("revers_kl", P, Q)
    with pytest.raises(ValueError, match="expected all in 1 or all in 2 dimensions"):
        oracle.kl_divergence(P, mixtures.ring())
    with pytest.raises(ValueError, match="expected mixtures in 1 dimension, got 2 and 2"):
        oracle.wasserstein_1(mixtures.ring(), mixtures.ring())
    with pytest.raises(ValueError, match="nodes for an integral"):
        oracle.js_divergence(mixtures.ring(std=1e-4), mixtures.ring(std=1e-4))
    with pytest.raises(ValueError, match="whose ratio float64 can hold"):
        oracle.f_divergence("kl", normal(0, 0.01), normal(5, 0.01))
    with pytest.raises(ValueError, match=r"values in the domain of f\*\(t\) = −log\(1 − exp t\)"):
        oracle.variational_bound("gan", lambda x: x[:, 0], P, Q)


def test_a_simultaneous_step_grows_by_the_root_of_1_plus_h2_and_an_alternating_one_keeps_areas():
    lr = 0.1
    radius = dirac.path(dirac.simultaneous_step, steps=50, lr=lr).norm(dim=1)
    torch.testing.assert_close(radius, (1 + lr**2) ** (torch.arange(51, dtype=torch.float64) / 2))
    assert torch.linalg.det(dirac.step_matrix(dirac.alternating_step, lr=lr)).item() == pytest.approx(1, abs=1e-15)
    eigenvalues = torch.linalg.eigvals(dirac.step_matrix(dirac.alternating_step, lr=lr))
    assert eigenvalues.abs().tolist() == pytest.approx([1, 1], abs=1e-12)
    inward = torch.linalg.eigvals(dirac.step_matrix(dirac.simultaneous_step, lr=lr, gamma=1.0)).abs()
    assert (inward < 1).all()


def test_a_trained_discriminator_comes_within_0_05_of_the_best():
    """Logistic loss on samples alone; mean distance to p/(p + q) over points of both kinds."""
    from course_lib.losses import value
    from course_lib.training.game2d import Scores

    torch.manual_seed(0)
    network, draw = Scores(dim=1), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / 600)
        loss = -value(network(P.sample(512, draw)), network(Q.sample(512, draw)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    points = torch.cat([P.sample(2000, draw), Q.sample(2000, draw)]).double()
    with torch.no_grad():
        found = network(points.float()).sigmoid().double()
    assert (found - oracle.optimal_logits(P, Q, points).sigmoid()).abs().mean() < 0.05
