"""07.in_manifold: which points lie inside whose balls."""

from __future__ import annotations

import torch

from course_lib.exercises.ch07.radii import by_products, cloud, direct
from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, require
from course_lib.metrics.manifold import in_manifold


def _balls():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [4.0, 0.0]])
    return centres, torch.tensor([1.0, 7.0, 0.5])


def _verdicts(found, count: int) -> list[bool]:
    require(
        isinstance(found, torch.Tensor),
        f"Expected one verdict for each point, in a tensor; got {type(found).__name__}.",
    )
    require(
        tuple(found.shape) == (count,),
        f"Expected one verdict for each of {count} points: shape ({count},); yours has shape {tuple(found.shape)}.",
    )
    require(found.dtype == torch.bool, f"Expected True or False for each point; your tensor is {found.dtype}.")
    return found.tolist()


def _in_and_out(answer):
    centres, widths = _balls()
    points = torch.tensor([[0.7, 0.7], [0.0, 1.5], [12.0, 3.0], [-9.0, 0.0]])
    found = _verdicts(answer(points, centres, widths), 4)
    require(
        found == [True, False, True, False],
        f"Balls at (0, 0), (10, 0), (4, 0) with radii 1, 7, ½: (0.7, 0.7), which is 0.99 from (0, 0), and (12, 3) are in one, (0, 1.5) and (−9, 0) in none; yours: {found}.",
    )


def _the_wide_ball(answer):
    centres, widths = _balls()
    found = _verdicts(answer(torch.tensor([[3.0, 1.0]]), centres, widths), 1)
    if found != [False]:  # 7.07 from (10, 0), 1.41 from (4, 0)
        raise Wrong("(3, 1) lies in no ball: it is 7.07 from (10, 0), whose radius is 7; yours says it does.")
    found = _verdicts(answer(torch.tensor([[5.0, 1.0]]), centres, widths), 1)
    require(
        found == [True],
        "(5, 1) is nearest to (4, 0), whose ball is small and misses it, but lies in the wide ball around (10, 0): it is inside; yours says outside.",
    )


def _the_edge(answer):
    centres, widths = _balls()
    found = _verdicts(answer(torch.tensor([[0.0, 1.0], [10.0, 7.0]]), centres, widths), 2)
    require(
        found == [True, True],
        f"A point exactly at distance r belongs to the ball: the rule of Kynkäänniemi et al. is d ≤ r; yours says {found}.",
    )


def _as_many_points_as_balls(answer):
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    found = _verdicts(answer(torch.tensor([[0.0, 3.0], [10.0, 3.0]]), centres, torch.tensor([1.0, 5.0])), 2)
    require(
        found == [False, True],
        f"Two points, 3 above two centres with radii 1 and 5: outside and inside; yours says {found}. The radii belong to the centres, along the columns.",
    )


def _no_ball(answer):
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    found = _verdicts(answer(torch.tensor([[0.0, 0.0], [0.1, 0.0]]), centres, torch.zeros(2)), 2)
    require(
        found == [True, False],
        f"With radii 0 the balls are single points: a copy of a centre is inside, its neighbour is not; yours: {found}.",
    )


def _copies_of_all(answer):
    centres = cloud(60, 64, 6, shift=30.0)
    found = sum(_verdicts(answer(centres.clone(), centres, torch.zeros(60)), 60))
    require(
        found == 60,
        f"60 centres with radius 0, asked about themselves: each lies in its own ball, d = 0; yours finds {found}. From 26 rows on `torch.cdist` multiplies out "
        "‖x‖² + ‖y‖² − 2x·y, and a point is then some hundredths away from itself.",
    )


