"""07.neighbour_radii and 07.in_manifold: the balls, and who lies in one."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, require
from course_lib.metrics.manifold import in_manifold


class _Largest(TorchDispatchMode):
    """Notes the number of entries of the largest tensor that any operation returns."""

    entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        for each in found if isinstance(found, tuple | list) else (found,):
            if isinstance(each, torch.Tensor):
                self.entries = max(self.entries, each.numel())
        return found


def _line() -> torch.Tensor:
    return torch.tensor([[0.0], [1.0], [3.0], [7.0]])


def _cloud(count: int, dim: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def numbers(found, shape: tuple, what: str) -> torch.Tensor:
    """`found` as a float64 tensor of that shape, or a sentence that says what came instead."""
    require(isinstance(found, torch.Tensor), f"Expected {what} in a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == shape, f"Expected {what}: shape {shape}; yours has shape {tuple(found.shape)}.")
    return found.double()


# ---------------------------------------------------------------- radii


def _four_points(answer):
    found = numbers(answer(_line(), 2), (4,), "one radius for each point")
    require(
        found.tolist() == [3.0, 2.0, 3.0, 6.0],
        f"The points 0, 1, 3, 7 on a line have their second neighbours at distances 3, 2, 3, 6; yours: "
        f"{[round(value, 3) for value in found.tolist()]}."
        + (
            " These are the first ones: does a point count as its own neighbour?"
            if found.tolist() == [1, 1, 2, 4]
            else ""
        ),
    )


def _any_block(answer):
    points = _cloud(53, 3, 1)
    want = torch.cdist(points.double(), points.double()).sort(dim=1).values[:, 4]
    for block in (53, 10, 1):
        found = numbers(
            answer(points.clone(), 4, block=block), (53,), f"one radius for each of 53 points (blocks of {block})"
        )
        off = (found - want).abs().max().item()
        require(
            off < 1e-4,
            f"53 points in blocks of {block}: your radii are up to {off:.3f} off. Each row of a block is compared with "
            "*all* points, and the last block may be short.",
        )


def _copies(answer):
    found = numbers(answer(torch.tensor([[0.0, 0.0]] * 3 + [[5.0, 0.0]]), 2), (4,), "one radius for each point")
    require(
        found.tolist() == [0.0, 0.0, 0.0, 5.0],
        f"Three copies of one point have two neighbours at distance 0, so their radii for k = 2 are 0; yours: "
        f"{[round(value, 3) for value in found.tolist()]}. Leave out the point itself, not whoever is at distance 0.",
    )


def _far_from_zero(answer):
    near, far = _cloud(40, 4, 2), None
    far = (near * 64).round() / 64 + 1024.0  # the same shape, exactly, elsewhere
    one = numbers(answer(far - 1024.0, 3), (40,), "one radius for each point")
    other = numbers(answer(far, 3), (40,), "one radius for each point")
    off = (one - other).abs().max().item()
    require(
        off < 1e-3,
        f"Moving all points by 1024 changes no distance, but your radii change by up to {off:.3f}: ‖x‖² + ‖y‖² − 2x·y "
        "subtracts large numbers, and float32 keeps seven digits of them.",
    )


def _memory(answer):
    points = _cloud(1000, 3, 3)
    with _Largest() as watched:
        answer(points, 3, block=100)
    require(
        watched.entries <= 500_000,
        f"With 1,000 points in blocks of 100 you made a tensor of {watched.entries:,} entries: the whole 1,000 × 1,000 table. "
        "At 50,000 images that is 10 GB. Go through the rows `block` at a time.",
    )


def _radii_behaviour(answer) -> list:
    points = _cloud(30, 3, 4)
    copies = torch.cat([points[:4]] * 3)
    far = (points * 64).round() / 64 + 4096.0
    with _Largest() as watched:
        answer(_cloud(600, 2, 5), 3, block=20)
    return [
        answer(points, 3, block=30),
        answer(points, 3, block=7),
        answer(copies, 2, block=12),
        answer(far, 3, block=30),
        "one table" if watched.entries > 200_000 else "blocks",
    ]


def _by_blocks(features, block):
    return features.split(block)


def _direct(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _radii_by_sorting(features, k, *, block=1024):
    return torch.cat([_direct(rows, features).sort(dim=1).values[:, k] for rows in _by_blocks(features, block)])


def _radii_without_cdist(features, k, *, block=1024):
    found = torch.empty(len(features), dtype=features.dtype)
    for start in range(0, len(features), block):
        rows = features[start : start + block]
        table = torch.stack([(rows - other).norm(dim=1) for other in features], 1)
        table[torch.arange(len(rows)), torch.arange(start, start + len(rows))] = torch.inf
        found[start : start + block] = table.topk(k, dim=1, largest=False).values[:, -1]
    return found


def _radii_self(features, k, *, block=1024):
    return torch.cat([_direct(rows, features).kthvalue(k, dim=1).values for rows in _by_blocks(features, block)])


def _radii_squared(features, k, *, block=1024):
    return _radii_by_sorting(features, k, block=block).square()


def _radii_mean(features, k, *, block=1024):
    return torch.cat(
        [_direct(rows, features).sort(dim=1).values[:, 1 : k + 1].mean(1) for rows in _by_blocks(features, block)]
    )


def _radii_farthest(features, k, *, block=1024):
    return torch.cat([_direct(rows, features).topk(k, dim=1).values[:, -1] for rows in _by_blocks(features, block)])


def _radii_within_block(features, k, *, block=1024):
    return torch.cat([_direct(rows, rows).sort(dim=1).values[:, k] for rows in _by_blocks(features, block)])


def _radii_whole_blocks(features, k, *, block=1024):
    whole = max(len(features) // block, 1)
    return torch.cat(
        [_direct(features[i * block : (i + 1) * block], features).sort(dim=1).values[:, k] for i in range(whole)]
    )


def _radii_not_at_zero(features, k, *, block=1024):
    found = []
    for rows in _by_blocks(features, block):
        table = _direct(rows, features)
        found.append(table.masked_fill(table == 0, torch.inf).sort(dim=1).values[:, k - 1])
    return torch.cat(found)


def _radii_one_table(features, k, *, block=1024):
    return _direct(features, features).sort(dim=1).values[:, k]


def _by_products(a, b):
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0).sqrt()


def _radii_by_products(features, k, *, block=1024):
    return torch.cat([_by_products(rows, features).sort(dim=1).values[:, k] for rows in _by_blocks(features, block)])


radii = Exercise(
    id="07.neighbour_radii",
    reference=metrics.neighbour_radii,
    solution_also=[_radii_by_sorting, _by_blocks, _direct],
    difficulty=2,
    minutes=10,
    properties=[
        Property("four points on a line, by hand", _four_points),
        Property("the same radii for every block size, a short last block included", _any_block),
        Property("copies of a point are neighbours at distance 0", _copies),
        Property("moving all points changes nothing, in float32", _far_from_zero),
        Property("memory for a block of rows, not for the whole table", _memory),
    ],
    behaviour=_radii_behaviour,
    tolerance=(1e-3, 1e-3),
    other_forms=[_radii_by_sorting, _radii_without_cdist],
    wrong_answers={
        "counts itself": WrongAnswer(
            _radii_self,
            "It behaves as if a point were its own first neighbour: every row holds a 0, the point itself, so the k-th neighbour is the (k + 1)-th smallest.",
        ),
        "squared": WrongAnswer(
            _radii_squared, "It behaves like squared distances. Squares sort in the same order, so nothing looks odd until a radius meets a distance."
        ),
        "mean of k": WrongAnswer(
            _radii_mean, "It behaves like the mean distance to the k nearest. The radius is the distance to the k-th alone; the others lie inside."
        ),
        "farthest": WrongAnswer(
            _radii_farthest, "It behaves like the k-th *farthest* point: `topk` takes the largest unless told `largest=False`."
        ),
        "within the block": WrongAnswer(
            _radii_within_block,
            "It looks for neighbours within a block only, so radii grow as blocks shrink. A block limits the rows; the columns are all points.",
        ),
        "short block lost": WrongAnswer(
            _radii_whole_blocks, "Points behind the last whole block get no radius: N // block drops the remainder. `features.split(block)` keeps it."
        ),
        "zero means itself": WrongAnswer(
            _radii_not_at_zero,
            "It leaves out everybody at distance 0, copies included. A generator that repeats one image would get wide balls for it, where it should get radius 0.",
        ),
        "one table": WrongAnswer(
            _radii_one_table, "It behaves like the whole N × N table at once. Right for 1,000 points; 10 GB for 50,000."
        ),
        "products": WrongAnswer(
            _radii_by_products,
            "It behaves like √(‖x‖² + ‖y‖² − 2x·y) in float32. Far from 0 that is a small difference of large numbers: centre the points first, or subtract coordinates.",
        ),
    },
    hints=[
        "`features.split(block)` gives the blocks of rows; `torch.cdist(rows, features)` their distances to everybody, (block, N).",
        "In each row the smallest entry is the point itself, so take the (k + 1)-th smallest: `.kthvalue(k + 1, dim=1).values`.",
        "`torch.cdist(..., compute_mode=\"donot_use_mm_for_euclid_dist\")` subtracts coordinates instead of multiplying out.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- membership


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
    points = torch.tensor([[0.5, 0.5], [0.0, 1.5], [12.0, 3.0], [-9.0, 0.0]])
    found = _verdicts(answer(points, centres, widths), 4)
    require(
        found == [True, False, True, False],
        f"Balls at (0, 0), (10, 0), (4, 0) with radii 1, 7, ½: (0.5, 0.5) and (12, 3) are in one, (0, 1.5) and (−9, 0) in none; yours: {found}.",
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
    centres = _cloud(60, 64, 6, shift=30.0)
    found = sum(_verdicts(answer(centres.clone(), centres, torch.zeros(60)), 60))
    require(
        found == 60,
        f"60 centres with radius 0, asked about themselves: each lies in its own ball, d = 0; yours finds {found}. From 26 rows on `torch.cdist` multiplies out "
        "‖x‖² + ‖y‖² − 2x·y, and a point is then some hundredths away from itself.",
    )


def _membership_behaviour(answer) -> list:
    centres, widths = _balls()
    many = _cloud(60, 64, 6, shift=30.0)
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
    return (_direct(points, centres) - radii).amin(1) <= 0


def _in_by_loop(points, centres, radii):
    inside = torch.zeros(len(points), dtype=torch.bool)
    for centre, radius in zip(centres, radii):
        inside |= (points - centre).norm(dim=1) <= radius
    return inside


def _in_nearest(points, centres, radii):
    nearest = _direct(points, centres).min(1)
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
            lambda points, centres, radii: (_direct(points, centres) < radii).any(1),
            "It behaves like d < r, the rule of the package prdc. The rule of the paper is d ≤ r; the chapter shows where the two part.",
        ),
        "in all balls": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii).all(1),
            "It wants the point to be in *every* ball. The manifold is the union of the balls: one is enough.",
        ),
        "a verdict for each ball": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii).any(0),
            "It gives a verdict for each *ball*: does it hold a point? That is coverage's question. Here each point is asked, over all balls: `any(1)`.",
        ),
        "radii along the rows": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii[:, None]).any(1),
            "It compares row i with radius i. Rows are points, columns are centres; with as many points as centres nothing crashes and everything is wrong.",
        ),
        "one radius for all": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii.mean()).any(1),
            "It uses one radius, the mean, for every ball. Each centre has its own: small where samples are dense, wide where they are sparse.",
        ),
        "largest radius": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii.max()).any(1),
            "It uses the largest radius for every ball, so nearly everything is inside.",
        ),
        "how many balls": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii).sum(1),
            "It counts the balls that hold each point. That is what *density* averages; membership is a yes or no.",
        ),
        "products": WrongAnswer(
            lambda points, centres, radii: (_by_products(points, centres) <= radii).any(1),
            "Its distances behave like √(‖x‖² + ‖y‖² − 2x·y) in float32, which is what `torch.cdist` does with many rows: copies are no longer at distance 0. Ask it for `compute_mode=\"donot_use_mm_for_euclid_dist\"`.",
        ),
        "already the share": WrongAnswer(
            lambda points, centres, radii: (_direct(points, centres) <= radii).any(1).double().mean(),
            "It returns the share of points inside. The share is precision or recall, the next exercise; here each point gets its verdict.",
        ),
    },
    hints=[
        "`torch.cdist(points, centres)` is (M, N): a row for each point, a column for each ball.",
        "Many rows: `torch.cdist(..., compute_mode=\"donot_use_mm_for_euclid_dist\")` keeps a point at distance 0 from itself.",
        "Compare with `radii`, which broadcasts along the columns; then `any` over the columns.",
    ],
)  # fmt: skip
