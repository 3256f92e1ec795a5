"""The failure museum: small runs that went wrong on purpose, and two that did not, recorded to be diagnosed.

All are a fully connected pair on Fashion-MNIST, batch 64, minutes on one thread. `python -m course_lib.zoo.museum`
runs and records all of them again (or those that are named), each as museum/NAME.json and a sheet of samples, museum/NAME.png.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import math
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from course_lib import data, files, runtime, zoo
from course_lib.models import mlp
from course_lib.training.history import COLUMNS, History
from course_lib.training.loop import TrainConfig, TrainingDiverged, TrainingState, fit, frozen, generator_step
from course_lib.zoo.judging import judge
from course_lib.zoo.recording import round_to

FOLDER = zoo.FOLDER / "museum"
LOG_CLASSES = math.log(10)  # the class entropy of samples that are spread evenly over the ten classes
SHOWN, MOMENTS = 16, (0.1, 0.25, 0.5, 0.75, 1.0)  # samples at each moment; moments as shares of a run
JUDGED = 1000
BASE = TrainConfig(steps=3000, precision="float32", ema_half_life_kimg=None, log_every_steps=20)


def _pair(*, g: bool = True, d: bool = False) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator, each with BatchNorm or not."""
    return mlp.Generator(width=64, batch_norm=g), mlp.Discriminator(width=64, batch_norm=d)


def uncleared_step(generator, discriminator, optimizer, z: Tensor, loss, real: Tensor | None = None):
    """`generator_step` without its zero_grad: each gradient is added to all that came before."""
    with frozen(discriminator):
        fake_logits = discriminator(generator(z))
        value = loss.generator(fake_logits)
        value.backward()
    optimizer.step()
    return value.detach(), fake_logits.detach()


@dataclass(frozen=True)
class Exhibit:
    """A run and what is wrong with it.

    diagnosis: what a learner chooses;  changed: what it has that the healthy run has not;  cause, seen (where it shows in
    the curves), remedy: a sentence or two each;  networks: makes generator and discriminator
    """

    diagnosis: str
    changed: str
    cause: str
    seen: str
    remedy: str
    config: TrainConfig
    networks: Callable[[], tuple[nn.Module, nn.Module]] = _pair
    g_step: Callable = generator_step


PENALISED = replace(
    BASE,
    loss="wasserstein",
    penalty="gradient_penalty",
    penalty_weight=10.0,
    critic_steps=3,
    betas=(0.5, 0.9),
    steps=1000,
)
WINNING = replace(BASE, critic_steps=5, learning_rate_d=1e-3, learning_rate_g=1e-5, steps=1000)

