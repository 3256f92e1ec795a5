"""Both steps with their losses, penalty and all, as compiled graphs: `torch.compile`, for a GPU.

On small images a GPU waits for the host to launch one small operation after another; a graph launches them at once
(mode="reduce-overhead" replays it as a CUDA graph). On a CPU it is slower: a step of DCGAN-64 in bfloat16 0.82 times as
fast, after almost three minutes of compiling (docs/decisions.md).

TrainConfig(compiled=True), or `gan-course train RECIPE --set compiled=true`, takes them. Their gain on a GPU was not
measured, so it is no default.

Latents, real images and a penalty's mixing weights come in from outside, so what is computed is what the plain steps
compute, to rounding. A penalty differentiates inside the graph by `torch.func.grad` (penalties.gradients). BatchNorm's
running statistics cannot be written there: a critic with BatchNorm under a penalty takes the plain step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.losses import LOSSES, Loss
from course_lib.penalties import has_batch_norm
from course_lib.training.loop import discriminator_step, frozen


class CompiledSteps:
    """Replacements for `training.discriminator_step` and `generator_step`, with their arguments and results.

    For one run: a new one makes PyTorch forget the graphs of the last, whose number it bounds.

    options: of torch.compile, such as mode="reduce-overhead" or backend="aot_eager"
    """

    def __init__(self, **options):
        torch.compiler.reset()
        options = {"fullgraph": True, "dynamic": False} | options
        self._of_d, self._of_g = torch.compile(_d_losses, **options), torch.compile(_g_losses, **options)

    def discriminator_step(
        self,
        generator,
        discriminator,
        optimizer,
        real: Tensor,
        z: Tensor,
        loss: Loss = LOSSES["non_saturating"],
        penalty=None,
    ):
        if penalty is not None and has_batch_norm(discriminator):
            return discriminator_step(generator, discriminator, optimizer, real, z, loss, penalty)
        with torch.no_grad():
            fake = generator(z)
        total, value, real_logits, fake_logits = self._of_d(discriminator, real, fake, loss.discriminator, penalty)
        _update(optimizer, total)
        return tuple(_kept(each) for each in (value, real_logits, fake_logits))

    def generator_step(
        self,
        generator,
        discriminator,
        optimizer,
        z: Tensor,
        loss: Loss = LOSSES["non_saturating"],
        real: Tensor | None = None,
    ):
        with frozen(discriminator):
            value, fake_logits = self._of_g(
                generator, discriminator, z, loss.generator_loss, real if loss.relativistic else None
            )
            _update(optimizer, value)
        return _kept(value), _kept(fake_logits)


def _d_losses(discriminator, real: Tensor, fake: Tensor, loss, penalty):
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    value = loss(real_logits, fake_logits)
    total = value if penalty is None else value + penalty(discriminator, real, fake)
    return total, value, real_logits, fake_logits


def _g_losses(generator, discriminator, z: Tensor, loss, real: Tensor | None):
    fake_logits = discriminator(generator(z))
    return loss(fake_logits, None if real is None else discriminator(real)), fake_logits


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def _kept(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()  # a replayed graph writes its results where the last ones were
