"""09.pixel_norm and 09.mapping: what happens to a latent before any image."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.ch09.equalised import equalised_linear
from course_lib.exercises.ch09.shapes import normal, tensor
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow
from course_lib.models.style import Mapping, activate, pixel_norm


def _three_four(answer):
    found = tensor(answer(torch.tensor([[3.0, 4.0]])), (1, 2), "one vector of two")
    want = [3 / math.sqrt(12.5), 4 / math.sqrt(12.5)]
    require(
        torch.allclose(found, torch.tensor([want]), atol=1e-4),
        f"(3, 4) has mean square 12.5, so it becomes ({want[0]:.4f}, {want[1]:.4f}); yours ({found[0, 0]:.4f}, {found[0, 1]:.4f}).",
    )


def _each_place(answer):
    x = 3 * normal(2, 5, 4, 3) + 1
    found = tensor(answer(x), (2, 5, 4, 3), "maps of the same shape")
    squares = found.square().mean(1)
    off = (squares - 1).abs().max().item()
    require(
        off < 1e-3,
        f"For maps (N, C, H, W) the mean square over the channels is 1 at each place of each image; yours is between {squares.min():.3f} and {squares.max():.3f}.",
    )
    away = (F.cosine_similarity(x, found, dim=1) - 1).abs().max().item()
    require(away < 1e-3, "Each vector keeps its direction: it is divided by one number, nothing is subtracted.")


def _zero(answer):
    x = torch.zeros(1, 3, requires_grad=True)
    found = answer(x)
    require(
        bool(torch.isfinite(found).all()) and found.abs().max().item() < 1e-3,
        f"A vector of zeros stays zeros; yours: {found[0].tolist()}. Add 10⁻⁸ to the mean square.",
    )
    found.sum().backward()
    require(
        bool(torch.isfinite(x.grad).all()), "At a vector of zeros the slope is not finite: add the 10⁻⁸ under the root."
    )


def _one_by_one(answer):
    x = normal(4, 6)
    x[0] *= 1000
    together, alone = answer(x), answer(x[1:2])
    require(
        torch.allclose(together[1:2], alone, atol=1e-4),
        "What becomes of one vector depends on its neighbours in the batch; each vector is normalised alone.",
    )


def _small(answer):
    x = 1e-2 * normal(4, 6, seed=3)
    squares = answer(x).square().mean(1)
    require(
        (squares - 1).abs().max().item() < 0.02,
        f"A short vector is brought to mean square 1 as well: of entries around 0.01 yours makes {squares.min():.3f} to {squares.max():.3f}. Add 10⁻⁸, not more.",
    )


def _pixel_slopes(answer):
    follow(answer, x=normal(3, 5, seed=4).double())


def _pixel_behaviour(answer) -> list:
    x = 2 * normal(3, 4, 5, 2) + 0.5
    zero = torch.zeros(1, 3)
    return [answer(x), str(bool(torch.isfinite(answer(zero)).all())), answer(x[:, :, 0, 0]), answer(torch.ones(1, 3))]


def _divided(size):
    return lambda x: x / size(x)


def _rms(x, dim):
    return (x.square().mean(dim, keepdim=True) + 1e-8).sqrt()


pixel = Exercise(
    id="09.pixel_norm",
    reference=pixel_norm,
    difficulty=1,
    minutes=4,
    properties=[
        Property("(3, 4), by hand", _three_four),
        Property("maps: the channels of each place, direction kept", _each_place),
        Property("zeros stay zeros, with a finite slope", _zero),
        Property("each vector alone", _one_by_one),
        Property("short vectors too", _small),
        Property("a slope in x that is that of its values", _pixel_slopes),
    ],
    behaviour=_pixel_behaviour,
    other_forms=[
        _divided(lambda x: _rms(x, 1)),
        lambda x: F.normalize(x, dim=1, eps=1e-8) * math.sqrt(x.shape[1]),
    ],
    wrong_answers={
        "length 1": WrongAnswer(
            lambda x: x / (x.square().sum(1, keepdim=True) + 1e-8).sqrt(),
            "Each vector gets *length* 1. Pixel norm divides by the root of the *mean* square: length √C, entries around 1.",
        ),
        "mean subtracted": WrongAnswer(
            lambda x: (x - x.mean(1, keepdim=True)) / _rms(x - x.mean(1, keepdim=True), 1),
            "The mean over the channels is subtracted first, as layer normalisation does. Pixel norm only divides.",
        ),
        "no root": WrongAnswer(
            _divided(lambda x: x.square().mean(1, keepdim=True) + 1e-8), "It divides by the mean square: the root is missing."
        ),
        "the last dimension": WrongAnswer(
            _divided(lambda x: _rms(x, -1)),
            "The mean runs over the *last* dimension. For z that is the same; for maps (N, C, H, W) it is a row of pixels instead of the channels: use dim=1.",
        ),
        "the whole image": WrongAnswer(
            _divided(lambda x: _rms(x, tuple(range(1, x.ndim)))), "One number for all places of an image: each place has its own."
        ),
        "the batch": WrongAnswer(
            _divided(lambda x: _rms(x, 0)), "The mean runs over the batch: every channel is normalised over images, so an image's result depends on the others."
        ),
        "no 10⁻⁸": WrongAnswer(
            _divided(lambda x: x.square().mean(1, keepdim=True).sqrt()), "Nothing is added under the root, so zeros become NaN."
        ),
        "mean of the sizes": WrongAnswer(
            _divided(lambda x: x.abs().mean(1, keepdim=True) + 1e-8), "It divides by the mean absolute value, which is smaller than the root of the mean square."
        ),
    },
    hints=["`x.square().mean(1, keepdim=True)` is the mean square over the channels.", "`x * (mean_square + 1e-8).rsqrt()`"],
)  # fmt: skip


def mapping(z: Tensor, weights: list[Tensor], biases: list[Tensor], lr_multiplier: float = 0.01) -> Tensor:
    """z → w: pixel norm once, then an equalised linear layer and an activation for each weight: (N, d) → (N, w_dim).

    Karras, Laine, Aila 2018 (arXiv:1812.04948), section 2 and appendix C; the activation is √2 times a leaky ReLU.
    """
    x = pixel_norm(z)
    for weight, bias in zip(weights, biases):
        x = activate(equalised_linear(x, weight, bias, lr_multiplier))
    return x


def stored(widths=(6, 8, 8, 5), lr_multiplier: float = 0.01, seed: int = 4):
    """(weights, biases) as a mapping network stores them, with biases that are not 0."""
    weights = [normal(b, a, seed=seed + i) / lr_multiplier for i, (a, b) in enumerate(zip(widths, widths[1:]))]
    biases = [0.3 * normal(b, seed=seed + 50 + i) / lr_multiplier for i, b in enumerate(widths[1:])]
    return weights, biases


def _as_the_network(answer):
    torch.manual_seed(0)
    network = Mapping(6, 8, layers=8)
    with torch.no_grad():
        for layer in network.layers:
            layer.bias.copy_(30 * torch.randn(8))
    weights, biases = [each.weight.detach() for each in network.layers], [each.bias.detach() for each in network.layers]
    z = 2 * normal(7, 6)
    found = tensor(answer(z, weights, biases), (7, 8), "7 styles of width 8").detach()
    want = network(z).detach()
    off = (found - want).abs().max().item()
    require(
        off < 1e-3,
        f"With the weights of the library's mapping network, 8 layers, w should be the same; yours is up to {off:.3f} off (entries up to {want.abs().max():.2f}).",
    )


def _one_layer(answer):
    z, weight, bias = (
        torch.tensor([[1.0, 7.0]]),
        torch.tensor([[math.sqrt(2), 0.0], [0.0, -math.sqrt(2)]]),
        torch.zeros(2),
    )
    found = tensor(answer(z, [weight], [bias], 1.0), (1, 2), "one style of width 2")
    want = torch.tensor([[0.2, -0.28]]) * math.sqrt(2)
    require(
        torch.allclose(found, want, atol=1e-4),
        f"z = (1, 7) has root mean square 5, so it becomes (0.2, 1.4). A layer that keeps the first and negates the second number, the leaky ReLU with slope 0.2 "
        f"and √2 give ({want[0, 0]:.4f}, {want[0, 1]:.4f}); yours ({found[0, 0]:.4f}, {found[0, 1]:.4f}).",
    )


def _length_of_z(answer):
    weights, biases = stored()
    z = normal(5, 6)
    off = (answer(z, weights, biases) - answer(10 * z, weights, biases)).abs().max().item()
    require(off < 1e-3, f"z and 10·z have one direction, so one w; yours differ by {off:.3f}. Is z normalised first?")


def _only_once(answer):
    weights, biases = stored()
    found = answer(normal(400, 6), weights, biases)
    spread = found.square().mean(1).std().item()
    require(
        spread > 0.05,
        "Every w has the same length, as if it were normalised too. z loses its length, w keeps its own: W need not be a sphere.",
    )


def _mapping_slopes(answer):
    weights, biases = stored()
    count = len(weights)
    named = {f"weights[{i}]": each.double() for i, each in enumerate(weights)}
    named |= {f"biases[{i}]": each.double() for i, each in enumerate(biases)}
    follow(lambda z, *rest: answer(z, list(rest[:count]), list(rest[count:])), z=normal(4, 6, seed=5).double(), **named)


def _mapping_behaviour(answer) -> list:
    weights, biases = stored()
    z = 3 * normal(5, 6)
    return [answer(z, weights, biases), answer(z, [w * 0.01 for w in weights], [b * 0.01 for b in biases], 1.0)]


def _mapping_with(first=pixel_norm, between=lambda x: x, activation=activate, last=None, multiplier=lambda m: m):
    """The right function with one of its parts replaced."""

    def answer(z, weights, biases, lr_multiplier=0.01):
        x = first(z)
        for index, (weight, bias) in enumerate(zip(weights, biases)):
            x = equalised_linear(between(x), weight, bias, multiplier(lr_multiplier))
            x = (last or activation)(x) if index == len(weights) - 1 else activation(x)
        return x

    return answer


def _rolled_out(z, weights, biases, lr_multiplier=0.01):
    rows = []
    for row in z:
        x = row / (row.square().mean() + 1e-8).sqrt()
        for weight, bias in zip(weights, biases):
            y = lr_multiplier * (weight @ x / math.sqrt(len(x)) + bias)
            x = math.sqrt(2) * torch.where(y > 0, y, 0.2 * y)
        rows.append(x)
    return torch.stack(rows)


mapped = Exercise(
    id="09.mapping",
    reference=mapping,
    solution_also=[equalised_linear, pixel_norm, activate],
    difficulty=2,
    minutes=8,
    properties=[
        Property("one layer, by hand", _one_layer),
        Property("the library's mapping network, layer for layer", _as_the_network),
        Property("the length of z does not count", _length_of_z),
        Property("w is not normalised", _only_once),
        Property("slopes in z and in every stored weight and bias", _mapping_slopes),
    ],
    behaviour=_mapping_behaviour,
    other_forms=[_rolled_out, _mapping_with()],
    wrong_answers={
        "z as it is": WrongAnswer(
            _mapping_with(first=lambda z: z), "z is not normalised: its length, which carries nothing, stretches w."
        ),
        "normalised at every layer": WrongAnswer(
            _mapping_with(between=pixel_norm), "Every layer's input is normalised. StyleGAN does so once, with z."
        ),
        "w normalised": WrongAnswer(
            lambda z, weights, biases, lr_multiplier=0.01: pixel_norm(mapping(z, weights, biases, lr_multiplier)),
            "w is normalised as well, so W becomes a sphere again, which mapping was to get rid of.",
        ),
        "last layer linear": WrongAnswer(
            _mapping_with(last=lambda x: x), "The last layer has no activation, as in a classifier's head. In StyleGAN every layer of the mapping has one."
        ),
        "no √2": WrongAnswer(
            _mapping_with(activation=lambda x: F.leaky_relu(x, 0.2)), "The √2 behind the leaky ReLU is missing, so every layer shrinks what passes it by a quarter or more."
        ),
        "slope 0.01": WrongAnswer(
            _mapping_with(activation=lambda x: F.leaky_relu(x) * math.sqrt(2)), "The negative slope is PyTorch's default, 0.01; StyleGAN's is 0.2."
        ),
        "ReLU": WrongAnswer(_mapping_with(activation=lambda x: F.relu(x) * math.sqrt(2)), "A plain ReLU: what is negative is lost."),
        "multiplier forgotten": WrongAnswer(
            _mapping_with(multiplier=lambda m: 1.0), "`lr_multiplier` is not handed on, so weights stored 100 times as large are used as they are."
        ),
        "one layer short": WrongAnswer(
            lambda z, weights, biases, lr_multiplier=0.01: mapping(z, weights[:-1], biases[:-1], lr_multiplier), "The last layer is left out."
        ),
    },
    hints=[
        "Start with `x = pixel_norm(z)`, then loop over `zip(weights, biases)`.",
        "Each turn: `x = F.leaky_relu(equalised_linear(x, weight, bias, lr_multiplier), 0.2) * 2**0.5`.",
    ],
)  # fmt: skip
