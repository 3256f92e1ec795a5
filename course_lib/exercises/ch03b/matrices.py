"""03b.spectral_radius and 03b.power_iteration: how a repeated step grows, and how much a single one can."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import number
from course_lib.models.layers import power_iteration
from course_lib.oracle import dirac
from course_lib.oracle.dirac import Remedy

# ---------------------------------------------------------------- the spectral radius


def _double(rows):
    return torch.tensor(rows, dtype=torch.float64)


SPIRAL = dirac.turn_matrix(Remedy(lr=0.1))
SHEAR = _double([[0.5, 100.0], [0.0, 0.5]])
FLIP = _double([[-1.2, 0.0], [0.4, 0.3]])
WITH_MOMENTUM = dirac.turn_matrix(Remedy(lr=0.1, momentum=0.5))


def _radius_is(matrix, want, why):
    def check(answer):
        found = number(answer(matrix.clone()), "the factor")
        require(abs(found - want) < 2e-4, f"{why} So the factor is {want:.4f}; yours is {found:.4f}.")

    return check


def _gelfand(matrix):
    """lim ‖Aᵏ‖^(1/k), by squaring twenty times with the size kept aside."""
    log_size, power = 0.0, matrix
    for _ in range(20):
        size = power.norm()
        log_size, power = 2 * (log_size + size.log()), (power / size) @ (power / size)
    return ((log_size + power.norm().log()) / 2**20).exp()


radius = Exercise(
    id="03b.spectral_radius",
    reference=dirac.spectral_radius,
    difficulty=1,
    minutes=5,
    properties=[
        Property(
            "√(1 + h²) for the plain game",
            _radius_is(SPIRAL, math.sqrt(1.01), "Both eigenvalues of the simultaneous step, 1 ± ih, have modulus √(1 + h²)."),
        ),
        Property(
            "a shear that shrinks in the long run",
            _radius_is(
                SHEAR, 0.5, "[[0.5, 100], [0, 0.5]] stretches at first, but both of its eigenvalues are 0.5, so it shrinks in the end."
            ),
        ),
        Property(
            "a negative eigenvalue", _radius_is(FLIP, 1.2, "An eigenvalue of −1.2 jumps from side to side and outwards.")
        ),
        Property(
            "the largest, wherever it stands",
            _radius_is(
                _double([[0.2, 0.0, 0.0], [0.0, 1.1, 0.0], [0.0, 0.0, -0.7]]),
                1.1,
                "A diagonal matrix with 0.2, 1.1 and −0.7: the second is the largest.",
            ),
        ),
        Property(
            "four rows where there is momentum",
            _radius_is(
                WITH_MOMENTUM,
                dirac.spectral_radius(WITH_MOMENTUM),
                "The largest of four moduli counts, whatever the small ones do.",
            ),
        ),
    ],
    behaviour=lambda answer: [answer(each.clone()) for each in (SPIRAL, SHEAR, FLIP, WITH_MOMENTUM)],
    other_forms=[lambda matrix: np.abs(np.linalg.eigvals(matrix.numpy())).max(), _gelfand],
    wrong_answers={
        "spectral norm": WrongAnswer(
            lambda matrix: torch.linalg.matrix_norm(matrix, 2),
            "It behaves like the spectral *norm*, the most that one step can stretch. A repeated step can stretch first and shrink for ever after.",
        ),
        "largest real part": WrongAnswer(
            lambda matrix: torch.linalg.eigvals(matrix).real.max(),
            "It behaves like the largest real part. An eigenvalue a + ib multiplies the distance by its modulus √(a² + b²); turning counts too.",
        ),
        "modulus of the largest real part": WrongAnswer(
            lambda matrix: torch.linalg.eigvals(matrix).real.abs().max(),
            "It behaves like the largest |real part|: the imaginary part is thrown away, and with it what makes the plain game leave.",
        ),
        "root of the determinant": WrongAnswer(
            lambda matrix: torch.linalg.det(matrix).abs() ** (1 / len(matrix)),
            "It behaves like |det|^(1/n), the geometric mean of all moduli. The *largest* one wins in the long run.",
        ),
        "mean modulus": WrongAnswer(
            lambda matrix: torch.linalg.eigvals(matrix).abs().mean(),
            "It behaves like the mean of the moduli. In the long run only the largest one is left.",
        ),
        "as if symmetric": WrongAnswer(
            lambda matrix: torch.linalg.eigvalsh(matrix).abs().max(),
            "It behaves like `eigvalsh`, which reads one half of the matrix and takes it for symmetric. A game's matrix is not.",
        ),
        "distance from 1": WrongAnswer(
            lambda matrix: (torch.linalg.eigvals(matrix) - 1).abs().max(),
            "It behaves like the largest |λ − 1|, how fast the point moves, not how fast it leaves.",
        ),
        "Frobenius norm": WrongAnswer(lambda matrix: matrix.norm(), "It behaves like the root of the sum of squares of all entries."),
    },
    hints=["`torch.linalg.eigvals` returns complex numbers.", "`.abs()` of a complex tensor is the modulus; then the largest."],
)  # fmt: skip


# ---------------------------------------------------------------- power iteration


def _matrix(rows=5, columns=3, seed=1):
    draw = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(rows, rows, generator=draw, dtype=torch.float64))
    right, _ = torch.linalg.qr(torch.randn(columns, columns, generator=draw, dtype=torch.float64))
    values = torch.tensor([3.0, 2.0, 0.5], dtype=torch.float64)
    start = torch.randn(rows, generator=draw, dtype=torch.float64)
    return left[:, :3] @ torch.diag(values) @ right.T[:3], start / start.norm()


def _three(answer, matrix, u, steps=1):
    found = answer(matrix, u, steps)
    require(
        isinstance(found, (tuple, list)) and len(found) == 3 and all(isinstance(each, torch.Tensor) for each in found),
        "Expected three tensors: σ, u and v.",
    )
    sigma, u_next, v = found
    m, n = matrix.shape
    require(
        sigma.ndim == 0 and u_next.shape == (m,) and v.shape == (n,),
        f"For a {m} × {n} matrix expected σ (), u ({m},) and v ({n},), got {tuple(sigma.shape)}, {tuple(u_next.shape)} and {tuple(v.shape)}.",
    )
    return found


def _by_hand(answer):
    """W = [[3, 0, 0], [0, 1, 0]], u = (0.6, 0.8): v ∝ (1.8, 0.8), u ∝ (5.4, 0.8)/…"""
    matrix = _double([[3.0, 0, 0], [0, 1, 0]])
    sigma, u, v = _three(answer, matrix, _double([0.6, 0.8]))
    want = math.hypot(5.4, 0.8) / math.hypot(1.8, 0.8)
    require(
        abs(sigma.item() - want) < 1e-6,
        f"W = [[3, 0, 0], [0, 1, 0]] and u = (0.6, 0.8): v is (1.8, 0.8, 0) made 1 long, Wv is {want:.4f} long, and that is σ after one step; "
        f"yours is {sigma.item():.4f}.",
    )


def _converges(answer):
    matrix, start = _matrix()
    sigma, u, v = _three(answer, matrix, start, 60)
    require(
        abs(sigma.item() - 3) < 1e-6,
        f"The singular values of this matrix are 3, 2 and 0.5; after 60 steps σ should be 3, yours is {sigma.item():.4f}.",
    )
    require(
        torch.allclose(matrix @ v, 3 * u, atol=1e-5),
        f"At the end W·v = σ·u; with yours they are {(matrix @ v - 3 * u).norm():.3g} apart.",
    )


def _unit_length(answer):
    matrix, start = _matrix(seed=2)
    for steps in (3, 400):
        _, u, v = _three(answer, matrix, start, steps)
        require(
            abs(u.norm().item() - 1) < 1e-6 and abs(v.norm().item() - 1) < 1e-6,
            f"After {steps} steps u and v should be 1 long; yours are {u.norm():.3g} and {v.norm():.3g} long. Divide at every step, or they overflow after a few hundred.",
        )


def _slope(answer):
    matrix, start = _matrix()
    matrix.requires_grad_(True)
    sigma, u, v = _three(answer, matrix, start, 1)
    require(sigma.requires_grad, "σ is cut off from the matrix: the normalised weight could not learn through it.")
    (slope,) = torch.autograd.grad(sigma, matrix)
    want = torch.outer(u.detach(), v.detach())
    require(
        torch.allclose(slope, want, atol=1e-6),
        f"With u and v held fixed, σ = uᵀWv has the slope u·vᵀ; yours is {(slope - want).norm():.3g} away from it. Is the loop outside `torch.no_grad()`?",
    )


def _input_kept(answer):
    matrix, start = _matrix()
    kept = start.clone()
    _three(answer, matrix, start, 2)
    require(torch.equal(start, kept), "The u that came in was changed; make a new one.")


def _power_behaviour(answer) -> list:
    found = []
    for steps in (1, 4):
        matrix, start = _matrix()
        matrix.requires_grad_(True)
        sigma, u, v = answer(matrix, start, steps)
        slope = torch.autograd.grad(sigma, matrix)[0] if sigma.requires_grad else "no slope"
        found += [sigma.detach(), u.detach(), v.detach(), slope, start.clone()]
    return found


def _iterated(wrong=""):
    def answer(matrix, u, steps=1):
        fixed = torch.enable_grad() if wrong == "through" else torch.no_grad()
        with fixed:
            for _ in range(1 if wrong == "one step" else steps):
                v = matrix.T @ u
                v = v if wrong == "unnormalised" else v / v.norm()
                w = matrix @ v
                if wrong == "in place":
                    u.copy_(w / w.norm())
                else:
                    u = w if wrong == "unnormalised" else w / w.norm()
        if wrong == "squared":
            return (matrix.T @ (matrix @ v)).norm(), u, v
        sigma = u @ matrix @ v
        return (sigma.detach() if wrong == "detached" else sigma), u, v

    return answer


def _swapped(matrix, u, steps=1):
    sigma, u, v = power_iteration(matrix, u, steps)
    return sigma, v, u


def _no_transpose(matrix, u, steps=1):
    with torch.no_grad():
        for _ in range(steps):
            v = F.normalize(matrix @ u, dim=0)
            u = F.normalize(matrix.T @ v, dim=0)
    return u @ matrix @ v, u, v


def _length_of_wv(matrix, u, steps=1):
    for _ in range(steps):
        v = F.normalize((matrix.detach().T @ u.detach()), dim=0)
        u = matrix.detach() @ v
        u = u / u.norm()
    return (matrix @ v).norm(), u, v


singular = Exercise(
    id="03b.power_iteration",
    reference=power_iteration,
    difficulty=2,
    minutes=10,
    properties=[
        Property("one step by hand", _by_hand),
        Property("u and v stay 1 long", _unit_length),
        Property("the largest singular value after many steps, with W·v = σ·u", _converges),
        Property("the slope of σ is u·vᵀ", _slope),
        Property("the u that came in is left alone", _input_kept),
    ],
    behaviour=_power_behaviour,
    tolerance=(1e-6, 1e-9),
    other_forms=[_length_of_wv, _iterated()],
    wrong_answers={
        "unnormalised": WrongAnswer(
            _iterated("unnormalised"), "Nothing is divided by its length: u and v grow by σ each time, and σ with them. Make both 1 long at every step."
        ),
        "no transpose": WrongAnswer(
            _no_transpose, "W and Wᵀ are exchanged. u has as many entries as W has rows, so Wᵀ acts on u and W on v."
        ),
        "squared": WrongAnswer(
            _iterated("squared"), "It behaves like ‖WᵀWv‖: an eigenvalue of WᵀW, the singular value *squared*."
        ),
        "Frobenius": WrongAnswer(
            lambda matrix, u, steps=1: (matrix.norm(), *power_iteration(matrix, u, steps)[1:]),
            "σ behaves like the Frobenius norm, the root of the sum of *all* squared singular values: an upper bound, up to √rank too large.",
        ),
        "no slope": WrongAnswer(
            _iterated("detached"), "σ is right and cut off from the matrix. Only u and v are held fixed; σ = uᵀWv is computed outside `no_grad`."
        ),
        "slope through the loop": WrongAnswer(
            _iterated("through"), "The slope runs back through the whole loop. Spectral normalisation holds u and v fixed: cheaper, and in the limit the same."
        ),
        "swapped": WrongAnswer(_swapped, "All three are right, in another order: σ, then u (one entry a row), then v (one entry a column)."),
        "one step": WrongAnswer(_iterated("one step"), "It takes one step whatever `steps` says."),
        "in place": WrongAnswer(_iterated("in place"), "It writes into the u that came in, so whoever called it loses theirs. Assign a new tensor."),
        "exact": WrongAnswer(
            lambda matrix, u, steps=1: (torch.linalg.matrix_norm(matrix, 2), *power_iteration(matrix, u, steps)[1:]),
            "σ is exact, from a full decomposition, and does not belong to this u and v. After one step the estimate is still below it, and a step is all that training can afford.",
        ),
    },
    hints=[
        "v ← Wᵀu / ‖Wᵀu‖, then u ← Wv / ‖Wv‖, `steps` times, under `torch.no_grad()`.",
        "Then σ = uᵀWv outside of it: `u @ matrix @ v`.",
    ],
)  # fmt: skip
