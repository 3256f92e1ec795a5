"""Checkpoints from which a run goes on exactly: one safetensors file, its header holding the rest as JSON.

One file means one atomic rename: networks, optimizers, averaged weights and history are always of the same
step. Nothing is pickled, so a checkpoint from a stranger is data, not code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import warnings
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from course_lib import files, ranks, runtime
from course_lib.training import growth

Config = TypeVar("Config")
FORMAT = 1
MAY_CHANGE = {"log_every_steps", "checkpoint_dir", "checkpoint_every_steps", "precision"}


def save(state, path: Path, dtype: torch.dtype) -> None:
    """Write the whole TrainingState to `path`, atomically.

    raises: OSError naming the file if the disk is full or read-only; the checkpoint before it stays intact
    """
    device = _device(state)
    header = {
        "format": FORMAT,
        "step": state.step,
        "data": state.data,
        "config": asdict(state.config),
        "history": state.history.rows,
        "precision": str(dtype).removeprefix("torch."),
        "environment": runtime.environment(device),
        "ranks": ranks.world_size(),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in named_tensors(state).items()}
    header["sha256"] = _digest(header, tensors)
    with contextlib.suppress(OSError):  # what hinders the write is told by the write
        for stray in path.parent.glob(f".{path.name}.*"):  # left by a write that was killed
            stray.unlink(missing_ok=True)
    files.write_atomically(path, to_bytes(tensors, {"course": json.dumps(header)}))


def load(path: Path | str) -> tuple[dict, dict[str, Tensor]]:
    """(header, tensors) of a checkpoint.

    raises: FileNotFoundError; ValueError if the file is not a whole checkpoint of this format, or was changed since
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: expected a checkpoint, found none")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["course"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except Exception as error:  # safetensors has its own exception classes for each kind of damage
        raise ValueError(
            f"{path}: expected a checkpoint written by course_lib.training, got a damaged or foreign "
            f"file ({error}); delete it to start anew"
        ) from error
    if header.get("format") != FORMAT:
        raise ValueError(
            f"{path}: expected checkpoint format {FORMAT}, got {header.get('format')}, of another version of the course"
        )
    if "sha256" in header and header["sha256"] != _digest(header, tensors):  # the oldest checkpoints have none
        raise ValueError(f"{path}: expected the content that was written, got other bytes: the file was changed since")
    return header, tensors


def read_config(kind: type[Config], recorded: Mapping[str, object]) -> Config:
    """A configuration from a checkpoint's header or a card, in JSON's types.

    A field that is younger than the record has its default, which is what that run did.
    raises: ValueError if the record has a field that `kind` lacks, because a newer version wrote it
    """
    odd = recorded.keys() - {field.name for field in fields(kind)}
    if odd:
        raise ValueError(f"config: expected fields of {kind.__name__}, got {', '.join(sorted(odd))} of a newer version")
    return kind(**{name: _tuples(value) for name, value in recorded.items()})


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def restore(state, path: Path, dtype: torch.dtype) -> None:
    """Bring a freshly built TrainingState to where the checkpoint's run was.

    raises: ValueError if the checkpoint is of a run with another configuration or other networks
    """
    header, tensors = load(path)
    mine, theirs = asdict(state.config), asdict(read_config(type(state.config), header["config"]))
    if header["data"] != state.data:
        raise ValueError(f"images: expected those of the run in {path}, got others; choose another checkpoint_dir")
    longer = {"steps"} if state.config.decay_from == 1 else set()  # with falling rates, other steps are another run
    seen = header["step"] * theirs.get("batch_size", 0)
    if growth.so_far(mine.get("growth", ()), seen) == growth.so_far(theirs.get("growth", ()), seen):
        longer |= {"growth"}  # stages still to come may be changed
    for name in mine.keys() - MAY_CHANGE - longer:
        if mine[name] != theirs[name]:
            raise ValueError(
                f"{name}: expected {theirs[name]!r} like the run in {path}, got {mine[name]!r}; "
                "choose another checkpoint_dir for another run"
            )
    precision = str(dtype).removeprefix("torch.")
    here = {**runtime.environment(_device(state)), "precision": precision, "ranks": ranks.world_size()}
    there = {**header["environment"], "precision": header["precision"], "ranks": header.get("ranks", 1)}
    changed = [f"{name} {there[name]} → {here[name]}" for name in here if here[name] != there[name]]
    if changed:
        warnings.warn(
            f"resuming {path} where it was not written ({'; '.join(changed)}): the run goes on, "
            "but not bit for bit as it would have there",
            stacklevel=3,
        )
    for name, optimizer in state.parts()[1].items():
        make_moments(optimizer, {int(key.split(".")[1]) for key in tensors if key.startswith(f"{name}.")})
    expected = named_tensors(state)
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())[:3]
        raise ValueError(f"{path}: expected the tensors of these networks; differing: {', '.join(odd)}")
    for name, target in expected.items():
        if target.shape != tensors[name].shape:
            raise ValueError(
                f"{path}: expected {name} of shape {tuple(target.shape)}, got {tuple(tensors[name].shape)}"
            )
    with torch.no_grad():
        for name, target in expected.items():
            target.copy_(tensors[name])  # into the target's own layout: fused Adam is silently wrong if strides differ
    state.step, state.history.rows = header["step"], header["history"]


def make_moments(optimizer: torch.optim.Optimizer, moved: Collection[int]) -> None:
    """The state that the optimizer's own first step creates, in each parameter's layout; its values do not matter.

    moved: the places of the parameters that have been moved so far; those of layers yet to be grown have no state
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for place in moved:
        parameters[place].grad = torch.zeros_like(parameters[place])  # Adam and RMSprop move nothing by it
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def moved(optimizer: torch.optim.Optimizer) -> list[int]:
    """The places of the parameters that have a state."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return [place for place, parameter in enumerate(parameters) if optimizer.state.get(parameter)]


def _device(state) -> torch.device:
    return next(next(iter(state.parts()[0].values())).parameters()).device


def named_tensors(state) -> dict[str, Tensor]:
    """Every tensor of a state by name; they alias the state, so copying into them restores it."""
    networks, optimizers = state.parts()
    named = {
        f"{part}.{name}": tensor for part, network in networks.items() for name, tensor in network.state_dict().items()
    }
    for part, optimizer in optimizers.items():
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        named |= {
            f"{part}.{index}.{name}": tensor
            for index, parameter in enumerate(parameters)
            for name, tensor in optimizer.state[parameter].items()
        }
    return named


def _digest(header: dict, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of everything else in a checkpoint: safetensors itself does not notice a changed number."""
    said = {name: value for name, value in header.items() if name != "sha256"}
    digest = hashlib.sha256(json.dumps(said).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


save_checkpoint, load_checkpoint = save, load
