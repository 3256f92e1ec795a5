"""Path lengths against closed forms, against torch-fidelity on the same latents, and where they would lie."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import metrics
from course_lib.metrics.path_length import PATHS, PathProtocol, path_lengths, trim
from course_lib.models import dcgan, lpips, style


class Linear(nn.Module):
    """G(z) = A z as 1×s×s images."""

    def __init__(self, latent_dim=6, side=4, scale=0.1):
        super().__init__()
        torch.manual_seed(0)
        self.latent_dim, self.side = latent_dim, side
        self.matrix = nn.Parameter(scale * torch.randn(side * side, latent_dim, dtype=torch.float64))

    def forward(self, z):
        return (z @ self.matrix.T).view(-1, 1, self.side, self.side)


class Mapped(Linear):
    """The mapping halves z, the synthesis is A w: G(z) = A z / 2, which moves half as fast in Z as in W's own unit."""

    def mapping(self, z):
        return z / 2

    def synthesis(self, w):
        return super().forward(w)

    def forward(self, z):
        return self.synthesis(self.mapping(z)).clamp(-0.01, 0.01)  # what it does to its images at the end


def squared(x, y):
    return (x[:, :1] - y[:, :1]).square().sum((1, 2, 3))


UNTRIMMED = PathProtocol(kept=None)


def test_a_linear_generator_has_a_closed_form():
    generator = Linear()
    want = 2 * generator.matrix.square().sum().item()  # E‖A(z₁ − z₀)‖²
    found = metrics.perceptual_path_length(
        generator, protocol=UNTRIMMED, distance=squared, paths=20_000, batch_size=2000
    )
    assert found.low < want < found.high
    assert found.mean == pytest.approx(want, rel=0.03)
    assert (found.high - found.low) / found.mean < 0.05


def test_no_step_length_and_no_place_changes_it_where_all_is_linear():
    z = torch.randn(2, 50, 6, dtype=torch.float64)
    t = torch.rand(50, 1, dtype=torch.float64)
    want = Linear()(z[1] - z[0]).square().sum((1, 2, 3))
    for protocol in (UNTRIMMED, replace(UNTRIMMED, epsilon=1e-2), replace(UNTRIMMED, where="end")):
        torch.testing.assert_close(path_lengths(Linear(), *z, t, protocol=protocol, distance=squared), want)


def test_w_is_walked_between_mapped_latents():
    z, t = torch.randn(2, 50, 6, dtype=torch.float64), torch.zeros(50, 1, dtype=torch.float64)
    plain = path_lengths(Linear(), *z, t, protocol=UNTRIMMED, distance=squared)
    for space in ("z", "w"):  # lerp on both sides of a linear mapping is one path; the clamp of `forward` is left out
        found = path_lengths(Mapped(), *z, t, protocol=replace(UNTRIMMED, space=space), distance=squared)
        torch.testing.assert_close(found, plain / 4)
    bent, straight = (
        path_lengths(Mapped(), *z, t, protocol=PathProtocol(space=space, between="slerp"), distance=squared)
        for space in ("z", "w")
    )
    torch.testing.assert_close(bent, straight)  # and slerp does not mind a scale
    with pytest.raises(ValueError, match=r"space: expected a generator with \.mapping for 'w', got Generator"):
        metrics.perceptual_path_length(dcgan.Generator(8, 8, 1, 32).eval(), protocol="w-full", paths=4)


