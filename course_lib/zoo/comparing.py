"""The comparison of losses played: `run` plays what is missing, `record` puts the runs into one file of the zoo.

What is compared, and reading the record, is `comparison`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from course_lib import data, files, metrics, runtime, zoo
from course_lib.metrics.modes import count_modes
from course_lib.models import residual
from course_lib.training.loop import TrainConfig, TrainingDiverged, fit
from course_lib.training.many_games import ManyGames
from course_lib.zoo import judging
from course_lib.zoo.comparison import (
    AT_LEAST,
    CONTESTANTS,
    EXPLANATION,
    GRID,
    JUDGED,
    LOOKED_AT,
    NAME,
    SCALE,
    TRIAL,
    WORLDS,
    median_run,
)
from course_lib.zoo.recording import round_to


def settings(world: str, key: str, seed: int, rate: float, updates: int) -> dict[str, object]:
    """A contestant's fields of TrainConfig in a world; what is not among them is as it is by default."""
    who = CONTESTANTS[key]
    chosen = {**WORLDS[world].common, **who.settings, **getattr(who, world)}
    steps = updates // chosen.get("critic_steps", 1)
    every = max(1, steps // 50)
    return {
        "steps": steps,
        "seed": seed,
        "learning_rate_g": rate,
        "learning_rate_d": rate,
        "log_every_steps": every,
    } | chosen


# ---------------------------------------------------------------- the grid: all runs of a contestant at once


def play_on_the_grid(key: str, seeds: Sequence[int], rate: float, updates: int) -> tuple[list[dict], Tensor]:
    """One run a seed, and what each drew in the end, (seeds, 1000, 2) int16 in 1/4096."""
    chosen, who = settings("grid", key, 0, rate, updates), CONTESTANTS[key]
    steps, every = chosen["steps"], chosen.get("critic_steps", 1)
    games = ManyGames(
        GRID,
        seeds=seeds,
        loss=chosen["loss"],
        lr_g=rate,
        lr_d=rate,
        beta1=chosen["betas"][0],
        batch=chosen["batch_size"],
        d_steps=every,
        penalty=chosen.get("penalty"),
        penalty_weight=chosen.get("penalty_weight", 0.0),
        clip=chosen.get("clip"),
        spectral=who.spectral,
        optimizer=chosen.get("optimizer", "adam"),
    )
    runs = [{"seed": seed, "rate": rate, "looks": []} for seed in seeds]
    looks = WORLDS["grid"].looks
    start = time.process_time()
    for look in range(looks):
        games.play(round(steps * (look + 1) / looks) - round(steps * look / looks))
        points = kept_points(games.samples())
        for each, drawn in zip(runs, points):
            each["looks"].append({"updates": round(steps * (look + 1) / looks) * every, **counted(drawn)})
    seconds = (time.process_time() - start) / len(runs)
    for each in runs:
        each |= {"seconds": round(seconds, 1), "final": {name: each["looks"][-1][name] for name in ("modes", "near")}}
    return runs, points


def kept_points(points: Tensor) -> Tensor:
    """Points as they are kept, and counted: int16, in 1/4096. What burst or left the plane lies at its corner."""
    limit = torch.iinfo(torch.int16).max
    return (points * SCALE).nan_to_num(limit).round().clamp(-limit, limit).to(torch.int16)


def counted(points: Tensor) -> dict:
    """Modes found and share of samples near one, of points as they are kept."""
    found = count_modes(points.double() / SCALE, GRID.means, GRID.stds, AT_LEAST)
    return {"modes": found.found, "near": round(found.high_quality, 4)}


# ---------------------------------------------------------------- Fashion-MNIST: one run at a time


def play_fashion(key: str, seed: int, rate: float, updates: int) -> tuple[dict, Tensor | None]:
    """One run, and 16 of the images that it drew in the end (None if its weights burst), (16, 1, 28, 28) uint8."""
    config, here = TrainConfig(**settings("fashion", key, seed, rate, updates)), WORLDS["fashion"]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = residual.Generator(latent_dim=64, width=8, channels=1, size=32, batch_norm=True, patch=2)
        critic = residual.Discriminator(width=8, channels=1, size=32, spectral=CONTESTANTS[key].spectral, patch=2)
    at = {round(config.steps * (look + 1) / here.looks) for look in range(here.looks)}
    looks, judging_seconds = [], 0.0

    def watch(state) -> None:
        nonlocal judging_seconds
        if state.step in at:
            start = time.process_time()
            found = judging.judge(drawn_by(generator, LOOKED_AT), "fashion-mnist")
            looks.append(
                {"updates": state.step * config.critic_steps, "fid": round_to(found["fid"], 5), "sure": found["sure"]}
            )
            judging_seconds += time.process_time() - start

    start, burst = time.process_time(), None
    try:
        fit(generator, critic, data.load("fashion-mnist").padded(32), config, [watch], verbose=False)
    except TrainingDiverged as error:
        burst = error.step * config.critic_steps
    seconds = time.process_time() - start - judging_seconds
    facts = {"seed": seed, "rate": rate, "seconds": round(seconds, 1), "burst": burst, "looks": looks, "final": {}}
    if not all(parameter.isfinite().all() for parameter in generator.parameters()):
        return facts, None
    images = drawn_by(generator, JUDGED)
    facts["final"] = judged(images)
    return facts, data.centre(data.to_uint8(images[:16]), 28)


def drawn_by(generator: nn.Module, count: int) -> Tensor:
    """Samples of a generator in training, which stays in training."""
    images = zoo.sample(generator.eval(), count, seed=1)
    generator.train()
    return images


def judged(images: Tensor) -> dict:
    """What the classifier says of the images that a run drew in the end."""
    found = judging.judge(images, "fashion-mnist")
    both = metrics.precision_recall(
        real=judging.real("fashion-mnist")[0][: len(images)], fake=judging.classify(images)[0], k=3
    )
    return {
        "fid": round_to(found["fid"], 5),
        "precision": round(both.precision, 4),
        "recall": round(both.recall, 4),
        "sure": round(found["sure"], 4),
        "classes": [round(share, 4) for share in found["class_shares"]],
    }


# ---------------------------------------------------------------- all runs


def run(out: Path | str, worlds: Sequence[str] = tuple(WORLDS), say: Callable[[str], None] = print) -> None:
    """Play every run that `out` does not hold yet; stopped, the same call goes on after the last finished one.

    raises: ValueError for an unknown world
    """
    for world in worlds:
        here = WORLDS[runtime.known("worlds", world, WORLDS)]
        for key in CONTESTANTS:
            trials = {
                rate: _kept(Path(out), world, key, [TRIAL], rate, here.trial_updates, say) for rate in tried(world)
            }
            rate = best_rate(world, {rate: runs[0] for rate, runs in trials.items()})
            for seeds in together(world):
                _kept(Path(out), world, key, seeds, rate, here.updates, say)
        for (key, rate), seeds in itertools.product(here.controls, together(world)):
            _kept(Path(out), world, key, seeds, rate, here.updates, say)


def tried(world: str) -> Sequence[float]:
    """The rates that are tried out in a world: none if there is one only."""
    rates = WORLDS[world].rates
    return rates if len(rates) > 1 else ()


def together(world: str) -> list[Sequence[int]]:
    """The seeds of a world, those that are played at once side by side."""
    seeds = WORLDS[world].seeds
    return [seeds] if world == "grid" else [[seed] for seed in seeds]


def best_rate(world: str, trials: Mapping[float, dict]) -> float:
    """The rate whose trial ended best: most modes, then most samples near one; or the least FID. A burst run is last.

    Without trials it is the world's only rate.
    """
    if not trials:
        return WORLDS[world].rates[0]

    def rank(rate: float) -> tuple:
        final = trials[rate]["final"]
        if not final:
            return (-1.0, 0.0)
        return (final["modes"], final["near"]) if world == "grid" else (1 / final["fid"], 0.0)

    return max(trials, key=rank)


def _file(out: Path, world: str, key: str, seeds: Sequence[int], rate: float) -> Path:
    return out / f"{world}-{key}-{'-'.join(map(str, seeds))}-at-{rate:g}.json"


def _kept(out: Path, world: str, key: str, seeds: Sequence[int], rate: float, updates: int, say) -> list[dict]:
    """The runs of these seeds, played unless `out` holds them with the same settings."""
    path = _file(out, world, key, seeds, rate)
    wanted = json.loads(
        json.dumps(settings(world, key, seeds[0], rate, updates))
    )  # tuples become lists, as in the file
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["config"] == wanted:
            return kept["runs"]
    if world == "grid":
        runs, drawn = play_on_the_grid(key, seeds, rate, updates)
    else:
        facts, drawn = play_fashion(key, seeds[0], rate, updates)
        runs, drawn = [facts], None if drawn is None else drawn[None]
    if drawn is not None:
        files.write_atomically(path.with_suffix(".safetensors"), to_bytes({"drawn": drawn.contiguous()}))
    facts = {"config": wanted, "hardware": runtime.environment(torch.device("cpu")), "runs": runs}
    files.write_atomically(path, json.dumps(facts).encode())
    for each in runs:
        ended = {name: value for name, value in each["final"].items() if name != "classes"}
        say(f"{world}, {key}, rate {rate:g}, seed {each['seed']}: {each['seconds']} s, {ended or 'burst'}")
    return runs


def record(out: Path | str, into: Path | str) -> dict:
    """Put the runs of `out` into `into`/record.json and samples.safetensors; returns the record.

    Of each run the looks and the end are kept, of points every sample that was counted, of images 16 of the median
    seed.  raises: FileNotFoundError for a run that is missing
    """
    out, facts, drawn = Path(out), {"name": NAME, "explanation": EXPLANATION, "worlds": {}}, {}

    def read(world: str, key: str, seeds: Sequence[int], rate: float) -> dict:
        return json.loads(_file(out, world, key, seeds, rate).read_text(encoding="utf-8"))

    for world, here in WORLDS.items():
        table = {}
        for key, who in CONTESTANTS.items():
            trials = {rate: read(world, key, [TRIAL], rate)["runs"][0] for rate in tried(world)}
            rate = best_rate(world, trials)
            stored = [read(world, key, seeds, rate) for seeds in together(world)]
            runs = [each for one in stored for each in one["runs"]]
            for seeds in together(world):
                path = _file(out, world, key, seeds, rate).with_suffix(".safetensors")
                if world == "grid" or median_run(runs)["seed"] in seeds and path.exists():
                    images = from_bytes(path.read_bytes())["drawn"]
                    drawn |= {f"{world}.{key}.{seed}": each for seed, each in zip(seeds, images)}
            table[key] = {
                "label": who.label,
                "spectral": who.spectral,
                "config": {name: value for name, value in stored[0]["config"].items() if name != "seed"},
                "trials": {f"{rate:g}": each["final"] for rate, each in trials.items()},
                "runs": [{name: value for name, value in each.items() if name != "rate"} for each in runs],
            }
        controls = [
            {"key": key, "rate": rate, "final": [each["final"] for each in read(world, key, seeds, rate)["runs"]]}
            for (key, rate), seeds in itertools.product(here.controls, together(world))
        ]
        facts["worlds"][world] = {
            "updates": here.updates,
            "hardware": stored[0]["hardware"],
            "contestants": table,
            "controls": controls,
        }
    payload = to_bytes({name: each.contiguous() for name, each in drawn.items()})
    facts["sha256"] = {"samples.safetensors": hashlib.sha256(payload).hexdigest()}
    files.write_atomically(Path(into) / "samples.safetensors", payload)
    files.write_atomically(Path(into) / "record.json", _written(facts).encode())
    return facts


def _written(facts: dict) -> str:
    """JSON with one line for each run."""
    lines: list[str] = []

    def without_runs(part):
        if isinstance(part, list):
            lines.extend(json.dumps(each) for each in part)
            return [f"@{len(lines) - len(part) + place}@" for place in range(len(part))]
        return {
            name: without_runs(each) if name == "runs" or isinstance(each, dict) else each
            for name, each in part.items()
        }

    text = json.dumps(without_runs(facts), indent=1, ensure_ascii=False)
    for place, line in enumerate(lines):
        text = text.replace(f'"@{place}@"', line)
    return text + "\n"
