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
from course_lib.training import checkpoint
from course_lib.training.recipes import RECIPES, Recipe, build, snapshot_file, snapshot_steps

DRAWN = 64  # images in each snapshot
KEEP_WEIGHTS_UP_TO = 1 << 20  # bytes of float16 weights a snapshot


def record_generator(
    recipe_name: str, run: Path, out: Path, *, samples: int = 10_000, snapshot_samples: int = 5_000
) -> dict:
    """Write network.safetensors, snapshots.safetensors and card.json of a GAN's run into `out`; returns the card."""
    from course_lib.zoo import judging

    recipe: Recipe = RECIPES[recipe_name]
    header, tensors = checkpoint.load(run / "last.safetensors")
    average = {name.removeprefix("average."): tensor for name, tensor in tensors.items() if name.startswith("average.")}
    if recipe.compact:  # what is measured is the network with these weights
        average = {name: each.half() if each.is_floating_point() else each for name, each in average.items()}
    generator = build(recipe)[0].eval()
    generator.load_state_dict(average)

    steps, images, weights, measured = [], [], [], []
    for path in (snapshot_file(run, step) for step in snapshot_steps(header["config"]["steps"], recipe.snapshots)):
        then = build(recipe)[0].eval()
        stored = from_bytes(path.read_bytes())
        then.load_state_dict(stored)  # copies float16 into float32
        steps.append(int(path.stem.removeprefix("step-")))
        images.append(data.to_uint8(zoo.sample(then, DRAWN)))
        weights.append(stored)
        found = judging.judge(zoo.sample(then, snapshot_samples, seed=1), recipe.data)
        measured.append({"step": steps[-1], **{key: round_to(found[key], 5) for key in ("fid", "sure", "n")}})
    parts = {"steps": torch.tensor(steps), "images": torch.stack(images)}
    kept = not recipe.compact and sum(tensor.nbytes for tensor in weights[0].values()) <= KEEP_WEIGHTS_UP_TO
    if kept:
        parts |= {f"weights.{name}": torch.stack([each[name] for each in weights]) for name in weights[0]}

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
        **({"weights": "float16"} if recipe.compact else {}),
        "metrics": {key: round_to(value, 5) for key, value in final.items()},
        "snapshots": measured,
        "snapshot_weights": steps if kept else [],
        "history": [{key: round_to(value, 5) for key, value in row.items()} for row in rows],
    }
    facts["config"].pop("checkpoint_dir")
    return _write(out, facts, {"network.safetensors": to_bytes(average), "snapshots.safetensors": to_bytes(parts)})


def record_classifier(recipe_name: str, network: nn.Module, rows: list[dict], seconds: float, out: Path) -> dict:
    """Write network.safetensors and card.json of a classifier into `out`; returns the card."""
    from course_lib.training.classification import accuracy

    recipe = RECIPES[recipe_name]
    test = data.load(recipe.data, "test")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    facts = {
        "summary": recipe.summary,
        "recipe": recipe_name,
        "config": asdict(recipe.config),
        "precision": "float32",
        "parameters": {"classifier": count(network)},
        "data": {"name": recipe.data, "split": "train", "sha256": data.load(recipe.data).sha256()},
        "hardware": runtime.environment(next(network.parameters()).device),
        "minutes": round(seconds / 60, 1),
        "metrics": {"test_accuracy": accuracy(network.eval(), test), "n": len(test)},
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
