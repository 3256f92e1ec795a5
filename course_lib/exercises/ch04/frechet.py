"""04.frechet_1d, 04.trace_of_root, 04.frechet_distance: how far apart two normal distributions are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib import metrics
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.metrics.frechet import trace_of_root


def double(values) -> Tensor:
    """Plain numbers as a float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def number(found, what: str) -> float:
    """`found` as a plain number, or a sentence that says what came instead."""
    if isinstance(found, Tensor):
        require(
            not found.is_complex(),
            f"Expected {what} as a real number, got a complex tensor: take the real parts, they are all there is on paper.",
        )
        require(found.numel() == 1, f"Expected {what} as one number, got a tensor of shape {tuple(found.shape)}.")
        found = found.item()
    require(
        not isinstance(found, complex),
        f"Expected {what} as a real number, got a complex one, as `scipy.linalg.sqrtm` returns it: take `.real`.",
    )
    require(isinstance(found, (int, float)), f"Expected {what} as a number, got {type(found).__name__}.")
    return float(found)


# ---------------------------------------------------------------- one dimension


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


# ---------------------------------------------------------------- the trace of a matrix root


def in_three_lines(cov_x, cov_y):
    """The same without the library's care for speed: Σ_x^½ Σ_y Σ_x^½ is symmetric and has the eigenvalues of Σ_x Σ_y."""
    values, vectors = torch.linalg.eigh(cov_x)
    root_x = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return torch.linalg.eigvalsh(root_x @ cov_y @ root_x).clamp(min=0).sqrt().sum()


A = double([[4.0, 1.2, 0.0], [1.2, 1.0, 0.3], [0.0, 0.3, 0.5]])
B = double([[1.0, -0.6, 0.2], [-0.6, 2.0, 0.4], [0.2, 0.4, 3.0]])
THIN = double([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]])  # rank 1: more dimensions than samples, in small


def _trace(answer, x, y):
    return number(answer(x.clone(), y.clone()), "the trace")