def _membership_behaviour(answer) -> list:
    centres, widths = _balls()
    many = cloud(60, 64, 6, shift=30.0)
    square = torch.tensor([[0.5, 0.5], [5.0, 1.0], [12.0, 3.0]])
    more = torch.tensor([[0.0, 1.0], [-9.0, 0.0], [16.0, 0.0], [4.2, 0.1], [2.9, 0.0]])
    found = []
    for points, middles, reach in ((square, centres, widths), (more, centres, widths), (many, many, torch.zeros(60))):
        try:
            found.append(answer(points, middles, reach))
        except RuntimeError as error:
            found.append(f"raises {type(error).__name__}")
    return found


def _in_by_margin(points, centres, radii):
    return (direct(points, centres) - radii).amin(1) <= 0


def _in_by_loop(points, centres, radii):
    inside = torch.zeros(len(points), dtype=torch.bool)
    for centre, radius in zip(centres, radii):
        inside |= (points - centre).norm(dim=1) <= radius
    return inside


def _in_nearest(points, centres, radii):
    nearest = direct(points, centres).min(1)
    return nearest.values <= radii[nearest.indices]


membership = Exercise(
    id="07.in_manifold",
    reference=in_manifold,

    difficulty=2,
    minutes=8,
    properties=[
        Property("in and out, by hand", _in_and_out),
        Property("any ball will do, not only that of the nearest centre", _the_wide_ball),
        Property("the edge belongs to the ball: d ≤ r", _the_edge),
        Property("radii belong to centres, also with as many points as centres", _as_many_points_as_balls),
        Property("a ball of radius 0 holds copies of its centre", _no_ball),
        Property("the same with many points, far from 0, in float32", _copies_of_all),
    ],
    behaviour=_membership_behaviour,
    other_forms=[_in_by_margin, _in_by_loop],
    wrong_answers={
        "nearest centre only": WrongAnswer(
            _in_nearest, "It asks the nearest centre alone. Radii differ: a far centre with a wide ball can hold the point. (That is why one outlier does so much.)"
        ),
        "strict": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) < radii).any(1),
            "It behaves like d < r, the rule of the package prdc. The rule of the paper is d ≤ r; the chapter shows where the two part.",
        ),
        "in all balls": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii).all(1),
            "It wants the point to be in *every* ball. The manifold is the union of the balls: one is enough.",
        ),
        "a verdict for each ball": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii).any(0),
            "It gives a verdict for each *ball*: does it hold a point? That is coverage's question. Here each point is asked, over all balls: `any(1)`.",
        ),
        "radii along the rows": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii[:, None]).any(1),
            "It compares row i with radius i. Rows are points, columns are centres; with as many points as centres nothing crashes and everything is wrong.",
        ),
        "one radius for all": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii.mean()).any(1),
            "It uses one radius, the mean, for every ball. Each centre has its own: small where samples are dense, wide where they are sparse.",
        ),
        "largest radius": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii.max()).any(1),
            "It uses the largest radius for every ball, so nearly everything is inside.",
        ),
        "how many balls": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii).sum(1),
            "It counts the balls that hold each point. That is what *density* averages; membership is a yes or no.",
        ),
        "products": WrongAnswer(
            lambda points, centres, radii: (by_products(points, centres) <= radii).any(1),
            "Its distances behave like √(‖x‖² + ‖y‖² − 2x·y) in float32, which is what `torch.cdist` does with many rows: copies are no longer at distance 0. Ask it for `compute_mode=\"donot_use_mm_for_euclid_dist\"`.",
        ),
        "already the share": WrongAnswer(
            lambda points, centres, radii: (direct(points, centres) <= radii).any(1).double().mean(),
            "It returns the share of points inside. The share is precision or recall, the next exercise; here each point gets its verdict.",
        ),
    },
    hints=[
        "`torch.cdist(points, centres)` is (M, N): a row for each point, a column for each ball.",
        "Many rows: `torch.cdist(..., compute_mode=\"donot_use_mm_for_euclid_dist\")` keeps a point at distance 0 from itself.",
        "Compare with `radii`, which broadcasts along the columns; then `any` over the columns.",
    ],
)  # fmt: skip
