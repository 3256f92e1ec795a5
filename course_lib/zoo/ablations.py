"""Tips and remedies, each tried alone: five games a setting on the ring and on the grid, every mode counted.

`python -m course_lib.zoo.ablations` plays and records all of them again, as ablations/ring.json and ablations/grid.json.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib import files, runtime, zoo
from course_lib.data import mixtures
from course_lib.models.layers import MinibatchStd, power_iteration
from course_lib.training.many_games import ManyGames
from course_lib.training.points import Points, Scores
from course_lib.zoo.recording import round_to

FOLDER = zoo.FOLDER / "ablations"
WORLDS = {"ring": mixtures.ring(8, std=0.1), "grid": mixtures.grid(25)}
STEPS = {"ring": 600, "grid": 1500}  # the grid's humps are half as wide and three times as many
SEEDS, AT_LEAST, SAMPLES = 5, 20, 1000
RATES = (5e-4, 2e-3, 8e-3)
HALF_LIFE_STEPS = 100  # of the averaged weights
AVERAGED = "averaged weights"


class Varied(nn.Module):
    """A critic of points that sees how much its batch differs: `Scores` with a minibatch statistic before its last layer."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2)
        )
        self.statistic, self.score = MinibatchStd(), nn.Linear(width + 1, 1)

    def forward(self, points: Tensor) -> Tensor:
        return self.score(self.statistic(self.features(points))).flatten()


class Normalised(nn.Module):
    """`Scores` with every weight over its largest singular value, found anew at each call: no state, so many fit in one batch."""

    def __init__(self, width: int = 64, steps: int = 10):
        super().__init__()
        sizes, self.steps = (2, width, width, 1), steps
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in zip(sizes, sizes[1:]))

    def forward(self, points: Tensor) -> Tensor:
        x = points
        for index, layer in enumerate(self.layers):
            x = nn.functional.leaky_relu(x, 0.2) if index else x
            start = layer.weight.detach().sum(1)  # has a part of every singular vector but by accident
            x = nn.functional.linear(x, layer.weight / power_iteration(layer.weight, start, self.steps)[0], layer.bias)
        return x.flatten()


@dataclass(frozen=True)
class Setting:
    """One thing that is changed in the plain game: rates and β₁ by game, or anything else that ManyGames takes."""

    lr_g: float = 2e-3
    lr_d: float = 2e-3
    beta1: float = 0.5
    options: dict = field(default_factory=dict)


def _settings() -> dict[str, Setting]:
    wgan = {"loss": "wasserstein", "penalty": "gradient_penalty", "penalty_weight": 10.0}
    found = {f"G {lr_g:g}, D {lr_d:g}": Setting(lr_g, lr_d) for lr_g in RATES for lr_d in RATES}
    found |= {f"β₁ = {beta1:g}": Setting(beta1=beta1) for beta1 in (0.0, 0.9)}
    found |= {
        "5 steps of D": Setting(options={"d_steps": 5}),
        "target 0.9": Setting(options={"real_target": 0.9}),
        "R1": Setting(options={"penalty": "r1", "penalty_weight": 1.0}),
        "WGAN-GP": Setting(options=wgan),
        "WGAN-GP, 5 steps of D": Setting(options={**wgan, "d_steps": 5}),
        "WGAN-GP, G fast": Setting(1e-2, 1e-3, options=wgan),
        "spectral norm, hinge": Setting(options={"loss": "hinge", "critic": Normalised}),
        "minibatch deviation": Setting(options={"critic": Varied}),
        "diversity": Setting(options={"diversity": 0.1}),
        "G fast": Setting(1e-2, 1e-3),
        "G fast, diversity": Setting(1e-2, 1e-3, options={"diversity": 0.1}),
    }
    found["G of width 4"] = Setting(options={"generator": partial(Points, width=4)})
    found["D of width 4"] = Setting(options={"critic": partial(Scores, width=4)})
    return found


