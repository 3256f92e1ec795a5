"""03.wasserstein_1d: the least work of carrying one heap of points onto another, in one dimension."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib import oracle
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def wasserstein_1d(x: Tensor, y: Tensor) -> Tensor:
    """W₁ of two sets of equally many points on a line: smallest to smallest, largest to largest. x, y: (N,) → scalar"""
    return (x.sort().values - y.sort().values).abs().mean()


def number(found, what: str) -> float:
    """`found` as a plain number, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected {what} as a tensor, got {type(found).__name__}.")
    require(found.numel() == 1, f"Expected {what} as one number, got a tensor of shape {tuple(found.shape)}.")
    return found.item()


def points(*values: float) -> Tensor:
    """Points on a line, in float64."""
    return torch.tensor(values, dtype=torch.float64)


def _shift(answer):
    x = points(0.0, 1.0, 5.0)
    for shift in (3.0, -3.0):
        found = number(answer(x, x + shift), "the distance")
        require(
            abs(found - 3) < 1e-6,
            f"Every point 3 further to the {'right' if shift > 0 else 'left'}: the earth moves by 3 on average; yours gives {found:.4g}.",
        )


def _crossing(answer):
    found = number(answer(points(0.0, 10.0), points(9.0, 1.0)), "the distance")
    require(
        abs(found - 1) < 1e-6,
        f"Points at 0 and 10, to be carried to 9 and 1: 0 goes to 1 and 10 to 9, a journey of 1 each; yours gives {found:.4g}.",
    )


def _both_ways_round_the_mean(answer):
    found = number(answer(points(-2.0, 2.0), points(-5.0, 5.0)), "the distance")
    require(
        abs(found - 3) < 1e-6,
        f"From −2 and 2 to −5 and 5: both means are 0, and yet each point travels 3; yours gives {found:.4g}.",
    )


def _is_an_assignment(answer):
    x, y = torch.randn(40, dtype=torch.float64), 2 * torch.randn(40, dtype=torch.float64) + 1
    found, want = number(answer(x, y), "the distance"), oracle.wasserstein_1_samples(x[:, None], y[:, None])
    require(
        abs(found - want) < 1e-6,
        f"Of all ways to pair 40 points with 40 others, the cheapest costs {want:.4f} on average; yours gives {found:.4f}.",
    )


def _in_any_order(answer):
    x, y = torch.randn(20, dtype=torch.float64), torch.randn(20, dtype=torch.float64)
    kept = x.clone(), y.clone()
    one = number(answer(x, y), "the distance")
    require(
        torch.equal(x, kept[0]) and torch.equal(y, kept[1]),
        "The points that came in were changed. `x.sort()` makes a copy; whatever writes into x does not.",
    )
    other = number(answer(x.flip(0), y[torch.randperm(20)]), "the distance")
    require(
        abs(one - other) < 1e-6,
        f"Heaps have no order, but shuffling the rows changes yours from {one:.4f} to {other:.4f}.",
    )


def _a_slope_of_one(answer):
    x, y = points(0.3, -1.0, 2.0).requires_grad_(True), points(7.0, 9.0, 8.0)
    found = answer(x, y)
    require(
        isinstance(found, Tensor) and found.requires_grad,
        "The distance should be differentiable in the points: yours is cut off from them (`item`, or a detour through numpy?).",
    )
    found.sum().backward()
    require(
        torch.allclose(x.grad, torch.full((3,), -1 / 3, dtype=torch.float64)),
        f"Each of 3 points that lie left of their goals has the slope −1/3, however far it has to go; yours {[round(v, 3) for v in x.grad.tolist()]}.",
    )


def _area_between_the_steps(x, y):
    """∫ |F − G|: between neighbouring points both distribution functions are flat."""
    pooled = torch.cat([x, y]).sort().values
    places = pooled[:-1].detach()
    f, g = ((each.detach()[None] <= places[:, None]).double().mean(1).to(x) for each in (x, y))
    return ((f - g).abs() * (pooled[1:] - pooled[:-1])).sum()


X, Y = points(0.0, 4.0, -1.0, 2.5, 2.0), points(3.0, -6.0, 0.5, 9.0, 4.5)

exercise = Exercise(
    id="03.wasserstein_1d",
    reference=wasserstein_1d,
    difficulty=1,
    minutes=6,
    properties=[
        Property("a shift costs its length", _shift),
        Property("no journeys that cross", _crossing),
        Property("not only the means count", _both_ways_round_the_mean),
        Property("rows in any order, inputs left alone", _in_any_order),
        Property("the cheapest of all assignments", _is_an_assignment),
        Property("a slope of 1/N for each point, at any distance", _a_slope_of_one),
    ],
    behaviour=lambda answer: [
        answer(X.clone(), Y.clone()),
        answer(points(0.0, 10.0), points(9.0, 1.0)),
        answer(points(0.0, 1.0, 7.0), points(2.0, 4.0, 20.0)),
    ],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda x, y: torch.stack([x, y]).sort(dim=1).values.diff(dim=0).abs().mean(),
        _area_between_the_steps,
    ],
    wrong_answers={
        "as they come": WrongAnswer(
            lambda x, y: (x - y).abs().mean(),
            "It behaves like the mean of |x − y| in the order of the rows: a plan, but not the cheapest one. Nobody paired the rows.",
        ),
        "means only": WrongAnswer(
            lambda x, y: (x.mean() - y.mean()).abs(),
            "It behaves like the distance of the means. That is a lower bound: two heaps with one mean can lie far apart.",
        ),
        "signed": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort().values).mean(),
            "Journeys to the left and to the right cancel: |x − y| for each pair first, then the mean.",
        ),
        "W2": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort().values).square().mean().sqrt(),
            "It behaves like W₂, the root of the mean *squared* journey. W₁ is the mean journey itself.",
        ),
        "squares": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort().values).square().mean(),
            "It behaves like W₂², the mean squared journey (chapter 04's Fréchet distance is of that kind). W₁ squares nothing.",
        ),
        "sum": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort().values).abs().sum(),
            "It behaves like the sum of the journeys: it grows with the number of points. Each of N points carries 1/N of the earth.",
        ),
        "longest journey": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort().values).abs().max(),
            "It behaves like the longest journey of the best plan (W_∞). W₁ is the mean.",
        ),
        "everybody to everybody": WrongAnswer(
            lambda x, y: (x[:, None] - y[None]).abs().mean(),
            "It behaves like the mean distance over *all* pairs: a plan that spreads each point over all goals, so that a heap would be some way from itself.",
        ),
        "to the nearest": WrongAnswer(
            lambda x, y: (x[:, None] - y[None]).abs().min(1).values.mean(),
            "Each point goes to its nearest goal, and some goals get nothing while others overflow. Every goal must be filled once.",
        ),
        "indices": WrongAnswer(
            lambda x, y: (x.argsort() - y.argsort()).abs().double().mean(),
            "It behaves like a difference of *row numbers*: `argsort` gives those. The values are `x.sort().values`.",
        ),
        "one sorted backwards": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort(descending=True).values).abs().mean(),
            "The smallest is carried to the largest: that is the dearest plan of all.",
        ),
        "half of it": WrongAnswer(
            lambda x, y: (x.sort().values - y.sort().values).abs().mean() / 2,
            "It is half of W₁. Nothing is counted twice here: each point makes one journey.",
        ),
    },
    hints=[
        "On a line there is a cheapest plan in which no journeys cross: the smallest goes to the smallest. What puts points into order?",
        "`x.sort().values` and `y.sort().values`, pair by pair; then the mean of the absolute differences.",
    ],
)  # fmt: skip
