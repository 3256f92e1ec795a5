"""Probabilistic PCA: where evidence, posterior and gap are exact, the ELBO must lose exactly KL(q‖posterior)."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from course_lib import bounds, metrics
from course_lib.oracle import ppca


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def model():
    return ppca.PPCA(draw(6, 2), draw(6, seed=1), 0.5)


def covariance(seed, d=2):
    root = draw(d, d, seed=seed)
    return root @ root.T + 0.1 * torch.eye(d, dtype=torch.float64)


@pytest.mark.parametrize("seed", range(5))
def test_the_gap_between_elbo_and_evidence_is_kl_of_q_from_the_posterior_for_any_q(model, seed):
    x = model.sample(20, torch.Generator().manual_seed(seed))
    mean_q, cov_q = 2 * draw(20, 2, seed=seed + 10), covariance(seed + 20)
    mean, cov = model.posterior(x)
    gap = model.evidence(x) - model.elbo(x, mean_q, cov_q)
    want = torch.stack([metrics.gaussian_kl(mean_q[row], cov_q, mean[row], cov) for row in range(20)])
    torch.testing.assert_close(gap, want, atol=1e-10, rtol=1e-12)
    assert (gap > 0).all()


def test_with_the_posterior_as_q_nothing_is_lost(model):
    x = model.sample(50)
    mean, cov = model.posterior(x)
    torch.testing.assert_close(model.elbo(x, mean, cov), model.evidence(x), atol=1e-10, rtol=0)
    many = cov.expand(50, 2, 2)
    torch.testing.assert_close(model.elbo(x, mean, many), model.evidence(x), atol=1e-10, rtol=0)


def test_evidence_and_posterior_against_integration():
    """One latent dimension: Σ p(x|z)p(z) over a fine grid, and its mean and variance."""
    model = ppca.PPCA(draw(3, 1), draw(3, seed=1), 0.7)
    x = model.sample(4)
    z = torch.linspace(-12, 12, 20_001, dtype=torch.float64)[:, None, None].expand(-1, 4, 1)
    joint = model.log_joint(x, z)  # (M, 4)
    step = 24 / 20_000
    torch.testing.assert_close(joint.logsumexp(0) + math.log(step), model.evidence(x), atol=1e-10, rtol=0)
    share = joint.softmax(0)
    mean, cov = model.posterior(x)
    torch.testing.assert_close((share * z[..., 0]).sum(0), mean[:, 0], atol=1e-10, rtol=0)
    second = (share * z[..., 0].square()).sum(0) - mean[:, 0].square()
    torch.testing.assert_close(second, cov[0, 0].expand(4), atol=1e-10, rtol=0)


def test_elbo_in_closed_form_against_draws(model):
    x, mean_q, cov_q = model.sample(5), draw(5, 2, seed=4), covariance(7)
    q = MultivariateNormal(mean_q, cov_q)
    torch.manual_seed(0)
    z = q.sample((40_000,))
    found = model.log_joint(x, z) - q.log_prob(z)
    error = found.std(0) / 200
    assert ((found.mean(0) - model.elbo(x, mean_q, cov_q)).abs() < 4 * error).all()


def test_importance_weights_close_the_gap_from_below(model):
    """ELBO ≤ L₅ ≤ L₅₀ ≤ log p(x), within four standard errors of means over 400 points and 200 groups of draws."""
    x = model.sample(400)
    mean, cov = model.posterior(x)
    mean_q, log_variance = mean + 0.5, (2 * cov.diagonal()).log().expand(400, 2)
    z = bounds.reparameterise(mean_q, log_variance, draw(1000, 400, 2, seed=5))
    log_weights = model.log_joint(x, z) - bounds.log_normal(z, mean_q, log_variance)
    exact = model.elbo(x, mean_q, log_variance[0].exp().diag())
    evidence = model.evidence(x)
    levels = [exact, *(bounds.in_groups(log_weights, k) for k in (5, 50)), evidence]
    for low, high in zip(levels, levels[1:]):
        above, error = bounds.mean_and_error(high - low)
        assert above > 4 * error
    gaps = [(evidence - level).mean().item() for level in levels[:3]]
    assert gaps[1] < 0.5 * gaps[0] and gaps[2] < 0.5 * gaps[1]


def test_fitting_finds_the_model_that_drew_the_points(model):
    fitted = ppca.fit(model.sample(100_000), 2)
    torch.testing.assert_close(fitted.mean, model.mean, atol=0.03, rtol=0)
    assert fitted.std == pytest.approx(model.std, abs=0.005)
    torch.testing.assert_close(fitted.weights @ fitted.weights.T, model.weights @ model.weights.T, atol=0.1, rtol=0)


def test_no_other_model_is_more_likely_than_the_fitted_one(model):
    x = model.sample(500)
    fitted = ppca.fit(x, 2)
    best = fitted.evidence(x).mean()
    for seed in range(5):
        other = ppca.PPCA(fitted.weights + 0.05 * draw(6, 2, seed=seed), fitted.mean, fitted.std * 1.02)
        assert other.evidence(x).mean() < best
    assert model.evidence(x).mean() < best


def test_bad_input_is_named(model):
    x = model.sample(3)
    with pytest.raises(ValueError, match=r"x: expected \(N, 6\) float64, got \(3, 5\)"):
        model.evidence(x[:, :5])
    with pytest.raises(ValueError, match=r"x: expected \(N, 6\) float64, got \(3, 6\) torch.float32"):
        model.posterior(x.float())
    with pytest.raises(ValueError, match=r"mean_q, cov_q: expected \(3, 2\) and"):
        model.elbo(x, draw(3, 4), covariance(1))
    with pytest.raises(ValueError, match="cov_q: expected symmetric, positive definite"):
        model.elbo(x, draw(3, 2), -torch.eye(2, dtype=torch.float64))
    with pytest.raises(ValueError, match="std: expected a positive number, got 0"):
        ppca.PPCA(draw(6, 2), draw(6), 0)
    with pytest.raises(ValueError, match="expected points off every 2-dimensional plane"):
        ppca.fit(draw(50, 2) @ draw(2, 6), 2)
    with pytest.raises(ValueError, match=r"x: expected \(N, D\) float64 with N > D > 6"):
        ppca.fit(x, 6)
