"""One readable training loop: `discriminator_step`, `generator_step` and `fit`, which calls them in turn."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib import ranks, runtime
from course_lib.data import Images
from course_lib.losses import LOSSES, Loss, smoothed_discriminator
from course_lib.penalties import clip_weights_, has_batch_norm
from course_lib.training import checkpoint, distributed, growth, settings
from course_lib.training.draws import Augmented, Draws, Told
from course_lib.training.ema import ExponentialAverage
from course_lib.training.growth import Schedule
from course_lib.training.history import COLUMNS, History


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run besides the networks and the data."""

    steps: int  # one step = critic_steps updates of D, then one of G
    batch_size: int = 64  # real images of an update, and as many fakes; of all ranks together
    loss: str = "non_saturating"  # a key of losses.LOSSES
    real_target: float = 1.0  # below 1: one-sided label smoothing, for the two cross-entropy losses
    critic_steps: int = 1  # each with real images and latents of its own
    penalty: str | None = None  # a key of penalties.PENALTIES, added to D's loss
    penalty_weight: float = 0.0
    penalty_every: int = 1  # updates of D; above 1 the penalty is seldom and as many times as heavy
    clip: float | None = None  # bound of D's weights after each of its updates
    augment: tuple[str, ...] = ()  # transforms of data.augment.diff_augment, of all that D sees
    growth: Schedule = ()  # stages (resolution, kimg of fading, kimg after it); () for no growing
    optimizer: str = "adam"  # or "rmsprop", which has no betas
    learning_rate_g: float = 2e-4
    learning_rate_d: float = 2e-4
    decay_from: float = 1.0  # share of the steps after which both rates fall linearly to 0; 1: never
    betas: tuple[float, float] = (0.5, 0.999)  # DCGAN's: with 0.9 the momentum outlives the game's turns
    ema_half_life_kimg: float | None = 10.0  # thousands of images; None switches averaging off
    seed: int = 0
    precision: str = "auto"  # "float32", "bfloat16", or "auto": the faster one, measured; "float64" to compare code
    compiled: bool = False  # both steps as graphs of torch.compile, for a GPU (training.compiled)
    channels_last: bool = True  # memory layout of convolutions; no effect on results to rounding
    log_every_steps: int = 50  # also how often the host waits for the device
    checkpoint_dir: str | None = None  # where to keep the last good state; an existing one is resumed
    checkpoint_every_steps: int = 1000


class TrainingDiverged(RuntimeError):
    """A loss became NaN, infinite or absurdly large. `.step` is where; `.checkpoint` the last good one or None."""

    def __init__(self, step: int, what: str, checkpoint: Path | None):
        self.step, self.checkpoint = step, checkpoint
        saved = f"the last good state is {checkpoint}" if checkpoint else "no checkpoint was kept (set checkpoint_dir)"
        super().__init__(
            f"training diverged at step {step}: {what}; {saved}. Try a smaller learning rate, "
            "precision='float32', or look for a logarithm or a division in the loss"
        )


@dataclass
class TrainingState:
    """What a callback sees, and what a checkpoint holds. `step` counts finished steps."""

    generator: nn.Module
    discriminator: nn.Module
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer
    average: ExponentialAverage | None
    config: TrainConfig
    data: str = ""  # hash of the images, so that a run is not resumed on others
    step: int = 0
    history: History = field(default_factory=History)

    def networks(self) -> tuple[nn.Module, ...]:
        """All of them, the averaged generator too."""
        return tuple(self.parts()[0].values())

    def parts(self) -> tuple[dict[str, nn.Module], dict[str, torch.optim.Optimizer]]:
        """Networks and optimizers by their names in a checkpoint."""
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        if self.average:
            networks["average"] = self.average.network
        kind = self.config.optimizer
        return networks, {f"{kind}_g": self.optimizer_g, f"{kind}_d": self.optimizer_d}


