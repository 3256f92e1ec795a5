"""Adversarial losses: pure functions of logits, both to be minimised, one line each in LOSSES.

With D(x) = sigmoid(logit), softplus(−logit) = −log D(x) and softplus(logit) = −log(1 − D(x)), without ever
taking the logarithm of a rounded 0. At the equilibrium every logit is 0: the discriminator's loss (the sum
of both terms, as plotted throughout the course) is log 4 = 1.386, a non-saturating generator's log 2 = 0.693.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A pair of losses. discriminator(real_logits, fake_logits) → scalar; generator(fake_logits) → scalar.

    Logits are (N,), of any N each, and are taken to float32 first if they come in half precision.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """V(D, G) = E log D(x) + E log(1 − D(G(z))), estimated from two samples; what D maximises. At most 0.

    Goodfellow et al. 2014 (arXiv:1406.2661v1, eq. 1).  real_logits: (N,);  fake_logits: (M,);  returns a scalar
    """
    real, fake = _logits(real_logits, "real_logits"), _logits(fake_logits, "fake_logits")
    return F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()


def cross_entropy_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E log D(x) − E log(1 − D(G(z))): minus `value`, to be minimised like every loss here."""
    return -value(real_logits, fake_logits)


def saturating_generator(fake_logits: Tensor) -> Tensor:
    """E log(1 − D(G(z))), the generator's side of eq. 1: its slope vanishes where D is sure of a fake."""
    return -F.softplus(_logits(fake_logits, "fake_logits")).mean()


def non_saturating_generator(fake_logits: Tensor) -> Tensor:
    """−E log D(G(z)) (section 3 of the same paper): another field with the same fixed point."""
    return F.softplus(-_logits(fake_logits, "fake_logits")).mean()


LOSSES: dict[str, Loss] = {
    "non_saturating": Loss(cross_entropy_discriminator, non_saturating_generator),
    "saturating": Loss(cross_entropy_discriminator, saturating_generator),
}


def _logits(logits: Tensor, argument: str) -> Tensor:
    if logits.ndim != 1 or not logits.is_floating_point():
        raise ValueError(f"{argument}: expected (N,) floating point, got {tuple(logits.shape)} {logits.dtype}")
    return logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits
