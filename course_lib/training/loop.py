"""One readable training loop: `discriminator_step`, `generator_step` and `fit`, which calls them in turn."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib import runtime
from course_lib.data import Images, epoch_order, to_float
from course_lib.losses import LOSSES, Loss
from course_lib.training import checkpoint
from course_lib.training.ema import ExponentialAverage
from course_lib.training.history import COLUMNS, History


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run besides the networks and the data."""

    steps: int  # one step = one update of D, then one of G
    batch_size: int = 64  # real images, and as many fakes
    loss: str = "non_saturating"  # a key of losses.LOSSES
    learning_rate_g: float = 2e-4  # Adam
    learning_rate_d: float = 2e-4
    decay_from: float = 1.0  # share of the steps after which both rates fall linearly to 0; 1: never
    betas: tuple[float, float] = (0.5, 0.999)  # DCGAN's: with 0.9 the momentum outlives the game's turns
    ema_half_life_kimg: float | None = 10.0  # thousands of images; None switches averaging off
    seed: int = 0
    precision: str = "auto"  # "float32", "bfloat16", or "auto": the faster one, measured
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


def discriminator_step(
    generator, discriminator, optimizer, real: Tensor, z: Tensor, loss: Loss = LOSSES["non_saturating"]
):
    """One update of the discriminator. Goodfellow et al. 2014 (arXiv:1406.2661v1), algorithm 1, inner loop.

    real:    (N, C, H, W) in [-1, 1];  z: (N, latent_dim)
    returns: the loss, real logits (N,) and fake logits (N,), all detached
    """
    with torch.no_grad():  # the fakes are data here: no gradient is wanted in the generator
        fake = generator(z)
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    value = loss.discriminator(real_logits, fake_logits)
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    optimizer.step()
    return value.detach(), real_logits.detach(), fake_logits.detach()


def generator_step(generator, discriminator, optimizer, z: Tensor, loss: Loss = LOSSES["non_saturating"]):
    """One update of the generator through a discriminator that is held still.

    z:       (N, latent_dim)
    returns: the loss and the fakes' logits (N,), detached
    """
    with frozen(discriminator):  # gradients pass through it to the images; none is computed for its weights
        fake_logits = discriminator(generator(z))
        value = loss.generator(fake_logits)
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
    d_step, g_step: replace the library's steps; a chapter passes the learner's own
    returns:   History; `history.averaged` is the generator to sample from
    raises:    TrainingDiverged; ValueError if a checkpoint in config.checkpoint_dir is of another run (settings,
               networks or images; which d_step and g_step it used is not known to it)
    """
    _check(generator, discriminator, images, config)
    device = runtime.device()
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    generator.to(device, memory_format=layout).train()
    discriminator.to(device, memory_format=layout).train()
    pixels = images.pixels.to(device)

    path = Path(config.checkpoint_dir, "last.safetensors") if config.checkpoint_dir else None
    resuming = path is not None and path.exists()
    if resuming and config.precision == "auto":  # measured when the run began; measuring anew could end otherwise
        precision = checkpoint.load(path)[0]["precision"]
        dtype, reason = getattr(torch, precision), f"precision: {precision} (as the run began)"
    else:
        dtype, reason = _precision(generator, discriminator, pixels, config, device, layout)
    say = print if verbose else (lambda *_: None)
    say(reason)
    g, d = InPrecision(generator, dtype), InPrecision(discriminator, dtype)
    state = TrainingState(
        generator,
        discriminator,
        _adam(generator, config.learning_rate_g, config),
        _adam(discriminator, config.learning_rate_d, config),
        ExponentialAverage(generator, config.ema_half_life_kimg) if config.ema_half_life_kimg else None,
        config,
        images.sha256() if path else "",
    )
    if resuming:
        checkpoint.restore(state, path, dtype)
        say(f"resumed from {path} at step {state.step}")

    chosen = LOSSES[config.loss]
    per_epoch = len(pixels) // config.batch_size
    epoch, order = -1, None
    first_bad = torch.full((), torch.inf, device=device)  # stays on the device: no waiting for it in each step
    clock, logged = time.perf_counter(), state.step
    if state.step == 0:
        for callback in callbacks:
            callback(state)

    for step in (
        runtime.progress_bar(
            range(state.step, config.steps), initial=state.step, total=config.steps, unit="step", leave=False
        )
        if verbose
        else range(state.step, config.steps)
    ):
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            order = epoch_order(len(pixels), epoch, config.seed, device)
        start = step % per_epoch * config.batch_size
        real = to_float(pixels[order[start : start + config.batch_size]]).contiguous(memory_format=layout)
        draw = runtime.keyed_generator(device, config.seed, step, "z")
        z_d, z_g = torch.randn(2, config.batch_size, generator.latent_dim, generator=draw, device=device)

        for optimizer, rate in (
            (state.optimizer_d, config.learning_rate_d),
            (state.optimizer_g, config.learning_rate_g),
        ):
            optimizer.param_groups[0]["lr"] = rate * decay(step / config.steps, config.decay_from)
        d_loss, real_logits, fake_logits = d_step(g, d, state.optimizer_d, real, z_d, chosen)
        d_norm = gradient_norm(discriminator) if (step + 1) % config.log_every_steps == 0 else None
        g_loss, _ = g_step(g, d, state.optimizer_g, z_g, chosen)
        if state.average:
            state.average.update(generator, config.batch_size, (step + 1) * config.batch_size)
        state.step = step + 1

        size = torch.maximum(d_loss.abs(), g_loss.abs())
        first_bad = torch.where(size < ABSURD, first_bad, first_bad.clamp(max=step + 1))  # NaN is not < ABSURD
        saving = path and (state.step % config.checkpoint_every_steps == 0 or state.step == config.steps)
        if d_norm is not None:
            row = torch.stack(
                [d_loss, g_loss, real_logits.mean(), fake_logits.mean(), d_norm, gradient_norm(generator)]
            )
            _stop_if_diverged(first_bad, path)
            now = time.perf_counter()
            speed = (state.step - logged) * config.batch_size / (now - clock)
            clock, logged = now, state.step
            state.history.rows.append(dict(zip(COLUMNS, [state.step, *row.tolist(), speed])))
        for callback in callbacks:  # before the checkpoint: what they write is there if the checkpoint is
            callback(state)
        if saving:
            _stop_if_diverged(first_bad, path)
            checkpoint.save(state, path, dtype)

    _stop_if_diverged(first_bad, path)
    state.history.averaged = state.average.network if state.average else None
    return state.history


ABSURD = 1e4  # nats; a logit that wrong is past all recovery


def decay(progress: float, start: float) -> float:
    """1 until `start`, then falling linearly to 0 at progress 1."""
    return 1.0 if progress <= start else (1 - progress) / (1 - start)


class InPrecision(nn.Module):
    """A network computed in `dtype` by autocast, its weights and its output in float32.

    The cast ends with each call: a cast weight is never used again after an optimizer has changed the original.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, self.dtype, enabled=self.dtype != torch.float32):
            y = self.network(x)
        return y.float() if self.dtype != torch.float32 else y


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


