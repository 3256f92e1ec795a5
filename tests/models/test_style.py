"""StyleGAN's parts against what they claim: moments, exact fading, styles that reach only their layers."""

import math

import pytest
import torch

from course_lib import latent
from course_lib.models import residual, style

SMALL = dict(width=4, most=16, size=32)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    g = style.Generator(latent_dim=8, channels=3, **SMALL)
    for layer in g.synthesis.layers:  # noise that shows
        torch.nn.init.constant_(layer.noise.amount, 0.3)
    return g


@pytest.fixture
def critic():
    torch.manual_seed(1)
    return style.Discriminator(channels=3, **SMALL)


def test_pixel_norm_leaves_directions_with_mean_square_1():
    x = 5 * torch.randn(6, 32, 3, 3, dtype=torch.float64)
    y = style.pixel_norm(x)
    torch.testing.assert_close(y.square().mean(1), torch.ones(6, 3, 3, dtype=torch.float64))
    torch.testing.assert_close(torch.cosine_similarity(x, y), torch.ones(6, 3, 3, dtype=torch.float64))


def test_activation_keeps_the_mean_square_of_a_normal_input():
    x = torch.randn(200_000)
    assert style.activate(x).square().mean().item() == pytest.approx(1.04, abs=0.02)  # 2 · (1 + 0.2²)/2


def binomial(x):
    """[1, 2, 1] in both directions, edges repeated, as the definition has it."""
    taps = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype)
    kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")
    return torch.nn.functional.conv2d(padded, kernel, groups=x.shape[1])


def test_resampling_blurs_with_the_binomial_filter():
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    torch.testing.assert_close(style.upsample_blurred(x), binomial(style.upsample(x)))
    torch.testing.assert_close(style.downsample_blurred(x), torch.nn.functional.avg_pool2d(binomial(x), 2))
    constant = torch.full((1, 2, 4, 4), 3.0)
    assert torch.equal(style.downsample_blurred(constant), constant[..., :2, :2])
    dot = torch.zeros(1, 1, 6, 6)
    dot[..., 2, 2] = 64
    want = torch.tensor([[1.0, 3, 0], [3, 9, 0], [0, 0, 0]])
    assert torch.equal(style.downsample_blurred(dot)[0, 0], want)


def test_mapped_latents_keep_a_size_of_about_1_where_default_layers_would_lose_it(generator):
    torch.manual_seed(2)
    w = style.Mapping(128, 128)(torch.randn(500, 128))
    assert 0.5 < w.std() < 2
    plain = torch.nn.Sequential(*[m for _ in range(8) for m in (torch.nn.Linear(128, 128), torch.nn.LeakyReLU(0.2))])
    assert plain(torch.randn(500, 128)).std(0).mean() < 0.01


