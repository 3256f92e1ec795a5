"""03b.count_modes: how we count variety where the modes are known."""

from __future__ import annotations

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import number
from course_lib.metrics.modes import count_modes

MEANS = torch.tensor([[0, 0], [10, 0], [20, 0], [20, 3]], dtype=torch.float64)
STDS = torch.tensor([0.5, 0.5, 2.0, 2.0], dtype=torch.float64)


def _cloud(*places):
    """Points: (x, y, how many)."""
    return torch.cat([torch.tensor([[x, y]], dtype=torch.float64).repeat(count, 1) for x, y, count in places])


def _pair(answer, samples, at_least, means=MEANS, stds=STDS):
    found = answer(samples, means, stds, at_least)
    require(
        isinstance(found, (tuple, list)) and len(found) == 2,
        "Expected two numbers: the modes found, and the share of samples that belong to one.",
    )
    return number(found[0], "the modes found"), number(found[1], "the share")


def _is(samples, at_least, want, why):
    def check(answer):
        found = _pair(answer, samples, at_least)
        require(
            found[0] == want[0] and abs(found[1] - want[1]) < 1e-6,
            f"{why} So {want[0]} mode{'s' * (want[0] != 1)} and a share of {want[1]:.3f}; yours says {found[0]:g} and {found[1]:.3f}.",
        )

    return check


FAR = _cloud((0, 0, 5), (10, 0, 5), (5.0, 0, 10))
CORNER = _cloud((0, 0, 6), (11.3, 1.3, 4))  # 1.84 from the second mode, beyond 1.5, but within it along each axis
BETWEEN = _cloud((20.0, 1.0, 10))  # within three deviations of the third mode and of the fourth, nearer to the third
FEW = _cloud((0, 0, 7), (10, 0, 3), (20, 0, 5))
EDGE = _cloud((1.4, 0, 5), (10, -1.45, 5), (20, -5.5, 5))
ASLANT = _cloud((0.9, 0.9, 5))  # 1.27 from the first mode
FURTHER = _cloud((14.4, 0, 5), (0, 0, 5))  # 4.4 from a narrow mode, 5.6 from a wide one, in whose reach it is
LIMITS = _cloud((20, -3.5, 4), (-9, 0, 4), (12.5, 0, 3))  # what limits of 2σ, 3·max σ and 3·mean σ answer differently
RINGS = _cloud((0.2, 0, 2), (0.6, 0, 5), (1.0, 0, 3))


def _counting_behaviour(answer) -> list:
    clouds = [
        (FAR, 5),
        (CORNER, 3),
        (BETWEEN, 5),
        (FEW, 5),
        (FEW, 3),
        (EDGE, 2),
        (RINGS, 2),
        (ASLANT, 2),
        (FURTHER, 2),
        (LIMITS, 3),
    ]
    return [each for cloud, at_least in clouds for each in answer(cloud, MEANS, STDS, at_least)]


def _counted(
    limit=lambda stds: 3 * stds, enough=lambda counts, at_least: counts >= at_least, share=None, distances=torch.cdist
):
    def answer(samples, means, stds, at_least=20):
        distance, nearest = distances(samples.double(), means.double()).min(1)
        near = distance <= limit(stds)[nearest]
        counts = torch.bincount(nearest[near], minlength=len(means))
        found = int(enough(counts, at_least).sum())
        return found, (near.double().mean().item() if share is None else share(found, counts, samples, means))

    return answer


def _box(samples, means, stds, at_least=20):
    away = (samples[:, None] - means).abs()
    nearest = away.square().sum(2).argmin(1)
    near = (away[torch.arange(len(samples)), nearest] <= 3 * stds[nearest, None]).all(1)
    counts = torch.bincount(nearest[near], minlength=len(means))
    return int((counts >= at_least).sum()), near.double().mean().item()


def _all_that_are_near(samples, means, stds, at_least=20):
    near = torch.cdist(samples.double(), means.double()) <= 3 * stds
    return int((near.sum(0) >= at_least).sum()), near.any(1).double().mean().item()


def _nearest_in_deviations(samples, means, stds, at_least=20):
    away, nearest = (torch.cdist(samples.double(), means) / stds).min(1)
    counts = torch.bincount(nearest[away <= 3], minlength=len(means))
    return int((counts >= at_least).sum()), (away <= 3).double().mean().item()


def _by_loop(samples, means, stds, at_least=20):
    counts = [0] * len(means)
    for sample in samples:
        away = (sample - means).norm(dim=1)
        mode = int(away.argmin())
        if away[mode] <= 3 * stds[mode]:
            counts[mode] += 1
    return sum(count >= at_least for count in counts), sum(counts) / len(samples)


