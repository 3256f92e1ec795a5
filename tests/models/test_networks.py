"""Shapes, parameter counts against arithmetic, initial weights, and errors that name what came."""

import pytest
import torch
from torch import nn

from course_lib.exercises.ch02.counting import parameter_count
from course_lib.models import dcgan, mlp
from course_lib.models.classifier import Classifier


def learned(network):
    return sum(p.numel() for p in network.parameters())


def test_the_papers_64_px_counts():
    assert learned(dcgan.Generator()) == 3_576_704 and learned(dcgan.Discriminator()) == 2_765_568


@pytest.mark.parametrize(
    ("latent_dim", "width", "channels", "size"), [(100, 32, 1, 32), (7, 4, 2, 8), (5, 2, 3, 128), (3, 8, 1, 16)]
)
def test_counts_by_arithmetic_and_shapes_at_any_power_of_two(latent_dim, width, channels, size):
    g, d = dcgan.Generator(latent_dim, width, channels, size), dcgan.Discriminator(width, channels, size)
    assert (learned(g), learned(d)) == parameter_count(latent_dim, width, channels, size)
    images = g(torch.randn(2, latent_dim))
    assert images.shape == (2, channels, size, size) and images.abs().max() <= 1
    assert d(images).shape == (2,)


@pytest.mark.parametrize("size", [4, 24, 33, 0, -8, 32.0])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match="size: expected a power of two from 8 up"):
        dcgan.Generator(size=size)


def test_the_lessons_layers_at_any_size():
    g, d = mlp.Generator(channels=3, size=9), mlp.Discriminator(channels=3, size=9)
    assert g(torch.randn(2, 100)).shape == (2, 3, 9, 9) and d(torch.zeros(5, 3, 9, 9)).shape == (5,)
    assert [m.out_features for m in mlp.Generator().modules() if isinstance(m, nn.Linear)] == [128, 256, 512, 1024, 784]


@pytest.mark.parametrize(
    "pair",
    [
        (mlp.Generator(), mlp.Discriminator()),
        (dcgan.Generator(channels=1, size=32), dcgan.Discriminator(channels=1, size=32)),
    ],
    ids=["mlp", "dcgan"],
)
def test_wrong_input_is_named(pair):
    g, d = pair
    with pytest.raises(ValueError, match=r"z: expected \(N, 100\) floating point, got \(2, 64\)"):
        g(torch.randn(2, 64))
    with pytest.raises(ValueError, match=r"z: expected \(N, 100\).*torch.int64"):
        g(torch.zeros(2, 100, dtype=torch.long))
    with pytest.raises(ValueError, match=r"images: expected \(N, 1, \d+, \d+\), got \(2, 3, 8, 8\)"):
        d(torch.zeros(2, 3, 8, 8))
    size = 28 if isinstance(d, mlp.Discriminator) else 32
    with pytest.raises(ValueError, match="got torch.uint8; data.to_float converts"):
        d(torch.zeros(2, 1, size, size, dtype=torch.uint8))


def test_initial_weights_follow_the_paper():
    g = dcgan.Generator(width=64, size=64)
    convolutions = torch.cat([m.weight.flatten() for m in g.modules() if isinstance(m, nn.ConvTranspose2d)])
    assert convolutions.std().item() == pytest.approx(0.02, rel=0.01) and abs(convolutions.mean().item()) < 1e-4
    norms = [m for m in g.modules() if isinstance(m, nn.BatchNorm2d)]
    scales = torch.cat([m.weight for m in norms])
    assert scales.mean().item() == pytest.approx(1, abs=0.005) and scales.std().item() == pytest.approx(0.02, rel=0.15)
    assert all((m.bias == 0).all() for m in norms)


def test_no_batchnorm_at_the_generators_output_and_the_discriminators_input():
    g, d = dcgan.Generator(size=32), dcgan.Discriminator(size=32)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in g.blocks[-1].modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in d.blocks[0].modules())


def test_without_batchnorm_the_discriminator_judges_each_image_by_itself():
    torch.manual_seed(0)
    normed, bare = dcgan.Discriminator(8, 1, 32), dcgan.Discriminator(8, 1, 32, batch_norm=False)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in bare.modules())
    images = torch.randn(6, 1, 32, 32)
    crowd = torch.cat([images[:1], 3 * images[1:]])
    assert torch.allclose(bare(images)[0], bare(crowd)[0]) and not torch.allclose(normed(images)[0], normed(crowd)[0])
    biases = [m.bias for m in bare.modules() if isinstance(m, nn.Conv2d) and m.bias is not None]
    assert len(biases) == 2 and all((bias == 0).all() for bias in biases)  # where BatchNorm's shifts would be
    weights = [sum(m.weight.numel() for m in d.modules() if isinstance(m, nn.Conv2d)) for d in (normed, bare)]
    assert weights[0] == weights[1]


def test_batchnorm_of_the_fully_connected_pair_can_be_switched_and_couples_what_it_normalises():
    plain, normed = mlp.Discriminator(width=8), mlp.Discriminator(width=8, batch_norm=True)
    count = [sum(isinstance(m, nn.BatchNorm1d) for m in network.modules()) for network in (plain, normed)]
    assert count == [0, 2]
    images = torch.randn(6, 1, 28, 28)
    crowd = torch.cat([images[:1], 3 * images[1:]])
    assert torch.allclose(plain(images)[0], plain(crowd)[0]) and not torch.allclose(normed(images)[0], normed(crowd)[0])
    assert not any(isinstance(m, nn.BatchNorm1d) for m in mlp.Generator(width=8, batch_norm=False).modules())
    assert sum(isinstance(m, nn.BatchNorm1d) for m in mlp.Generator(width=8).modules()) == 3


def test_logits_not_probabilities():
    d = dcgan.Discriminator(width=8, channels=1, size=16)
    assert (d(10 * torch.randn(64, 1, 16, 16)) < 0).any()


def test_the_classifier_gives_features_and_logits():
    network = Classifier().eval()
    images = torch.rand(3, 1, 28, 28) * 2 - 1
    assert network.features(images).shape == (3, 64) and torch.equal(
        network.head(network.features(images)), network(images)
    )
    with pytest.raises(ValueError, match="images: expected"):
        network(torch.zeros(3, 1, 32, 32))
