"""06.truncate: a step of w towards its mean."""

from __future__ import annotations

import torch

from course_lib import latent
from course_lib.exercises.ch06.latents import tensor
from course_lib.exercises.engine import Exercise, Property, Wrong, WrongAnswer, require


def _styles(count: int = 6, width: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=draw), torch.randn(width, generator=draw) + 2.0


def _ends(answer):
    w, w_mean = _styles()
    found = tensor(answer(w.clone(), w_mean.clone(), 1.0), (6, 5), "as many styles as came")
    require(
        torch.allclose(found, w, atol=1e-5),
        f"ψ = 1 changes nothing; yours moves w by up to {(found - w).abs().max():.2f}.",
    )
    found = tensor(answer(w.clone(), w_mean.clone(), 0.0), (6, 5), "as many styles as came")
    require(
        torch.allclose(found, w_mean.expand(6, 5), atol=1e-5),
        f"ψ = 0 makes every style the mean style; yours ends up to {(found - w_mean).abs().max():.2f} away from it.",
    )


def _half_way(answer):
    w, w_mean = torch.tensor([[4.0, 0.0], [0.0, -2.0]]), torch.tensor([2.0, 1.0])
    found = tensor(answer(w, w_mean, 0.5), (2, 2), "as many styles as came")
    want = torch.tensor([[3.0, 0.5], [1.0, -0.5]])
    require(
        torch.allclose(found, want),
        f"Half-way from the mean (2, 1) to (4, 0) and (0, −2) lie (3, 0.5) and (1, −0.5); yours: {found.tolist()}.",
    )


def _shrinks(answer):
    w, w_mean = _styles(2000, 3, 1)
    for psi in (0.3, 0.7):
        found = answer(w.clone(), w_mean.clone(), psi).double()
        require(
            torch.allclose(found.std(0), psi * w.double().std(0), rtol=1e-4),
            f"At ψ = {psi} deviations shrink to {psi} of what they were; yours to {(found.std(0) / w.double().std(0)).mean():.3f}.",
        )


def _beyond(answer):
    w, w_mean = _styles(seed=2)
    found = answer(w.clone(), w_mean.clone(), 1.5)
    require(
        torch.allclose(found - w_mean, 1.5 * (w - w_mean), atol=1e-5),
        "ψ = 1.5 leads away from the mean, half as far again: the formula holds beyond 1 as well.",
    )


def _alone(answer):
    w, w_mean = _styles(seed=3)
    together = answer(w.clone(), w_mean.clone(), 0.6)
    alone = torch.cat([answer(w[i : i + 1].clone(), w_mean.clone(), 0.6) for i in range(len(w))])
    require(
        torch.allclose(together, alone, atol=1e-5),
        "A style's truncation must not depend on which others stand in the batch with it, but yours does: w̄ is given, it is not the batch's mean.",
    )


def _left_alone(answer):
    w, w_mean = _styles(seed=4)
    before = w.clone(), w_mean.clone()
    answer(w, w_mean, 0.5)
    if not (torch.equal(w, before[0]) and torch.equal(w_mean, before[1])):
        raise Wrong("After the call, w (or its mean) is no longer what it was: it was changed in place.")


def _psi_behaviour(answer) -> list:
    seen = []
    for psi in (0.0, 0.5, 1.5):
        w, w_mean = _styles(seed=5)
        kept = w.clone()
        seen += [answer(w, w_mean, psi), "left alone" if torch.equal(w, kept) else "changed"]
    return seen


def _in_place(w, w_mean, psi):
    return w.sub_(w_mean).mul_(psi).add_(w_mean)


def _same_norm(w, w_mean, psi):
    moved = torch.lerp(w_mean.expand_as(w), w, psi)
    return moved / moved.norm(dim=1, keepdim=True) * w.norm(dim=1, keepdim=True)


truncated_styles = Exercise(
    id="06.truncate",
    reference=latent.truncate,
    difficulty=1,
    minutes=5,
    properties=[
        Property("ψ = 1 leaves w, ψ = 0 gives the mean", _ends),
        Property("half-way, by hand", _half_way),
        Property("each style by itself", _alone),
        Property("deviations shrink by the factor ψ", _shrinks),
        Property("beyond 1 it leads away", _beyond),
        Property("w and its mean left as they were", _left_alone),
    ],
    behaviour=_psi_behaviour,
    other_forms=[
        lambda w, w_mean, psi: w_mean + psi * (w - w_mean),
        lambda w, w_mean, psi: psi * w + (1 - psi) * w_mean,
    ],
    wrong_answers={
        "towards zero": WrongAnswer(
            lambda w, w_mean, psi: psi * w,
            "It behaves like ψ·w: towards zero. In W zero is no special place; the mean of w is where the typical image lies.",
        ),
        "the other way round": WrongAnswer(
            lambda w, w_mean, psi: torch.lerp(w, w_mean.expand_as(w), psi),
            "It behaves like w + ψ·(w̄ − w): 0 and 1 are exchanged. ψ says how much of the deviation is kept.",
        ),
        "the batch's mean": WrongAnswer(
            lambda w, w_mean, psi: torch.lerp(w.mean(0).expand_as(w), w, psi),
            "It uses the mean of this batch. Then an image depends on its neighbours, and a batch of one does not move at all.",
        ),
        "mean added to w": WrongAnswer(
            lambda w, w_mean, psi: w_mean + psi * w,
            "It behaves like w̄ + ψ·w: the mean was not subtracted first, so at ψ = 1 it is counted twice.",
        ),
        "deviation only": WrongAnswer(
            lambda w, w_mean, psi: psi * (w - w_mean),
            "It returns the shrunk deviation and forgets to add the mean again.",
        ),
        "clamped": WrongAnswer(
            lambda w, w_mean, psi: w_mean + (w - w_mean).clamp(-psi, psi),
            "It behaves like clamping each deviation to ±ψ: a threshold, as in z, where W has a factor.",
        ),
        "never beyond 1": WrongAnswer(
            lambda w, w_mean, psi: torch.lerp(w_mean.expand_as(w), w, min(psi, 1.0)),
            "ψ is cut off at 1 in silence. Above 1 the formula leads away from the mean: stranger images, on purpose.",
        ),
        "norm kept": WrongAnswer(
            _same_norm,
            "Each style is brought back to its old norm. In z, norms matter; in W nothing says that they do, and the formula has none.",
        ),
        "in place": WrongAnswer(
            _in_place, "The numbers are right, but w was changed in place: whoever called you has lost the untruncated styles."
        ),
    },
    hints=["A straight line from the mean to w: ψ says how far along it.", "`torch.lerp(start, end, weight)` is start + weight·(end − start)."],
)  # fmt: skip
