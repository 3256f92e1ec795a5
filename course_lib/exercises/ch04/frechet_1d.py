"""04.frechet_1d: the Fréchet distance of two normals on a line."""

from __future__ import annotations

import math

from course_lib.exercises.ch04.numbers import number
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require


def frechet_1d(mean_x, std_x, mean_y, std_y):
    """The squared Fréchet distance between N(μ_x, σ_x²) and N(μ_y, σ_y²): (μ_x − μ_y)² + (σ_x − σ_y)²."""
    return (mean_x - mean_y) ** 2 + (std_x - std_y) ** 2


def _at(answer, values, want, words):
    found = number(answer(*values), "d²")
    require(
        math.isfinite(found) and abs(found - want) < 1e-9,
        f"{words}: d² = {want:g}; yours gives {found:.4g}.",
    )


def _same(answer):
    _at(answer, (1.5, 0.7, 1.5, 0.7), 0.0, "A distribution and itself")


def _shifted(answer):
    _at(answer, (2.0, 0.5, -1.0, 0.5), 9.0, "N(2, 0.5²) and N(−1, 0.5²), three apart and equally wide")


def _widened(answer):
    _at(answer, (0.0, 2.0, 0.0, 5.0), 9.0, "N(0, 2²) and N(0, 5²), standard deviations 2 and 5, which differ by 3")


def _points(answer):
    _at(answer, (1.0, 0.0, 5.0, 0.0), 16.0, "Two points, at 1 and at 5 (both deviations are 0), 4 apart")


def _square_law(answer):
    one, ten = (number(answer(*(scale * v for v in (1.0, 2.0, 4.0, 3.0))), "d²") for scale in (1, 10))
    require(
        abs(ten - 100 * one) < 1e-6 * max(1.0, abs(one)),
        f"Centimetres instead of decimetres, every number ten times as large: d² is a squared length, 100 times as large. Yours goes from {one:.4g} to {ten:.4g}.",
    )


def _both_ways(answer):
    one, other = (number(answer(*values), "d²") for values in ((0.0, 1.0, 2.0, 3.0), (2.0, 3.0, 0.0, 1.0)))
    require(abs(one - other) < 1e-9, f"From x to y is as far as from y to x; yours gives {one:.4g} and {other:.4g}.")


def _gaussian_kl(mean_x, std_x, mean_y, std_y):
    return math.log(std_y / std_x) + (std_x**2 + (mean_x - mean_y) ** 2) / (2 * std_y**2) - 0.5


def _by_the_cross_term(mean_x, std_x, mean_y, std_y):
    return (mean_x - mean_y) ** 2 + std_x**2 + std_y**2 - 2 * std_x * std_y


one_dimension = Exercise(
    id="04.frechet_1d",
    reference=frechet_1d,
    difficulty=1,
    minutes=4,
    properties=[
        Property("0 between a distribution and itself", _same),
        Property("a shift of 3 costs 9", _shifted),
        Property("deviations that differ by 3 cost 9", _widened),
        Property("the same both ways round", _both_ways),
        Property("two single points: their squared distance", _points),
        Property("a squared length: ten times the unit, a hundred times d²", _square_law),
    ],
    behaviour=lambda answer: [answer(0.0, 1.0, 2.0, 3.0), answer(1.0, 2.5, -0.5, 0.5), answer(0.3, 0.4, 0.3, 1.9)],
    tolerance=(1e-9, 1e-12),
    other_forms=[_by_the_cross_term, lambda mean_x, std_x, mean_y, std_y: abs(complex(mean_x - mean_y, std_x - std_y)) ** 2],
    wrong_answers={
        "the root": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: math.hypot(mean_x - mean_y, std_x - std_y),
            "It behaves like d. What the field calls FID, and what this course computes, is d²: leave the root out.",
        ),
        "variances": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (mean_x - mean_y) ** 2 + (std_x**2 - std_y**2) ** 2,
            "It behaves like (σ_x² − σ_y²)²: the difference of *variances*, squared. That is a length to the fourth power beside a length to the second.",
        ),
        "difference of variances": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (mean_x - mean_y) ** 2 + abs(std_x**2 - std_y**2),
            "It behaves like |σ_x² − σ_y²|. The square stands outside the difference: (σ_x − σ_y)².",
        ),
        "not squared": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (mean_x - mean_y) ** 2 + (std_x - std_y),
            "The second square is missing: σ_x − σ_y can be negative, a distance cannot.",
        ),
        "sum of variances": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (mean_x - mean_y) ** 2 + std_x**2 + std_y**2,
            "It behaves like E(x − y)² for x and y drawn *independently*: σ_x² + σ_y². The two are paired as well as possible, and that takes 2σ_xσ_y off.",
        ),
        "means only": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (mean_x - mean_y) ** 2,
            "It behaves like the mean term alone: a generator that draws one image, the average one, would be perfect.",
        ),
        "deviations only": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (std_x - std_y) ** 2,
            "The mean term is missing: two distributions a mile apart would be equal.",
        ),
        "absolute values": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: abs(mean_x - mean_y) + abs(std_x - std_y),
            "It behaves like |Δμ| + |Δσ|. Both differences are squared.",
        ),
        "in units of the deviations": WrongAnswer(
            lambda mean_x, std_x, mean_y, std_y: (mean_x - mean_y) ** 2 / (std_x * std_y) + (std_x - std_y) ** 2,
            "The mean term is divided by the deviations, as in a test statistic or a Mahalanobis distance. Here it counts in the unit of x: two points, without any deviation, still have a distance.",
        ),
        "KL": WrongAnswer(
            _gaussian_kl,
            "It behaves like KL between two normals: not the same both ways, and infinite where a deviation is 0. Chapter 05 has its uses.",
        ),
    },
    hints=[
        "Two squares: one for where the distributions are, one for how wide they are.",
        "The second square is of the difference of the standard deviations, not of the variances.",
    ],
)  # fmt: skip
