"""Everything random in a step of training, each from the key (seed, step): resume and ranks need nothing else.

On several ranks every one draws for the whole batch and keeps its own rows, so the run is that of one process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_lib import ranks, runtime
from course_lib.data import epoch_order, to_float
from course_lib.data.augment import diff_augment
from course_lib.penalties import PENALTIES, gradient_penalty
from course_lib.training import distributed, growth


class Draws:
    """What the steps of a run are given: real images, latents, penalties, transforms; a rank's rows of each.

    pixels: (N, C, H, W) uint8 on the device;  config: a TrainConfig;  dtype, layout: of the images
    classes: (N,) int64, what class-conditional networks are told of each image; None for other networks
    """

    def __init__(
        self,
        pixels: Tensor,
        config,
        latent_dim: int,
        dtype: torch.dtype,
        layout: torch.memory_format,
        classes: Tensor | None = None,
    ):
        self.pixels, self.config, self.latent_dim, self.dtype, self.layout = pixels, config, latent_dim, dtype, layout
        self.classes = classes
        self.rows = distributed.rows(config.batch_size)
        self.per_epoch = len(pixels) // config.batch_size
        self.epoch, self.order = -1, None

    def real(self, number: int) -> Tensor:
        """The number-th batch of the run, (n, C, H, W) in [−1, 1]; the last, partial one of an epoch is left out.

        A run that grows sees it at the resolution of its stage.
        """
        seen = number // self.config.critic_steps * self.config.batch_size
        return growth.shrunk(self.whole(number), self.config.growth, seen).contiguous(memory_format=self.layout)

    def whole(self, number: int) -> Tensor:
        """The same batch at the images' own resolution, whatever the stage."""
        real = to_float(self.pixels[self._chosen(number)]).to(self.dtype)
        return real.contiguous(memory_format=self.layout)

    def labels(self, number: int) -> Tensor | None:
        """The classes of the number-th batch, (n,) int64; the fakes of an update have those of its real images."""
        return None if self.classes is None else self.classes[self._chosen(number)]

    def _chosen(self, number: int) -> Tensor:
        """Indices of the number-th batch."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            self.order = epoch_order(len(self.pixels), epoch, self.config.seed, self.pixels.device)
        start = place * self.config.batch_size
        return self.order[start : start + self.config.batch_size][self.rows]

    def latents(self, step: int) -> Tensor:
        """z for each update of D in a step, then for G's: (critic_steps + 1, n, latent_dim)."""
        shape = (self.config.critic_steps + 1, self.config.batch_size, self.latent_dim)
        draw = self._keyed(step, "z")
        return torch.randn(shape, generator=draw, device=self.pixels.device, dtype=self.dtype)[:, self.rows]

    def penalty(self, number: int) -> Callable[[Callable, Tensor, Tensor], Tensor] | None:
        """penalty(critic, real, fake) → scalar for the number-th update of D; None where there is none.

        Every penalty_every-th update has it, that many times as heavy: the mean over updates stays what it was.
        """
        config = self.config
        if config.penalty is None or number % config.penalty_every:
            return None
        weight, draw = config.penalty_weight * config.penalty_every, self._keyed(number, "penalty")
        if config.penalty == "gradient_penalty":  # the only one with randomness: one mix for each of the whole batch
            mix = torch.rand(config.batch_size, generator=draw, device=draw.device, dtype=self.dtype)[self.rows]
            return lambda critic, real, fake: weight * gradient_penalty(critic, real, fake, mix=mix)
        return lambda critic, real, fake: weight * PENALTIES[config.penalty](critic, real, fake, draw)

    def transforms(self, step: int) -> torch.Generator:
        """The generator from which `Augmented` draws in a step."""
        return self._keyed(step, "augment")

    def noise(self, step: int) -> torch.Generator:
        """The generator from which a network draws in a step: another one on each rank, for its rows alone."""
        return self._keyed(step, "noise", *([ranks.rank()] if ranks.rank() else []))

    def _keyed(self, *key: object) -> torch.Generator:
        return runtime.keyed_generator(self.pixels.device, self.config.seed, *key)


class Augmented(nn.Module):
    """A discriminator that sees altered images only, real and generated, in its own step and in the generator's.

    Gradients pass through the alteration: to the generator, and to the images of a penalty, which is one of this
    network. `draw` is set anew for each step.
    """

    def __init__(self, network: nn.Module, policy: tuple[str, ...]):
        super().__init__()
        self.network, self.policy = network, policy
        self.draw: torch.Generator | None = None

    def forward(self, images: Tensor) -> Tensor:
        return self.network(self._altered(images))

    def _altered(self, images: Tensor) -> Tensor:
        if ranks.world_size() == 1:
            return diff_augment(images, self.policy, self.draw)
        whole = ranks.world_size() * len(images)
        mine = distributed.rows(whole)
        before, after = images.new_zeros(mine.start, *images.shape[1:]), whole - mine.stop
        others = images.new_zeros(after, *images.shape[1:])  # other ranks' places: they take their part of the draws
        return diff_augment(torch.cat([before, images, others]), self.policy, self.draw)[mine]


class Told(nn.Module):
    """A network that is told, besides its input, what it asks for of these two:

    draw:   the source of what is random inside it, set anew for each step, whose forward passes draw from it in turn
    labels: (n,) int64, the classes of its images, set anew for each batch, if it was built with `classes`
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.noisy = "draw" in inspect.signature(network.forward).parameters
        self.conditional = getattr(network, "classes", None) is not None
        self.draw: torch.Generator | None = None
        self.labels: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        besides = {"draw": self.draw} if self.noisy else {}
        return self.network(x, **besides, **({"labels": self.labels} if self.conditional else {}))
