"""What bounds a critic besides its loss: functions of (critic, images), each without its weight.

A critic is any callable from images (N, C, H, W), points (N, 2) or other rows to logits (N,). A penalty takes the
gradient of each logit with respect to its own input and can itself be differentiated in the critic's weights. The
gradient is that of the sum of all logits, so the critic must treat its inputs independently: with BatchNorm
(`has_batch_norm`) or a minibatch statistic one image's logit depends on the others, and what is penalised is not
the slope at any image.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Critic = Callable[[Tensor], Tensor]


def gradient_penalty(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    *,
    mix: Tensor | None = None,
    generator: torch.Generator | None = None,
    target: float = 1.0,
) -> Tensor:
    """E(‖∇critic(x̂)‖₂ − target)² at x̂ = mix·real + (1 − mix)·fake, points between the two: WGAN-GP.

    Gulrajani et al. 2017 (arXiv:1704.00028) without its weight λ = 10; it is added to a loss that is minimised.
    One mix and one norm for each image. The norm over the whole batch instead, a widespread slip, turns the 4 of a
    linear critic with ‖w‖ = 3 into 121 at batch 16.

    real, fake: (N, ...) of one shape, held fixed;  mix: (N,), uniform in [0, 1) from `generator` unless given
    returns:    scalar, non-negative, differentiable in the critic's weights
    raises:     ValueError if the shapes differ, mix is not (N,), or the critic does not return (N,)
    """
    if real.shape != fake.shape:
        raise ValueError(f"fake: expected {tuple(real.shape)} like real, got {tuple(fake.shape)}")
    if not real.is_floating_point():
        raise ValueError(f"images: expected floating point, got {real.dtype}; data.to_float converts")
    if mix is None:
        mix = torch.rand(real.shape[:1], generator=generator, device=real.device, dtype=real.dtype)
    elif mix.shape != real.shape[:1]:
        raise ValueError(f"mix: expected ({len(real)},), one for each image, got {tuple(mix.shape)}")
    mix = mix.reshape(-1, *[1] * (real.ndim - 1))  # (N, 1, 1, 1): the same for every pixel of an image
    x_hat = mix * real + (1 - mix) * fake
    return (gradients(critic, x_hat).norm(dim=1) - target).square().mean()


def r1(critic: Critic, real: Tensor) -> Tensor:
    """Half-squared gradient norm of the critic at real images, averaged over the batch.

    Mescheder et al. 2018 (arXiv:1801.04406v4, eq. 9) without its gamma; the caller multiplies.

    real:    (N, ...)
    returns: scalar, non-negative, differentiable in the critic's weights
    raises:  ValueError if real has no batch dimension or the critic does not return (N,)
    """
    return 0.5 * gradients(critic, real).square().sum(1).mean()


def r2(critic: Critic, fake: Tensor) -> Tensor:
    """The same at generated images, which are held fixed: the penalty of the same paper that R3GAN adds to R1."""
    return r1(critic, fake)


def gradients(critic: Critic, points: Tensor) -> Tensor:
    """The gradient of each logit with respect to its own input, flat: (N, D), in float32 or wider.

    Keeps its graph, so that what is made of it can be differentiated in the critic's weights. Inside `torch.compile` it is
    taken by `torch.func.grad`, since a compiled graph cannot be differentiated twice; BatchNorm's running statistics
    raise there.

    points: (N, ...) floating point;  raises: ValueError if it has no batch dimension or the critic does not return (N,)
    """
    if points.ndim < 2 or not points.is_floating_point():
        raise ValueError(f"images: expected (N, ...) floating point, got {tuple(points.shape)} {points.dtype}")

    def total(points: Tensor) -> Tensor:
        logits = critic(points)
        if logits.shape != points.shape[:1]:
            raise ValueError(f"critic: expected logits ({len(points)},), got {tuple(logits.shape)}")
        return logits.sum()

    points = points.detach()
    if torch.compiler.is_compiling():
        slopes = torch.func.grad(total)(points)
    else:
        points.requires_grad_(True)
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(total(points), points, create_graph=True)
    slopes = slopes.flatten(1)
    return slopes.float() if slopes.dtype in (torch.bfloat16, torch.float16) else slopes


@torch.no_grad()
def clip_weights_(critic: nn.Module, bound: float) -> None:
    """Every parameter of the critic into [−bound, bound], in place, after each of its updates.

    Arjovsky, Chintala, Bottou 2017 (arXiv:1701.07875) with bound = 0.01. It bounds the critic's slope by some
    number that depends on the architecture, not by 1.  raises: ValueError unless bound > 0
    """
    if not bound > 0:
        raise ValueError(f"bound: expected a positive number, got {bound}")
    for parameter in critic.parameters():
        parameter.clamp_(-bound, bound)


def diversity(images: Tensor, z: Tensor, floor: float = 1 / 127.5) -> Tensor:
    """E d(z₁, z₂) / (d(G(z₁), G(z₂)) + floor), d the mean absolute difference: large where G ignores z.

    The mode-seeking ratio of Mao et al. 2019 (arXiv:1903.05628), for the generator to minimise. Each image is compared
    with the next of the batch, the last with the first. The floor, one grey level, bounds value and slope where two
    images are equal.

    images:  G(z), (N, ...) with N ≥ 2;  z: (N, latent_dim)
    returns: scalar ≥ 0, differentiable in images
    raises:  ValueError if there are fewer than two images, or as many z as images are not given
    """
    if len(images) < 2 or len(z) != len(images):
        raise ValueError(f"images, z: expected N >= 2 of each, got {len(images)} and {len(z)}")
    apart = [(batch - batch.roll(1, 0)).flatten(1).abs().mean(1) for batch in (z, images)]
    return (apart[0] / (apart[1] + floor)).mean()


def has_batch_norm(network: nn.Module) -> bool:
    """Whether any layer normalises over the batch in training, which a gradient penalty cannot be used with."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


# each penalty(critic, real, fake, generator) → scalar, to be weighted by the caller
PENALTIES: dict[str, Callable[[Critic, Tensor, Tensor, torch.Generator | None], Tensor]] = {
    "gradient_penalty": lambda critic, real, fake, generator: gradient_penalty(critic, real, fake, generator=generator),
    "r1": lambda critic, real, fake, generator: r1(critic, real),
    "r1_r2": lambda critic, real, fake, generator: r1(critic, real) + r2(critic, fake),
}
