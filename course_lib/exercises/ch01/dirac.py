"""01.simultaneous_step, 01.alternating_step: the smallest game, one turn."""

from __future__ import annotations

import torch

from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.given_back import same_precision, two
from course_lib.oracle import dirac

THETA, PSI = 1.0, 2.0
ELSEWHERE = (0.7, -3.0)  # where ψ²/2 is not ψ, and θ not 1


def _numbers(theta=THETA, psi=PSI):
    return torch.tensor(theta, dtype=torch.float64), torch.tensor(psi, dtype=torch.float64)


def _turn(answer, theta, psi, lr, gamma=0.0):
    found = two(answer(theta, psi, lr, gamma), ", the next θ and the next ψ")
    for each, name in zip(found, "θψ"):
        same_precision(each, theta.dtype, name)
    return found


def _arithmetic(step, gamma, words, start=(THETA, PSI), lr=0.1):
    def check(answer):
        want = step(*_numbers(*start), lr, gamma)
        found = _turn(answer, *_numbers(*start), lr, gamma)
        require(
            all(abs(a.item() - b.item()) < 1e-9 for a, b in zip(found, want)),
            f"From θ = {start[0]:g}, ψ = {start[1]:g} with h = {lr:g} and γ = {gamma:g}: {words} θ' = {want[0]:.3f}, ψ' = {want[1]:.3f}; yours gives "
            f"{found[0].item():.3f} and {found[1].item():.3f}.",
        )

    return check


def _determinant(step, says):
    def check(answer):
        matrix = dirac.step_matrix(lambda theta, psi: _turn(answer, theta, psi, 0.1))
        want = torch.linalg.det(dirac.step_matrix(lambda theta, psi: step(theta, psi, 0.1))).item()
        found = torch.linalg.det(matrix).item()
        require(
            abs(found - want) < 1e-9,
            f"One step multiplies areas by the determinant of its matrix, {want:.4f} ({says}); yours by {found:.4f}.",
        )

    return check


def _shapes_and_inputs(answer):
    theta, psi = torch.ones(2, 3), torch.full((2, 3), 2.0)
    kept = theta.clone(), psi.clone()
    found = _turn(answer, theta, psi, 0.1, 0.5)
    require(
        all(each.shape == (2, 3) for each in found),
        f"A grid of (2, 3) points has as many next points; yours: {tuple(found[0].shape)}.",
    )
    require(
        torch.equal(theta, kept[0]) and torch.equal(psi, kept[1]),
        "The θ or ψ that came in was changed: `+=` on a tensor works in place.",
    )


def _default(answer):
    one, other = answer(*_numbers(), 0.1), answer(*_numbers(), 0.1, 0.0)
    require(one[1].item() == other[1].item(), "Without γ the step is the one for γ = 0.")


def _behaviour(answer) -> list:
    theta, psi = torch.ones(2), torch.full((2,), 2.0)
    found = [*answer(*_numbers(), 0.1), *answer(*_numbers(*ELSEWHERE), 0.2, 0.5), *answer(theta, psi, 0.3)]
    return [*found, str(bool((theta == 1).all() and (psi == 2).all()))]


def _in_place(theta, psi, lr, gamma=0.0):
    before = theta.clone()
    theta += lr * psi
    psi -= lr * before + lr * gamma * psi
    return theta, psi


def _matrix_form(theta, psi, lr, gamma=0.0):
    step = torch.tensor([[1.0, lr], [-lr, 1 - lr * gamma]], dtype=theta.dtype)
    return tuple(torch.tensordot(step, torch.stack([theta, psi]), 1))


def _by_autograd(theta, psi, lr, gamma=0.0):
    theta, psi = theta.detach().clone().requires_grad_(True), psi.detach().clone().requires_grad_(True)
    (slope_psi,) = torch.autograd.grad((psi * theta + gamma / 2 * psi**2).sum(), psi)
    (slope_theta,) = torch.autograd.grad((-psi * theta).sum(), theta)
    return (theta - lr * slope_theta).detach(), (psi - lr * slope_psi).detach()


def _generator_first(theta, psi, lr, gamma=0.0):
    theta = theta + lr * psi
    return theta, psi - lr * theta - lr * gamma * psi


SIGNS = {
    "critic uphill": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (theta + lr * psi, psi + lr * theta - lr * gamma * psi),
        "ψ behaves as if the critic maximised ψθ, the score of the *fakes*. It minimises it: ψ − hθ.",
    ),
    "generator downhill": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (theta - lr * psi, psi - lr * theta - lr * gamma * psi),
        "θ behaves as if the generator lowered its score. It minimises −ψθ, so it moves *with* ψ: θ + hψ.",
    ),
    "penalty pushes": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (theta + lr * psi, psi - lr * theta + lr * gamma * psi),
        "The penalty has the wrong sign: (γ/2)ψ² is in the critic's *loss*, so its step is −hγψ, towards 0.",
    ),
    "penalty without the rate": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (theta + lr * psi, psi - lr * theta - gamma * psi),
        "The penalty's slope γψ is part of the gradient: it is multiplied by the step size h as well.",
    ),
    "the penalty for its slope": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (theta + lr * psi, psi - lr * theta - lr * gamma / 2 * psi**2),
        "It subtracts the penalty (γ/2)ψ² itself. A step goes along its slope, γψ, which has ψ's sign.",
    ),
    "penalty on theta": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (theta + lr * psi - lr * gamma * theta, psi - lr * theta),
        "The penalty acts on θ. It is in the critic's loss, (γ/2)ψ², and pulls ψ.",
    ),
    "psi before theta": WrongAnswer(
        lambda theta, psi, lr, gamma=0.0: (psi - lr * theta - lr * gamma * psi, theta + lr * psi),
        "Both are right, returned in the other order: θ first, then ψ.",
    ),
}

