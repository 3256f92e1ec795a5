"""Trained networks, each with a card that says how it came to be: recipe, seed, data, hardware, curves, metrics.

A network is a folder here: network.safetensors, card.json, and for generators what they drew on their way
(snapshots.safetensors, or growth.safetensors of one that grew).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load as from_bytes
from torch import Tensor, nn

from course_lib import runtime
from course_lib.latent import truncated_normal
from course_lib.models import in_turn
from course_lib.training.recipes import RECIPES, build
from course_lib.zoo import sheets, weights

FOLDER = Path(__file__).parent
MEND = "mend it with: git checkout -- course_lib/zoo"


@dataclass(frozen=True)
class Snapshots:
    """What a generator drew during training from 64 latents that stayed the same.

    steps:  S numbers of finished training steps, the first one 0
    images: (S, 64, C, H, W) uint8, kept as WebP of quality 90: a few grey levels from what was drawn
    """

    steps: list[int]
    images: Tensor


@dataclass(frozen=True)
class Grown:
    """What a growing generator drew at one moment of its training, from 24 latents that stayed the same.

    step, kimg: training steps, and thousands of images seen
    resolution, alpha: the stage, and how far its layers were faded in
    images: (24, 3, resolution, resolution) uint8, kept as WebP of quality 90: a few grey levels from what was drawn
    """

    step: int
    kimg: float
    resolution: int
    alpha: float
    images: Tensor


def names() -> list[str]:
    """Every network that `load` knows."""
    return sorted(folder.name for folder in FOLDER.iterdir() if (folder / "card.json").exists())


def card(name: str) -> dict:
    """A network's card. raises: ValueError naming the nearest network for an unknown one"""
    return json.loads((FOLDER / runtime.known("name", name, names()) / "card.json").read_text(encoding="utf-8"))


def load(name: str) -> tuple[nn.Module, dict]:
    """(network in eval mode on this machine's device, card).

    name:   one of `names()`
    raises: ValueError for an unknown name, or if a file is not the one its card names
    """
    facts = card(name)
    network = build(RECIPES[facts["recipe"]])[0]
    if "resolution" in facts:  # a generator that grew, as it was at the end of a stage
        network = network.up_to(facts["resolution"])
    network.load_state_dict(weights.restored(_verified(name, "network.safetensors")))
    return network.to(runtime.device()).eval().requires_grad_(False), facts


def snapshots(name: str) -> Snapshots:
    """What the network drew during its training. raises: ValueError if it has no snapshots"""
    facts = card(name)
    if "snapshots.safetensors" not in facts["sha256"]:
        raise ValueError(f"name: expected a generator with snapshots, got {name!r}")
    stored = _verified(name, "snapshots.safetensors")
    channels, size = stored["shape"].tolist()
    steps = [row["step"] for row in facts["snapshots"]]
    return Snapshots(steps, torch.stack([sheets.unpack(stored[str(step)], channels, size) for step in steps]))


def growth(name: str) -> list[Grown]:
    """What a generator that grew drew on its way, in order. raises: ValueError if it did not grow"""
    facts = card(name)
    if "growth" not in facts:
        raise ValueError(f"name: expected a generator that grew, got {name!r}")
    drawn = _verified(name, "growth.safetensors")
    return [
        Grown(**row, images=sheets.unpack(drawn[str(row["step"])], 3, row["resolution"])) for row in facts["growth"]
    ]


@torch.inference_mode()
def sample(
    generator: nn.Module,
    count: int,
    seed: int = 0,
    batch_size: int = 500,
    threshold: float | None = None,
    psi: float | None = None,
    labels: Tensor | None = None,
) -> Tensor:
    """`count` images from latents that depend on seed, count and threshold alone. → (count, C, H, W) float in [−1, 1] on the CPU

    threshold: of truncated latents (latent.truncated_normal); None for the whole normal distribution
    psi:       of truncated styles (latent.truncate), for a style-based generator
    labels:    (count,) int64, for a class-conditional generator; None for its classes in turn
    """
    device = next(generator.parameters()).device
    shape, draw = (count, generator.latent_dim), runtime.keyed_generator("cpu", seed, "sample")
    z = torch.randn(shape, generator=draw) if threshold is None else truncated_normal(shape, threshold, draw)
    options = {} if psi is None else {"psi": psi}
    told = in_turn(generator, count) if labels is None else {"labels": labels.to(device)}
    images = []
    for start in range(0, count, batch_size):
        rows = slice(start, start + batch_size)
        besides = options | {name: each[rows] for name, each in told.items()}
        images.append(generator(z[rows].to(device), **besides).float().cpu())
    return torch.cat(images)


def _verified(name: str, file: str) -> dict[str, Tensor]:
    path = FOLDER / name / file
    expected = card(name)["sha256"][file]
    try:
        payload = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected a part of the zoo, found nothing; {MEND}") from None
    found = hashlib.sha256(payload).hexdigest()
    if found != expected:
        raise ValueError(f"{path}: expected SHA-256 {expected}, got {found}; {MEND}")
    return from_bytes(payload)
