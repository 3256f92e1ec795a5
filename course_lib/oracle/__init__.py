"""Worlds where everything a GAN can only estimate is computed exactly: the right answers to compare a run with."""

from course_lib.oracle.densities import (
    game_value,
    js_divergence,
    kl_divergence,
    optimal_discriminator,
    optimal_logits,
    wasserstein_1,
    wasserstein_1_samples,
)
from course_lib.oracle.f_divergences import F_DIVERGENCES, f_divergence, variational_bound

__all__ = [
    "F_DIVERGENCES",
    "f_divergence",
    "game_value",
    "js_divergence",
    "kl_divergence",
    "optimal_discriminator",
    "optimal_logits",
    "variational_bound",
    "wasserstein_1",
    "wasserstein_1_samples",
]
