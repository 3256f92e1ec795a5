"""The residual pair: shapes, what it starts as, what bounds it, and projection against its formula."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib import penalties
from course_lib.losses import LOSSES
from course_lib.models.residual import SLOPE, Block, Discriminator, Generator, GrowingDiscriminator


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("options", [{}, {"classes": 3}])
def test_shapes_at_every_size(size, options):
    g, d = Generator(5, 2, 3, size, **options), Discriminator(2, 3, size, **options)
    labels = torch.tensor([0, 2]) if options else None
    fake = g(torch.randn(2, 5), labels)
    assert fake.shape == (2, 3, size, size) and fake.abs().max() <= 1 and d(fake, labels).shape == (2,)


@pytest.mark.parametrize("size", [16, 32])
def test_patches_of_four_pixels(size):
    g, d = Generator(5, 8, 1, size, patch=2), Discriminator(8, 1, size, patch=2)
    assert d(g(torch.randn(3, 5))).shape == (3,)
    assert len(g.blocks) == len(Generator(5, 8, 1, size).blocks) - 1
    images = torch.randn(1, 1, size, size)
    moved = images.clone()
    moved[..., 0, 0], moved[..., 0, 1] = images[..., 0, 1], images[..., 0, 0]  # within one patch: no pixel is lost
    assert d(images) != d(moved)


@pytest.mark.parametrize("size", [16, 64])
def test_a_critic_that_has_grown_up_is_the_plain_one(size):
    plain, grown = Discriminator(4, 3, size, patch=2), GrowingDiscriminator(4, 3, size)
    assert [tuple(p.shape) for p in plain.blocks.parameters()] == [
        tuple(p.shape) for block in grown.blocks[::-1] for p in block.parameters()
    ]
    for ours, theirs in zip(grown.blocks[::-1], plain.blocks):
        ours.load_state_dict(theirs.state_dict())
    grown.from_image[-1].load_state_dict(plain.from_image.state_dict())
    grown.score.load_state_dict(plain.score.state_dict())
    images = torch.randn(3, 3, size, size)
    torch.testing.assert_close(grown(images), plain(images))


def test_a_growing_critic_names_what_it_cannot_be():
    critic = GrowingDiscriminator(4, 3, 32)
    critic.grow(8)
    with pytest.raises(ValueError, match=r"images: expected \(N, 3, 8, 8\), got \(2, 3, 32, 32\)"):
        critic(torch.randn(2, 3, 32, 32))
    with pytest.raises(ValueError, match="resolution: expected a power of two from 4 to 32, got 64"):
        critic.grow(64)
    with pytest.raises(ValueError, match="alpha: expected 0 to 1, got -1"):
        critic.grow(16, -1)
    with pytest.raises(ValueError, match="patch: expected 1, or 2 from 16 px up, got 2 at 8 px"):
        GrowingDiscriminator(size=8)


def test_widths_double_as_maps_halve_up_to_eight_times():
    d = Discriminator(4, 1, 128)
    assert [block.shortcut.weight.shape[0] for block in d.blocks[:-1]] == [8, 16, 32, 32, 32]


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_block_without_normalisation_starts_as_its_shortcut(way):
    before, after = (8, 4) if way == "up" else (4, 8)
    block, x = Block(before, after, way, depth=3, batch_norm=False), torch.randn(2, before, 8, 8)
    resampled = x.repeat_interleave(2, 2).repeat_interleave(2, 3) if way == "up" else F.avg_pool2d(x, 2)
    want = torch.einsum(
        "ab,nbhw->nahw", block.shortcut.weight[:, :, 0, 0], resampled
    )  # resampled first, as in the papers
    torch.testing.assert_close(block(x), want)
    assert (block.conv2.weight == 0).all()
    fan_in = block.conv1.weight[0].numel()
    assert block.conv1.weight.std().item() == pytest.approx(math.sqrt(2 / (1 + SLOPE**2) / 3 / fan_in), rel=0.1)


def test_the_two_recipes_have_the_normalisation_they_say():
    def kinds(network):
        return {type(m).__name__ for m in network.modules()}

    assert not any("Norm" in kind for pair in (Generator(), Discriminator()) for kind in kinds(pair))
    assert "BatchNorm2d" in kinds(Generator(batch_norm=True)) and "BatchNorm2d" in kinds(Discriminator(batch_norm=True))
    spectral = Discriminator(spectral=True, classes=10)
    layers = [m for m in spectral.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
    assert len(layers) == 12 and all(hasattr(layer, "parametrizations") for layer in layers)
    assert "_SpectralNorm" in kinds(spectral) and not penalties.has_batch_norm(spectral)


def test_spectral_weights_have_norm_1_and_are_finite():
    d = Discriminator(4, 1, 16, spectral=True)
    for _ in range(100):
        d(torch.randn(2, 1, 16, 16))
    for module in d.modules():
        if hasattr(module, "parametrizations"):
            assert torch.linalg.matrix_norm(module.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_the_logit_is_the_unconditional_one_plus_a_projection():
    d = Discriminator(4, 1, 16, classes=5)
    images, labels = torch.randn(6, 1, 16, 16), torch.tensor([0, 1, 2, 3, 4, 0])
    features = F.leaky_relu(d.blocks(d.from_image(images)), SLOPE).flatten(1)
    want = features @ d.score.weight[0] + d.score.bias + torch.einsum("nd,nd->n", d.embed.weight[labels], features)
    torch.testing.assert_close(d(images, labels), want)
    with torch.no_grad():
        d.embed.weight.zero_()
    assert torch.equal(d(images, labels), d(images, labels.flip(0)))


def test_labels_change_what_a_conditional_generator_draws():
    g, z = Generator(8, 4, 1, 16, classes=4), torch.randn(1, 8).expand(4, -1)
    images = g(z, torch.arange(4))
    assert torch.pdist(images.flatten(1)).min() > 0.01
    assert torch.equal(g(z[:2], torch.tensor([1, 1]))[0], g(z[:2], torch.tensor([1, 1]))[1])


def test_one_image_does_not_see_the_others_unless_asked_to():
    x = torch.randn(4, 1, 16, 16)
    other = torch.cat([x[:2], torch.randn(2, 1, 16, 16)])
    for options, alone in (
        ({}, True),
        ({"spectral": True}, True),
        ({"batch_norm": True}, False),
        ({"minibatch_std": True}, False),
    ):
        d = Discriminator(4, 1, 16, **options)
        d.train(bool(options.get("batch_norm")))  # spectral normalisation goes a step on at each call in training
        assert torch.allclose(d(x)[:2], d(other)[:2], atol=1e-6) is alone, options


@pytest.mark.parametrize("recipe", ["hinge + spectral normalisation", "relativistic + R1 + R2"])
def test_either_recipe_takes_steps_that_lower_its_losses(recipe):
    """The critic on fixed images, then the generator against the fixed critic."""
    hinge = recipe.startswith("hinge")
    g = Generator(8, 4, 1, 16, batch_norm=hinge)
    d = Discriminator(4, 1, 16, spectral=hinge)
    loss = LOSSES["hinge" if hinge else "relativistic"]
    real, z = torch.tanh(torch.randn(16, 1, 16, 16)), torch.randn(16, 8)
    adam = torch.optim.Adam(d.parameters(), lr=2e-3)
    values = []
    for _ in range(15):
        fake = g(z).detach()
        value = loss.discriminator(d(real), d(fake))
        if not hinge:
            value = value + 0.01 * penalties.PENALTIES["r1_r2"](d, real, fake, None)
        adam.zero_grad(), value.backward(), adam.step()
        values.append(value.item())
    assert values[-1] < values[0] - 0.2
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in d.parameters())
    adam, score = torch.optim.Adam(g.parameters(), lr=2e-3), []
    d.eval()
    for _ in range(10):
        value = loss.generator_loss(d(g(z)), d(real).detach())
        adam.zero_grad(), value.backward(), adam.step()
        score.append(value.item())
    assert score[-1] < score[0]


def test_a_penalty_reaches_every_weight_that_shapes_the_slope():
    d = Discriminator(4, 1, 16)
    for block in d.blocks[:-1]:  # as after the first step: at the start the zeros hold the gradient of conv1 back
        nn.init.normal_(block.conv2.weight, 0, 0.1)
    penalties.r1(d, torch.randn(4, 1, 16, 16)).backward()
    assert all(p.grad.abs().max() > 0 for name, p in d.named_parameters() if name.endswith("weight"))


def test_copies_and_states_come_back():
    """The trainer averages copies and saves states; spectral normalisation's vectors are part of them."""
    d, x = Discriminator(4, 1, 16, spectral=True), torch.randn(2, 1, 16, 16)
    d(x)
    twin, loaded = copy.deepcopy(d), Discriminator(4, 1, 16, spectral=True)
    loaded.load_state_dict(d.state_dict())
    wanted = d.eval()(x)
    assert torch.equal(twin.eval()(x), wanted) and torch.equal(loaded.eval()(x), wanted)