counting = Exercise(
    id="03b.count_modes",
    reference=count_modes,
    difficulty=2,
    minutes=8,
    properties=[
        Property("samples between the modes belong to none", _is(FAR, 5, (2, 0.5), "Five samples on each of two modes, ten half-way between them.")),
        Property("three deviations in every direction", _is(CORNER, 3, (1, 0.6), "Four samples lie at (1.3, 1.3) from a mode with deviation 0.5, which is 1.84 away, beyond 1.5.")),
        Property("the straight distance", _is(ASLANT, 2, (1, 1.0), "Five samples lie at (0.9, 0.9) from a mode with deviation 0.5, which is √2·0.9 = 1.27 away, within 1.5.")),
        Property("each mode has its own deviation", _is(EDGE, 2, (3, 1.0), "Samples 1.4 and 1.45 away from modes of deviation 0.5 belong to them, and samples 5.5 away from one of deviation 2 to that.")),
        Property("nearest by distance", _is(FURTHER, 2, (1, 0.5), "Five samples lie 4.4 from a mode of deviation 0.5 and 5.6 from one of deviation 2: the first is nearer, and they are beyond its 1.5.")),
        Property("float32 samples with float64 means", _is(FAR.float(), 5, (2, 0.5), "The same samples as a generator draws them, in float32.")),
        Property("a sample belongs to one mode", _is(BETWEEN, 5, (1, 1.0), "Ten samples within reach of two modes belong to the nearer one.")),
        Property("a mode needs enough samples", _is(FEW, 5, (2, 1.0), "With 7, 3 and 5 samples on three modes and at least 5 asked for, two are found.")),
    ],
    behaviour=_counting_behaviour,
    other_forms=[_by_loop, _counted()],
    wrong_answers={
        "nearest, however far": WrongAnswer(
            _counted(limit=lambda stds: torch.full_like(stds, torch.inf)),
            "Every sample counts for its nearest mode, however far away it is: a generator that draws noise between the modes would find them all.",
        ),
        "a square": WrongAnswer(_box, "Three deviations along each axis make a square, whose corners are 3√2 deviations away. The distance is what counts."),
        "one is enough": WrongAnswer(
            _counted(enough=lambda counts, at_least: counts > 0),
            "One stray sample makes a mode: `at_least` has no part in it. Among thousands of samples nearly every mode is hit once by accident.",
        ),
        "more than": WrongAnswer(_counted(enough=lambda counts, at_least: counts > at_least), "*At least* five includes five: ≥, not >."),
        "one deviation for all": WrongAnswer(
            _counted(limit=lambda stds: 3 * stds[:1].expand_as(stds)),
            "The limit is that of the first mode for all of them. Each has its own: `stds[nearest]`.",
        ),
        "city blocks": WrongAnswer(
            _counted(distances=lambda samples, means: torch.cdist(samples, means, p=1)),
            "The distance is |Δx| + |Δy|, as one walks in a city. Straight it is √(Δx² + Δy²).",
        ),
        "nearest in deviations": WrongAnswer(
            _nearest_in_deviations,
            "The nearest mode is chosen by distance over deviation, so a wide mode draws samples away from a narrow one. Nearest means the smaller distance.",
        ),
        "three variances": WrongAnswer(
            _counted(limit=lambda stds: 3 * stds**2), "The limit behaves like 3σ², three variances. Three standard deviations are 3σ."
        ),
        "squared distance": WrongAnswer(
            _counted(limit=lambda stds: (3 * stds).sqrt()), "It compares the *squared* distance with 3σ. Squared, the limit is 9σ²."
        ),
        "one deviation": WrongAnswer(
            _counted(limit=lambda stds: stds), "The limit is one deviation: in the plane that leaves out 61 % of *perfect* samples. Three leave out 1.1 %."
        ),
        "counted twice": WrongAnswer(
            _all_that_are_near, "A sample within reach of two modes counts for both. It belongs to the nearest alone."
        ),
        "share of modes": WrongAnswer(
            _counted(share=lambda found, counts, samples, means: found / len(means)),
            "The second number is the share of *modes* found. Asked for is the share of samples that belong to one.",
        ),
        "share of found": WrongAnswer(
            _counted(share=lambda found, counts, samples, means: found / len(samples)),
            "The second number divides the modes found by the number of samples. Count the samples within three deviations.",
        ),
        "exchanged": WrongAnswer(
            lambda samples, means, stds, at_least=20: tuple(reversed(count_modes(samples, means, stds, at_least))),
            "Both are right, in the other order: first the modes, then the share.",
        ),
    },
    hints=[
        "`torch.cdist(samples.double(), means)` is (N, K) (it wants both in one precision); its minimum along dimension 1 gives distance and nearest mode.",
        "Keep those with distance ≤ 3·stds[nearest]; `torch.bincount(nearest[kept], minlength=K)` counts them by mode.",
    ],
)  # fmt: skip
