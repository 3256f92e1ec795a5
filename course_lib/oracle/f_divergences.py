"""f-divergences, and the game that a critic plays for each of them.

Nowozin, Cseke, Tomioka 2016 (arXiv:1606.00709v1): D_f(P‖Q) = E_Q f(p/q), and for every critic T whose values lie in
the domain of the conjugate f*, D_f(P‖Q) ≥ E_P T − E_Q f*(T) (eq. 4), with equality at T* = f′(p/q) (eq. 5).

Two entries are easily taken for one: `jensen_shannon` has f*(t) = −log(2 − eᵗ) and the value 2·JSD; the GAN's own
divergence has f*(t) = −log(1 − eᵗ) and the value 2·JSD − log 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.data.mixtures import Mixture
from course_lib.oracle.densities import quadrature
from course_lib.runtime import known

Pointwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class FDivergence:
    """f: convex on (0, ∞);  slope: f′;  conjugate: f*(t) = sup_u (ut − f(u));  critic: any real number → f*'s domain."""

    formula: str
    f: Pointwise
    slope: Pointwise
    conjugate_formula: str
    conjugate: Pointwise
    critic: Pointwise


LOG2 = math.log(2)

F_DIVERGENCES: dict[str, FDivergence] = {
    "kl": FDivergence(
        "u log u", lambda u: u * u.log(), lambda u: 1 + u.log(),
        "exp(t − 1)", lambda t: (t - 1).exp(), lambda v: v,
    ),
    "reverse_kl": FDivergence(
        "−log u", lambda u: -u.log(), lambda u: -1 / u,
        "−1 − log(−t)", lambda t: -1 - (-t).log(), lambda v: -v.exp(),
    ),
    "jensen_shannon": FDivergence(
        "u log u − (u + 1) log((u + 1)/2)",
        lambda u: u * u.log() - (u + 1) * (u.log1p() - LOG2), lambda u: LOG2 + u.log() - u.log1p(),
        "−log(2 − exp t)", lambda t: -(2 - t.exp()).log(), lambda v: LOG2 - F.softplus(-v),
    ),
    "gan": FDivergence(
        "u log u − (u + 1) log(u + 1)",
        lambda u: u * u.log() - (u + 1) * u.log1p(), lambda u: u.log() - u.log1p(),
        "−log(1 − exp t)", lambda t: -(-t.expm1()).log(), lambda v: -F.softplus(-v),
    ),
    "pearson": FDivergence(
        "(u − 1)²", lambda u: (u - 1).square(), lambda u: 2 * (u - 1),
        "t²/4 + t", lambda t: t.square() / 4 + t, lambda v: v,
    ),
    "squared_hellinger": FDivergence(
        "(√u − 1)²", lambda u: (u.sqrt() - 1).square(), lambda u: 1 - u.rsqrt(),
        "t/(1 − t)", lambda t: t / (1 - t), lambda v: 1 - v.exp(),
    ),
    "total_variation": FDivergence(
        "|u − 1|/2", lambda u: (u - 1).abs() / 2, lambda u: (u - 1).sign() / 2,
        "t", lambda t: t, lambda v: v.tanh() / 2,
    ),
}  # fmt: skip


def f_divergence(name: str, p: Mixture, q: Mixture) -> float:
    """D_f(p‖q) = ∫ q f(p/q), in nats where f has a logarithm; total variation, which has a kink, to about 1e-4.

    raises: ValueError for an unknown name, or where p has mass at densities of q that float64 cannot hold
    """
    chosen = F_DIVERGENCES[known("name", name, F_DIVERGENCES)]
    _, log_p, log_q, weight = _on_nodes(p, q)
    return weight * (log_q.exp() @ chosen.f((log_p - log_q).exp())).item()


def variational_bound(name: str, critic: Callable[[Tensor], Tensor], p: Mixture, q: Mixture) -> float:
    """E_p T − E_q f*(T): never more than `f_divergence`, and equal to it for the critic f′(p/q).

    critic: T, (M, d) float64 → (M,) within the domain of f*; `F_DIVERGENCES[name].critic` maps any number there
    """
    chosen = F_DIVERGENCES[known("name", name, F_DIVERGENCES)]
    x, log_p, log_q, weight = _on_nodes(p, q)
    value = critic(x)
    conjugate = chosen.conjugate(value)
    if not torch.isfinite(conjugate).all():
        raise ValueError(f"critic: expected values in the domain of f*(t) = {chosen.conjugate_formula}, left it")
    return weight * (log_p.exp() @ value - log_q.exp() @ conjugate).item()


def _on_nodes(p: Mixture, q: Mixture) -> tuple[Tensor, Tensor, Tensor, float]:
    x, weight = quadrature(p, q)
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    beyond = (log_p - log_q).abs() > 700  # exp would overflow
    lost = weight * (log_p[beyond].exp().sum() + log_q[beyond].exp().sum()).item()
    if lost > 1e-12:
        raise ValueError(f"p, q: expected densities whose ratio float64 can hold, {lost:.1%} of the mass is beyond it")
    return x[~beyond], log_p[~beyond], log_q[~beyond], weight