def discriminator_step(
    generator, discriminator, optimizer, real: Tensor, z: Tensor, loss: Loss = LOSSES["non_saturating"], penalty=None
):
    """One update of the discriminator. Goodfellow et al. 2014 (arXiv:1406.2661v1), algorithm 1, inner loop.

    real:    (N, C, H, W) in [-1, 1];  z: (N, latent_dim)
    penalty: (discriminator, real, fake) → scalar to be added, weight and all; None for none
    returns: the loss without its penalty, real logits (N,) and fake logits (N,), all detached
    """
    with torch.no_grad():  # the fakes are data here: no gradient is wanted in the generator
        fake = generator(z)
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    value = loss.discriminator(real_logits, fake_logits)
    total = value if penalty is None else value + penalty(discriminator, real, fake)
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    optimizer.step()
    return value.detach(), real_logits.detach(), fake_logits.detach()


def generator_step(
    generator, discriminator, optimizer, z: Tensor, loss: Loss = LOSSES["non_saturating"], real: Tensor | None = None
):
    """One update of the generator through a discriminator that is held still.

    z:       (N, latent_dim)
    real:    (N, C, H, W) in [-1, 1], with which a relativistic loss compares the fakes; no other looks at them
    returns: the loss and the fakes' logits (N,), detached
    """
    with frozen(discriminator):  # gradients pass through it to the images; none is computed for its weights
        fake_logits = discriminator(generator(z))
        real_logits = discriminator(real) if loss.relativistic and real is not None else None
        value = loss.generator_loss(fake_logits, real_logits)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
    optimizer.step()
    return value.detach(), fake_logits.detach()


def fit(
    generator: nn.Module,
    discriminator: nn.Module,
    images: Images,
    config: TrainConfig,
    callbacks: Sequence[Callable[[TrainingState], None]] = (),
    *,
    d_step=discriminator_step,
    g_step=generator_step,
    verbose: bool = True,
) -> History:
    """Train both networks in place, alternating one step of each, and return what was written down.

    images:    their pixels are moved to the device as one uint8 tensor; a batch is a gather and a cast
    callbacks: called as callback(state) after every step, and once before the first
    d_step, g_step: replace the library's steps; a chapter passes the learner's own. Only if the configuration needs
               it are they given penalty= and real=, like the library's
    returns:   History; `history.averaged` is the generator to sample from
    raises:    TrainingDiverged; ValueError if a checkpoint in config.checkpoint_dir is of another run (settings,
               networks or images; which d_step and g_step it used is not known to it); OSError if one cannot be
               written; RankLost

    Networks built with `classes` are told `images.labels`: the fakes of an update have the classes of its real images.

    In a process group (`ranks.joined`) every rank calls this and computes its rows of each batch; rank 0 alone writes,
    prints and runs the callbacks (training.distributed).
    """
    settings.check(generator, discriminator, images, config)
    device, first = runtime.device(), ranks.rank() == 0
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    held = torch.float64 if config.precision == "float64" else torch.float32  # weights and images
    generator.to(device, held, memory_format=layout).train()
    discriminator.to(device, held, memory_format=layout).train()
    pixels = images.pixels.to(device)
    classes = images.labels.to(device) if getattr(generator, "classes", None) else None
    draws = Draws(pixels, config, generator.latent_dim, held, layout, classes)

    path = Path(config.checkpoint_dir, "last.safetensors") if config.checkpoint_dir else None
    resuming = ranks.from_first(lambda: path is not None and path.exists())

    def precision() -> tuple[torch.dtype, str]:
        if resuming and config.precision == "auto":  # measured when the run began; measuring anew could end otherwise
            name = checkpoint.load(path)[0]["precision"]
            return getattr(torch, name), f"precision: {name} (as the run began)"
        return _precision(generator, discriminator, config, draws)

    dtype, reason = ranks.from_first(precision)
    say = print if verbose and first else (lambda *_: None)
    say(reason)
    if ranks.world_size() > 1:
        say(distributed.described(config.batch_size, any(map(has_batch_norm, (generator, discriminator)))))
    told = Told(generator), Told(discriminator)
    g, d = (InPrecision(network, dtype) for network in told)
    if config.augment:
        d = Augmented(d, config.augment)
    state = TrainingState(
        generator,
        discriminator,
        settings.OPTIMIZERS[config.optimizer](generator, config.learning_rate_g, config),
        settings.OPTIMIZERS[config.optimizer](discriminator, config.learning_rate_d, config),
        ExponentialAverage(generator, config.ema_half_life_kimg) if config.ema_half_life_kimg else None,
        config,
        images.sha256() if path else "",
    )
    if resuming:
        ranks.from_first(lambda: checkpoint.restore(state, path, dtype))
        say(f"resumed from {path} at step {state.step}")
    distributed.same_everywhere(state)
    growth.grow(state.networks(), config.growth, max(0, state.step - 1) * config.batch_size)
    for optimizer in (state.optimizer_d, state.optimizer_g):
        distributed.average_gradients(optimizer)

    def where() -> str:
        kept = f"the last good state is {path}" if path and path.exists() else "no checkpoint was kept"
        return f"at step {state.step}; {kept}; the same command starts it again"

    if config.compiled:
        if (d_step, g_step) != (discriminator_step, generator_step):
            raise ValueError("compiled: expected False with steps of your own, which are not compiled, got True")
        from course_lib.training.compiled import CompiledSteps

        steps = CompiledSteps()
        d_step, g_step = steps.discriminator_step, steps.generator_step
    with distributed.one_fate(where):
        _turns(state, g, d, told, draws, path, dtype, callbacks if first else (), d_step, g_step, verbose)
    state.history.averaged = state.average.network if state.average else None
    return state.history


