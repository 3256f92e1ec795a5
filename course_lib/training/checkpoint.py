"""Checkpoints from which a run goes on exactly: one safetensors file, its header holding the rest as JSON.

One file means one atomic rename: networks, optimizers, averaged weights and history are always of the same
step. Nothing is pickled, so a checkpoint from a stranger is data, not code.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from course_lib import files, runtime

FORMAT = 1
MAY_CHANGE = {"log_every_steps", "checkpoint_dir", "checkpoint_every_steps", "precision"}


def save(state, path: Path, dtype: torch.dtype) -> None:
    """Write the whole TrainingState to `path`, atomically.

    raises: OSError naming the file if the disk is full or read-only; the checkpoint before it stays intact
    """
    device = next(state.generator.parameters()).device
    header = {
        "format": FORMAT,
        "step": state.step,
        "data": state.data,
        "config": asdict(state.config),
        "history": state.history.rows,
        "precision": str(dtype).removeprefix("torch."),
        "environment": runtime.environment(device),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(state).items()}
    files.write_atomically(path, to_bytes(tensors, {"course": json.dumps(header)}))


def load(path: Path | str) -> tuple[dict, dict[str, Tensor]]:
    """(header, tensors) of a checkpoint.

    raises: FileNotFoundError; ValueError if the file is not a whole checkpoint of this format
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
    if header["format"] != FORMAT:
        raise ValueError(f"{path}: expected checkpoint format {FORMAT}, got {header['format']}")
    return header, tensors


def restore(state, path: Path, dtype: torch.dtype) -> None:
    """Bring a freshly built TrainingState to where the checkpoint's run was.

    raises: ValueError if the checkpoint is of a run with another configuration or other networks
    """
    header, tensors = load(path)
    mine, theirs = asdict(state.config), header["config"]
    if header["data"] != state.data:
        raise ValueError(f"images: expected those of the run in {path}, got others; choose another checkpoint_dir")
    longer = {"steps"} if state.config.decay_from == 1 else set()  # with falling rates, other steps are another run
    for name in mine.keys() - MAY_CHANGE - longer:
        if json.dumps(mine[name]) != json.dumps(theirs.get(name)):
            raise ValueError(
                f"{name}: expected {theirs.get(name)!r} like the run in {path}, got {mine[name]!r}; "
                "choose another checkpoint_dir for another run"
            )
    here = {
        **runtime.environment(next(state.generator.parameters()).device),
        "precision": str(dtype).removeprefix("torch."),
    }
    there = {**header["environment"], "precision": header["precision"]}
    changed = [f"{name} {there[name]} → {here[name]}" for name in here if here[name] != there[name]]
    if changed:
        warnings.warn(
            f"resuming {path} where it was not written ({'; '.join(changed)}): the run goes on, "
            "but not bit for bit as it would have there",
            stacklevel=3,
        )
    for optimizer in (state.optimizer_g, state.optimizer_d):
        _make_moments(optimizer)
    expected = _tensors(state)
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())[:3]
        raise ValueError(f"{path}: expected the tensors of these networks; differing: {', '.join(odd)}")
    with torch.no_grad():
        for name, target in expected.items():
            if target.shape != tensors[name].shape:
                raise ValueError(
                    f"{path}: expected {name} of shape {tuple(target.shape)}, got {tuple(tensors[name].shape)}"
                )
            target.copy_(tensors[name])  # into the target's own layout: fused Adam is silently wrong if strides differ
    state.step, state.history.rows = header["step"], header["history"]


def _make_moments(optimizer: torch.optim.Optimizer) -> None:
    """Adam's state as its first step would create it: the parameter's layout, the counter on its device."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }


def _tensors(state) -> dict[str, Tensor]:
    """Every tensor of a state by name; they alias the state, so copying into them restores it."""
    networks: dict[str, nn.Module] = {"generator": state.generator, "discriminator": state.discriminator}
    if state.average:
        networks["average"] = state.average.network
    named = {
        f"{part}.{name}": tensor for part, network in networks.items() for name, tensor in network.state_dict().items()
    }
    for part, optimizer in (("adam_g", state.optimizer_g), ("adam_d", state.optimizer_d)):
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        named |= {
            f"{part}.{index}.{name}": tensor
            for index, parameter in enumerate(parameters)
            for name, tensor in optimizer.state[parameter].items()
        }
    return named


save_checkpoint, load_checkpoint = save, load
