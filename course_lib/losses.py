"""Adversarial losses: pure functions of logits, both to be minimised, one line each in LOSSES.

With D(x) = sigmoid(logit), softplus(−logit) = −log D(x) and softplus(logit) = −log(1 − D(x)), without ever
taking the logarithm of a rounded 0. At the equilibrium every logit is 0: the discriminator's loss (the sum
of both terms, as plotted throughout the course) is log 4 = 1.386, a non-saturating generator's log 2 = 0.693.
Least squares, Wasserstein and hinge read the logit itself, as a score with no probability behind it: their
values are on scales of their own and cannot be compared with nats or with each other.
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

    relativistic: logits are compared pair by pair, so both are (N,), and it is generator(fake_logits, real_logits)
    bounded:      whether the discriminator's loss has a least value; where it has none, a critic without a bound
                  of its own (clipping, a penalty, spectral normalisation) lowers it for ever by growing
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    relativistic: bool = False
    bounded: bool = True

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """The generator's loss, whichever kind: real_logits go on to a relativistic loss only.

        raises: ValueError if the loss is relativistic and real_logits are missing
        """
        if not self.relativistic:
            return self.generator(fake_logits)
        if real_logits is None:
            raise ValueError(
                f"real_logits: expected ({len(fake_logits)},), a relativistic loss compares pairs, got None"
            )
        return self.generator(fake_logits, real_logits)


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


def smoothed_discriminator(real_logits: Tensor, fake_logits: Tensor, target: float | Tensor = 0.9) -> Tensor:
    """Cross-entropy with targets t below 1 for real images; fakes keep 0: one-sided label smoothing.

    −E[t·log D(x) + (1 − t)·log(1 − D(x))] − E log(1 − D(G(z))), Salimans et al. 2016 (arXiv:1606.03498). The best D
    is t·p/(p + q): it never becomes surer than t. With random targets t is their mean, since the loss is linear in t.

    target: one number in (0, 1], or (N,) targets, one for each real logit (values not looked at)
    raises: ValueError for a number outside (0, 1] or targets of another shape
    """
    real, fake = _logits(real_logits, "real_logits"), _logits(fake_logits, "fake_logits")
    if isinstance(target, Tensor):
        if target.shape != real.shape:
            raise ValueError(f"target: expected a number or {tuple(real.shape)}, got {tuple(target.shape)}")
    elif not 0 < target <= 1:
        raise ValueError(f"target: expected a number in (0, 1], got {target}")
    return (F.softplus(-real) + (1 - target) * real).mean() + F.softplus(fake).mean()


def noisy_targets(
    shape: tuple[int, ...], low: float = 0.7, high: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Random targets for `smoothed_discriminator`, uniform in [low, high), on the generator's device.

    raises: ValueError unless 0 ≤ low ≤ high ≤ 1
    """
    if not 0 <= low <= high <= 1:
        raise ValueError(f"low, high: expected 0 <= low <= high <= 1, got {low}, {high}")
    device = generator.device if generator is not None else None
    return low + (high - low) * torch.rand(shape, generator=generator, device=device)


def least_squares_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """½E(D(x) − 1)² + ½E D(G(z))²: Mao et al. 2016 (arXiv:1611.04076v3, eq. 2 with a = 0, b = 1).

    D(x) is the logit itself. Where p = q the best logit is ½ and the loss ¼.
    """
    real, fake = _logits(real_logits, "real_logits"), _logits(fake_logits, "fake_logits")
    return 0.5 * (real - 1).square().mean() + 0.5 * fake.square().mean()


def least_squares_generator(fake_logits: Tensor) -> Tensor:
    """½E(D(G(z)) − 1)²: the same paper with c = 1. A fake scored above 1 is pulled back."""
    return 0.5 * (_logits(fake_logits, "fake_logits") - 1).square().mean()


def wasserstein_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E D(G(z)) − E D(x): Arjovsky, Chintala, Bottou 2017 (arXiv:1701.07875), with the sign of a loss.

    Minus its least value over critics of slope at most 1 is W₁; over the critics that clipping leaves, an unknown
    multiple of something below it; over all critics there is none.
    """
    real, fake = _logits(real_logits, "real_logits"), _logits(fake_logits, "fake_logits")
    return fake.mean() - real.mean()


def wasserstein_generator(fake_logits: Tensor) -> Tensor:
    """−E D(G(z)): slope −1/N on each logit, however sure the critic is."""
    return -_logits(fake_logits, "fake_logits").mean()


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E max(0, 1 − D(x)) + E max(0, 1 + D(G(z))): Lim, Ye 2017 (arXiv:1705.02894). 2 where every logit is 0.

    Logits beyond ±1 on the right side have no slope. Not the Wasserstein loss: its least value, 0, says
    that a margin of 2 parts the two, and nothing of how far apart they lie.
    """
    real, fake = _logits(real_logits, "real_logits"), _logits(fake_logits, "fake_logits")
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def relativistic_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E softplus(−(D(x) − D(G(z)))): each real image should score above the fake it is paired with.

    RpGAN of Jolicoeur-Martineau 2018 (arXiv:1807.00734), as in R3GAN (Huang et al. 2025, arXiv:2501.05441).
    Only differences count; log 2 where nothing is told apart.  raises: ValueError unless N = M
    """
    real, fake = _pairs(real_logits, fake_logits)
    return F.softplus(-(real - fake)).mean()


def relativistic_generator(fake_logits: Tensor, real_logits: Tensor) -> Tensor:
    """E softplus(−(D(G(z)) − D(x))): the same comparison with the parts exchanged. raises: ValueError unless N = M"""
    real, fake = _pairs(real_logits, fake_logits)
    return F.softplus(-(fake - real)).mean()


hinge_generator = wasserstein_generator  # the hinge is the discriminator's alone

LOSSES: dict[str, Loss] = {
    "non_saturating": Loss(cross_entropy_discriminator, non_saturating_generator),
    "saturating": Loss(cross_entropy_discriminator, saturating_generator),
    "least_squares": Loss(least_squares_discriminator, least_squares_generator),
    "wasserstein": Loss(wasserstein_discriminator, wasserstein_generator, bounded=False),
    "hinge": Loss(hinge_discriminator, hinge_generator),
    "relativistic": Loss(relativistic_discriminator, relativistic_generator, relativistic=True),
}


def _logits(logits: Tensor, argument: str) -> Tensor:
    if logits.ndim != 1 or not logits.is_floating_point():
        raise ValueError(f"{argument}: expected (N,) floating point, got {tuple(logits.shape)} {logits.dtype}")
    return logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits


def _pairs(real_logits: Tensor, fake_logits: Tensor) -> tuple[Tensor, Tensor]:
    real, fake = _logits(real_logits, "real_logits"), _logits(fake_logits, "fake_logits")
    if len(real) != len(fake):
        raise ValueError(f"fake_logits: expected ({len(real)},) like real_logits, to be paired, got ({len(fake)},)")
    return real, fake
