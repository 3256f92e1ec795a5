"""The evidence of a VAE with two latent dimensions by a grid, and the bounds beneath it on a trained network."""

import pytest
import torch

from course_lib import bounds, data, zoo
from course_lib.models.vae import VAE
from course_lib.oracle import plane


@pytest.fixture(scope="module")
def photographs():
    return data.to_float(data.load("fashion-mnist", "test").pixels[:100])


@pytest.fixture(scope="module")
def trained():
    return zoo.load("vae-fashion-2d")[0]


@pytest.fixture(scope="module")
def evidence(trained, photographs):
    return plane.evidence(trained, photographs, spacing=0.05)


def test_a_decoder_that_ignores_z_has_its_likelihood_as_evidence(photographs):
    torch.manual_seed(0)
    vae = VAE(2, 4)
    for part in vae.decoder[0].parameters():
        part.data.zero_()
    want = vae.log_likelihood(torch.zeros(3, 2), photographs[:3]).double()
    torch.testing.assert_close(plane.evidence(vae, photographs[:3], spacing=0.2), want, atol=1e-4, rtol=0)


def test_it_is_the_mean_of_likelihoods_over_the_prior(photographs):
    """Plain Monte Carlo agrees where it can: an untrained decoder, whose likelihood is broad in z."""
    torch.manual_seed(0)
    vae = VAE(2, 4, size=8)
    images = photographs[:4, :, 6:22:2, 6:22:2].contiguous()
    z = torch.randn(20_000, 2)
    with torch.no_grad():
        plain = torch.stack([vae.log_likelihood(z, each.expand(len(z), 1, 8, 8)).logsumexp(0) for each in images])
    want = plain.double() - torch.tensor(len(z), dtype=torch.float64).log()
    torch.testing.assert_close(plane.evidence(vae, images, spacing=0.1), want, atol=0.02, rtol=0)


def test_a_finer_grid_changes_nothing(trained, photographs, evidence):
    finer = plane.evidence(trained, photographs[:20], spacing=0.035)
    assert (finer - evidence[:20]).abs().max() < 0.05 and abs((finer - evidence[:20]).mean()) < 0.005


def test_on_a_trained_network_the_bounds_rise_towards_the_evidence(trained, photographs, evidence):
    """ELBO ≤ L₅ ≤ L₅₀ ≤ log p(x): each step positive by two standard errors over 100 photographs."""
    found = bounds.of_images(trained, photographs, draws=50)
    levels = [found.elbo.double(), found.weighted[5], found.weighted[50], evidence]
    for low, high in zip(levels, levels[1:]):
        above, error = bounds.mean_and_error(high - low)
        assert above > 2 * error
    assert (found.weighted[50] > evidence).any(), "a bound in expectation: a single estimate may lie above"


def test_what_does_not_fit_is_named(trained, photographs):
    with pytest.raises(ValueError, match="vae: expected latent_dim 2 and a bernoulli likelihood, got 3 and bernoulli"):
        plane.evidence(VAE(3, 4), photographs)
    with pytest.raises(ValueError, match="got 2 and gaussian"):
        plane.evidence(VAE(2, 4, likelihood="gaussian"), photographs)
    with pytest.raises(ValueError, match="spacing: expected between 0 and reach = 5.0, got 7"):
        plane.evidence(trained, photographs, spacing=7)
    with pytest.raises(ValueError, match=r"images: expected values in \[-1, 1\]"):
        plane.evidence(trained, photographs * 2)
