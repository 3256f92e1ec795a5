"""04.frechet_distance: the Fréchet distance of two normals in many dimensions."""

from __future__ import annotations

import math

import torch

from course_lib import metrics
from course_lib.exercises.ch04.numbers import double, number
from course_lib.exercises.ch04.root import A, B, by_eigenvalues_of_the_product, by_singular_values, root_of_matrix
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.metrics.frechet import trace_of_root

MEAN_X, MEAN_Y = double([1.0, 0.0, -1.0]), double([0.0, 2.0, -1.0])
EYE = torch.eye(8, dtype=torch.float64)


def _squared(answer, *values):
    return number(answer(*(v.clone() for v in values)), "d²")


def _closed_form(answer):
    found = _squared(answer, torch.zeros(8).double(), EYE, torch.full((8,), 0.5).double(), 4 * EYE)
    require(
        abs(found - 10) < 1e-8,
        f"N(0, I₈) and N(½, 4I₈): the means are √(8·¼) apart, that is 2 squared; each of 8 deviations differs by 1, that is 8. d² = 10; yours gives {found:.9g}.",
    )


def _only_the_means(answer):
    found = _squared(answer, MEAN_X, A, MEAN_Y, A)
    require(
        abs(found - 5) < 1e-8,
        f"Equal covariances, means that differ by (1, −2, 0): d² = 1 + 4 + 0 = 5; yours gives {found:.9g}.",
    )


def _one_is_the_univariate(answer):
    found = _squared(answer, double([1.0]), double([[4.0]]), double([4.0]), double([[49.0]]))
    require(
        abs(found - 34) < 1e-8,
        f"In one dimension it is the formula from above: N(1, 2²) and N(4, 7²) are 3² + 5² = 34 apart; yours gives {found:.9g}.",
    )


def _off_the_diagonal(answer):
    lean = double([[1.0, 0.9], [0.9, 1.0]])
    found, want = _squared(answer, double([0.0, 0.0]), lean, double([0.0, 0.0]), lean * double([[1.0, -1.0], [-1.0, 1.0]])), 2 * (
        math.sqrt(1.9) - math.sqrt(0.1)
    ) ** 2  # fmt: skip
    require(
        abs(found - want) < 1e-8,
        f"Two ellipses with equal means and equal variances, leaning to the right (covariance 0.9) and to the left (−0.9): d² = 2(√1.9 − √0.1)² = {want:.4f}; yours gives {found:.9g}.",
    )


def _general(answer):
    found, want = _squared(answer, MEAN_X, A, MEAN_Y, B), metrics.frechet_distance(MEAN_X, A, MEAN_Y, B)
    require(
        abs(found - want) < 1e-7,
        f"Two covariances that do not commute, in three dimensions: d² = {want:.4f}; yours gives {found:.9g}.",
    )


def _mirrored(answer):
    one, other = _squared(answer, MEAN_X, A, MEAN_Y, B), _squared(answer, MEAN_Y, B, MEAN_X, A)
    require(abs(one - other) < 1e-7, f"d² is the same both ways round; yours gives {one:.4f} and {other:.4f}.")


def _of(means, covs):
    def distance(mean_x, cov_x, mean_y, cov_y):
        return means(mean_x - mean_y) + covs(cov_x, cov_y)

    return distance


def _square(difference):
    return (difference**2).sum()


def _spread(cov_x, cov_y):
    return cov_x.trace() + cov_y.trace() - 2 * trace_of_root(cov_x, cov_y)


def _from_the_chapter(mean_x, cov_x, mean_y, cov_y):
    difference = mean_x - mean_y
    return difference @ difference + (cov_x + cov_y).trace() - 2 * by_eigenvalues_of_the_product(cov_x, cov_y)