def test_wrong_input_is_named():
    g, d = Generator(5, 2, 1, 8), Discriminator(2, 1, 8)
    z, images = torch.randn(2, 5), torch.zeros(2, 1, 8, 8)
    conditional = Generator(5, 2, 1, 8, classes=3), Discriminator(2, 1, 8, classes=3)
    for call, message in (
        (lambda: Generator(size=28), "size: expected one of 8, 16, 32, 64, 128, got 28"),
        (lambda: Discriminator(size=256), "size: expected one of 8, 16, 32, 64, 128, got 256"),
        (lambda: Generator(size=8, patch=2), "patch: expected 1, or 2 from 16 px up, got 2 at 8 px"),
        (lambda: Discriminator(patch=3), "patch: expected 1, or 2 from 16 px up, got 3 at 32 px"),
        (lambda: g(torch.randn(2, 4)), r"z: expected \(N, 5\) floating point, got \(2, 4\)"),
        (lambda: d(torch.zeros(2, 1, 16, 16)), r"images: expected \(N, 1, 8, 8\), got \(2, 1, 16, 16\)"),
        (lambda: g(z, torch.tensor([0, 1])), "labels: expected None for a network built without classes"),
        (lambda: conditional[0](z), r"labels: expected \(2,\) int64 in 0 to 2, got None"),
        (
            lambda: conditional[1](images, torch.zeros(3, dtype=torch.long)),
            r"labels: expected \(2,\) int64 .* got \(3,\)",
        ),
        (lambda: conditional[1](images, torch.zeros(2)), r"labels: expected \(2,\) int64 .* torch.float32"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