EXHIBITS: dict[str, Exhibit] = {
    "healthy": Exhibit(
        "nothing: a healthy run",
        "nothing",
        "Neither player wins. The discriminator's loss stays near log 4 while the samples get better: what gets better is not in the loss.",
        "losses near 1.386 and 0.693, both logits near 0, gradient norms that neither vanish nor grow.",
        "patience. More steps, wider networks.",
        BASE,
    ),
    "penalised": Exhibit(
        "nothing: a healthy WGAN-GP",
        "the Wasserstein loss, a gradient penalty of weight 10, three steps of the critic",
        "A critic whose slope is kept near 1. Its scores have no zero, so both may drift together; what counts is how far they are apart, and that shrinks.",
        "logits that wander together, a critic's loss that is negative and rises towards 0, steady gradient norms.",
        "patience. And no comparison with the losses of another kind of game.",
        PENALISED,
    ),
    "collapse": Exhibit(
        "mode collapse",
        "a generator without BatchNorm, and a tenth of the rate for D",
        "The generator gives one image for all latents. As soon as the discriminator has learned that image, it changes to another one; a discriminator that looks at one image at a time cannot ask for two.",
        "hardly at all in the means: losses near 1.4 and 0.6, logits near 0. They swing more than a healthy run's, as the one image is found out and replaced, and the generator's gradient is small.",
        "look at samples, or count. Then: a slower generator, BatchNorm in it, a critic that sees the batch.",
        replace(BASE, learning_rate_d=2e-5, steps=1200, log_every_steps=10),
        lambda: _pair(g=False),
    ),
    "overpowered": Exhibit(
        "an overpowered discriminator",
        "five steps of D for one of G, a hundred times G's rate",
        "The discriminator is right and sure about everything, for good. The non-saturating loss still gives the generator a large gradient, but a discriminator that is sure tells one fake from another no more, and G is too slow to catch up.",
        "D's loss lies at 0 but for rare spikes, and G's far above 0.69; the logits run apart; G's gradient norm is many times a healthy one.",
        "bring the rates together, one step each; smoothed labels or R1, so that D cannot be that sure.",
        WINNING,
    ),
    "vanishing": Exhibit(
        "a vanishing gradient: the saturating loss",
        "the same imbalance, and the saturating loss",
        "The same discriminator, and a generator that minimises log(1 − D): where D is sure of a fake, its slope is −D, which is nothing.",
        "both losses lie at 0, where a glance sees success; the logits run apart, and G's gradient norm falls by powers of ten.",
        "the non-saturating loss, and a discriminator that is not so far ahead.",
        replace(WINNING, loss="saturating"),
    ),
    "exploding": Exhibit(
        "an exploding critic: no bound on its slope",
        "the Wasserstein loss without clipping or penalty, five steps of the critic",
        "The Wasserstein critic is paid for the difference of its scores. Nothing bounds its slope, so it doubles the scores instead of judging better.",
        "the critic's loss falls faster and faster, logits in the hundreds or thousands, gradient norms that grow with them.",
        "a gradient penalty, R1, spectral normalisation, or clipping.",
        replace(BASE, loss="wasserstein", critic_steps=5, steps=400, log_every_steps=5),
    ),
    "batch_norm": Exhibit(
        "BatchNorm under a gradient penalty",
        "BatchNorm in the critic of the healthy WGAN-GP",
        "A logit depends on the other images of its batch. The penalty takes the gradient of all logits together, so it bounds a mixture and not the slope at any image, which stays well above 1.",
        "gradient norms of D above those of a healthy WGAN-GP, and a critic's loss that falls on and on: the logits come apart when they should come together.",
        "layer normalisation, or none, in a critic with a gradient penalty.",
        PENALISED,
        lambda: _pair(d=True),
    ),
    "uncleared": Exhibit(
        "the generator's gradients are never cleared",
        "no zero_grad in the generator's step",
        "Every gradient is added to all before it, so the generator follows the sum of its whole past and hardly hears what D says now. Adam divides by the size and hides how large it has become.",
        "G's gradient norm grows step by step into the hundreds and never falls back, whatever the losses do.",
        "`optimizer.zero_grad()` before `backward`, in both steps.",
        replace(BASE, steps=1200),
        g_step=uncleared_step,
    ),
    "too_fast": Exhibit(
        "a learning rate that is too high",
        "a hundred times both learning rates",
        "Each step jumps over what it aimed at. The generator's outputs are thrown to the ends of Tanh, where it has no slope, and stay there.",
        "from the first steps on, losses and logits that leap by tens, up and down; later all is still, because G sits at an edge that it cannot leave.",
        "a hundredth of it. With Adam, 1e-4 to 1e-3 is where to look.",
        replace(BASE, learning_rate_g=2e-2, learning_rate_d=2e-2, steps=1200),
    ),
}


@dataclass(frozen=True)
class Run:
    """An exhibit as it was recorded.

    moments: a dict for each: step, class_entropy (nats, of 1,000 samples), sure and fid (the course's classifier), n
    images:  (moments, 16, 1, 28, 28) uint8, from latents that stay the same
    coupling: norm of a logit's gradient in its own image, and in all other images of its batch, at the end
    stopped: what ended the run early, or None
    """

    name: str
    config: dict
    history: History
    moments: list[dict]
    images: Tensor
    coupling: tuple[float, float]
    stopped: str | None
    minutes: float
    hardware: dict


def names() -> list[str]:
    """Every exhibit, in the museum's order."""
    return list(EXHIBITS)


def in_disguise() -> list[str]:
    """The same in an order that tells nothing."""
    order = torch.randperm(len(EXHIBITS), generator=runtime.keyed_generator("cpu", "museum")).tolist()
    return [names()[index] for index in order]


@functools.lru_cache(maxsize=16)
def load(name: str) -> Run:
    """A recorded run. raises: ValueError for an unknown name, FileNotFoundError naming the cure if its files are missing"""
    runtime.known("name", name, EXHIBITS)
    try:
        facts = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        with Image.open(FOLDER / f"{name}.png") as picture:
            sheet = torch.from_numpy(np.array(picture))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error.filename}: expected a part of the museum, found nothing; {zoo.MEND}") from None
    count, side = len(facts["moments"]), sheet.shape[1] // SHOWN
    images = sheet.reshape(count, side, SHOWN, side).transpose(1, 2)[:, :, None].contiguous()
    rows = [dict(zip(facts["history"], row)) for row in zip(*facts["history"].values())]
    return Run(
        name,
        facts["config"],
        History(rows),
        facts["moments"],
        images,
        tuple(facts["coupling"]),
        facts["stopped"],
        facts["minutes"],
        facts["hardware"],
    )