many = Exercise(
    id="04.frechet_distance",
    reference=metrics.frechet_distance,
    difficulty=2,
    minutes=8,
    properties=[
        Property("N(0, I₈) and N(½, 4I₈) are 10 apart", _closed_form),
        Property("equal covariances: the squared distance of the means", _only_the_means),
        Property("in one dimension the formula for one dimension", _one_is_the_univariate),
        Property("it sees what stands off the diagonal", _off_the_diagonal),
        Property("covariances that do not commute", _general),
        Property("the same both ways round", _mirrored),
    ],
    behaviour=lambda answer: [
        answer(MEAN_X.clone(), A.clone(), MEAN_Y.clone(), B.clone()),
        answer(MEAN_X.clone(), A.clone(), MEAN_X + 3, A.clone()),
        answer(MEAN_X.clone(), A.clone(), MEAN_X.clone(), 4 * A),
    ],
    tolerance=(1e-6, 1e-6),
    other_forms=[_from_the_chapter, _of(_square, lambda x, y: x.trace() + y.trace() - 2 * by_singular_values(x, y))],
    wrong_answers={
        "no mean term": WrongAnswer(
            _of(lambda difference: 0 * difference.sum(), _spread),
            "It behaves like the trace term alone. A published checker of this very exercise accepts that; a generator whose features all sit in the wrong place would score 0.",
        ),
        "means only": WrongAnswer(
            _of(_square, lambda x, y: 0 * x.trace()), "It behaves like ‖μ_x − μ_y‖² alone: how the features vary, and with that diversity, does not enter."
        ),
        "norm not squared": WrongAnswer(
            _of(lambda difference: difference.norm(), _spread), "The mean term behaves like ‖μ_x − μ_y‖. It is squared: `norm` takes a root that has to be undone."
        ),
        "the root": WrongAnswer(
            lambda *values: metrics.frechet_distance(*values) ** 0.5,
            "It behaves like d. What the field calls FID, and what this function returns, is d².",
        ),
        "no factor 2": WrongAnswer(
            _of(_square, lambda x, y: x.trace() + y.trace() - trace_of_root(x, y)),
            "The factor 2 before the root is missing: a distribution would be Tr Σ away from itself.",
        ),
        "plus": WrongAnswer(
            _of(_square, lambda x, y: x.trace() + y.trace() + 2 * trace_of_root(x, y)), "The root's trace is added. It is taken *off*: (σ_x − σ_y)² = σ_x² + σ_y² − 2σ_xσ_y."
        ),
        "as if they commuted": WrongAnswer(
            _of(_square, lambda x, y: (root_of_matrix(x) - root_of_matrix(y)).square().sum()),
            "It behaves like ‖Σ_x^½ − Σ_y^½‖²: right for covariances that commute, too large for all others. Use `trace_of_root`.",
        ),
        "entry by entry": WrongAnswer(
            _of(_square, lambda x, y: x.trace() + y.trace() - 2 * (x @ y).clamp(min=0).sqrt().trace()),
            "It behaves like the root of each entry of Σ_xΣ_y. The root of a matrix is S with S·S = Σ_xΣ_y: use `trace_of_root`.",
        ),
        "variances only": WrongAnswer(
            _of(_square, lambda x, y: (x.diagonal().sqrt() - y.diagonal().sqrt()).square().sum()),
            "It behaves like the one-dimensional formula for each feature, added up: what stands off the diagonals is ignored.",
        ),
        "difference of the matrices": WrongAnswer(
            _of(_square, lambda x, y: (x - y).square().sum()),
            "It behaves like ‖Σ_x − Σ_y‖², the squared differences of the entries: a length to the fourth power, while the mean term is one to the second.",
        ),
        "mean over dimensions": WrongAnswer(
            _of(lambda difference: (difference**2).mean(), _spread), "The mean term behaves like a *mean* of squared differences. ‖μ_x − μ_y‖² is their sum."
        ),
    },
    hints=[
        "d² = ‖μ_x − μ_y‖² + Tr Σ_x + Tr Σ_y − 2 Tr (Σ_xΣ_y)^½, and you have the last one.",
        "`difference @ difference` is ‖·‖²; the trace of a sum is the sum of the traces.",
    ],
)  # fmt: skip
