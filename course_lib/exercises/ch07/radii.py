"""07.neighbour_radii: how far each point's k-th neighbour is."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


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


def cloud(count: int, dim: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def numbers(found, shape: tuple, what: str) -> torch.Tensor:
    """`found` as a float64 tensor of that shape, or a sentence that says what came instead."""
    require(isinstance(found, torch.Tensor), f"Expected {what} in a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == shape, f"Expected {what}: shape {shape}; yours has shape {tuple(found.shape)}.")
    return found.double()


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
    points = cloud(53, 3, 1)
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
    near, far = cloud(40, 4, 2), None
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
    points = cloud(1000, 20, 3)
    with _Largest() as watched:
        answer(points, 3, block=100)
    require(
        watched.entries <= 500_000,
        f"With 1,000 points of 20 features in blocks of 100 you made a tensor of {watched.entries:,} entries. "
        + (
            "That is 20 numbers for every pair of a block: `torch.cdist` keeps one, the distance."
            if watched.entries == 2_000_000
            else "That is the whole 1,000 × 1,000 table: at 50,000 images it is 10 GB. Go through the rows `block` at a time."
        ),
    )


def _radii_behaviour(answer) -> list:
    points = cloud(30, 3, 4)
    copies = torch.cat([points[:4]] * 3)
    far = (points * 64).round() / 64 + 4096.0
    with _Largest() as watched:
        answer(cloud(600, 2, 5), 3, block=20)
    return [
        answer(points, 3, block=30),
        answer(points, 3, block=7),
        answer(copies, 2, block=12),
        answer(far, 3, block=30),
        "one table" if watched.entries > 200_000 else "blocks",
    ]


def _by_blocks(features, block):
    return features.split(block)


def direct(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _radii_by_sorting(features, k, *, block=1024):
    return torch.cat([direct(rows, features).sort(dim=1).values[:, k] for rows in _by_blocks(features, block)])


def _radii_without_cdist(features, k, *, block=1024):
    found = torch.empty(len(features), dtype=features.dtype)
    for start in range(0, len(features), block):
        rows = features[start : start + block]
        table = torch.stack([(rows - other).norm(dim=1) for other in features], 1)
        table[torch.arange(len(rows)), torch.arange(start, start + len(rows))] = torch.inf
        found[start : start + block] = table.topk(k, dim=1, largest=False).values[:, -1]
    return found


def _radii_self(features, k, *, block=1024):
    return torch.cat([direct(rows, features).kthvalue(k, dim=1).values for rows in _by_blocks(features, block)])


def _radii_squared(features, k, *, block=1024):
    return _radii_by_sorting(features, k, block=block).square()


def _radii_mean(features, k, *, block=1024):
    return torch.cat(
        [direct(rows, features).sort(dim=1).values[:, 1 : k + 1].mean(1) for rows in _by_blocks(features, block)]
    )


def _radii_farthest(features, k, *, block=1024):
    return torch.cat([direct(rows, features).topk(k, dim=1).values[:, -1] for rows in _by_blocks(features, block)])


def _radii_within_block(features, k, *, block=1024):
    return torch.cat([direct(rows, rows).sort(dim=1).values[:, k] for rows in _by_blocks(features, block)])


def _radii_whole_blocks(features, k, *, block=1024):
    whole = max(len(features) // block, 1)
    return torch.cat(
        [direct(features[i * block : (i + 1) * block], features).sort(dim=1).values[:, k] for i in range(whole)]
    )


def _radii_not_at_zero(features, k, *, block=1024):
    found = []
    for rows in _by_blocks(features, block):
        table = direct(rows, features)
        found.append(table.masked_fill(table == 0, torch.inf).sort(dim=1).values[:, k - 1])
    return torch.cat(found)


def _radii_one_table(features, k, *, block=1024):
    return direct(features, features).sort(dim=1).values[:, k]


def by_products(a, b):
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0).sqrt()


def _radii_by_products(features, k, *, block=1024):
    return torch.cat([by_products(rows, features).sort(dim=1).values[:, k] for rows in _by_blocks(features, block)])


radii = Exercise(
    id="07.neighbour_radii",
    reference=metrics.neighbour_radii,
    solution_also=[_radii_by_sorting, _by_blocks, direct],
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