# ---------------------------------------------------------------- recording


def record(name: str) -> dict:
    """Run an exhibit and write its two files; returns what the first one says."""
    exhibit = EXHIBITS[runtime.known("name", name, EXHIBITS)]
    images = data.load("fashion-mnist")
    with torch.random.fork_rng():
        torch.manual_seed(exhibit.config.seed)
        generator, discriminator = exhibit.networks()
    wanted = {round(exhibit.config.steps * share) for share in MOMENTS}
    drawn, moments, history = [], [], History()

    def keep(state: TrainingState) -> None:
        history.rows = state.history.rows
        if state.step in wanted:
            samples = draw(state.generator)
            drawn.append(data.to_uint8(samples[:SHOWN]))
            moments.append({"step": state.step, **described(samples)})

    began, stopped = time.perf_counter(), None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="penalty .* of a discriminator with BatchNorm")  # on purpose here
        try:
            fit(generator, discriminator, images, exhibit.config, [keep], g_step=exhibit.g_step, verbose=False)
        except TrainingDiverged as error:
            stopped = f"a loss left all bounds at step {error.step:,}"
    minutes = (time.perf_counter() - began) / 60
    batch = torch.cat([data.to_float(images.pixels[:32]), draw(generator)[:32]]).to(runtime.device())
    config = asdict(exhibit.config)
    config.pop("checkpoint_dir")
    facts = {
        "config": config,
        "stopped": stopped,
        "coupling": [round_to(value, 4) for value in coupling(discriminator.train(), batch)],
        "moments": [{key: round_to(value, 4) for key, value in each.items()} for each in moments],
        "minutes": round(minutes, 1),
        "hardware": runtime.environment(runtime.device()),
        "history": {
            column: [round_to(value, 4) for value in history[column]]
            for column in COLUMNS
            if column != "images_per_second"
        },
    }
    sheet = torch.stack(drawn)[:, :, 0].transpose(1, 2).reshape(len(drawn) * 28, SHOWN * 28)
    buffer = io.BytesIO()
    Image.fromarray(sheet.numpy()).save(buffer, format="png", optimize=True)
    files.write_atomically(FOLDER / f"{name}.png", buffer.getvalue())
    files.write_atomically(FOLDER / f"{name}.json", (json.dumps(facts, ensure_ascii=False) + "\n").encode())
    return facts


@torch.no_grad()
def draw(generator: nn.Module, count: int = JUDGED) -> Tensor:
    """Samples (count, 1, 28, 28) of the generator as it trains, BatchNorm with the batch's own statistics."""
    copied = copy.deepcopy(generator).train()  # its running statistics move, the original's do not
    z = torch.randn(count, generator.latent_dim, generator=runtime.keyed_generator("cpu", "museum", "z"))
    return torch.cat([copied(rows.to(runtime.device())).cpu() for rows in z.split(250)])


def described(samples: Tensor) -> dict:
    """class_entropy (of the classifier's choices, in nats), sure, fid and n of samples."""
    found = judge(samples)
    shares = torch.tensor(found["class_shares"])
    entropy = -torch.xlogy(shares, shares).sum().item()
    return {"class_entropy": abs(entropy), "sure": found["sure"], "fid": found["fid"], "n": found["n"]}


def coupling(critic: Callable[[Tensor], Tensor], images: Tensor, count: int = 16) -> tuple[float, float]:
    """Norm of a logit's gradient in its own image and in all the others of its batch, mean of `count` images.

    The second is 0 for a critic that looks at images one by one.  images: (N, ...), N ≥ count
    """
    images = images.detach().clone().requires_grad_(True)
    logits, own, foreign = critic(images), [], []
    for row in range(count):
        (slopes,) = torch.autograd.grad(logits[row], images, retain_graph=True)
        squares = slopes.flatten(1).square().sum(1)
        own.append(squares[row].sqrt())
        foreign.append((squares.sum() - squares[row]).clamp(min=0).sqrt())
    return torch.stack(own).mean().item(), torch.stack(foreign).mean().item()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in sys.argv[1:] or names():
        written = record(each)
        print(each, f"{written['minutes']} minutes", written["stopped"] or "", written["moments"][-1], flush=True)