def _identities(answer):
    found = _trace(answer, torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    require(abs(found - 3) < 1e-9, f"Σ_x = Σ_y = I₃: the root is I₃ and its trace 3; yours gives {found:.4f}.")


def _diagonal(answer):
    found = _trace(answer, torch.diag(double([4.0, 9.0])), torch.diag(double([1.0, 25.0])))
    require(
        abs(found - 17) < 1e-9,
        f"Σ_x = diag(4, 9), Σ_y = diag(1, 25): √(4·1) + √(9·25) = 17; yours gives {found:.4f}.",
    )


def _with_itself(answer):
    found = _trace(answer, A, A)
    require(
        abs(found - A.trace().item()) < 1e-8,
        f"The root of Σ·Σ is Σ, whatever stands off the diagonal: here Tr Σ = {A.trace():.2f}; yours gives {found:.4f}.",
    )


def _not_commuting(answer):
    found, want = _trace(answer, A, B), trace_of_root(A, B).item()
    require(
        abs(found - want) < 1e-8,
        f"Two 3×3 matrices with Σ_xΣ_y ≠ Σ_yΣ_x: the product's eigenvalues are {_listed(torch.linalg.eigvals(A @ B).real)}, the sum of their "
        f"roots {want:.4f}; yours gives {found:.4f}.",
    )


def _listed(values):
    return ", ".join(f"{v:.3f}" for v in sorted(values.tolist(), reverse=True))


def _rank_deficient(answer):
    found, want = _trace(answer, THIN, B), math.sqrt((double([1.0, 2.0, 3.0]) @ B @ double([1.0, 2.0, 3.0])).item())
    why = "Rounding makes zero eigenvalues a little negative, and a negative number has no real root: clamp at 0."
    require(
        math.isfinite(found) and abs(found - want) < 1e-6,
        f"Σ_x = vvᵀ has rank 1, as covariances of too few samples have: the trace is √(vᵀΣ_yv) = {want:.4f}; yours gives {found:.4g}. {why}",
    )
    for seed in range(4):  # rounding falls to either side
        rows = torch.randn(3, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        found, want = _trace(answer, torch.cov(rows.T), torch.eye(8).double()), _root(torch.cov(rows.T)).trace().item()
        require(
            math.isfinite(found) and abs(found - want) < 1e-5,
            f"Three samples of 8 features, against Σ_y = I₈: the trace is that of Σ_x^½, {want:.4f}; yours gives {found:.4g}. {why}",
        )


def _by_eigenvalues_of_the_product(cov_x, cov_y):
    return torch.linalg.eigvals(cov_x @ cov_y).real.clamp(min=0).sqrt().sum()


def _root(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def _by_singular_values(cov_x, cov_y):
    return torch.linalg.matrix_norm(_root(cov_x) @ _root(cov_y), ord="nuc")


root = Exercise(
    id="04.trace_of_root",
    reference=trace_of_root,
    difficulty=3,
    minutes=12,
    properties=[
        Property("3 for two identity matrices in three dimensions", _identities),
        Property("diagonal matrices, by hand", _diagonal),
        Property("Tr Σ where both are Σ", _with_itself),
        Property("matrices that do not commute", _not_commuting),
        Property("finite for a covariance of rank 1", _rank_deficient),
    ],
    behaviour=lambda answer: [_plain(answer(A.clone(), B.clone())), _plain(answer(A.clone(), A.clone())), _plain(_rank_one(answer))],
    tolerance=(1e-6, 1e-6),
    other_forms=[_by_eigenvalues_of_the_product, in_three_lines, _by_singular_values],
    solution_also=[in_three_lines],
    wrong_answers={
        "entry by entry": WrongAnswer(
            lambda cov_x, cov_y: (cov_x @ cov_y).sqrt().trace(),
            "It behaves like `torch.sqrt` of the product: the root of each *entry*. S with S·S = Σ is another matrix; only for a diagonal Σ are they the same.",
        ),
        "entry by entry, each matrix": WrongAnswer(
            lambda cov_x, cov_y: (cov_x.clamp(min=0).sqrt() @ cov_y.clamp(min=0).sqrt()).trace(),
            "It behaves like the roots of the entries of Σ_x and of Σ_y, multiplied. A matrix root is found on its eigenvalues, not on its entries.",
        ),
        "as if they commuted": WrongAnswer(
            lambda cov_x, cov_y: (_root(cov_x) @ _root(cov_y)).trace(),
            "It behaves like Tr(Σ_x^½ Σ_y^½). That equals Tr (Σ_xΣ_y)^½ only if the two commute, and is smaller otherwise: the roots have to stand around Σ_y, Σ_x^½ Σ_y Σ_x^½.",
        ),
        "root of the trace": WrongAnswer(
            lambda cov_x, cov_y: (cov_x @ cov_y).trace().sqrt(),
            "It behaves like √Tr(Σ_xΣ_y): the root of a sum. Here it is the sum of roots, one for each eigenvalue.",
        ),
        "no root": WrongAnswer(
            lambda cov_x, cov_y: (cov_x @ cov_y).trace(), "It behaves like Tr(Σ_xΣ_y): the sum of the eigenvalues, without their roots."
        ),
        "diagonals": WrongAnswer(
            lambda cov_x, cov_y: (cov_x.diagonal() * cov_y.diagonal()).sqrt().sum(),
            "It behaves like Σᵢ σ_x,ᵢ σ_y,ᵢ, from the variances alone: what stands off the diagonal is ignored, as if all features were uncorrelated.",
        ),
        "sorted eigenvalues": WrongAnswer(
            lambda cov_x, cov_y: (torch.linalg.eigvalsh(cov_x).clamp(min=0) * torch.linalg.eigvalsh(cov_y).clamp(min=0)).sqrt().sum(),
            "It behaves like the eigenvalues of Σ_x and of Σ_y multiplied in order of size: where the ellipses point is forgotten. It needs the eigenvalues of the product.",
        ),
        "symmetric solver on the product": WrongAnswer(
            lambda cov_x, cov_y: torch.linalg.eigvalsh(cov_x @ cov_y).clamp(min=0).sqrt().sum(),
            "It behaves like `eigvalsh(Σ_xΣ_y)`. The product of two symmetric matrices is not symmetric, and `eigvalsh` reads one triangle of it only. Make it symmetric first: Σ_x^½ Σ_y Σ_x^½.",
        ),
        "singular values of the product": WrongAnswer(
            lambda cov_x, cov_y: torch.linalg.svdvals(cov_x @ cov_y).sqrt().sum(),
            "It behaves like the roots of the *singular* values of Σ_xΣ_y. For a matrix that is not symmetric they are not its eigenvalues.",
        ),
        "negative eigenvalues": WrongAnswer(
            lambda cov_x, cov_y: torch.linalg.eigvalsh(_naive_root(cov_x) @ cov_y @ _naive_root(cov_x)).sqrt().sum(),
            "Right on paper; NaN as soon as rounding makes a zero eigenvalue a little negative, and covariances of few samples have many. Clamp eigenvalues at 0 before the root.",
        ),
        "complex": WrongAnswer(
            lambda cov_x, cov_y: torch.linalg.eigvals(cov_x @ cov_y).sqrt().sum(),
            "It behaves like `eigvals(...).sqrt().sum()`, a complex number: a general eigenvalue solver does not know that these are real. Take `.real` and clamp at 0.",
        ),
    },
    hints=[
        "The trace of a matrix is the sum of its eigenvalues; the root of a matrix has the roots of the eigenvalues. So no root has to be formed: the eigenvalues of Σ_xΣ_y are enough.",
        "Σ_xΣ_y is not symmetric, but Σ_x^½ Σ_y Σ_x^½ is, with the same eigenvalues. Σ_x^½ = V·diag(√λ)·Vᵀ from `torch.linalg.eigh(cov_x)`.",
        "Clamp at 0 before each root: `torch.linalg.eigvalsh(root @ cov_y @ root).clamp(min=0).sqrt().sum()`.",
    ],
)  # fmt: skip


def _naive_root(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.sqrt() @ vectors.T


def _plain(found):
    """A complex number as its two parts: engine.same compares real ones."""
    found = torch.as_tensor(found)
    return torch.view_as_real(found) if found.is_complex() else found


def _rank_one(answer):
    """The trace for a matrix of rank 1 in five dimensions, where a root of a slightly negative number is NaN."""
    v, eye = double([1.0, -2.0, 0.5, 3.0, 1.0]), torch.eye(5, dtype=torch.float64)
    return answer(torch.outer(v, v) - 1e-13 * eye, 2 * eye)


# ---------------------------------------------------------------- many dimensions

MEAN_X, MEAN_Y = double([1.0, 0.0, -1.0]), double([0.0, 2.0, -1.0])
EYE = torch.eye(8, dtype=torch.float64)


def _squared(answer, *values):
    return number(answer(*(v.clone() for v in values)), "d²")


def _closed_form(answer):
    found = _squared(answer, torch.zeros(8).double(), EYE, torch.full((8,), 0.5).double(), 4 * EYE)
    require(
        abs(found - 10) < 1e-8,
        f"N(0, I₈) and N(½, 4I₈): the means are √(8·¼) apart, that is 2 squared; each of 8 deviations differs by 1, that is 8. d² = 10; yours gives {found:.4f}.",
    )


def _only_the_means(answer):
    found = _squared(answer, MEAN_X, A, MEAN_Y, A)
    require(
        abs(found - 5) < 1e-8,
        f"Equal covariances, means that differ by (1, −2, 0): d² = 1 + 4 + 0 = 5; yours gives {found:.4f}.",
    )


def _one_is_the_univariate(answer):
    found = _squared(answer, double([1.0]), double([[4.0]]), double([4.0]), double([[49.0]]))
    require(
        abs(found - 34) < 1e-8,
        f"In one dimension it is the formula from above: N(1, 2²) and N(4, 7²) are 3² + 5² = 34 apart; yours gives {found:.4f}.",
    )


def _off_the_diagonal(answer):
    lean = double([[1.0, 0.9], [0.9, 1.0]])
    found, want = _squared(answer, double([0.0, 0.0]), lean, double([0.0, 0.0]), lean * double([[1.0, -1.0], [-1.0, 1.0]])), 2 * (
        math.sqrt(1.9) - math.sqrt(0.1)
    ) ** 2  # fmt: skip
    require(
        abs(found - want) < 1e-8,
        f"Two ellipses with equal means and equal variances, leaning to the right (covariance 0.9) and to the left (−0.9): d² = 2(√1.9 − √0.1)² = {want:.4f}; yours gives {found:.4f}.",
    )


def _general(answer):
    found, want = _squared(answer, MEAN_X, A, MEAN_Y, B), metrics.frechet_distance(MEAN_X, A, MEAN_Y, B)
    require(
        abs(found - want) < 1e-7,
        f"Two covariances that do not commute, in three dimensions: d² = {want:.4f}; yours gives {found:.4f}.",
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
    return difference @ difference + (cov_x + cov_y).trace() - 2 * _by_eigenvalues_of_the_product(cov_x, cov_y)


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
    other_forms=[_from_the_chapter, _of(_square, lambda x, y: x.trace() + y.trace() - 2 * _by_singular_values(x, y))],
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
            _of(_square, lambda x, y: (_root(x) - _root(y)).square().sum()),
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