def test_slerp_on_the_unit_sphere_moves_by_the_angle():
    z, t = torch.randn(2, 40, 6, dtype=torch.float64), torch.rand(40, 1, dtype=torch.float64)

    class Identity(Linear):
        def forward(self, z):
            return z.view(-1, 1, 1, 6)

    found = path_lengths(Identity(), *z, t, protocol=PathProtocol(between="slerp_unit", kept=None), distance=squared)
    angle = torch.acos(torch.cosine_similarity(z[0], z[1]))
    torch.testing.assert_close(found, angle.square(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("count", [10, 99, 100, 101, 1000])
def test_trimming_is_numpys_lower_and_higher_percentile(count):
    lengths = torch.randn(count, dtype=torch.float64)
    low = np.percentile(lengths, 1, method="lower")
    high = np.percentile(lengths, 99, method="higher")
    want = lengths[(lengths >= low) & (lengths <= high)].sort().values
    torch.testing.assert_close(trim(lengths, (1, 99)), want)
    assert torch.equal(trim(lengths, None), lengths)


def test_trimming_lowers_it():
    generator = Linear()
    given = dict(distance=squared, paths=5000, batch_size=1000)
    all_of_them = metrics.perceptual_path_length(generator, protocol=UNTRIMMED, **given)
    trimmed = metrics.perceptual_path_length(generator, protocol=PathProtocol(), **given)
    assert torch.equal(all_of_them.lengths, trimmed.lengths)
    assert 0.96 < trimmed.mean / all_of_them.mean < 0.995


@pytest.mark.parametrize("quantise", [False, True])
def test_torch_fidelity_on_the_same_latents_and_distance(quantise, monkeypatch):
    pytest.importorskip("torch_fidelity")
    from torch_fidelity import metric_ppl, sample_similarity_base
    from torch_fidelity.generative_model_modulewrapper import GenerativeModelModuleWrapper

    generator = dcgan.Generator(latent_dim=16, width=8, channels=3, size=32).eval()
    nn.init.normal_(generator.blocks[0][0].weight, 0, 1.0)  # images that change enough to be measured

    def seen(x):  # uint8 as it asks for, or floats in its range
        return (x.add(1).mul(127.5).round().to(torch.uint8)) if quantise else x.add(1).mul(127.5)

    class Wrapped(nn.Module):
        def forward(self, z):
            return seen(generator(z))

    class Squared(sample_similarity_base.SampleSimilarityBase):
        def forward(self, x, y):
            x, y = (
                torch.nn.functional.interpolate(one.float(), (64, 64), mode="bilinear", align_corners=False) / 127.5 - 1
                for one in (x, y)
            )
            return (x - y).square().mean((1, 2, 3))

    old = np.percentile

    def percentile(values, share, interpolation=None):  # an argument that NumPy 2.4 dropped
        return old(values, share, method=interpolation)

    monkeypatch.setattr(metric_ppl.np, "percentile", percentile)
    monkeypatch.setattr(metric_ppl, "create_sample_similarity", lambda *_, **__: Squared("squared"))
    with torch.no_grad():
        want = metric_ppl.calculate_ppl(
            1,
            input1=GenerativeModelModuleWrapper(Wrapped(), 16, "normal", 0),
            input1_model_num_samples=60,
            batch_size=20,
            cuda=False,
            verbose=False,
            ppl_epsilon=1e-2,
            ppl_reduction="none",
            rng_seed=3,
        )
    rng = np.random.RandomState(3)
    z = [torch.from_numpy(rng.randn(60, 16)).float() for _ in range(2)]
    protocol = replace(PATHS["torch-fidelity"], epsilon=1e-2, quantise=quantise)
    lengths = path_lengths(
        generator, *z, torch.zeros(60, 1), protocol=protocol, distance=lambda x, y: (x - y).square().mean((1, 2, 3))
    )
    kept = trim(lengths.double(), protocol.kept)
    assert kept.mean().item() == pytest.approx(want["perceptual_path_length_mean"], rel=1e-4)
    assert kept.std(correction=0).item() == pytest.approx(want["perceptual_path_length_std"], rel=1e-4)


def lively(generator):
    """Weights large enough that images change as a trained generator's do."""
    for weight in generator.parameters():
        if weight.ndim == 4:
            nn.init.normal_(weight, 0, 1.5 / weight[:, 0].numel() ** 0.5)


def test_lpips_of_grey_images_is_the_default():
    generator = dcgan.Generator(latent_dim=16, width=8, channels=1, size=32).eval()
    lively(generator)
    found = metrics.perceptual_path_length(generator, paths=20, batch_size=10)
    assert found.paths == len(found.lengths) == 20 and found.low < found.mean < found.high
    again = metrics.perceptual_path_length(generator, paths=20, batch_size=10)
    assert torch.equal(found.lengths, again.lengths)


def test_noise_drawn_anew_is_noticed():
    class Noisy(Linear):
        def forward(self, z):
            return super().forward(z) + 0.1 * torch.randn(len(z), 1, 4, 4)

    with pytest.raises(ValueError, match="generator: expected the same image from the same latent"):
        metrics.perceptual_path_length(Noisy(), distance=squared, paths=4)


def test_a_step_that_rounding_swallows_is_refused():
    generator = Linear().float()
    with pytest.raises(ValueError, match=r"epsilon: expected steps that torch.float32 can hold, got 1e-07"):
        metrics.perceptual_path_length(generator, protocol=replace(UNTRIMMED, epsilon=1e-7), distance=squared, paths=50)
    metrics.perceptual_path_length(
        generator.double(), protocol=replace(UNTRIMMED, epsilon=1e-7), distance=squared, paths=50
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": "v"}, "space: expected one of z, w, got 'v'"),
        ({"between": "slurp"}, "between: expected one of .*did you mean 'slerp'"),
        ({"epsilon": 0.0}, "epsilon: expected a number above 0"),
        ({"kept": (99, 1)}, "kept: expected two percentiles"),
    ],
)
def test_bad_protocols_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(PathProtocol(), **change)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="paths: expected"):
        metrics.perceptual_path_length(Linear(), paths=1)
    with pytest.raises(ValueError, match="did you mean 'w-full'"):
        metrics.perceptual_path_length(Linear(), protocol="w-ful")
    with pytest.raises(ValueError, match=r"largest: expected a divisor of 4 pixels, got 3"):
        metrics.perceptual_path_length(Linear(), protocol=PathProtocol(largest=3), distance=squared, paths=4)


