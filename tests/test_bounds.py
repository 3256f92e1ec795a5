"""Bounds on log p(x): closed forms first, then torch's own distributions, then what must hold in order."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from course_lib import bounds, metrics
from course_lib.models.vae import VAE


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pictures(count=6, size=8, seed=3):
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_gaussian_kl_in_closed_form():
    """N(3, 1) costs 4.5 nats against N(0, 1), N(0, 4) ½(3 − log 4), the prior itself 0."""
    mean, log_variance = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([[0.0, math.log(4), 0.0]])
    want = torch.tensor([[4.5, 0.5 * (3 - math.log(4)), 0.0]])
    torch.testing.assert_close(bounds.gaussian_kl(mean, log_variance), want)


def test_gaussian_kl_against_torch_and_the_formula_with_matrices():
    mean, log_variance = draw(50, 4), draw(50, 4, seed=1)
    found = bounds.gaussian_kl(mean, log_variance)
    torch.testing.assert_close(
        found, kl_divergence(Normal(mean, log_variance.mul(0.5).exp()), Normal(torch.zeros(4).double(), 1.0))
    )
    none, eye = torch.zeros(4).double(), torch.eye(4).double()
    for row in range(3):
        want = metrics.gaussian_kl(mean[row], log_variance[row].exp().diag(), none, eye)
        torch.testing.assert_close(found[row].sum(), want)
    assert (found >= 0).all()


def test_reparameterised_draws_have_the_moments_they_should_and_pass_gradients_on():
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(9.0)]])
    z = bounds.reparameterise(mean, log_variance, draw(200_000, 1, 2).float())[:, 0]
    torch.testing.assert_close(z.mean(0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 3.0]), atol=0.03, rtol=0)
    log_variance.requires_grad_(True)
    bounds.reparameterise(mean, log_variance, torch.full((1, 2), 2.0)).sum().backward()
    torch.testing.assert_close(log_variance.grad, torch.tensor([[1.0, 3.0]]))  # ½·σ·ε


def test_likelihoods_are_sums_over_pixels_as_torch_has_them():
    images, parameters = pictures(), draw(6, 1, 8, 8).float()
    black_and_white = torch.where(images > 0, 1.0, -1.0)
    want = Bernoulli(logits=parameters).log_prob((black_and_white + 1) / 2).flatten(1).sum(1)
    torch.testing.assert_close(bounds.bernoulli_log_likelihood(parameters, black_and_white), want)
    want = Normal(parameters, 0.3).log_prob(images).flatten(1).sum(1)
    torch.testing.assert_close(bounds.gaussian_log_likelihood(parameters, images, 0.3), want)


def test_grey_levels_have_the_mean_log_probability_of_their_random_black_and_white_pictures():
    images, logits = pictures(2, 4), draw(2, 1, 4, 4).float()
    noise = torch.rand(20_000, 1, 2, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    white = torch.where(noise[:, 0] < (images + 1) / 2, 1.0, -1.0)
    found = torch.stack([bounds.bernoulli_log_likelihood(logits, each) for each in white])
    error = found.std(0) / math.sqrt(len(found))
    assert ((bounds.bernoulli_log_likelihood(logits, images) - found.mean(0)).abs() < 4 * error).all()


def test_binarised_pictures_are_white_as_often_as_they_are_bright():
    images = torch.tensor([-1.0, -0.5, 0.0, 1.0]).expand(20_000, 4)
    found = bounds.binarise(images, torch.rand(images.shape, generator=torch.Generator().manual_seed(0)))
    assert set(found.unique().tolist()) == {-1.0, 1.0} and found.dtype == images.dtype
    torch.testing.assert_close((found > 0).float().mean(0), torch.tensor([0.0, 0.25, 0.5, 1.0]), atol=0.012, rtol=0)
    assert (found[:, 0] == -1).all() and (found[:, 3] == 1).all()


def test_halving_the_unit_adds_log_2_for_each_pixel():
    images, means = pictures(), draw(6, 1, 8, 8).float().tanh()
    one = bounds.gaussian_log_likelihood(means, images, 0.3)
    half = bounds.gaussian_log_likelihood(means / 2, images / 2, 0.15)
    torch.testing.assert_close(half - one, torch.full((6,), 64 * math.log(2)))


def test_elbo_is_likelihood_less_beta_times_the_summed_kl():
    likelihood, kl = torch.tensor([-10.0, -20.0]), torch.tensor([[1.0, 2.0], [0.0, 0.5]])
    torch.testing.assert_close(bounds.elbo(likelihood, kl), torch.tensor([-13.0, -20.5]))
    torch.testing.assert_close(bounds.elbo(likelihood, kl, 4.0), torch.tensor([-22.0, -22.0]))


def test_means_over_pixels_and_dimensions_hide_another_beta():
    """784·(mean squared error + 0.1·mean KL) of 784 pixels and 20 dimensions is −ELBO at σ² = ½ and β = 3.92, plus a constant."""
    images, means = pictures(5, 28), draw(5, 1, 28, 28).float().tanh()
    kl = draw(5, 20, seed=1).float().square()
    naive = 784 * ((means - images).square().mean() + 0.1 * kl.mean())
    minus_elbo = -bounds.elbo(bounds.gaussian_log_likelihood(means, images, math.sqrt(0.5)), kl, 3.92).mean()
    constant = 784 * 0.5 * math.log(math.pi)  # log σ + ½ log 2π at σ² = ½
    torch.testing.assert_close(naive, minus_elbo - constant)


@pytest.mark.parametrize("beta", [0.25, 4.0])
def test_beta_is_another_noise_in_the_pixels(beta):
    """β with deviation σ is β times the ELBO with deviation σ√β, up to a constant: the same best networks."""
    images, kl = pictures(5), draw(5, 3, seed=1).float().square()
    apart = []
    for seed in range(2):  # two decoders: the constant is the same for both
        means = draw(5, 1, 8, 8, seed=seed).float().tanh()
        one = bounds.elbo(bounds.gaussian_log_likelihood(means, images, 0.3), kl, beta)
        other = bounds.elbo(bounds.gaussian_log_likelihood(means, images, 0.3 * math.sqrt(beta)), kl)
        apart.append(one - beta * other)
    torch.testing.assert_close(*apart, atol=5e-3, rtol=0)


def test_importance_weighted_of_weights_1_and_3_is_log_2_at_any_scale():
    weights = torch.tensor([[0.0], [math.log(3.0)]])
    torch.testing.assert_close(bounds.importance_weighted(weights), torch.tensor([math.log(2.0)]))
    torch.testing.assert_close(bounds.importance_weighted(weights - 1000), torch.tensor([math.log(2.0) - 1000]))


def test_groups_from_the_same_draws_are_in_order_for_every_image():
    weights = 5 * draw(50, 200)
    found = [bounds.in_groups(weights, k) for k in (1, 5, 10, 50)]
    torch.testing.assert_close(found[0], weights.mean(0))
    torch.testing.assert_close(found[-1], bounds.importance_weighted(weights))
    assert all((small <= large + 1e-12).all() for small, large in zip(found, found[1:]))


def test_bounds_of_images_are_what_their_parts_say():
    torch.manual_seed(0)
    vae, images = VAE(3, 2, size=8), pictures(7)
    found = bounds.of_images(vae, images, draws=10, ks=(1, 5, 10), batch_size=7)
    kl = bounds.gaussian_kl(*vae.encode(images)).detach()
    torch.testing.assert_close(found.kl, kl)
    torch.testing.assert_close(found.elbo, found.log_likelihood - kl.sum(1))
    assert (found.weighted[1] <= found.weighted[5]).all() and (found.weighted[5] <= found.weighted[10]).all()
    assert (found.weighted[1] - found.elbo).abs().max() < 5  # two estimates of the same from ten draws
    again = bounds.of_images(vae, images, draws=10, ks=(1, 5, 10), batch_size=7)
    assert torch.equal(found.elbo, again.elbo) and not torch.equal(
        found.elbo, bounds.of_images(vae, images, draws=10, ks=(10,), batch_size=7, seed=1).elbo
    )


@pytest.mark.parametrize(
    "likelihood", [bounds.bernoulli_log_likelihood, lambda a, b: bounds.gaussian_log_likelihood(a, b, 1.0)]
)
@pytest.mark.parametrize("wrong", [127.5, float("nan")])
def test_images_of_another_range_do_not_fit_the_likelihood(likelihood, wrong):
    images = pictures()
    images[2, 0, 3, 3] = wrong
    with pytest.raises(ValueError, match=r"images: expected values in \[-1, 1\] for this likelihood, got \["):
        likelihood(torch.zeros_like(images), images)


def test_other_bad_input_is_named():
    images, kl = pictures(), torch.zeros(6, 2)
    with pytest.raises(ValueError, match=r"logits: expected \(6, 1, 8, 8\) like images, got \(6, 64\)"):
        bounds.bernoulli_log_likelihood(torch.zeros(6, 64), images)
    with pytest.raises(ValueError, match="std: expected a positive number, got 0"):
        bounds.gaussian_log_likelihood(torch.zeros_like(images), images, 0)
    with pytest.raises(ValueError, match="beta: expected 0 or more, got -1"):
        bounds.elbo(torch.zeros(6), kl, -1)
    with pytest.raises(ValueError, match=r"kl: expected \(N, d\) beside log_likelihood \(N,\), got \(6,\) and \(6,\)"):
        bounds.elbo(torch.zeros(6), kl[:, 0])
    with pytest.raises(ValueError, match="k: expected a divisor of the 6 draws, got 4"):
        bounds.in_groups(torch.zeros(6, 2), 4)
    with pytest.raises(ValueError, match="ks: expected divisors of draws = 10, got 3"):
        bounds.of_images(VAE(2, 2, size=8), images, draws=10, ks=(3,))
