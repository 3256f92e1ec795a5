"""How smooth generators are: path lengths in Z and in W, and how well planes tell attributes there.

`python -m course_lib.zoo.smoothness NAME…` writes the records of the zoo's avatar generators again (minutes each
on one core).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace

import torch
from torch import Tensor, nn

from course_lib import files, metrics, runtime, zoo
from course_lib.data import avatars
from course_lib.metrics import path_length as lengths
from course_lib.zoo.recording import round_to

FILE = "smoothness.json"
CLASSIFIER = "classifier-avatars"
PROTOCOL = lengths.PATHS["course-64"]
PATHS: dict[str, lengths.PathProtocol] = {  # as the interpolation slider sees them: LPIPS (Alex) at 64 pixels a side
    "Z, full": PROTOCOL,
    "Z, end": replace(PROTOCOL, where="end"),
    "W, full": replace(PROTOCOL, space="w", between="lerp"),
    "W, end": replace(PROTOCOL, space="w", between="lerp", where="end"),
}
LONG = "big_hair bob bun curly curvy dreads frida fro fro_band long_not_too_long mia_wallace straight_1 straight_2"
QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {  # yes or no: attribute, and the values that mean yes
    "glasses": ("glasses", avatars.ATTRIBUTES["glasses"][1:]),
    "beard": ("beard", avatars.ATTRIBUTES["beard"][1:]),
    "dark skin": ("skin", ("brown", "dark_brown", "black")),
    "long hair": ("hair", (*LONG.split(), "straight_strand")),
    "fair hair": ("hair_color", ("blonde", "blonde_golden", "pastel_pink", "platinum", "silver_gray")),
    "dark clothes": ("clothes_color", ("black", "blue_02", "blue_03", "gray_02", "heather")),
}
BATCH = 250


def spaces(generator: nn.Module) -> list[str]:
    """The names of PATHS that a generator has."""
    return [name for name, protocol in PATHS.items() if protocol.space == "z" or hasattr(generator, "mapping")]


def path_length(generator: nn.Module, name: str, paths: int, seed: int = 0) -> metrics.PathLength:
    """The path length under one of PATHS, by LPIPS (Alex)."""
    protocol = PATHS[runtime.known("name", name, PATHS)]
    return metrics.perceptual_path_length(generator, protocol=protocol, paths=paths, seed=seed)


@torch.inference_mode()
def answers(images: Tensor) -> dict[str, Tensor]:
    """How likely the avatars' classifier thinks yes, for each of QUESTIONS: {question: (N,)}

    images: (N, 3, S, S) float in [−1, 1], S 32 or 64
    """
    classifier = zoo.load(CLASSIFIER)[0]
    device = next(classifier.parameters()).device
    found: dict[str, list[Tensor]] = {question: [] for question in QUESTIONS}
    for batch in images.split(BATCH):
        parts = classifier.split(classifier(batch.to(device)))
        for question, (attribute, values) in QUESTIONS.items():
            columns = [avatars.ATTRIBUTES[attribute].index(value) for value in values]
            found[question].append(parts[attribute].softmax(1)[:, columns].sum(1).clamp(0, 1).cpu())
    return {question: torch.cat(parts) for question, parts in found.items()}


def exact_answers(attributes: Tensor) -> dict[str, Tensor]:
    """The same of rendered avatars, whose attributes are known: (N, 9) int64 → {question: (N,) bool}"""
    names = list(avatars.ATTRIBUTES)
    return {
        question: torch.isin(
            attributes[:, names.index(attribute)],
            torch.tensor([avatars.ATTRIBUTES[attribute].index(value) for value in values]),
        )
        for question, (attribute, values) in QUESTIONS.items()
    }


@torch.inference_mode()
def separability(
    generator: nn.Module, count: int, seed: int = 0
) -> tuple[dict[str, metrics.Separability], dict[str, Tensor]]:
    """Linear separability of QUESTIONS in Z and, where there is one, in W, over the same `count` images, and the answers.

    In "z" the latents are divided by their norm where the generator does so, which is what its mapping sees.
    """
    device = next(generator.parameters()).device
    z = torch.randn(count, generator.latent_dim, generator=runtime.keyed_generator("cpu", seed, "separability"))
    rows, images = [], []
    for batch in z.split(BATCH):
        latents = generator.mapping(batch.to(device)) if hasattr(generator, "mapping") else batch.to(device)
        images.append(getattr(generator, "synthesis", generator)(latents).clamp(-1, 1).float().cpu())
        rows.append(latents.cpu())
    chances = answers(torch.cat(images))
    found = {"z": metrics.linear_separability(z, chances, seed=seed)}
    if hasattr(generator, "mapping"):
        unit = z / z.square().mean(1, keepdim=True).sqrt()
        found = {
            "z": metrics.linear_separability(unit, chances, seed=seed),
            "w": metrics.linear_separability(torch.cat(rows), chances, seed=seed),
        }
    return found, chances


def measure(generator: nn.Module, paths: int, count: int, seed: int = 0) -> dict:
    """{"paths", "count", "path_lengths": {name: {mean, low, high}}, "separability": {"z", "w": {score, low, high, entropies, accuracies}}}"""
    measured = {name: path_length(generator, name, paths, seed) for name in spaces(generator)}
    separated, chances = separability(generator, count, seed)
    return {
        "paths": paths,
        "count": count,
        "path_lengths": {
            name: {key: round_to(getattr(found, key), 5) for key in ("mean", "low", "high")}
            for name, found in measured.items()
        },
        "separability": {space: _rounded(found) for space, found in separated.items()},
        "shares": {
            question: round_to((chance > 0.5).double().mean().item(), 4) for question, chance in chances.items()
        },
    }


def record(name: str, paths: int = 4_000, count: int = 10_000) -> dict:
    """Measure a generator of the zoo and write smoothness.json into its folder; returns what was written."""
    generator, card = zoo.load(name)
    facts = {
        "network": card["sha256"]["network.safetensors"],
        "classifier": zoo.card(CLASSIFIER)["sha256"]["network.safetensors"],
        "distance": "LPIPS (Alex), images at 64 pixels a side",
        "protocols": {space: asdict(PATHS[space]) | {"kept": list(PATHS[space].kept)} for space in spaces(generator)},
        **measure(generator, paths, count),
    }
    files.write_atomically(zoo.FOLDER / name / FILE, (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())
    return facts


def recorded(name: str) -> dict:
    """What `record` wrote. raises: FileNotFoundError if nothing was recorded, ValueError if other weights were"""
    path, card = zoo.FOLDER / name / FILE, zoo.card(name)
    again = f"python -m course_lib.zoo.smoothness {name}"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected a record, found none; write it with: {again}") from None
    if facts["network"] != card["sha256"]["network.safetensors"]:
        raise ValueError(f"{path}: expected the record of {name}'s weights, got that of others; renew it with: {again}")
    return facts


def _rounded(found: metrics.Separability) -> dict:
    numbers: dict[str, float | Mapping[str, float]] = {
        key: round_to(getattr(found, key), 5) for key in ("score", "low", "high")
    }
    tables = {
        key: {name: round_to(value, 4) for name, value in getattr(found, key).items()}
        for key in ("entropies", "accuracies")
    }
    return {**numbers, **tables}


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(each, json.dumps(record(each), indent=1, ensure_ascii=False))
