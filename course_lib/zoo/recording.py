"""From a finished run's folder to an entry of the zoo: weights, snapshots and the card that says it all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import nn

from course_lib import data, files, runtime, zoo
from course_lib.training import checkpoint, growth
from course_lib.training.loop import TrainConfig
from course_lib.training.recipes import RECIPES, Recipe, build, snapshot_file, snapshot_steps
from course_lib.zoo import sheets, weights

DRAWN = 64  # images in each snapshot
GROWN_DRAWN = 24  # and in each of a generator that grows
ACROSS = 8  # in one row of a sheet of DRAWN


def record_generator(
    recipe_name: str, run: Path, out: Path, *, samples: int = 10_000, snapshot_samples: int = 5_000
) -> dict:
    """Write network.safetensors, snapshots.safetensors and card.json of a GAN's run into `out`; returns the card."""
    from course_lib.zoo import judging

    recipe: Recipe = RECIPES[recipe_name]
    header, tensors = checkpoint.load(run / "last.safetensors")
    average = {name.removeprefix("average."): tensor for name, tensor in tensors.items() if name.startswith("average.")}
    average = weights.reduced(average, recipe.kept)
    generator = build(recipe)[0].eval()
    generator.load_state_dict(weights.restored(average))  # what is measured is the network with the weights as kept

    drawn, measured = {}, []
    for path in (snapshot_file(run, step) for step in snapshot_steps(header["config"]["steps"], recipe.snapshots)):
        then = build(recipe)[0].eval()
        then.load_state_dict(from_bytes(path.read_bytes()))  # copies float16 into float32
        step, images = int(path.stem.removeprefix("step-")), data.to_uint8(zoo.sample(then, DRAWN))
        drawn[str(step)] = sheets.pack(images, ACROSS)
        found = judging.judge(zoo.sample(then, snapshot_samples, seed=1), recipe.data)
        measured.append({"step": step, **{key: round_to(found[key], 5) for key in ("fid", "sure", "n")}})
    drawn["shape"] = torch.tensor(images.shape[1:3])

    final = judging.judge(zoo.sample(generator, samples, seed=1), recipe.data)
    rows = header["history"]
    seconds = sum(
        (row["step"] - before) * header["config"]["batch_size"] / row["images_per_second"]
        for row, before in zip(rows, [0, *(row["step"] for row in rows)])
    )
    facts = {
        "summary": recipe.summary,
        "recipe": recipe_name,
        "config": header["config"],
        "precision": header["precision"],
        "parameters": {"generator": count(generator), "discriminator": count(build(recipe)[1])},
        "data": {
            "name": recipe.data,
            "split": "train",
            "sha256": data.load(recipe.data).sha256(),
            "padded_to": recipe.size,
        },
        "hardware": header["environment"],
        "minutes": round(seconds / 60, 1),
        **({"weights": recipe.kept} if recipe.kept != "float32" else {}),
        "metrics": {key: round_to(value, 5) for key, value in final.items()},
        "snapshots": measured,
        "history": [{key: round_to(value, 5) for key, value in row.items()} for row in rows],
    }
    facts["config"].pop("checkpoint_dir")
    return _write(out, facts, {"network.safetensors": to_bytes(average), "snapshots.safetensors": to_bytes(drawn)})


