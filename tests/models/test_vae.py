"""Autoencoder and VAE: shapes, what comes out at the borders, and what they refuse."""

import pytest
import torch

from course_lib import bounds, data, zoo
from course_lib.models.vae import VAE, AutoEncoder


def photographs(count=4):
    return data.to_float(data.load("fashion-mnist", "test").pixels[:count])


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (32, 3)])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_shapes_and_ranges(size, channels, likelihood):
    torch.manual_seed(0)
    vae = VAE(5, 4, channels, size, likelihood)
    images = torch.rand(3, channels, size, size) * 2 - 1
    mean, log_variance = vae.encode(images)
    assert mean.shape == log_variance.shape == (3, 5)
    assert vae(mean).shape == vae.reconstruct(images).shape == vae.decode(mean).shape == images.shape
    assert vae(10 * mean).abs().max() <= 1
    log_likelihood, kl = vae.terms(images, torch.randn(3, 5))
    assert log_likelihood.shape == (3,) and kl.shape == (3, 5)
    code = AutoEncoder(5, 4, channels, size, likelihood).encode(images)
    assert code.shape == (3, 5)


def test_terms_are_the_library_s_at_the_draw():
    torch.manual_seed(0)
    vae, images, noise = VAE(3, 4), photographs(), torch.randn(4, 3)
    mean, log_variance = vae.encode(images)
    logits = vae.decode(bounds.reparameterise(mean, log_variance, noise))
    log_likelihood, kl = vae.terms(images, noise)
    torch.testing.assert_close(log_likelihood, bounds.bernoulli_log_likelihood(logits, images))
    torch.testing.assert_close(kl, bounds.gaussian_kl(mean, log_variance))
    torch.testing.assert_close(vae(mean), 2 * vae.decode(mean).sigmoid() - 1)


def test_an_autoencoder_pays_nothing_and_draws_nothing():
    torch.manual_seed(0)
    network, images = AutoEncoder(3, 4), photographs()
    log_likelihood, kl = network.terms(images, torch.randn(4, 3))
    assert (kl == 0).all() and torch.equal(log_likelihood, network.terms(images)[0])


def test_the_border_inside_is_no_part_of_the_likelihood():
    """784 pixels, not 1,024: an undecided decoder pays 784·log 2."""
    vae = VAE(2, 4)
    for part in vae.decoder[-1].parameters():
        part.data.zero_()
    found = vae.terms(photographs(), torch.zeros(4, 2))[0]
    torch.testing.assert_close(found, torch.full((4,), -784 * torch.tensor(2.0).log().item()))


def test_it_is_a_generator_for_the_rest_of_the_course():
    images = zoo.sample(VAE(7, 4), 5)
    assert images.shape == (5, 1, 28, 28)
    data.to_uint8(images)  # within [−1, 1]


def test_what_does_not_fit_is_named():
    vae = VAE(2, 4)
    with pytest.raises(ValueError, match=r"z: expected \(N, 2\) floating point, got \(3, 5\)"):
        vae.decode(torch.zeros(3, 5))
    with pytest.raises(ValueError, match=r"z: expected \(N, 2\) floating point, got \(4, 3\)"):
        vae.terms(photographs(), torch.zeros(4, 3))
    with pytest.raises(ValueError, match=r"images: expected \(N, 1, 28, 28\), got \(4, 1, 32, 32\)"):
        vae.encode(torch.zeros(4, 1, 32, 32))
    with pytest.raises(ValueError, match=r"images: expected float in \[-1, 1\], got torch.uint8"):
        vae.encode(torch.zeros(4, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"images: expected values in \[-1, 1\] for this likelihood, got \[0, 255\]"):
        vae.terms((photographs() + 1) * 127.5, torch.zeros(4, 2))
    for options, said in (
        ({"latent_dim": 0}, "latent_dim: expected a whole number from 1 up, got 0"),
        ({"size": 4}, "size: expected a whole number from 8 up, got 4"),
        ({"std": 0.0}, "std: expected a positive number, got 0.0"),
        ({"likelihood": "gausian"}, "likelihood: .*did you mean 'gaussian'"),
    ):
        with pytest.raises(ValueError, match=said):
            VAE(**options)