def _adam(network: nn.Module, learning_rate: float, config: TrainConfig) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=learning_rate, betas=config.betas, fused=True)


def _precision(generator, discriminator, pixels, config, device, layout) -> tuple[torch.dtype, str]:
    """The dtype to compute in, and a sentence that says how it was chosen."""
    if config.precision != "auto":
        return getattr(torch, config.precision), f"precision: {config.precision} (as configured)"
    g, d = copy.deepcopy(generator), copy.deepcopy(discriminator)
    optimizer_g, optimizer_d = _adam(g, 0.0, config), _adam(d, 0.0, config)
    real = to_float(pixels[: config.batch_size]).contiguous(memory_format=layout)
    z = torch.randn(len(real), g.latent_dim, generator=runtime.keyed_generator(device, "precision"), device=device)

    def trial(dtype):
        generator_step(InPrecision(g, dtype), InPrecision(d, dtype), optimizer_g, z)
        discriminator_step(InPrecision(g, dtype), InPrecision(d, dtype), optimizer_d, real, z)

    parameters = sum(p.numel() for network in (g, d) for p in network.parameters())
    name = f"{type(g).__module__} {parameters} parameters, batch {len(real)} of {tuple(real.shape[1:])}"
    return runtime.fastest_precision(trial, name, device)


def _check(generator, discriminator, images: Images, config: TrainConfig) -> None:
    """Say what does not fit before the first step instead of from inside a convolution."""
    runtime.known("loss", config.loss, LOSSES)
    runtime.known("precision", config.precision, ("auto", "float32", "bfloat16"))
    for name in ("steps", "batch_size", "log_every_steps", "checkpoint_every_steps"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}: expected at least 1, got {getattr(config, name)}")
    if config.batch_size > len(images):
        raise ValueError(f"batch_size: expected at most {len(images)} (the number of images), got {config.batch_size}")
    if not hasattr(generator, "latent_dim"):
        raise ValueError("generator: expected a module with an attribute latent_dim")
    if config.batch_size < 2 and any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in generator.modules()):
        raise ValueError("batch_size: expected at least 2 for networks with BatchNorm, got 1")
    training = [network.training for network in (generator, discriminator)]
    device = next(generator.parameters()).device
    try:
        with torch.no_grad():
            fake = generator.eval()(torch.zeros(2, generator.latent_dim, device=device))
    finally:
        generator.train(training[0])
    if fake.shape[1:] != images.pixels.shape[1:]:
        raise ValueError(
            f"images: expected {tuple(fake.shape[1:])} like the generator's output, "
            f"got {tuple(images.pixels.shape[1:])}; Images.padded adds a border"
        )


def _stop_if_diverged(first_bad: Tensor, path: Path | None) -> None:
    step = first_bad.item()
    if step != torch.inf:
        raise TrainingDiverged(
            int(step), f"a loss was NaN, infinite or above {ABSURD:g}", path if path and path.exists() else None
        )