def _turns(state: TrainingState, g, d, told, draws: Draws, path, dtype, callbacks, d_step, g_step, verbose) -> None:
    """From where the state is to config.steps. told: both networks as `Told`, inside g and d"""
    config, device = state.config, draws.pixels.device
    loss = LOSSES[config.loss]
    if config.real_target != 1:
        loss = replace(loss, discriminator=partial(smoothed_discriminator, target=config.real_target))
    first_bad = torch.full((), torch.inf, device=device)  # stays on the device: no waiting for it in each step
    clock, logged = time.perf_counter(), state.step
    if state.step == 0:
        for callback in callbacks:
            callback(state)

    steps = range(state.step, config.steps)
    if verbose:
        steps = runtime.progress_bar(steps, initial=state.step, total=config.steps, unit="step", leave=False)
    for step in steps:
        for optimizer, rate in (
            (state.optimizer_d, config.learning_rate_d),
            (state.optimizer_g, config.learning_rate_g),
        ):
            optimizer.param_groups[0]["lr"] = rate * decay(step / config.steps, config.decay_from)
        growth.grow(state.networks(), config.growth, step * config.batch_size)
        noise = draws.noise(step)
        for network in told:
            network.draw = noise
        if config.augment:
            d.draw = draws.transforms(step)
        *z_d, z_g = draws.latents(step)
        for turn, z in enumerate(z_d, step * config.critic_steps):
            real, penalty, labels = draws.real(turn), draws.penalty(turn), draws.labels(turn)
            for network in told:
                network.labels = labels
            besides = {} if penalty is None else {"penalty": penalty}
            d_loss, real_logits, fake_logits = d_step(g, d, state.optimizer_d, real, z, loss, **besides)
            if config.clip is not None:
                clip_weights_(state.discriminator, config.clip)
        d_norm = gradient_norm(state.discriminator) if (step + 1) % config.log_every_steps == 0 else None
        g_loss, _ = g_step(g, d, state.optimizer_g, z_g, loss, **({"real": real} if loss.relativistic else {}))
        if state.average:
            state.average.update(state.generator, config.batch_size, (step + 1) * config.batch_size)
        state.step = step + 1

        size = torch.maximum(d_loss.abs(), g_loss.abs())
        first_bad = torch.where(size < ABSURD, first_bad, first_bad.clamp(max=step + 1))  # NaN is not < ABSURD
        saving = path and (state.step % config.checkpoint_every_steps == 0 or state.step == config.steps)
        if d_norm is not None:
            row = torch.stack(
                [d_loss, g_loss, real_logits.mean(), fake_logits.mean(), d_norm, gradient_norm(state.generator)]
            )
            _stop_if_diverged(first_bad, path)
            row = distributed.mean(row).tolist()
            now = time.perf_counter()
            speed = (state.step - logged) * config.batch_size / (now - clock)
            clock, logged = now, state.step
            state.history.rows.append(dict(zip(COLUMNS, [state.step, *row, speed])))
            if verbose:
                steps.set_postfix_str(f"{speed:,.0f} images/s")
        for callback in callbacks:  # before the checkpoint: what they write is there if the checkpoint is
            callback(state)
        if saving:
            whole = finite(state.generator) & finite(state.discriminator)  # the last update is in no loss yet
            first_bad = torch.where(whole, first_bad, first_bad.clamp(max=state.step))
            _stop_if_diverged(first_bad, path)
            ranks.from_first(lambda: checkpoint.save(state, path, dtype))

    _stop_if_diverged(first_bad, path)


