"""The one normal that is nearest to a mixture, by each divergence: what a model that is too simple settles on."""

from __future__ import annotations

import math

from course_lib.data.mixtures import Mixture, mixture
from course_lib.oracle.densities import js_divergence, kl_divergence
from course_lib.runtime import known

DIVERGENCES = {  # of data p and model q
    "forward": kl_divergence,  # KL(p‖q): what maximum likelihood minimises
    "reverse": lambda p, q: kl_divergence(q, p),
    "jensen_shannon": js_divergence,
}


def moments(p: Mixture) -> tuple[float, float]:
    """Mean and standard deviation of a mixture in one dimension. raises: ValueError in more"""
    if p.dim != 1:
        raise ValueError(f"p: expected a mixture in 1 dimension, got {p.dim}")
    mean = (p.weights @ p.means[:, 0]).item()
    return mean, math.sqrt((p.weights @ (p.stds.square() + (p.means[:, 0] - mean).square())).item())


def best_normal(p: Mixture, divergence: str = "forward") -> Mixture:
    """The N(m, s²) with the least divergence from p, among all m and s.

    p:          in one dimension;  divergence: a key of DIVERGENCES
    "forward" is known in closed form: p's own mean and deviation. The others have several local optima, so the search
    (Nelder, Mead 1965) starts from there and from each component of p.
    raises: ValueError for another divergence or dimension
    """
    measure = DIVERGENCES[known("divergence", divergence, DIVERGENCES)]
    whole = moments(p)
    if divergence == "forward":
        return mixture([whole[0]], stds=whole[1])
    from scipy.optimize import minimize

    starts = [whole, *zip(p.means[:, 0].tolist(), p.stds.tolist())]
    found = [
        minimize(
            lambda place: measure(p, mixture([place[0]], stds=math.exp(place[1]))),
            (mean, math.log(std)),
            method="Nelder-Mead",
            options={"xatol": 1e-4, "fatol": 1e-9},
        )
        for mean, std in starts
    ]
    mean, log_std = min(found, key=lambda each: each.fun).x
    return mixture([float(mean)], stds=math.exp(log_std))
