"""09.equalised_linear: a layer whose learning rate does not depend on its width."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.ch09.shapes import normal, tensor
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow


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


def _slope_in_x(answer):
    x, weight, bias = (each.double() for each in (normal(6, 16), normal(2, 16, seed=2), normal(2, seed=3)))
    follow(lambda x: answer(x, weight, bias, 0.5), x=x)


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
        Property("a slope in x too, for the layers before it", _slope_in_x),
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
