"""Overlap of posteriors: closed forms where all are alike or all apart, and the same numbers by plain densities."""

import pytest
import torch

from course_lib import bounds
from course_lib.latent.overlap import active_dimensions, posterior_shares, sharers


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_shares_are_normalised_densities():
    z, mean, log_variance = draw(5, 3), draw(40, 3, seed=1), draw(40, 3, seed=2)
    plain = torch.stack([bounds.log_normal(each, mean, log_variance) for each in z])
    torch.testing.assert_close(posterior_shares(z, mean, log_variance), plain.softmax(1))


def test_equal_posteriors_are_shared_by_all_and_far_ones_by_nobody():
    zeros = torch.zeros(50, 2)
    assert sharers(posterior_shares(draw(3, 2), zeros, zeros)) == pytest.approx([50.0] * 3)
    apart = 100.0 * torch.arange(50)[:, None].repeat(1, 2)
    assert sharers(posterior_shares(apart[:3], apart, zeros)) == pytest.approx([1.0] * 3)


def test_two_posteriors_half_way_between_them_are_shared_by_two():
    mean = torch.tensor([[-1.0], [1.0], [50.0]])
    shares = posterior_shares(torch.tensor([[0.0]]), mean, torch.zeros(3, 1))
    assert shares[0].tolist() == pytest.approx([0.5, 0.5, 0.0]) and sharers(shares).item() == pytest.approx(2)


def test_wider_posteriors_overlap_more():
    mean = draw(200, 2)
    found = [sharers(posterior_shares(mean, mean, torch.full((200, 2), size))).mean() for size in (-6.0, -3.0, 0.0)]
    assert found[0] < found[1] < found[2]


def test_the_mean_image_under_the_shares_is_the_best_answer_of_any_decoder():
    """Of all images that could be decoded at z, the shares' mean has the least expected squared error and surprise."""
    images, mean = draw(30, 1, 2, 2, seed=4).tanh(), draw(30, 2, seed=5)
    shares = posterior_shares(draw(1, 2, seed=6), mean, torch.zeros(30, 2))[0]
    best = (shares[:, None, None, None] * images).sum(0, keepdim=True)
    logits = ((1 + best) / (1 - best)).log()  # p = (x + 1)/2

    def surprise(each):
        return -(shares * bounds.bernoulli_log_likelihood(each.expand_as(images), images)).sum()

    for seed in range(5):
        assert surprise(logits) < surprise(logits + 0.2 * draw(1, 1, 2, 2, seed=seed))


def test_dimensions_in_use():
    mean = draw(500, 4) * torch.tensor([1.0, 0.5, 0.01, 0.0])
    assert active_dimensions(mean) == 2
    with pytest.raises(ValueError, match=r"expected \(M, d\), \(N, d\), \(N, d\), got \(3, 2\), \(5, 3\), \(5, 3\)"):
        posterior_shares(draw(3, 2), draw(5, 3), draw(5, 3))
