"""10.lerp and 10.slerp: the straight way between two latents, and the way along the sphere."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib import latent
from course_lib.exercises.engine import Exercise, Property, WrongAnswer, require
from course_lib.exercises.slopes import follow


def rows(*values) -> Tensor:
    """A tensor in float64."""
    return torch.tensor(values, dtype=torch.float64)


def pair(count: int = 4, dim: int = 16, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two batches of latents, (count, dim) each."""
    draw = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(2, count, dim, generator=draw, dtype=torch.float64))


def of_shape(found, shape: tuple[int, ...]) -> Tensor:
    """`found` as a tensor of this shape, or a sentence that says what came instead."""
    require(isinstance(found, Tensor), f"Expected latents in a tensor, got {type(found).__name__}.")
    require(tuple(found.shape) == shape, f"Expected latents of shape {shape}, like a and b, got {tuple(found.shape)}.")
    return found


def listed(values: Tensor) -> list[float]:
    """Numbers for a sentence."""
    return [round(value, 3) for value in values.flatten().tolist()]


def _kept(answer):
    a, b = pair()
    before = a.clone(), b.clone()
    answer(a, b, 0.3)
    require(
        torch.equal(a, before[0]) and torch.equal(b, before[1]),
        "It changes the latents that it is given. The next call would start from other ends.",
    )


def _ends(answer):
    a, b = pair()
    for t, end, name in ((0.0, a, "a"), (1.0, b, "b")):
        off = (of_shape(answer(a.clone(), b.clone(), t), (4, 16)) - end).abs().max().item()
        require(off < 1e-6, f"At t = {t:.0f} the way is at {name}; yours is up to {off:.1e} away from it.")


def _own_places(answer):
    a, b = pair(4, seed=6)
    places = rows([0.2], [0.45], [0.3], [0.9])
    together = of_shape(answer(a, b, places), (4, 16))
    alone = torch.cat([of_shape(answer(a[i : i + 1], b[i : i + 1], places[i].item()), (1, 16)) for i in range(4)])
    off = (together - alone).abs().max().item()
    require(
        off < 1e-6,
        f"t may be (N, 1), a place of its own for each path: at t = {listed(places)} together and one by one differ by up to {off:.3f}.",
    )
    batched = of_shape(answer(a.view(2, 2, 16), b.view(2, 2, 16), 0.3), (2, 2, 16))
    require(
        torch.allclose(batched.view(4, 16), answer(a, b, 0.3)),
        "a and b may be (…, d): two batches of two latents give something else than four latents. Let `dim=-1` be the latent's.",
    )


def _slopes(answer):
    a, b = pair(3, 5, 7)
    follow(lambda a, b: answer(a, b, 0.3), a=a, b=b)


# ---------------------------------------------------------------- lerp


def _quarter(answer):
    found = of_shape(answer(rows([0.0, 8.0]), rows([4.0, 0.0]), 0.25), (1, 2))
    require(
        torch.allclose(found, rows([1.0, 6.0])),
        f"A quarter of the way from (0, 8) to (4, 0) is (1, 6); yours is {tuple(listed(found))}.",
    )


def _straight_and_even(answer):
    a, b = pair(seed=1)
    steps = torch.stack([of_shape(answer(a, b, k / 7), (4, 16)) for k in range(8)]).diff(dim=0)
    off = (steps - (b - a) / 7).abs().max().item()
    require(off < 1e-6, f"Seven equal steps of t are seven equal steps along b − a; yours differ by up to {off:.1e}.")


def _in_place(a, b, t):
    a *= 1 - t
    a += t * b
    return a


def _with_norm(a, b, t):
    straight = (1 - t) * a + t * b
    return straight / straight.norm(dim=-1, keepdim=True) * a.norm(dim=-1, keepdim=True)


