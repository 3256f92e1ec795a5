"""Path lengths against closed forms, against torch-fidelity on the same latents, and where they would lie."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import metrics
from course_lib.metrics.path_length import PATHS, PathProtocol, path_lengths, trim
from course_lib.models import dcgan


class Linear(nn.Module):
    """G(z) = A z as 1×s×s images; in "w" the mapping halves z."""

    def __init__(self, latent_dim=6, side=4, scale=0.1):
        super().__init__()
        torch.manual_seed(0)
        self.latent_dim, self.side = latent_dim, side
        self.matrix = nn.Parameter(scale * torch.randn(side * side, latent_dim, dtype=torch.float64))

    def forward(self, z):
        return (z @ self.matrix.T).view(-1, 1, self.side, self.side)

    def mapping(self, z):
        return z / 2

    synthesis = forward


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
    in_z, in_w = (
        path_lengths(Linear(), *z, t, protocol=replace(UNTRIMMED, space=space), distance=squared)
        for space in ("z", "w")
    )
    torch.testing.assert_close(in_w, in_z / 4)
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


def test_lpips_of_grey_images_is_the_default():
    generator = dcgan.Generator(latent_dim=16, width=8, channels=1, size=32).eval()
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
