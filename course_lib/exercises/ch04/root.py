"""04.trace_of_root: the trace of a matrix root."""

from __future__ import annotations

import math

import torch

from course_lib.exercises.ch04.numbers import double, number
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.metrics.frechet import trace_of_root


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
    require(abs(found - 3) < 1e-9, f"Σ_x = Σ_y = I₃: the root is I₃ and its trace 3; yours gives {found:.9g}.")


def _diagonal(answer):
    found = _trace(answer, torch.diag(double([4.0, 9.0])), torch.diag(double([1.0, 25.0])))
    require(
        abs(found - 17) < 1e-9,
        f"Σ_x = diag(4, 9), Σ_y = diag(1, 25): √(4·1) + √(9·25) = 17; yours gives {found:.9g}.",
    )


def _with_itself(answer):
    found = _trace(answer, A, A)
    require(
        abs(found - A.trace().item()) < 1e-8,
        f"The root of Σ·Σ is Σ, whatever stands off the diagonal: here Tr Σ = {A.trace():.2f}; yours gives {found:.9g}.",
    )


def _not_commuting(answer):
    found, want = _trace(answer, A, B), trace_of_root(A, B).item()
    require(
        abs(found - want) < 1e-8,
        f"Two 3×3 matrices with Σ_xΣ_y ≠ Σ_yΣ_x: the product's eigenvalues are {_listed(torch.linalg.eigvals(A @ B).real)}, the sum of their "
        f"roots {want:.4f}; yours gives {found:.9g}.",
    )


def _listed(values):
    return ", ".join(f"{v:.3f}" for v in sorted(values.tolist(), reverse=True))


NEGATIVE = " Rounding makes zero eigenvalues a little negative, and a negative number has no real root: clamp at 0."


def _rank_deficient(answer):
    found, want = _trace(answer, THIN, B), math.sqrt((double([1.0, 2.0, 3.0]) @ B @ double([1.0, 2.0, 3.0])).item())
    why = "" if math.isfinite(found) else NEGATIVE
    require(
        math.isfinite(found) and abs(found - want) < 1e-6,
        f"Σ_x = vvᵀ has rank 1, as covariances of too few samples have: the trace is √(vᵀΣ_yv) = {want:.4f}; yours gives {found:.9g}.{why}",
    )
    for seed in range(4):  # rounding falls to either side
        rows = torch.randn(3, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        found, want = (
            _trace(answer, torch.cov(rows.T), torch.eye(8).double()),
            root_of_matrix(torch.cov(rows.T)).trace().item(),
        )
        why = "" if math.isfinite(found) else NEGATIVE
        require(
            math.isfinite(found) and abs(found - want) < 1e-5,
            f"Three samples of 8 features, against Σ_y = I₈: the trace is that of Σ_x^½, {want:.4f}; yours gives {found:.9g}.{why}",
        )


def by_eigenvalues_of_the_product(cov_x, cov_y):
    return torch.linalg.eigvals(cov_x @ cov_y).real.clamp(min=0).sqrt().sum()


def root_of_matrix(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def by_singular_values(cov_x, cov_y):
    return torch.linalg.matrix_norm(root_of_matrix(cov_x) @ root_of_matrix(cov_y), ord="nuc")


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
    other_forms=[by_eigenvalues_of_the_product, in_three_lines, by_singular_values],
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
            lambda cov_x, cov_y: (root_of_matrix(cov_x) @ root_of_matrix(cov_y)).trace(),
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