lerp = Exercise(
    id="10.lerp",
    reference=latent.lerp,
    difficulty=1,
    minutes=3,
    properties=[
        Property("a quarter of the way by hand", _quarter),
        Property("t = 0 is a, t = 1 is b", _ends),
        Property("a straight line, at an even pace", _straight_and_even),
        Property("a place of its own for each path, in any number of dimensions", _own_places),
        Property("the ends left as they were", _kept),
        Property("slopes in a and b that are those of its values", _slopes),
    ],
    behaviour=lambda answer: [
        answer(*pair(3, 5, 3), 0.25),
        answer(*pair(3, 5, 3), rows([0.1], [0.5], [0.9])),
        str((lambda a, b: (answer(a, b, 0.5), torch.equal(a, pair(3, 5, 3)[0]))[1])(*pair(3, 5, 3))),
    ],
    tolerance=(1e-6, 1e-9),
    other_forms=[
        lambda a, b, t: (1 - t) * a + t * b,
        lambda a, b, t: torch.lerp(a, b, torch.as_tensor(t, dtype=a.dtype)),
    ],
    wrong_answers={
        "backwards": WrongAnswer(
            lambda a, b, t: t * a + (1 - t) * b, "It runs from b to a: the weight of b has to grow with t."
        ),
        "not divided": WrongAnswer(
            lambda a, b, t: a + t * b, "It adds a share of b and keeps all of a. What is left of a is 1 − t."
        ),
        "the middle": WrongAnswer(
            lambda a, b, t: (a + b) / 2 + 0 * t, "It is the middle at every t: the two weights are ½ and ½."
        ),
        "one place for all": WrongAnswer(
            lambda a, b, t: a + torch.as_tensor(t, dtype=a.dtype).mean() * (b - a),
            "It uses one t, the mean, for every path of the batch. Let (N, 1) broadcast over (N, d).",
        ),
        "square root weights": WrongAnswer(
            lambda a, b, t: (1 - t) ** 0.5 * a + t**0.5 * b,
            "Its weights are √(1 − t) and √t. That keeps the expected norm of two normals, and is no straight line.",
        ),
        "brought to a norm": WrongAnswer(
            _with_norm, "It brings every point back to a's norm. That is no straight line any more; the next exercise leaves the line properly."
        ),
        "in place": WrongAnswer(
            _in_place, "The values are right, but it writes them into a: the next call starts from somewhere else. Do not use *= and += on an argument."
        ),
    },
    hints=[
        "Two weights that sum to 1: how much is left of a, how much there is of b.",
        "Or: start at a and go the share t of the way b − a.",
    ],
)  # fmt: skip


# ---------------------------------------------------------------- slerp


def _quarter_turn(answer):
    a, b = rows([1.0, 0.0, 0.0]), rows([0.0, 1.0, 0.0])
    for k in (1, 2, 3):
        angle = k * math.pi / 8
        found = of_shape(answer(a, b, k / 4), (1, 3))
        want = rows([math.cos(angle), math.sin(angle), 0.0])
        require(
            torch.allclose(found, want, atol=1e-6),
            f"From (1, 0, 0) to (0, 1, 0) the angle goes evenly to 90 degrees: at t = {k / 4:g} it is {90 * k / 4:g} degrees, {listed(want)}; "
            f"yours is {listed(found)}.",
        )
    near = rows([math.cos(math.pi / 9), math.sin(math.pi / 9), 0.0])
    found, want = of_shape(answer(a, near, 0.5), (1, 3)), rows([math.cos(math.pi / 18), math.sin(math.pi / 18), 0.0])
    require(
        torch.allclose(found, want, atol=1e-6),
        f"Two directions 20 degrees apart have an arc too: half-way is 10 degrees, at norm 1, {listed(want)}; yours is {listed(found)}.",
    )


def _norms(answer):
    a, b = rows([2.0, 0.0]), rows([0.0, 6.0])
    found = of_shape(answer(a, b, 0.5), (1, 2))
    require(
        torch.allclose(found, 4 * rows([0.5**0.5, 0.5**0.5]), atol=1e-6),
        f"Between (2, 0) and (0, 6), half-way: the direction is at 45 degrees and the norm is half-way too, 4, so (2.828, 2.828); yours is {listed(found)}.",
    )
    a, b = pair(5, 40, 1)
    for t in (0.2, 0.5, 0.7):
        want = (1 - t) * a.norm(dim=1) + t * b.norm(dim=1)
        found = of_shape(answer(a, b, t), (5, 40)).norm(dim=1)
        off = (found / want - 1).abs().max().item()
        require(
            off < 1e-6,
            f"Along the way the norm goes evenly from ‖a‖ to ‖b‖; at t = {t} yours is off by up to {off:.1%}.",
        )


def _row_by_row(answer):
    a, b = pair(6, 8, 2)
    together = of_shape(answer(a, b, 0.3), (6, 8))
    alone = torch.cat([of_shape(answer(a[i : i + 1], b[i : i + 1], 0.3), (1, 8)) for i in range(6)])
    off = (together - alone).abs().max().item()
    require(
        off < 1e-6,
        f"A latent's way depends on the others in its batch: together and one by one differ by up to {off:.3f}. Each row has its own angle.",
    )
    ends = torch.cat([b[:1], a[1:2], -a[2:3], 0 * b[3:4]])  # with an arc, and three without
    off = (answer(a[:4], ends, 0.3)[:1] - answer(a[:1], b[:1], 0.3)).abs().max().item()
    require(
        off < 1e-6,
        f"In a batch that also holds a way from a to a, one to −a and one to 0, the first row's way changes by {off:.3f}. Only rows without an arc go straight: `torch.where`.",
    )