simultaneous = Exercise(
    id="01.simultaneous_step",
    reference=dirac.simultaneous_step,
    difficulty=1,
    minutes=5,
    properties=[
        Property("a turn by hand", _arithmetic(dirac.simultaneous_step, 0.0, "both move at once,")),
        Property("a turn with the penalty", _arithmetic(dirac.simultaneous_step, 0.5, "the penalty pulls ψ by hγψ,")),
        Property(
            "another turn, with another h and γ",
            _arithmetic(dirac.simultaneous_step, 1.3, "slopes are θ + γψ and −ψ,", ELSEWHERE, 0.2),
        ),
        Property("areas grow by 1 + h² at every step", _determinant(dirac.simultaneous_step, "1 + h² at h = 0.1")),
        Property("whole grids of points, inputs left alone", _shapes_and_inputs),
        Property("γ is 0 unless given", _default),
    ],
    behaviour=_behaviour,
    other_forms=[_matrix_form, _by_autograd],
    wrong_answers={
        **SIGNS,
        "critic first": WrongAnswer(
            dirac.alternating_step,
            "θ is computed from the *new* ψ: that is alternating play, the next exercise. Here both move at once.",
        ),
        "generator first": WrongAnswer(
            _generator_first, "ψ is computed from the *new* θ. Here both move at once: keep the old θ until ψ is done."
        ),
        "in place": WrongAnswer(
            _in_place,
            "It changes the tensors that came in, so whoever called it loses the point they stood on: write θ + …, not θ += ….",
        ),
    },
    hints=[
        "A step goes against the gradient: the critic's loss ψθ + (γ/2)ψ² has slope θ + γψ in ψ.",
        "The generator's loss −ψθ has slope −ψ in θ, so θ moves by +hψ. Use the old values for both.",
    ],
)

alternating = Exercise(
    id="01.alternating_step",
    reference=dirac.alternating_step,
    difficulty=1,
    minutes=4,
    properties=[
        Property("a turn by hand", _arithmetic(dirac.alternating_step, 0.0, "the critic moves first,")),
        Property("a turn with the penalty", _arithmetic(dirac.alternating_step, 0.5, "the penalty pulls ψ by hγψ,")),
        Property(
            "another turn, with another h and γ",
            _arithmetic(
                dirac.alternating_step, 1.3, "the critic's slope is θ + γψ, the generator's −ψ',", ELSEWHERE, 0.2
            ),
        ),
        Property("areas stay as they are", _determinant(dirac.alternating_step, "exactly 1")),
        Property("whole grids of points, inputs left alone", _shapes_and_inputs),
        Property("γ is 0 unless given", _default),
    ],
    behaviour=_behaviour,
    other_forms=[
        lambda theta, psi, lr, gamma=0.0: (
            theta + lr * (psi * (1 - lr * gamma) - lr * theta),
            psi * (1 - lr * gamma) - lr * theta,
        )
    ],
    wrong_answers={
        "simultaneous": WrongAnswer(
            dirac.simultaneous_step,
            "θ moves with the *old* ψ: that is simultaneous play. Here the generator answers the critic that has moved.",
        ),
        "generator first": WrongAnswer(
            _generator_first,
            "The generator moves first here. It alternates as well, but the GAN algorithm updates the discriminator first.",
        ),
        "critic twice": WrongAnswer(
            lambda theta, psi, lr, gamma=0.0: dirac.alternating_step(
                theta, dirac.simultaneous_step(theta, psi, lr, gamma)[1], lr, gamma
            ),
            "The critic moves twice before the generator answers. One step each.",
        ),
        "penalty at the new psi": WrongAnswer(
            lambda theta, psi, lr, gamma=0.0: (
                theta + lr * (psi - lr * theta) / (1 + lr * gamma),
                (psi - lr * theta) / (1 + lr * gamma),
            ),
            "The penalty's slope is taken at the *new* ψ: that is an implicit step. Here it is γ times the ψ the critic stands on.",
        ),
        "penalty forgotten": WrongAnswer(
            lambda theta, psi, lr, gamma=0.0: dirac.alternating_step(theta, psi, lr),
            "γ is ignored: the critic's slope is θ + γψ.",
        ),
        "psi kept": WrongAnswer(
            lambda theta, psi, lr, gamma=0.0: (dirac.alternating_step(theta, psi, lr, gamma)[0], psi),
            "θ is right, but the critic goes home unchanged: return the new ψ as well.",
        ),
    },
    hints=[
        "Compute the new ψ exactly as before. Then move θ with it.",
        "θ' = θ + hψ', with the prime on the right-hand side.",
    ],
)