ABSURD = 1e4  # nats; a logit that wrong is past all recovery


def decay(progress: float, start: float) -> float:
    """1 until `start`, then falling linearly to 0 at progress 1."""
    return 1.0 if progress <= start else (1 - progress) / (1 - start)


class InPrecision(nn.Module):
    """A network computed in bfloat16 by autocast, its weights and its output in float32; as it is in other dtypes.

    The cast ends with each call: a cast weight is never used again after an optimizer has changed the original.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, x: Tensor) -> Tensor:
        half = self.dtype == torch.bfloat16
        with torch.autocast(x.device.type, torch.bfloat16, enabled=half):
            y = self.network(x)
        return y.float() if half else y


@contextmanager
def frozen(network: nn.Module):
    """No gradients for the network's weights inside the block; as they were after it."""
    wanted = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    network.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, flag in wanted:
            parameter.requires_grad_(flag)


def gradient_norm(network: nn.Module) -> Tensor:
    """Euclidean norm of all gradients together, a scalar that stays on the device; 0 if there are none."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    if not gradients:
        return torch.zeros((), device=next(network.parameters()).device)
    return torch.stack(torch._foreach_norm(gradients)).norm()


def finite(network: nn.Module) -> Tensor:
    """Whether every weight is a finite number, a bool that stays on the device."""
    return torch.stack([parameter.isfinite().all() for parameter in network.parameters()]).all()


def _precision(generator, discriminator, config: TrainConfig, draws: Draws) -> tuple[torch.dtype, str]:
    """The dtype to compute in, and a sentence that says how it was chosen: measured at full resolution."""
    if config.precision != "auto":
        return getattr(torch, config.precision), f"precision: {config.precision} (as configured)"
    g, d = (Told(copy.deepcopy(network)) for network in (generator, discriminator))
    g.labels = d.labels = draws.labels(0)
    optimizer_g, optimizer_d = (settings.OPTIMIZERS[config.optimizer](network, 0.0, config) for network in (g, d))
    real, z, penalty = draws.whole(0), draws.latents(0)[-1], draws.penalty(0)

    def trial(dtype):
        generator_step(InPrecision(g, dtype), InPrecision(d, dtype), optimizer_g, z)
        discriminator_step(InPrecision(g, dtype), InPrecision(d, dtype), optimizer_d, real, z, penalty=penalty)

    parameters = sum(p.numel() for network in (g, d) for p in network.parameters())
    name = f"{type(generator).__module__} {parameters} parameters, batch {len(real)} of {tuple(real.shape[1:])}"
    name += f", {config.penalty}" if penalty else ""
    return runtime.fastest_precision(trial, name, draws.pixels.device)


def _stop_if_diverged(first_bad: Tensor, path: Path | None) -> None:
    step = distributed.least(first_bad).item()
    if step != torch.inf:
        raise TrainingDiverged(
            int(step),
            f"a loss was NaN, infinite or above {ABSURD:g}, or a weight not finite",
            path if path and path.exists() else None,
        )