def test_adain_gives_each_map_the_styles_moments():
    adain = style.AdaIN(5, 8)
    x, w = 3 + 2 * torch.randn(4, 5, 6, 6), torch.randn(4, 8)
    scale, shift = adain.style(w).chunk(2, 1)
    y = adain(x, w)
    torch.testing.assert_close(y.mean((2, 3)), shift, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(y.std((2, 3), correction=0), scale.abs(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(adain(7 * x - 2, w), y, atol=1e-5, rtol=1e-4)  # what x had is gone


def test_without_a_style_adain_is_instance_normalisation():
    x = torch.randn(2, 5, 6, 6)
    torch.testing.assert_close(style.AdaIN(5, 8)(x, torch.zeros(2, 8)), torch.nn.functional.instance_norm(x, eps=1e-8))


@pytest.mark.parametrize("resolution", [8, 16, 32])
@pytest.mark.parametrize("kind", ["style", "residual"])
def test_growth_changes_nothing_at_0_and_is_the_new_stage_at_1(generator, critic, resolution, kind):
    critic = critic if kind == "style" else residual.GrowingDiscriminator(width=4)
    generator.eval(), critic.eval()
    w = generator.mapping(torch.randn(4, 8))
    generator.grow(resolution // 2)
    old = generator.synthesis(w)
    assert old.shape == (4, 3, resolution // 2, resolution // 2)
    generator.grow(resolution, 0.0)
    start = generator.synthesis(w)
    assert torch.equal(start, style.upsample(old))
    critic.grow(resolution // 2)
    seen = critic(old)
    critic.grow(resolution, 0.0)
    torch.testing.assert_close(critic(start), seen)  # the mean of four equal pixels
    generator.grow(resolution, 1.0), critic.grow(resolution, 1.0)
    whole, logits = generator.synthesis(w), critic(start)
    generator.grow(resolution, 0.25), critic.grow(resolution, 0.25)
    torch.testing.assert_close(generator.synthesis(w), 0.75 * start + 0.25 * whole)
    assert not torch.allclose(critic(start), logits)


def test_layers_from_the_crossover_on_depend_on_the_second_latent_alone(generator):
    generator.eval()
    w = generator.mapping(torch.randn(6, 8))
    depth = generator.synthesis.depth
    assert depth == 8  # two layers at each of 4, 8, 16, 32
    styles = {}
    for index, layer in enumerate(generator.synthesis.layers):
        layer.adain.style.register_forward_hook(lambda _, __, out, index=index: styles.__setitem__(index, out))
    coarse, other, fine = w.split(2)
    for crossover in range(depth + 1):
        generator.synthesis(latent.mix_styles(coarse, fine, crossover, depth))
        one = dict(styles)
        generator.synthesis(latent.mix_styles(other, fine, crossover, depth))
        assert [torch.equal(one[i], styles[i]) for i in range(depth)] == [i >= crossover for i in range(depth)]
    everything = [generator.synthesis(latent.mix_styles(coarse, fine, cut, depth)) for cut in (0, depth)]
    torch.testing.assert_close(everything[0], generator.synthesis(fine))
    torch.testing.assert_close(everything[1], generator.synthesis(coarse))


def test_noise_is_one_map_a_layer_shared_by_all_channels(generator):
    maps = generator.synthesis.noise(2)
    assert [tuple(m.shape) for m in maps] == [(2, 1, s, s) for s in (4, 4, 8, 8, 16, 16, 32, 32)]
    noise, x = style.Noise(3), torch.zeros(2, 3, 4, 4)
    torch.nn.init.constant_(noise.amount, 0.5)
    y = noise(x, maps[0])
    assert torch.equal(y[:, 0], y[:, 2]) and torch.equal(y[:, :1], 0.5 * maps[0])


def test_in_eval_mode_the_same_latent_is_the_same_image_and_noise_changes_it_a_little(generator):
    generator.eval()
    z = torch.randn(5, 8)
    assert torch.equal(generator(z), generator(z)) and torch.allclose(generator(z)[:2], generator(z[:2]), atol=1e-5)
    w = generator.mapping(z)
    fixed, other = generator.synthesis(w), generator.synthesis(w, generator.synthesis.noise(5))
    assert not torch.equal(fixed, other)


def test_in_training_all_that_is_random_comes_from_the_given_generator(generator):
    z = torch.randn(6, 8)
    first, second = (generator(z, draw=torch.Generator().manual_seed(4)) for _ in range(2))
    other = generator(z, draw=torch.Generator().manual_seed(5))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_the_running_mean_of_w_nears_the_mean_of_w_and_not_the_mapped_mean(generator):
    torch.manual_seed(3)
    for _ in range(1500):
        with torch.no_grad():
            w = generator.mapping(torch.randn(64, 8))
            generator.w_mean.lerp_(w.mean(0), 1 - style.W_MEAN_KEEPS)
    want = generator.mapping(torch.randn(20_000, 8)).mean(0)
    assert (generator.w_mean - want).norm() < 0.1 * want.norm()
    assert (generator.mapping(torch.zeros(1, 8))[0] - want).norm() > 0.5 * want.norm()


def test_truncation_pulls_towards_the_mean_below_the_cutoff(generator):
    generator.eval().w_mean.copy_(torch.randn(8))
    z = torch.randn(3, 8)
    w = generator.mapping(z)
    torch.testing.assert_close(generator(z, psi=0.0), generator.synthesis(generator.w_mean.expand(3, -1)).clamp(-1, 1))
    assert torch.equal(generator(z, psi=1.0), generator.synthesis(w).clamp(-1, 1))
    by_layer = latent.truncate(w, generator.w_mean, 0.5, layers=8, cutoff=4)
    torch.testing.assert_close(by_layer[:, 0], (w + generator.w_mean) / 2)
    assert torch.equal(by_layer[:, 4], w) and by_layer.shape == (3, 8, 8)
    spreads = [(latent.truncate(w, generator.w_mean, psi) - generator.w_mean).norm().item() for psi in (0.3, 0.6, 0.9)]
    assert spreads == pytest.approx([psi * (w - generator.w_mean).norm().item() for psi in (0.3, 0.6, 0.9)], rel=1e-5)


def test_mixing_takes_whole_styles_and_never_a_blend():
    a, b = torch.randn(2, 4, 8)
    mixed = latent.mix_styles(a, b, torch.tensor([0, 2, 5, 6]), 6)
    for row, cut in enumerate((0, 2, 5, 6)):
        for layer in range(6):
            assert torch.equal(mixed[row, layer], (a if layer < cut else b)[row])


@pytest.mark.parametrize(
    ("part", "layer"), [("mapping", "mapping.layers.7"), ("convolution", "synthesis.layers.3.conv")]
)
def test_a_part_learns_as_many_times_as_fast_as_it_is_told(part, layer):
    """By what Adam's first step, which is as large for every weight, changes of the effective weight."""
    moved = []
    for times in (0.01, 1.0, 3.0):
        torch.manual_seed(0)
        g = style.Generator(latent_dim=8, **{f"{part}_lr": times}, **SMALL)
        weight, scale = g.get_submodule(layer).weight, g.get_submodule(layer).scale
        optimizer = torch.optim.Adam([weight], lr=1e-3)
        before = weight.detach() * scale
        if times == 0.01:
            first = before
        torch.testing.assert_close(before, first)  # the same network to begin with
        g(torch.randn(16, 8)).square().mean().backward()
        optimizer.step()
        moved.append((weight.detach() * scale - before).abs().median().item())
    assert [each / moved[1] for each in moved] == pytest.approx([0.01, 1, 3], rel=0.02)


def test_a_gradient_reaches_every_weight_in_use(generator, critic):
    for layer in generator.synthesis.layers:
        torch.nn.init.zeros_(layer.noise.amount)
    critic(generator(torch.randn(8, 8))).sum().backward()
    unused = [n for n, p in generator.named_parameters() if p.grad is None]
    assert unused == [f"synthesis.to_rgb.{i}.{part}" for i in range(3) for part in ("weight", "bias")]


@pytest.mark.parametrize("size", [64, 128])
def test_the_defaults_fit_larger_sizes(size):
    g, d = style.Generator(size=size), style.Discriminator(size=size)
    with torch.no_grad():
        assert d(g(torch.randn(4, 128))).shape == (4,)
    assert g.synthesis.depth == 2 * int(math.log2(size)) - 2


def test_bad_input_is_named(generator, critic):
    with pytest.raises(ValueError, match="size: expected a power of two from 8 up, got 48"):
        style.Generator(size=48)
    with pytest.raises(ValueError, match="resolution: expected a power of two from 4 to 32, got 64"):
        generator.grow(64)
    with pytest.raises(ValueError, match="alpha: expected 0 to 1, got 1.5"):
        critic.grow(32, 1.5)
    with pytest.raises(ValueError, match=r"z: expected \(N, 8\)"):
        generator(torch.randn(2, 9))
    with pytest.raises(ValueError, match=r"w: expected \(N, 8\) or \(N, 8 or more, 8\), got \(2, 3, 8\)"):
        generator.synthesis(torch.randn(2, 3, 8))
    with pytest.raises(ValueError, match="psi: expected 0 to 2, got -0.1"):
        generator.eval()(torch.randn(2, 8), psi=-0.1)
    with pytest.raises(ValueError, match="psi: expected 1 while training"):
        generator.train()(torch.randn(2, 8), psi=0.5)
    with pytest.raises(ValueError, match="crossover: expected 0 to 8, the number of layers, got 9"):
        latent.mix_styles(torch.randn(1, 8), torch.randn(1, 8), 9, 8)
    with pytest.raises(ValueError, match="cutoff: expected 0 to the number of layers, 8, got 9"):
        latent.truncate(torch.randn(1, 8), torch.zeros(8), 0.5, layers=8, cutoff=9)
    with pytest.raises(ValueError, match=r"w_mean: expected \(w_dim,\)"):
        latent.truncate(torch.randn(1, 8), torch.zeros(4), 0.5)
    with pytest.raises(ValueError, match=r"fine: expected \(N, w_dim\) like coarse"):
        latent.mix_styles(torch.randn(1, 8), torch.randn(1, 4), 1, 8)