SETTINGS = _settings()
PLAIN = f"G {2e-3:g}, D {2e-3:g}"
ON_THE_GRID = [PLAIN, "G 0.002, D 0.008", "β₁ = 0.9", "G fast", "target 0.9"]


class Counts(NamedTuple):
    """For each seed: modes found, and the share of samples near any."""

    found: list[int]
    high_quality: list[float]


def batches(names: Sequence[str]) -> list[list[str]]:
    """The settings in lists that can be played as one batch: those that differ in rates and β₁ only are together.

    raises: ValueError for an unknown setting
    """
    found: dict[int, list[str]] = {}
    for name in names:
        options = SETTINGS[runtime.known("names", name, SETTINGS)].options
        found.setdefault(id(options) if options else 0, []).append(name)
    return list(found.values())


def play(names: Sequence[str], world: str, steps: int, seeds: int = SEEDS) -> dict[str, Counts]:
    """What each of these settings finds after `steps` steps of each player.

    raises: ValueError for an unknown setting or world
    """
    data = WORLDS[runtime.known("world", world, WORLDS)]
    results = {}
    for together in batches(names):
        rows = [SETTINGS[name] for name in together for _ in range(seeds)]
        games = ManyGames(
            data,
            seeds=[*range(seeds)] * len(together),
            lr_g=[row.lr_g for row in rows],
            lr_d=[row.lr_d for row in rows],
            beta1=[row.beta1 for row in rows],
            **rows[0].options,
        )
        average = games.g.weights.detach().clone()
        for _ in range(steps):
            games.play(1)
            average.lerp_(games.g.weights.detach(), 1 - 0.5 ** (1 / HALF_LIFE_STEPS))
        for place, name in enumerate(together):
            part = slice(place * seeds, (place + 1) * seeds)
            for label, weights in {name: None, **({AVERAGED: average} if name == PLAIN else {})}.items():
                counted = games.modes(AT_LEAST, weights)[part]
                results[label] = Counts([each.found for each in counted], [each.high_quality for each in counted])
    return results


def record(world: str, steps: int | None = None) -> dict:
    """Play every setting on the ring, or those of ON_THE_GRID on the grid, and write down what they find, batch by batch.

    What is there already, after as many steps, is kept: an interrupted record goes on, and a new setting is added.
    """
    path, steps = FOLDER / f"{world}.json", steps or STEPS[world]
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"steps": steps, "minutes": 0.0}
    facts = {
        "steps": steps,
        "seeds": SEEDS,
        "samples": SAMPLES,
        "at_least": AT_LEAST,
        "half_life_steps": HALF_LIFE_STEPS,
        "minutes": kept["minutes"],
        "hardware": runtime.environment(torch.device("cpu")),
        "results": kept.get("results", {}) if kept["steps"] == steps else {},
    }
    wanted = list(SETTINGS) if world == "ring" else ON_THE_GRID
    for together in batches([name for name in wanted if name not in facts["results"]]):
        began = time.perf_counter()
        for name, counts in play(together, world, steps).items():
            facts["results"][name] = {key: round_to(list(value), 4) for key, value in counts._asdict().items()}
        facts["minutes"] = round(facts["minutes"] + (time.perf_counter() - began) / 60, 1)
        _write(path, facts)
    return facts


def _write(path: Path, facts: dict) -> None:
    """Indented, with one line for each setting, which stand last."""
    head = json.dumps({key: value for key, value in facts.items() if key != "results"}, indent=1, ensure_ascii=False)
    lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(row)}" for name, row in facts["results"].items()]
    body = ",\n  ".join(lines)
    files.write_atomically(path, f'{head[:-2]},\n "results": {{\n  {body}\n }}\n}}\n'.encode())


def load(world: str) -> dict:
    """What was recorded of a world: facts["results"][setting] as in `Counts`. raises: FileNotFoundError naming the cure"""
    path = FOLDER / f"{runtime.known('world', world, WORLDS)}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected a part of the zoo, found nothing; {zoo.MEND}") from None


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in sys.argv[1:] or WORLDS:
        print(each, record(each)["minutes"], "minutes", flush=True)