def by_stylegans_definition(generator, z_0, z_1, t, *, space, where, crop, largest, epsilon=1e-4):
    """Karras et al. 2018, section 4.1, with what their program adds, written down anew and plainly: (N,)."""
    t = t if where == "full" else 0 * t
    steps = []
    for shift in (0.0, epsilon):
        if space == "w":
            w_0, w_1 = generator.mapping(z_0), generator.mapping(z_1)
            w = (1 - t - shift) * w_0 + (t + shift) * w_1
        else:
            u, v = z_0 / z_0.norm(dim=1, keepdim=True), z_1 / z_1.norm(dim=1, keepdim=True)
            across = v - (u * v).sum(1, keepdim=True) * u  # Gram and Schmidt: the direction in which the arc leaves u
            across = across / across.norm(dim=1, keepdim=True)
            angle = (t + shift) * torch.acos((u * v).sum(1, keepdim=True))
            w = generator.mapping(u * angle.cos() + across * angle.sin())
        images = generator.synthesis(w)
        if crop:
            eighth = images.shape[2] // 8
            images = images[:, :, 3 * eighth : 7 * eighth, 2 * eighth : 6 * eighth]
        while images.shape[2] > largest:  # whole blocks of pixels are averaged, here two by two
            images = (
                images[..., ::2, ::2] + images[..., 1::2, ::2] + images[..., ::2, 1::2] + images[..., 1::2, 1::2]
            ) / 4
        steps.append(images.expand(-1, 3, -1, -1))
    return lpips.load(dtype=torch.float64).of_any_range(*steps) / epsilon**2


@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("where", ["full", "end"])
@pytest.mark.parametrize("space", ["z", "w"])
def test_stylegans_definition_on_the_same_latents_and_distance(space, where, crop):
    torch.manual_seed(1)
    generator = style.Generator(latent_dim=16, width=8, most=16, channels=1, size=128).double().eval()
    z_0, z_1 = torch.randn(2, 8, 16, dtype=torch.float64)
    t = torch.rand(8, 1, dtype=torch.float64)
    largest = 32 if crop else 64
    want = by_stylegans_definition(generator, z_0, z_1, t, space=space, where=where, crop=crop, largest=largest)
    protocol = replace(PATHS[f"{space}-{where}"], crop=crop, largest=largest)
    found = path_lengths(generator, z_0, z_1, t, protocol=protocol)
    torch.testing.assert_close(found, want, rtol=1e-6, atol=0)
    images = generator.synthesis(generator.mapping(z_0))
    assert images.abs().max() > 1  # where a clamp would show
    clamped = path_lengths(generator, z_0, z_1, t, protocol=replace(protocol, clamp=True))
    assert not torch.allclose(clamped, want, rtol=1e-2)