def _same_direction(answer):
    torch.manual_seed(0)
    a = torch.randn(200, 100)  # in float32 the cosine of a vector with itself exceeds 1 for about every third
    found = of_shape(answer(a, a.clone(), 0.5), (200, 100))
    bad = int((~torch.isfinite(found)).any(1).sum())
    require(
        bad == 0,
        f"From a to a, 200 times in float32: {bad} of your answers hold NaN. Rounding makes some cosines larger than 1, where acos is NaN, and "
        "the angle 0 divides 0 by 0.",
    )
    off = (found - a).abs().max().item()
    require(off < 1e-3, f"The way from a to a stays at a; yours is up to {off:.3f} away.")


def _no_arc(answer):
    a = torch.ones(1, 4)
    for b, what in ((3 * a, "3a"), (-a, "−a"), (0 * a, "0")):
        found = of_shape(answer(a.clone(), b.clone(), 0.25), (1, 4))
        require(
            bool(torch.isfinite(found).all()),
            f"From a = (1, 1, 1, 1) to {what} there is no arc, or more than one. Yours gives {listed(found)}; take the straight line there.",
        )
        require(
            torch.allclose(found, 0.75 * a + 0.25 * b, atol=1e-3),
            f"From a = (1, 1, 1, 1) to {what}, a quarter of the way: the straight line is at {listed(0.75 * a + 0.25 * b)}; yours at {listed(found)}.",
        )


def _slerp_behaviour(answer) -> list:
    a, b = pair(4, 6, 4)
    b = 3 * b
    torch.manual_seed(1)
    same = torch.randn(50, 100)
    return [
        answer(a, b, 0.25),
        answer(a[:1], b[:1], 0.25),
        answer(same[:7], same[:7].clone(), 0.5).isfinite().double().mean(),
        answer(torch.ones(1, 4), 3 * torch.ones(1, 4), 0.25),
        answer(torch.ones(1, 4), -torch.ones(1, 4), 0.25).nan_to_num(9.0),
    ]


def _slerp(a, b, t, *, angle_of, norm="linear", safe=True):
    """The parts in which answers differ, so that each wrong one is wrong in one of them."""
    norm_a, norm_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    unit_a, unit_b = a / norm_a, b / norm_b
    angle = angle_of(a, b, unit_a, unit_b)
    sine = torch.sin(angle)
    flat = (sine < 1e-4) | (norm_a == 0) | (norm_b == 0)
    below = torch.where(flat, torch.ones_like(sine), sine) if safe else sine
    weight_a, weight_b = torch.sin((1 - t) * angle) / below, torch.sin(t * angle) / below
    found = {
        "linear": (weight_a * unit_a + weight_b * unit_b) * ((1 - t) * norm_a + t * norm_b),
        "raw": weight_a * a + weight_b * b,
        "unit": weight_a * unit_a + weight_b * unit_b,
    }[norm]
    return torch.where(flat, (1 - t) * a + t * b, found) if safe else found


def _own_angle(a, b, unit_a, unit_b):
    return torch.acos((unit_a * unit_b).sum(-1, keepdim=True).clamp(-1, 1))


def _whole_batch(a, b, unit_a, unit_b):
    """The angle of the lesson: its sums run over everything."""
    return torch.acos(((a * b).sum() / (a.norm() * b.norm())).clamp(-1, 1)).expand(*a.shape[:-1], 1)


def _unnormalised(a, b, unit_a, unit_b):
    return torch.acos((a * b).sum(-1, keepdim=True).clamp(-1, 1))


def _nlerp(a, b, t):
    straight = (1 - t) * a / a.norm(dim=-1, keepdim=True) + t * b / b.norm(dim=-1, keepdim=True)
    norm = (1 - t) * a.norm(dim=-1, keepdim=True) + t * b.norm(dim=-1, keepdim=True)
    length = straight.norm(dim=-1, keepdim=True)
    bad = (length < 1e-6) | ~torch.isfinite(length)
    return torch.where(bad, (1 - t) * a + t * b, straight / torch.where(bad, torch.ones_like(length), length) * norm)


