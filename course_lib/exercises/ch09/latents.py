"""09.equalised_linear, 09.pixel_norm and 09.mapping: how z becomes w, and why w does not shrink on the way."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.models.style import Mapping, activate, pixel_norm


def tensor(found, shape: tuple, what: str) -> Tensor:
    """`found` if it is a tensor of that shape, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == shape, f"Expected {what}: shape {shape}; yours has shape {tuple(found.shape)}.")
    return found


def normal(*shape: int, seed: int = 1) -> Tensor:
    """Standard normal numbers, float32, that depend on shape and seed alone."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ---------------------------------------------------------------- the equalised learning rate


def equalised_linear(x: Tensor, weight: Tensor, bias: Tensor, lr_multiplier: float = 1.0) -> Tensor:
    """A linear layer on stored weights of deviation 1/lr_multiplier, scaled at every call: (N, in) → (N, out).

    Karras et al. 2017 (arXiv:1710.10196), section 4.1, with StyleGAN2's gain of 1.
    """
    scale = lr_multiplier / math.sqrt(weight.shape[1])
    return F.linear(x, weight * scale, bias * lr_multiplier)


def _ones(answer):
    found = tensor(answer(torch.ones(1, 4), torch.full((3, 4), 2.0), torch.zeros(3)), (1, 3), "one row, three outputs")
    require(
        torch.allclose(found, torch.full((1, 3), 4.0)),
        f"Four inputs of 1, stored weights of 2, no bias: the weights count 2/√4 = 1 each, so the sum is 4; yours: "
        f"{[round(v, 4) for v in found[0].tolist()]}.",
    )


def _keeps_variance(answer):
    said = []
    for wide in (16, 400):
        x, weight = normal(500, wide, seed=2), normal(300, wide, seed=3)
        said.append(tensor(answer(x, weight, torch.zeros(300)), (500, 300), "500 rows of 300").std().item())
    require(
        all(abs(value - 1) < 0.06 for value in said),
        f"Normal inputs and stored weights N(0, 1) give outputs of deviation 1 for 16 inputs and for 400; yours: {said[0]:.3f} and {said[1]:.3f}.",
    )


def _multiplied(answer):
    x, weight, bias = normal(5, 9), normal(4, 9, seed=2), normal(4, seed=3)
    plain = tensor(answer(x, weight, bias), (5, 4), "5 rows of 4")
    slow = tensor(answer(x, weight * 100, bias * 100, 0.01), (5, 4), "5 rows of 4")
    off = (plain - slow).abs().max().item()
    require(
        off < 1e-3,
        f"Weight and bias stored 100 times as large and used with lr_multiplier 0.01 are the same layer; your outputs differ by up to {off:.3f}.",
    )


def _slope(answer):
    x, weight, bias = normal(6, 16), normal(2, 16, seed=2).requires_grad_(), normal(2, seed=3).requires_grad_()
    found = tensor(answer(x, weight, bias, 0.5), (6, 2), "6 rows of 2").sum()
    require(
        found.requires_grad,
        "No gradient reaches the stored weight: scale it inside the graph, without `.data` or `no_grad`.",
    )
    slopes = torch.autograd.grad(found, (weight, bias), allow_unused=True)
    require(all(each is not None for each in slopes), "No gradient reaches the stored weight or the stored bias.")
    want = (0.5 / 4 * x.sum(0)).expand(2, 16), torch.full((2,), 3.0)
    require(
        torch.allclose(slopes[0], want[0], atol=1e-4) and torch.allclose(slopes[1], want[1], atol=1e-4),
        "The slope in a *stored* weight is c times the input, c = lr_multiplier/√in, and in a stored bias lr_multiplier: "
        f"here {want[0][0, 0]:.3f} and {want[1][0]:.1f}; yours {slopes[0][0, 0]:.3f} and {slopes[1][0]:.1f}.",
    )


def _left_alone(answer):
    x, weight, bias = normal(5, 9), normal(4, 9, seed=2), normal(4, seed=3)
    kept = [each.clone() for each in (x, weight, bias)]
    first, second = answer(x, weight, bias, 0.5).clone(), answer(x, weight, bias, 0.5)
    require(
        all(torch.equal(a, b) for a, b in zip(kept, (x, weight, bias))),
        "The stored weight or bias was changed. It is scaled *at every call*: scaling it in place once more at each call would shrink it without end.",
    )
    require(torch.equal(first, second), "The second call with the same arguments gave something else.")


def _linear_behaviour(answer) -> list:
    x, weight, bias = normal(6, 16), 1.5 * normal(4, 16, seed=2), normal(4, seed=3)
    kept = weight.clone()
    seen = [answer(x, weight, bias), str(bool(torch.equal(kept, weight)))]
    seen.append(answer(x, kept.clone(), bias, 0.25))
    leaf = kept.clone().requires_grad_()
    out = answer(x, leaf, bias, 0.25).sum()
    seen.append("graph" if out.requires_grad else "no graph")
    return seen


def _in_place(x, weight, bias, lr_multiplier=1.0):
    with torch.no_grad():
        weight.mul_(lr_multiplier / math.sqrt(weight.shape[1]))
    return F.linear(x, weight, bias * lr_multiplier)


def _linear(weight_by, bias_by=lambda weight, m: m):
    return lambda x, weight, bias, lr_multiplier=1.0: F.linear(
        x, weight * weight_by(weight, lr_multiplier), bias * bias_by(weight, lr_multiplier)
    )


def _root(weight, m):
    return m / math.sqrt(weight.shape[1])


equalised = Exercise(
    id="09.equalised_linear",
    reference=equalised_linear,
    difficulty=1,
    minutes=6,
    properties=[
        Property("ones, by hand", _ones),
        Property("outputs of deviation 1 for 16 inputs and for 400", _keeps_variance),
        Property("lr_multiplier takes back what storing larger adds, for weight and bias", _multiplied),
        Property("the slope in the stored weight and bias", _slope),
        Property("stored weights are left as they are", _left_alone),
    ],
    behaviour=_linear_behaviour,
    other_forms=[
        lambda x, weight, bias, lr_multiplier=1.0: lr_multiplier * (x @ weight.T / weight.shape[1] ** 0.5 + bias),
        lambda x, weight, bias, lr_multiplier=1.0: torch.einsum("ni,oi->no", x / math.sqrt(x.shape[1]), weight * lr_multiplier)
        + lr_multiplier * bias,
    ],
    wrong_answers={
        "no scaling": WrongAnswer(
            lambda x, weight, bias, lr_multiplier=1.0: F.linear(x, weight, bias),
            "It behaves like a plain linear layer: neither 1/√in nor the multiplier is there, so outputs grow with the number of inputs.",
        ),
        "scaled by 1/in": WrongAnswer(
            _linear(lambda weight, m: m / weight.shape[1]),
            "The weights are divided by the number of inputs. Variances add, so what keeps the deviation is its *root*.",
        ),
        "He's gain": WrongAnswer(
            _linear(lambda weight, m: m * math.sqrt(2 / weight.shape[1])),
            "The weights are scaled by √(2/in), as ProGAN does. Here, as in StyleGAN2, the √2 stands behind the activation; with both it would count twice.",
        ),
        "the outputs counted": WrongAnswer(
            _linear(lambda weight, m: m / math.sqrt(weight.shape[0])),
            "It is scaled by the number of *outputs*: `weight` is (out, in), so the inputs are `weight.shape[1]`.",
        ),
        "bias not multiplied": WrongAnswer(
            _linear(_root, lambda weight, m: 1), "The bias does not learn more slowly: it too is stored 1/lr_multiplier times as large."
        ),
        "bias scaled like a weight": WrongAnswer(
            _linear(_root, _root), "The bias is divided by √in as well. It is added once, not summed over inputs: only the multiplier counts."
        ),
        "multiplier ignored": WrongAnswer(
            _linear(lambda weight, m: _root(weight, 1), lambda weight, m: 1), "`lr_multiplier` has no part in it."
        ),
        "multiplier inverted": WrongAnswer(
            _linear(lambda weight, m: _root(weight, 1 / m), lambda weight, m: 1 / m),
            "It divides by the multiplier. What is *stored* is 1/lr_multiplier times as large; what is *used* is lr_multiplier times as large.",
        ),
        "in place": WrongAnswer(
            _in_place,
            "The stored weight itself is scaled, again at every call. Multiply a copy: `weight * c`.",
        ),
        "outside the graph": WrongAnswer(
            lambda x, weight, bias, lr_multiplier=1.0: F.linear(x, weight.detach() * _root(weight, lr_multiplier), bias * lr_multiplier),
            "The weight is detached before it is scaled, so it can never learn.",
        ),
        "by its own deviation": WrongAnswer(
            lambda x, weight, bias, lr_multiplier=1.0: F.linear(x, weight / weight.std() / math.sqrt(weight.shape[1]), bias * lr_multiplier),
            "The weight is divided by its own deviation, as weight standardisation does. The constant depends on shapes alone; what the weight learns, its size included, stays.",
        ),
    },
    hints=["The constant is `lr_multiplier / √in`, and `in` is `weight.shape[1]`.", "`F.linear(x, weight * c, bias * lr_multiplier)`."],
)  # fmt: skip


# ---------------------------------------------------------------- pixel normalisation


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


# ---------------------------------------------------------------- the mapping network


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
