"""Training of autoencoders and VAEs: one network, one optimizer, one loss, and nothing to balance.

Resumable like the GAN's loop, by the same checkpoints: the randomness of step k comes from (seed, k).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from course_lib import bounds, runtime
from course_lib.data import Images, epoch_order, to_float
from course_lib.models.vae import AutoEncoder
from course_lib.training import checkpoint
from course_lib.training.history import History
from course_lib.training.loop import TrainingDiverged, decay, gradient_norm

COLUMNS = ("step", "elbo", "log_likelihood", "kl", "gradient_norm", "images_per_second")


@dataclass(frozen=True)
class AutoencodingConfig:
    """Everything that decides a run besides the network and the data."""

    steps: int
    batch_size: int = 128
    learning_rate: float = 2e-3  # Adam
    decay_from: float = 0.5  # share of the steps after which the rate falls linearly to 0
    beta: float = 1.0  # weight of the KL against the log-likelihood, both summed; 1 is the ELBO
    binarise: bool = False  # draw each pixel black or white at every look, white with its grey level as probability
    seed: int = 0
    channels_last: bool = True
    log_every_steps: int = 50
    checkpoint_dir: str | None = None  # where to keep the last good state; an existing one is resumed
    checkpoint_every_steps: int = 500


@dataclass
class AutoencodingState:
    """What a callback sees, and what a checkpoint holds. `step` counts finished steps."""

    network: AutoEncoder
    optimizer: torch.optim.Optimizer
    config: AutoencodingConfig
    data: str = ""  # hash of the images, so that a run is not resumed on others
    step: int = 0
    history: History = field(default_factory=History)

    def parts(self) -> tuple[dict, dict]:
        """Networks and optimizers by their names in a checkpoint."""
        return {"network": self.network}, {"adam": self.optimizer}


def elbo_step(network: AutoEncoder, optimizer: torch.optim.Optimizer, real: Tensor, noise: Tensor, beta: float):
    """One update towards a larger mean of log p(x|z) − β·KL, at one draw of z for each image.

    real:    (N, C, H, W) in [−1, 1], which is not checked here;  noise: (N, latent_dim) from N(0, I)
    returns: log p(x|z) (N,) and KL (N, latent_dim), detached
    """
    log_likelihood, kl = network.terms(real, noise, validate=False)
    loss = -bounds.elbo(log_likelihood, kl, beta).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return log_likelihood.detach(), kl.detach()


def fit_vae(
    network: AutoEncoder,
    images: Images,
    config: AutoencodingConfig,
    callbacks: Sequence[Callable[[AutoencodingState], None]] = (),
    *,
    step=elbo_step,
    verbose: bool = True,
) -> History:
    """Train an AutoEncoder or a VAE in place and return what was written down.

    images:    their pixels are moved to the device as one uint8 tensor; a batch is a gather and a cast
    callbacks: called as callback(state) after every step, and once before the first
    step:      replaces the library's step; a chapter passes the learner's own
    returns:   History with the columns of COLUMNS, batch means of one step, in nats per image; "elbo" is at β = 1
    raises:    TrainingDiverged; ValueError if a setting or the images do not fit, or a checkpoint in
               config.checkpoint_dir is of another run (which `step` it used is not known to it)
    """
    _check(network, images, config)
    device = runtime.device()
    layout = torch.channels_last if config.channels_last else torch.contiguous_format
    network.to(device, memory_format=layout).train()
    pixels = images.pixels.to(device)
    path = Path(config.checkpoint_dir, "last.safetensors") if config.checkpoint_dir else None
    state = AutoencodingState(
        network,
        torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True),
        config,
        images.sha256() if path else "",
    )
    if path and path.exists():
        checkpoint.restore(state, path, torch.float32)
        if verbose:
            print(f"resumed from {path} at step {state.step}")

    per_epoch = len(pixels) // config.batch_size
    epoch, order = -1, None
    first_bad = torch.full((), torch.inf, device=device)  # stays on the device: no waiting for it in each step
    clock, logged = time.perf_counter(), state.step
    if state.step == 0:
        for callback in callbacks:
            callback(state)
    steps = range(state.step, config.steps)
    if verbose:
        steps = runtime.progress_bar(steps, initial=state.step, total=config.steps, unit="step", leave=False)
    for number in steps:
        if number // per_epoch != epoch:
            epoch = number // per_epoch
            order = epoch_order(len(pixels), epoch, config.seed, device)
        start = number % per_epoch * config.batch_size
        real = to_float(pixels[order[start : start + config.batch_size]]).contiguous(memory_format=layout)
        if config.binarise:
            draw = runtime.keyed_generator(device, config.seed, number, "binarise")
            real = bounds.binarise(real, torch.rand(real.shape, generator=draw, device=device))
        draw = runtime.keyed_generator(device, config.seed, number, "noise")
        noise = torch.randn(len(real), network.latent_dim, generator=draw, device=device)
        state.optimizer.param_groups[0]["lr"] = config.learning_rate * decay(number / config.steps, config.decay_from)
        log_likelihood, kl = step(network, state.optimizer, real, noise, config.beta)
        state.step = number + 1
        finite = torch.isfinite(log_likelihood).all() & torch.isfinite(kl).all()
        first_bad = torch.where(finite, first_bad, first_bad.clamp(max=state.step))

        saving = path and (state.step % config.checkpoint_every_steps == 0 or state.step == config.steps)
        if state.step % config.log_every_steps == 0:
            _stop_if_diverged(first_bad, path)
            likelihood, price = log_likelihood.mean().item(), kl.sum(1).mean().item()
            now = time.perf_counter()
            speed = (state.step - logged) * config.batch_size / (now - clock)
            clock, logged = now, state.step
            row = [state.step, likelihood - price, likelihood, price, gradient_norm(network).item(), speed]
            state.history.rows.append(dict(zip(COLUMNS, row)))
        for callback in callbacks:  # before the checkpoint: what they write is there if the checkpoint is
            callback(state)
        if saving:
            _stop_if_diverged(first_bad, path)
            checkpoint.save(state, path, torch.float32)

    _stop_if_diverged(first_bad, path)
    return state.history


def _check(network, images: Images, config: AutoencodingConfig) -> None:
    """Say what does not fit before the first step."""
    if not isinstance(network, AutoEncoder):
        raise ValueError(f"network: expected a models.vae.AutoEncoder or VAE, got {type(network).__name__}")
    for name in ("steps", "batch_size", "log_every_steps", "checkpoint_every_steps"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}: expected at least 1, got {getattr(config, name)}")
    if not config.beta >= 0:
        raise ValueError(f"beta: expected 0 or more, got {config.beta}")
    if config.batch_size > len(images):
        raise ValueError(f"batch_size: expected at most {len(images)} (the number of images), got {config.batch_size}")
    expected = (network.channels, network.size, network.size)
    if images.pixels.shape[1:] != expected:
        raise ValueError(f"images: expected {expected} like the network's, got {tuple(images.pixels.shape[1:])}")


def _stop_if_diverged(first_bad: Tensor, path: Path | None) -> None:
    at = first_bad.item()
    if at != torch.inf:
        raise TrainingDiverged(
            int(at), "a term of the ELBO was NaN or infinite", path if path and path.exists() else None
        )