def test_the_same_paths_for_every_batch_size_one_included_and_for_fewer_of_them():
    given = dict(protocol=UNTRIMMED, distance=squared)
    want = metrics.perceptual_path_length(Linear(), paths=1030, batch_size=300, **given)
    for batch_size in (1, 7, 5000):
        found = metrics.perceptual_path_length(Linear(), paths=1030, batch_size=batch_size, **given)
        torch.testing.assert_close(found.lengths, want.lengths)
    fewer = metrics.perceptual_path_length(Linear(), paths=40, batch_size=1, **given)
    torch.testing.assert_close(fewer.lengths, want.lengths[:40])
    other = metrics.perceptual_path_length(Linear(), paths=40, seed=1, **given)
    assert not torch.allclose(other.lengths, fewer.lengths)


def test_layer_noise_is_the_same_at_both_ends_of_a_step_and_in_training_it_is_not():
    torch.manual_seed(0)
    generator = style.Generator(latent_dim=8, width=4, most=8, channels=3, size=32)
    for layer in generator.synthesis.layers:
        nn.init.constant_(layer.noise.amount, 0.5)
    protocol = replace(PATHS["z-full"], resize=64)
    found = metrics.perceptual_path_length(generator.eval(), protocol=protocol, paths=20)
    for layer in generator.synthesis.layers:
        nn.init.zeros_(layer.noise.amount)
    without = metrics.perceptual_path_length(generator, protocol=protocol, paths=20)
    assert found.mean < 100 * without.mean  # one grain of noise drawn anew would be of the order of 1/ε²

    class Redrawn(nn.Module):
        latent_dim, parameters = 8, generator.parameters

        def forward(self, z):
            return generator.synthesis(generator.mapping(z), generator.synthesis.noise(len(z)))

    for layer in generator.synthesis.layers:
        nn.init.constant_(layer.noise.amount, 0.5)
    with pytest.raises(ValueError, match="fix the noise and call .eval()"):
        metrics.perceptual_path_length(Redrawn(), protocol=protocol, paths=4)


def test_a_generator_in_float64_leaves_the_shared_distance_as_it_is():
    generator = dcgan.Generator(latent_dim=16, width=8, channels=1, size=32).eval()
    lively(generator)
    single = metrics.perceptual_path_length(generator, paths=10)
    double = metrics.perceptual_path_length(generator.double(), paths=10)
    torch.testing.assert_close(single.lengths, double.lengths, rtol=0.05, atol=0)
    assert not torch.equal(single.lengths, double.lengths)
    assert {weight.dtype for weight in lpips.load().parameters()} == {torch.float32}


def test_a_step_that_changes_the_images_by_less_than_rounding_is_refused():
    generator = dcgan.Generator(latent_dim=16, width=8, channels=1, size=32).eval()  # untrained: hardly any change
    with pytest.raises(ValueError, match=r"epsilon: expected steps that change the images by more than torch.float32"):
        metrics.perceptual_path_length(generator, paths=10)
    exact = metrics.perceptual_path_length(generator.double(), paths=10).mean
    coarse = metrics.perceptual_path_length(
        generator.float(), protocol=replace(PATHS["course"], epsilon=0.1), paths=10
    ).mean
    assert coarse == pytest.approx(exact, rel=0.1)


def test_grey_levels_hide_a_small_step_or_blow_it_up():
    """Rounded images: most pixels of a small step do not move, the others by a whole level, so it grows as ε falls."""
    generator = dcgan.Generator(latent_dim=16, width=8, channels=3, size=32).eval()
    nn.init.normal_(generator.blocks[0][0].weight, 0, 0.3)

    def mean(epsilon, quantise):
        protocol = replace(PATHS["torch-fidelity"], epsilon=epsilon, quantise=quantise, resize=None, kept=None)
        return metrics.perceptual_path_length(generator, protocol=protocol, distance=squared, paths=200).mean

    smooth = [mean(epsilon, False) for epsilon in (1e-2, 1e-3)]
    rounded = [mean(epsilon, True) for epsilon in (1e-2, 1e-3)]
    assert smooth[1] == pytest.approx(smooth[0], rel=0.1)
    assert rounded[1] > 3 * rounded[0] > 3 * smooth[0]
