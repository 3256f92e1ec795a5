"""Every loss on the same two networks, the same data and the same number of critic updates, with several seeds.

Two worlds: the grid of 25 normals, where modes can be counted exactly, and Fashion-MNIST, where the course's
classifier judges. `comparing.run` plays what is missing, `comparing.record` puts the runs into one file of the zoo,
`load` reads it. A contestant is a loss together with the bound and the optimizer that its paper gives it; nothing
else differs.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors.torch import load as from_bytes
from torch import Tensor

from course_lib import zoo
from course_lib.data import mixtures

NAME = "loss-comparison"
SCALE = 4096  # points of the grid are kept as whole numbers of 1/4096, and counted as they are kept


@dataclass(frozen=True)
class Contestant:
    """A loss with what its paper puts beside it. settings: fields of TrainConfig;  grid, fashion: where they differ."""

    label: str
    settings: Mapping[str, object]
    spectral: bool = False
    grid: Mapping[str, object] = field(default_factory=dict)
    fashion: Mapping[str, object] = field(default_factory=dict)


CONTESTANTS = {
    "saturating": Contestant("saturating", {"loss": "saturating"}),
    "non_saturating": Contestant("non-saturating", {"loss": "non_saturating"}),
    "least_squares": Contestant("least squares", {"loss": "least_squares"}),
    "wasserstein_clip": Contestant(
        "Wasserstein, clipped",
        {"loss": "wasserstein", "clip": 0.01, "critic_steps": 5, "optimizer": "rmsprop"},
    ),
    "wasserstein_gp": Contestant(
        "Wasserstein, gradient penalty",
        {"loss": "wasserstein", "penalty": "gradient_penalty", "penalty_weight": 10.0, "critic_steps": 5},
        grid={"penalty_weight": 0.1},
    ),
    "hinge": Contestant("hinge, spectral norm", {"loss": "hinge"}, spectral=True),
    "relativistic": Contestant(
        "relativistic, R1 + R2",
        {"loss": "relativistic", "penalty": "r1_r2", "penalty_weight": 0.2},
        grid={"penalty_weight": 0.02},
    ),
}


@dataclass(frozen=True)
class World:
    """What all contestants share.

    updates: of the critic in each run, and as many batches of real data;  looks: moments at which a run is judged
    common:  fields of TrainConfig
    rates:   of both players; if there are several, each contestant gets the one with which a run of `trial_updates`
             ended best, of seed 100
    controls: a contestant played once more by all seeds at another rate, to see what the rate is worth
    """

    seeds: Sequence[int]
    updates: int
    looks: int
    common: Mapping[str, object]
    rates: Sequence[float]
    trial_updates: int = 0
    controls: Sequence[tuple[str, float]] = ()


TRIAL = 100


WORLDS = {
    "grid": World(
        seeds=range(5),
        updates=4000,
        looks=20,
        common={"batch_size": 128, "betas": (0.0, 0.999)},
        rates=(3e-3,),
        controls=(("non_saturating", 1e-2), ("least_squares", 1e-3), ("hinge", 1e-2), ("relativistic", 1e-2)),
    ),
    "fashion": World(
        seeds=range(3),
        updates=600,
        looks=6,
        common={"batch_size": 64, "betas": (0.0, 0.9), "ema_half_life_kimg": None, "precision": "float32"},
        rates=(5e-4, 2e-3),
        trial_updates=150,
    ),
}


AT_LEAST = 20  # samples of 1,000 that make a mode found: half of its fair share
JUDGED, LOOKED_AT = 5000, 1000  # images at the end of a run, and on its way
GRID = mixtures.grid(25)
EXPLANATION = {
    "grid": "training.many_games: generator and critic of two hidden layers of 64; of 1,000 samples from latents of its seed that stay the same, one "
    f"belongs to a mode within three standard deviations, and a mode is found with at least {AT_LEAST}",
    "fashion": "models.residual, width 8, latent 64, 32 px, patch 2, BatchNorm in the generator alone; features of classifier-fashion, "
    f"{JUDGED} samples against the 10,000 test images (FID) or as many (precision and recall, k = 3); on the way {LOOKED_AT} samples; a class is "
    "found with at least a fifth of its fair share",
}


def median_run(runs: Sequence[dict]) -> dict:
    """The run in the middle, by modes and then samples near one, or by FID; burst runs count as the worst."""

    def rank(each: dict) -> tuple:
        final = each["final"]
        if not final:
            return (1, 0.0, 0.0)
        return (0, final["fid"], 0.0) if "fid" in final else (0, -final["modes"], -final["near"])

    return sorted(runs, key=rank)[len(runs) // 2]


# ---------------------------------------------------------------- what was recorded


@dataclass(frozen=True)
class Comparison:
    """facts: the record as it was written;  drawn: {"WORLD.CONTESTANT.SEED": what a run drew in the end}"""

    facts: dict
    drawn: dict[str, Tensor]

    def runs(self, world: str, key: str) -> list[dict]:
        """A contestant's runs, one a seed."""
        return self.facts["worlds"][world]["contestants"][key]["runs"]

    def final(self, world: str, key: str, number: str) -> list[float]:
        """One number of each seed's end, such as "modes" or "fid"; of burst runs there is none."""
        return [each["final"][number] for each in self.runs(world, key) if each["final"]]

    def curves(self, world: str, number: str) -> dict[str, tuple[list[int], list[list[float]]]]:
        """{label: (updates of the critic, one row of values a seed)}, of the looks that all seeds reached."""
        found = {}
        for each in self.facts["worlds"][world]["contestants"].values():
            runs = [run["looks"] for run in each["runs"]]
            shared = min(map(len, runs))
            updates = [look["updates"] for look in runs[0][:shared]]
            found[each["label"]] = updates, [[look[number] for look in looks[:shared]] for looks in runs]
        return found

    def table(self) -> list[dict]:
        """One row a contestant: means over the seeds, and the least and the greatest where a name ends in _range."""
        rows = []
        for key, who in CONTESTANTS.items():
            row = {"key": key, "label": who.label}
            for world, numbers in (("grid", ("modes", "near")), ("fashion", ("fid", "precision", "recall", "sure"))):
                for number in numbers:
                    values = self.final(world, key, number)
                    row[number] = statistics.mean(values) if values else None
                    row[f"{number}_range"] = (min(values), max(values)) if values else None
                row[f"{world}_seconds"] = statistics.mean(each["seconds"] for each in self.runs(world, key))
                row[f"{world}_burst"] = sum(not each["final"] for each in self.runs(world, key))
            shares = self.final("fashion", key, "classes")
            row["classes"] = (
                statistics.mean(sum(share >= 0.02 for share in each) for each in shares) if shares else None
            )
            rows.append(row)
        return rows


def load(folder: Path | str | None = None) -> Comparison:
    """The recorded comparison. raises: ValueError if the samples are not those that the record names"""
    folder = Path(folder or zoo.FOLDER / NAME)
    facts = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    payload = (folder / "samples.safetensors").read_bytes()
    expected, found = facts["sha256"]["samples.safetensors"], hashlib.sha256(payload).hexdigest()
    if found != expected:
        raise ValueError(f"{folder / 'samples.safetensors'}: expected SHA-256 {expected}, got {found}; {zoo.MEND}")
    return Comparison(facts, from_bytes(payload))