def record_grown(
    recipe_name: str, run: Path, out: Path, *, resolution: int, samples: int = 10_000, snapshot_samples: int = 5_000
) -> dict:
    """Write the zoo's entry of a run that grows, as it was at the end of a stage or, in its last one, is now.

    network.safetensors (float16, the layers up to `resolution` alone), growth.safetensors (what it drew on the way,
    `GROWN_DRAWN` images a moment, as WebP), samples.webp (`DRAWN` uncurated samples) and card.json, which is returned.

    snapshot_samples: judged at each moment at which that resolution was whole; 0 for none

    raises: ValueError if the run has not come so far
    """
    from course_lib.zoo import judging

    recipe: Recipe = RECIPES[recipe_name]
    header, tensors = checkpoint.load(Path(run) / "last.safetensors")
    config = checkpoint.read_config(TrainConfig, header["config"])
    batch, resolutions = config.batch_size, [each[0] for each in config.growth]
    last = dict(zip(resolutions, growth.ends(config.growth, batch)))
    step = min(last.get(resolution, header["step"]), header["step"])
    if growth.stage(config.growth, step * batch - 1)[0] != resolution:
        raise ValueError(f"resolution: expected one that the run in {run} has reached, got {resolution}")
    if step == header["step"]:
        average = {name.removeprefix("average."): each for name, each in tensors.items() if name.startswith("average.")}
    else:
        average = from_bytes(snapshot_file(Path(run), step).read_bytes())
    whole = build(recipe)[0].eval()
    whole.load_state_dict(average)
    generator = whole.up_to(resolution)
    kept = weights.reduced({name: each.cpu().contiguous() for name, each in generator.state_dict().items()}, "float16")
    generator.load_state_dict(kept)

    name = recipe.data if resolution == recipe.size else f"{recipe.data}-{resolution}"
    moments, drawn, measured = [], {}, []
    files_of = {int(path.stem.removeprefix("step-")): path for path in sorted((Path(run) / "snapshots").glob("step-*"))}
    chosen = {then: from_bytes(path.read_bytes()) for then, path in files_of.items() if then < step} | {step: average}
    for then, each in chosen.items():
        whole.load_state_dict(each)
        side, alpha = growth.stage(config.growth, max(0, then * batch - 1))
        whole.grow(side, alpha)
        if snapshot_samples and (side, alpha) == (resolution, 1):
            found = judging.judge(zoo.sample(whole, snapshot_samples, seed=1), name)
            measured.append({"step": then, **{key: round_to(found[key], 5) for key in ("fid", "sure", "n")}})
        drawn[str(then)] = sheets.pack(data.to_uint8(zoo.sample(whole, GROWN_DRAWN)), across=6)
        moments.append(
            {"step": then, "kimg": then * batch / 1000, "resolution": side, "alpha": round_to(float(alpha), 3)}
        )

    rows = [row for row in header["history"] if row["step"] <= step]
    before = [0, *(row["step"] for row in rows)]
    seconds = sum((row["step"] - then) * batch / row["images_per_second"] for row, then in zip(rows, before))
    network = RECIPES[recipe_name].networks()[1]
    facts = {
        "summary": f"{recipe.summary}; as it was after {step * batch / 1000:g} thousand images, at {resolution}×{resolution}",
        "recipe": recipe_name,
        "resolution": resolution,
        "step": step,
        "kimg": step * batch / 1000,
        "config": header["config"],
        "precision": f"{header['precision']}, kept in float16",
        "parameters": {"generator": count(generator), "discriminator": count(network)},
        "data": {"name": name, "split": "train", "sha256": data.load(name).sha256()},
        "hardware": header["environment"],
        "minutes": round(seconds / 60, 1),
        "metrics": {
            key: round_to(value, 5)
            for key, value in judging.judge(zoo.sample(generator, samples, seed=1), name).items()
        },
        "stopped": {
            "at_step": header["step"],
            "of": header["config"]["steps"],
            "resume": f"gan-course train {recipe_name}",
        },
        "growth": moments,
        "snapshots": measured,
        "history": [{key: round_to(value, 5) for key, value in row.items()} for row in rows],
    }
    facts["config"].pop("checkpoint_dir")
    payloads = {"network.safetensors": to_bytes(kept), "growth.safetensors": to_bytes(drawn)}
    uncurated = sheets.pack(data.to_uint8(zoo.sample(generator, DRAWN)), ACROSS)  # at ψ = 1, to be looked at
    return _write(Path(out), facts, payloads | {"samples.webp": uncurated.numpy().tobytes()})


def record_classifier(recipe_name: str, network: nn.Module, rows: list[dict], seconds: float, out: Path) -> dict:
    """Write network.safetensors and card.json of a classifier into `out`; returns the card."""
    from course_lib.training.classification import accuracy, attribute_accuracy

    recipe = RECIPES[recipe_name]
    test = data.load(recipe.data, "test")
    network.eval()
    of_attributes = hasattr(network, "loss")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if of_attributes:  # as small as the data they judge are: half precision, of which the metrics below are
        tensors = weights.reduced(tensors, "float16")
        network.load_state_dict(tensors)
        found = {"test_accuracy_by_attribute": attribute_accuracy(network, test)}
        found = {"test_accuracy": sum(found["test_accuracy_by_attribute"].values()) / len(network.classes), **found}
    else:
        found = {"test_accuracy": accuracy(network, test)}
    facts = {
        "summary": recipe.summary,
        "recipe": recipe_name,
        "config": asdict(recipe.config),
        "precision": "float32, kept in float16" if of_attributes else "float32",
        "parameters": {"classifier": count(network)},
        "data": {"name": recipe.data, "split": "train", "sha256": data.load(recipe.data).sha256()},
        "hardware": runtime.environment(next(network.parameters()).device),
        "minutes": round(seconds / 60, 1),
        "metrics": {**found, "n": len(test)},
        "history": [{key: round_to(value, 5) for key, value in row.items()} for row in rows],
    }
    return _write(out, facts, {"network.safetensors": to_bytes(tensors)})


def count(network: nn.Module) -> int:
    """Number of learned parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def round_to(value, digits: int):
    """Numbers to `digits` significant digits, lists likewise, anything else as it is."""
    if isinstance(value, list):
        return [round_to(each, digits) for each in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def _write(out: Path, facts: dict, payloads: dict[str, bytes]) -> dict:
    for name, payload in payloads.items():
        files.write_atomically(out / name, payload)
    facts["sha256"] = {name: hashlib.sha256(payload).hexdigest() for name, payload in payloads.items()}
    write_card(out, facts)
    return facts


def write_card(out: Path, facts: dict) -> None:
    """card.json as people read it too: indented, with one line for each row of the history, which stands last."""
    body = json.dumps({key: value for key, value in facts.items() if key != "history"}, indent=1, ensure_ascii=False)
    rows = ",\n  ".join(json.dumps(row) for row in facts["history"])
    files.write_atomically(out / "card.json", f'{body[:-2]},\n "history": [\n  {rows}\n ]\n}}\n'.encode())
