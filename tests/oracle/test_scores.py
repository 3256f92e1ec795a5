"""Scores: exact against autograd, learned against exact, and what Langevin sampling does with them."""

import math

import pytest
import torch

from course_lib import oracle
from course_lib.data import mixtures
from course_lib.oracle import scores

TWO = mixtures.mixture([[-4.0, -4.0], [4.0, 4.0]], stds=[1.0, 0.5], weights=[0.2, 0.8])


def generator(seed):
    return torch.Generator().manual_seed(seed)


def start(count=1000):
    return 16 * torch.rand(count, 2, generator=generator(0)) - 8


def test_the_score_is_the_gradient_of_the_log_density():
    x = TWO.sample(200).double().requires_grad_(True)
    (want,) = torch.autograd.grad(TWO.log_prob(x).sum(), x)
    torch.testing.assert_close(scores.score(TWO, x), want)


def test_the_score_of_one_normal_points_home():
    p = mixtures.mixture([[1.0, 2.0]], stds=3.0)
    x = torch.tensor([[4.0, 2.0], [1.0, -7.0]], dtype=torch.float64)
    torch.testing.assert_close(scores.score(p, x), torch.tensor([[-1 / 3, 0.0], [0.0, 1.0]], dtype=torch.float64))


def test_what_reaches_a_generator_through_the_best_discriminator_is_a_difference_of_scores():
    model = mixtures.mixture([[1.0, -1.0], [2.0, 3.0]], stds=1.5)
    x = model.sample(300, generator(8)).double().requires_grad_(True)
    (arriving,) = torch.autograd.grad(oracle.optimal_logits(TWO, model, x).sum(), x)
    want = scores.score(TWO, x.detach()) - scores.score(model, x.detach())
    torch.testing.assert_close(arriving, want, atol=1e-10, rtol=1e-10)


def test_noise_adds_variances():
    wide = scores.noised(TWO, 2.0)
    torch.testing.assert_close(wide.stds, torch.tensor([5.0, 4.25], dtype=torch.float64).sqrt())
    x = TWO.sample(200_000, generator(1)) + 2 * torch.randn(200_000, 2, generator=generator(2))
    torch.testing.assert_close(
        torch.cov(x.double().T), torch.cov(wide.sample(200_000, generator(3)).double().T), rtol=0.02, atol=0.02
    )


def test_denoising_is_least_at_the_score_of_the_noised_data():
    """Vincent's identity: the loss exceeds that of the exact score by ½E‖std·(s − exact)‖², whatever s is."""
    points = TWO.sample(200_000, generator(4)).double()
    std = torch.full((len(points),), 1.5, dtype=torch.float64)
    noise = torch.randn(points.shape, generator=generator(5), dtype=torch.float64)
    wide = scores.noised(TWO, 1.5)
    exact = lambda x, _: scores.score(wide, x)  # noqa: E731
    other = lambda x, _: 0.8 * scores.score(wide, x) + 0.1  # noqa: E731
    losses = [scores.denoising_loss(each, points, std, noise).item() for each in (exact, other)]
    x = points + 1.5 * noise
    apart = 0.5 * (1.5 * (other(x, None) - exact(x, None))).square().sum(1).mean().item()
    assert losses[1] - losses[0] == pytest.approx(apart, rel=0.05) and apart > 0.01


def test_a_network_trained_on_samples_alone_comes_near_the_exact_score():
    sizes = scores.noise_sizes(6, 0.3, 6)
    network = scores.fit_score(TWO.sample(4000, generator(6)), sizes, steps=400, width=64)
    for std in (sizes[0], sizes[2], sizes[-1]):
        p = scores.noised(TWO, std)
        x = p.sample(2000, generator(7))
        want = scores.score(p, x)
        wrong = (network(x, torch.full((2000,), std)) - want).square().sum() / want.square().sum()
        assert wrong < 0.1, std


def test_plain_langevin_forgets_the_shares_and_annealing_brings_them_back():
    share = lambda x: (x.sum(1) > 0).double().mean().item()  # noqa: E731
    p = mixtures.mixture(TWO.means, stds=1.0, weights=[0.2, 0.8])  # equally wide, so the watershed lies half-way
    plain = scores.langevin(lambda x, _: scores.score(p, x), start(), [1.0], steps=500, generator=generator(1))
    annealed = scores.langevin(
        lambda x, std: scores.score(scores.noised(p, std), x),
        start(),
        scores.noise_sizes(10, 0.1, 12),
        steps=60,
        generator=generator(1),
    )
    assert abs(share(plain) - 0.5) < 0.06, "half of the starting points lie on each side, and there they stay"
    assert abs(share(annealed) - 0.8) < 0.06
    for x in (plain, annealed):
        assert torch.cdist(x.double(), p.means).amin(1).median() < 1.5


def test_langevin_keeps_the_distribution_whose_score_it_follows():
    p = mixtures.mixture([[0.0, 0.0]], stds=2.0)
    x = scores.langevin(
        lambda x, _: scores.score(p, x),
        p.sample(5000, generator(1)),
        [2.0],
        steps=100,
        step_size=0.05,
        generator=generator(2),
    )
    torch.testing.assert_close(x.std(0), torch.tensor([2.0, 2.0]), atol=0.08, rtol=0)


def test_noise_sizes_are_a_geometric_row():
    found = scores.noise_sizes(8, 1, 4)
    assert found == pytest.approx([8, 4, 2, 1]) and math.isclose(found[0], 8)
    with pytest.raises(ValueError, match="largest > smallest > 0 and count ≥ 2, got 1, 8, 4"):
        scores.noise_sizes(1, 8, 4)
    with pytest.raises(ValueError, match="std: expected 0 or more, got -1"):
        scores.noised(TWO, -1)
