"""Layers against PyTorch's own, plain loops and closed forms."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from course_lib.models.layers import (
    EqualisedConv2d,
    EqualisedLinear,
    MinibatchStd,
    SpectralNorm,
    convolution_norm,
    power_iteration,
    spectral_normalise,
)

DOUBLE = {"dtype": torch.float64}


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **DOUBLE)


# ---------------------------------------------------------------- power iteration


def test_a_diagonal_matrix_step_by_step():
    """From u = (1, 1)/√2, diag(3, 1): after k steps u is (9ᵏ, 1) up to its length, and σ² a weighted mean of 9 and 1."""
    matrix, u = torch.diag(torch.tensor([3.0, 1.0], **DOUBLE)), torch.ones(2, **DOUBLE) / math.sqrt(2)
    for steps in (1, 2, 3):
        sigma, found, v = power_iteration(matrix, u, steps)
        torch.testing.assert_close(found, F.normalize(torch.tensor([9.0**steps, 1.0], **DOUBLE), dim=0))
        want = math.sqrt((9 ** (2 * steps)) + 1) / math.sqrt(9 ** (2 * steps - 1) + 1)
        assert sigma.item() == pytest.approx(want) and v.norm().item() == pytest.approx(1)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 3)])
def test_many_steps_give_the_singular_value_and_its_slope(shape):
    matrix = drawn(*shape).requires_grad_()
    sigma, u, v = power_iteration(matrix, drawn(shape[0], seed=1), steps=2000)
    want = torch.linalg.matrix_norm(matrix, 2)
    torch.testing.assert_close(sigma, want)
    slope, wanted_slope = (torch.autograd.grad(value, matrix)[0] for value in (sigma, want))
    torch.testing.assert_close(slope, torch.outer(u, v))
    torch.testing.assert_close(slope, wanted_slope)


def test_never_above_and_nearer_with_every_step():
    matrix, u = drawn(8, 5), drawn(8, seed=1)
    found = torch.stack([power_iteration(matrix, u, steps)[0] for steps in range(1, 30)])
    assert (found.diff() > -1e-12).all() and found[-1] <= torch.linalg.matrix_norm(matrix, 2) + 1e-12


def test_power_iteration_names_wrong_input():
    with pytest.raises(ValueError, match=r"matrix, u: expected \(m, n\) and \(m,\), got \(3, 4\) and \(4,\)"):
        power_iteration(torch.ones(3, 4), torch.ones(4))
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        power_iteration(torch.ones(3, 4), torch.ones(3), 0)


# ---------------------------------------------------------------- spectral normalisation


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: nn.Linear(7, 5, **DOUBLE), (3, 7)),
        (lambda: nn.Conv2d(3, 6, 3, padding=1, **DOUBLE), (2, 3, 5, 5)),
        (lambda: nn.ConvTranspose2d(4, 3, 4, stride=2, **DOUBLE), (2, 4, 5, 5)),
    ],
    ids=["linear", "convolution", "transposed"],
)
@pytest.mark.parametrize("steps", [1, 3])
def test_equal_to_pytorchs_own_after_the_same_number_of_steps(build, shape, steps):
    layer, x = build(), drawn(*shape)
    theirs = parametrizations.spectral_norm(copy.deepcopy(layer), n_power_iterations=steps)
    own = SpectralNorm(layer.weight, steps, dim=1 if isinstance(layer, nn.ConvTranspose2d) else 0)
    ours, state = copy.deepcopy(layer), theirs.parametrizations.weight[0]
    parametrize.register_parametrization(ours, "weight", own)
    own.u.copy_(state._u), own.v.copy_(state._v)  # both begin at random
    for training in (True, True, False, True):
        ours.train(training), theirs.train(training)
        outputs = ours(x), theirs(x)
        torch.testing.assert_close(*outputs)
        for network, y in zip((ours, theirs), outputs):
            network.zero_grad()
            y.square().sum().backward()
        grads = [network.parametrizations.weight.original.grad for network in (ours, theirs)]
        torch.testing.assert_close(*grads)
        torch.testing.assert_close(own.u, state._u), torch.testing.assert_close(own.v, state._v)


def test_eval_mode_stands_still():
    layer = nn.Linear(6, 4)
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight))
    layer.eval()
    before = layer.parametrizations.weight[0].v.clone()
    first, second = layer.weight, layer.weight
    assert torch.equal(first, second) and torch.equal(before, layer.parametrizations.weight[0].v)
    layer.train().weight  # noqa: B018  reading the weight is what goes a step on
    assert not torch.equal(before, layer.parametrizations.weight[0].v)


def test_every_weight_of_a_network_has_norm_1():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3), nn.BatchNorm1d(3))
    assert spectral_normalise(network) is network
    for _ in range(200):
        network(torch.randn(2, 1, 4, 4))
    for layer in (network[0], network[3]):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-4)
    assert not parametrize.is_parametrized(network[4])


# ---------------------------------------------------------------- what it does not bound


def as_matrix(kernel, size, stride=1, padding=1):
    """The convolution as a matrix, column by column: what it makes of each map with a single 1."""
    unit = torch.eye(kernel.shape[1] * size * size, **DOUBLE).reshape(-1, kernel.shape[1], size, size)
    return F.conv2d(unit, kernel, stride=stride, padding=padding).flatten(1).T


@pytest.mark.parametrize(("stride", "padding", "side"), [(1, 1, 3), (2, 1, 4), (1, 0, 3)])
def test_the_norm_of_a_convolution_against_its_matrix(stride, padding, side):
    kernel = drawn(5, 3, side, side)
    want = torch.linalg.matrix_norm(as_matrix(kernel, 8, stride, padding), 2)
    found = convolution_norm(kernel, 8, stride=stride, padding=padding, steps=1000)
    torch.testing.assert_close(found, want, rtol=1e-4, atol=0)
    assert found <= want + 1e-12


def test_the_operator_of_a_normalised_kernel_has_norm_1_46_not_1():
    """Standard normal kernel (16, 16, 3, 3) of seed 0, on maps of 8×8 with zeros around them."""
    kernel = drawn(16, 16, 3, 3)
    kernel = kernel / torch.linalg.matrix_norm(kernel.flatten(1), 2)
    found = convolution_norm(kernel, 8, steps=1000)
    torch.testing.assert_close(found, torch.linalg.matrix_norm(as_matrix(kernel, 8), 2), rtol=1e-4, atol=0)
    assert found.item() == pytest.approx(1.456, abs=1e-3)
    around = torch.fft.fft2(kernel, s=(8, 8)).permute(2, 3, 0, 1)  # on a torus the Fourier transform splits it
    assert found < torch.linalg.matrix_norm(around, 2).max() < 3


@pytest.mark.parametrize("size", [4, 16])
def test_a_box_comes_near_the_worst_case_of_3(size):
    """Nine times 1/3 has norm 1 as a row; as an operator (1 + 2 cos(π/(n + 1)))²/3, which tends to √9 = 3."""
    kernel = torch.full((1, 1, 3, 3), 1 / 3, **DOUBLE)
    assert torch.linalg.matrix_norm(kernel.flatten(1), 2).item() == pytest.approx(1)
    want = (1 + 2 * math.cos(math.pi / (size + 1))) ** 2 / 3
    assert convolution_norm(kernel, size, steps=1000).item() == pytest.approx(want, rel=1e-6)


# ---------------------------------------------------------------- minibatch standard deviation


def by_loops(x, group, features):
    """Image by image, in Python: who is in the group, then channel by channel, place by place."""
    count, channels, height, width = x.shape
    group = min(group or count, count)
    groups, share = count // group, channels // features
    out = torch.zeros(count, features, height, width, dtype=x.dtype)
    for i in range(count):
        members = [j for j in range(count) if j % groups == i % groups]
        assert len(members) == group
        for f in range(features):
            deviations = []
            for c in range(f * share, (f + 1) * share):
                for h in range(height):
                    for w in range(width):
                        values = [x[j, c, h, w].item() for j in members]
                        mean = sum(values) / group
                        deviations.append(math.sqrt(sum((v - mean) ** 2 for v in values) / group + 1e-8))
            out[i, f] = sum(deviations) / len(deviations)
    return torch.cat([x, out], 1)


@pytest.mark.parametrize(("count", "group", "features"), [(8, 4, 1), (8, 2, 2), (6, None, 1), (3, 4, 1), (4, 1, 4)])
def test_minibatch_std_against_a_plain_loop(count, group, features):
    x = drawn(count, 4, 2, 3)
    torch.testing.assert_close(MinibatchStd(group, features)(x), by_loops(x, group, features))


def test_groups_are_strided():
    """Images 0 and 2 are equal, and so are 1 and 3: in groups of two, i with i + 2, nothing differs."""
    a, b = drawn(2, 1, 2, 2)
    x = torch.stack([a, b, a, b])
    assert MinibatchStd(2)(x)[:, 1].max().item() == pytest.approx(1e-4)
    assert MinibatchStd(2)(x[[0, 2, 1, 3]])[:, 1].min() > 0.01


def test_a_collapsed_batch_shows():
    spread = drawn(8, 3, 4, 4)
    layer = MinibatchStd()
    assert layer(spread)[0, 3, 0, 0].item() == pytest.approx(0.9, abs=0.15)
    assert layer(spread[:1].expand(8, -1, -1, -1))[:, 3].max().item() == pytest.approx(1e-4)


def test_rows_without_places_and_half_precision():
    x = drawn(6, 5)
    assert torch.equal(MinibatchStd(3)(x[:, :, None, None]).flatten(1), MinibatchStd(3)(x))
    assert MinibatchStd()(x.bfloat16()).dtype == torch.bfloat16
    large = (400 * drawn(6, 5)).half()  # in float16 the squares would overflow
    assert torch.isfinite(MinibatchStd()(large)).all()


def test_minibatch_std_names_wrong_input():
    with pytest.raises(ValueError, match=r"x: expected a multiple of 4 images \(the group\), got 6"):
        MinibatchStd(4)(torch.zeros(6, 2, 2, 2))
    with pytest.raises(ValueError, match=r"x: expected a multiple of 2 channels \(the features\), got 3"):
        MinibatchStd(features=2)(torch.zeros(6, 3, 2, 2))
    with pytest.raises(ValueError, match="group: expected at least 1, got 0"):
        MinibatchStd(0)


# ---------------------------------------------------------------- equalised learning rate


@pytest.mark.parametrize("lr_multiplier", [1.0, 0.01])
@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_the_weight_in_use_has_the_deviation_it_says_at_every_call(gain, lr_multiplier):
    options = {"gain": gain, "lr_multiplier": lr_multiplier, "bias": False}
    layer, one_hot = EqualisedLinear(400, 300, **options), torch.eye(400)
    conv, impulse = EqualisedConv2d(40, 300, 3, **options), torch.eye(360).reshape(360, 40, 3, 3)
    for size in (1.0, 3.0):  # what is stored changes in training; the scale is put on again at each call
        with torch.no_grad():
            layer.weight.mul_(size), conv.weight.mul_(size)
        assert layer.weight.std().item() == pytest.approx(size / lr_multiplier, rel=0.01)
        assert layer(one_hot).std().item() == pytest.approx(size * gain / math.sqrt(400), rel=0.01)
        assert conv(impulse).std().item() == pytest.approx(size * gain / math.sqrt(360), rel=0.01)


def test_a_wide_and_a_narrow_layer_change_by_the_same_share():
    """One step of Adam moves every stored weight by the learning rate: 1 % here, whatever the width."""
    for width in (4, 400):
        layer = EqualisedLinear(width, 50, bias=False)
        before = (layer.weight * layer.scale).detach()
        adam = torch.optim.Adam(layer.parameters(), lr=0.01)
        layer(torch.randn(8, width)).square().sum().backward()
        adam.step()
        change = (layer.weight * layer.scale).detach() - before
        assert (change.norm() / before.norm()).item() == pytest.approx(0.01, rel=0.15)


def test_the_multiplier_slows_weight_and_bias():
    moved = {}
    for multiplier in (1.0, 0.01):
        layer = EqualisedLinear(20, 5, lr_multiplier=multiplier, bias_init=1.0)
        zeros, x = torch.zeros(1, 20), torch.randn(8, 20)
        assert torch.allclose(layer(zeros), torch.ones(5))  # the bias in use starts at bias_init
        adam = torch.optim.Adam(layer.parameters(), lr=0.01)
        layer(x).square().sum().backward()
        adam.step()
        moved[multiplier] = (layer(zeros) - 1).abs().mean().item()
    assert moved[1.0] == pytest.approx(0.01, rel=1e-3) and moved[0.01] == pytest.approx(1e-4, rel=1e-2)


def test_equalised_layers_against_pytorchs_functions():
    layer, x = EqualisedLinear(6, 4, gain=2.0, lr_multiplier=0.5, bias_init=3.0), torch.randn(5, 6)
    torch.testing.assert_close(layer(x), x @ layer.weight.T * (2 * 0.5 / math.sqrt(6)) + 3)
    conv, maps = EqualisedConv2d(3, 4, 3, stride=2, padding=1), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(conv(maps), F.conv2d(maps / math.sqrt(27), conv.weight, stride=2, padding=1))
    with pytest.raises(ValueError, match="lr_multiplier: expected a positive number, got 0"):
        EqualisedLinear(2, 2, lr_multiplier=0)