def _by_gram_schmidt(a, b, t):
    """From a's direction, towards the part of b's that is orthogonal to it."""
    norm_a, norm_b = (torch.linalg.vector_norm(end, dim=-1, keepdim=True) for end in (a, b))
    unit_a, unit_b = a / norm_a.clamp(min=1e-30), b / norm_b.clamp(min=1e-30)
    cosine = (unit_a * unit_b).sum(-1, keepdim=True)
    across = unit_b - cosine * unit_a
    length = across.norm(dim=-1, keepdim=True)
    angle = torch.atan2(length, cosine)
    arc = torch.cos(t * angle) * unit_a + torch.sin(t * angle) * across / length.clamp(min=1e-30)
    straight = (length < 1e-4) | (norm_a == 0) | (norm_b == 0)
    return torch.where(straight, a + t * (b - a), arc * (norm_a + t * (norm_b - norm_a)))


slerp = Exercise(
    id="10.slerp",
    reference=latent.slerp,
    difficulty=3,
    minutes=15,
    properties=[
        Property("an even turn from one axis to another", _quarter_turn),
        Property("t = 0 is a, t = 1 is b", _ends),
        Property("norms that go evenly from ‖a‖ to ‖b‖", _norms),
        Property("an angle for each row of a batch", _row_by_row),
        Property("from a to a without NaN, in float32", _same_direction),
        Property("a straight line where there is no arc: to 3a, to −a, to 0", _no_arc),
        Property("a place of its own for each path, in any number of dimensions", _own_places),
        Property("slopes in a and b that are those of its values", _slopes),
    ],
    behaviour=_slerp_behaviour,
    tolerance=(1e-3, 1e-4),
    other_forms=[_by_gram_schmidt, lambda a, b, t: _slerp(a, b, t, angle_of=_own_angle)],
    wrong_answers={
        "one angle for the batch": WrongAnswer(
            lambda a, b, t: _slerp(a, b, t, angle_of=_whole_batch),
            "Its angle is taken over the whole batch, as with `.sum()` and `.norm()` without a dimension: right for a single pair, and for more of them nobody's own. Sum over the last dimension and keep it.",
        ),
        "NaN on equal directions": WrongAnswer(
            lambda a, b, t: _slerp(a, b, t, angle_of=lambda a, b, u, v: torch.acos((u * v).sum(-1, keepdim=True)), safe=False),
            "It is right in general, and NaN where the two directions are equal or opposite: a cosine above 1 by rounding has no acos, and sin ω = 0 is divided by. Clamp, and take the straight line there.",
        ),
        "clamped, and still divided by 0": WrongAnswer(
            lambda a, b, t: _slerp(a, b, t, angle_of=lambda a, b, u, v: torch.acos((u * v).sum(-1, keepdim=True).clamp(-1 + 1e-7, 1 - 1e-7)), safe=False),
            "The cosine is clamped short of ±1, so nothing is NaN. But between opposite ends it divides by nearly 0, and at a zero vector it has no direction: ask for the straight line there.",
        ),
        "on the unit sphere": WrongAnswer(
            lambda a, b, t: _slerp(a, b, t, angle_of=_own_angle, norm="unit"),
            "Its latents have norm 1. That is StyleGAN's slerp, whose mapping network normalises z anyway; a DCGAN is fed √d and would see latents that it never met.",
        ),
        "raw weights": WrongAnswer(
            lambda a, b, t: _slerp(a, b, t, angle_of=_own_angle, norm="raw"),
            "It weighs a and b themselves instead of their directions (as the lesson does). For ends of equal norm that is the same; for others neither the angle nor the norm goes evenly.",
        ),
        "angle of unnormalised vectors": WrongAnswer(
            lambda a, b, t: _slerp(a, b, t, angle_of=_unnormalised),
            "The cosine is taken of a and b as they are: their product is a cosine only after each is divided by its norm.",
        ),
        "a straight line brought to the norm": WrongAnswer(
            _nlerp, "It goes straight and brings the result to the right norm. The places are right and the pace is not: slow at the ends, fast in the middle."
        ),
        "backwards": WrongAnswer(
            lambda a, b, t: _slerp(b, a, t, angle_of=_own_angle), "It runs from b to a: sin((1 − t)ω) belongs to a."
        ),
    },
    hints=[
        "Directions first: `a / a.norm(dim=-1, keepdim=True)`. Their product, summed over the last dimension, is the cosine of ω.",
        "The direction at t is (sin((1 − t)ω)·u_a + sin(tω)·u_b) / sin ω; multiply it by the norm, (1 − t)‖a‖ + t‖b‖.",
        "`clamp(-1, 1)` before `acos`; `torch.where(sine < 1e-4, straight, arc)`, with the sine replaced by 1 where it is not used.",
    ],
)  # fmt: skip
