"""Trained networks, each with a card that says how it came to be: recipe, seed, data, hardware, curves, metrics.

A network is a folder here: network.safetensors (float32), card.json, and for generators snapshots.safetensors
(what it drew on its way and, where they are small, its weights at those moments in float16).
"""

from __future__ import annotations

import hashlib
import io
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

FOLDER = Path(__file__).parent
MEND = "mend it with: git checkout -- course_lib/zoo"


@dataclass(frozen=True)
class Snapshots:
    """What a generator drew during training from 64 latents that stayed the same.

    steps:  S numbers of finished training steps, the first one 0
    images: (S, 64, C, H, W) uint8
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


def load(name: str, step: int | None = None) -> tuple[nn.Module, dict]:
    """(network in eval mode on this machine's device, card).

    name:   one of `names()`
    step:   a moment of training among the card's "snapshot_weights"; None is the finished network
    raises: ValueError for an unknown name or step, or if a file is not the one its card names
    """
    facts = card(name)
    network = build(RECIPES[facts["recipe"]])[0]
    if step is None:
        tensors = _verified(name, "network.safetensors")
    else:
        kept = facts.get("snapshot_weights", [])
        if step not in kept:
            raise ValueError(f"step: expected one of {kept} for {name}, got {step}")
        index, prefix = kept.index(step), "weights."
        stacked = _verified(name, "snapshots.safetensors")
        tensors = {key.removeprefix(prefix): value[index] for key, value in stacked.items() if key.startswith(prefix)}
    if "resolution" in facts:  # a generator that grew, as it was at the end of a stage
        network = network.up_to(facts["resolution"])
    network.load_state_dict(tensors)  # copies into float32 what was kept in float16
    return network.to(runtime.device()).eval().requires_grad_(False), facts


def snapshots(name: str) -> Snapshots:
    """What the network drew during its training. raises: ValueError if it has no snapshots"""
    facts = card(name)
    if "snapshots.safetensors" not in facts["sha256"]:
        raise ValueError(f"name: expected a generator with snapshots, got {name!r}")
    stored = _verified(name, "snapshots.safetensors")
    return Snapshots(stored["steps"].tolist(), stored["images"])


def growth(name: str) -> list[Grown]:
    """What a generator that grew drew on its way, in order. raises: ValueError if it did not grow"""
    facts = card(name)
    if "growth" not in facts:
        raise ValueError(f"name: expected a generator that grew, got {name!r}")
    sheets = _verified(name, "growth.safetensors")
    return [Grown(**row, images=_tiles(sheets[str(row["step"])], row["resolution"])) for row in facts["growth"]]


def _tiles(webp: Tensor, size: int) -> Tensor:
    """The images of a sheet, row by row."""
    import numpy as np
    from PIL import Image

    sheet = torch.from_numpy(np.array(Image.open(io.BytesIO(webp.numpy().tobytes())).convert("RGB")))
    tiles = sheet.reshape(-1, size, sheet.shape[1] // size, size, 3).permute(0, 2, 4, 1, 3)
    return tiles.reshape(-1, 3, size, size).contiguous()


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
