"""What a recipe's run will take, measured by a few of its steps; they leave nothing behind."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from course_lib import data, runtime
from course_lib.training import checkpoint, recipes
from course_lib.training.loop import TrainConfig, TrainingState, fit

WARM = 3  # steps before the clock starts: the first ones allocate and choose kernels


@dataclass(frozen=True)
class Rehearsal:
    """parameters: of generator and discriminator;  images, shape: how many and (C, H, W) of each;  done: steps of the
    run that is in `out` already, None if there is none;  timed: steps measured;  images_per_second: as in History
    """

    config: TrainConfig
    parameters: tuple[int, int]
    images: int
    shape: tuple[int, int, int]
    done: int | None
    timed: int
    images_per_second: float

    @property
    def seconds_left(self) -> float:
        """From where the run is to its end, at the measured speed; recording comes on top."""
        return (self.config.steps - (self.done or 0)) * self.config.batch_size / self.images_per_second


class _Enough(Exception):
    """Raised from a callback: what was to be timed has been."""


def rehearse(
    recipe_name: str,
    out: Path | str | None = None,
    overrides: Mapping[str, object] | None = None,
    seconds: float = 3.0,
    verbose: bool = True,
) -> Rehearsal:
    """Build a GAN's recipe and time its steps for `seconds`. Only a precision that was measured is remembered.

    out, overrides: as `recipes.train` takes them;  raises: ValueError as it does
    """
    recipe, config = recipes.configured(recipe_name, overrides)
    path = Path(out or Path("runs", recipe_name)) / "last.safetensors"
    done = checkpoint.load(path)[0]["step"] if path.exists() else None
    images = data.load(recipe.data, "train").padded(recipe.size)
    generator, discriminator = recipes.build(recipe)
    times: list[float] = []
    cycle = math.lcm(config.penalty_every, config.critic_steps) // config.critic_steps  # a lazy penalty counts in full

    def watch(state: TrainingState) -> None:
        runtime.synchronise(runtime.device())
        times.append(time.perf_counter())
        timed = state.step - WARM
        if timed > 0 and timed % cycle == 0 and times[-1] - times[WARM] >= seconds:
            raise _Enough

    with contextlib.suppress(_Enough):
        fit(generator, discriminator, images, replace(config, checkpoint_dir=None), [watch], verbose=verbose)
    warm = min(WARM, len(times) - 2)
    timed = len(times) - 1 - warm
    return Rehearsal(
        config,
        tuple(sum(p.numel() for p in network.parameters()) for network in (generator, discriminator)),
        len(images),
        tuple(images.pixels.shape[1:]),
        done,
        timed,
        timed * config.batch_size / (times[-1] - times[warm]),
    )
