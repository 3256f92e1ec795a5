"""Tensors out of other people's pickles, without running anything of theirs.

A pickle is a program that may call any function. Here every name that it asks for is looked up in a table of a few
harmless ones, and whatever is not in the table is refused. What comes out is {name: tensor}, names joined by dots.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor


class _Record:
    """Stands for an object of a class that is not imported: takes its attributes, does nothing."""

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)


class _Restricted(pickle.Unpickler):
    """Finds no function but those in `table`; classes below `records` become _Record."""

    def __init__(self, file: BinaryIO, table: dict[tuple[str, str], object], records: str = "\0", storage=None):
        super().__init__(file)
        self.table, self.records, self.storage = table, records, storage

    def find_class(self, module: str, name: str) -> object:
        if module.startswith(self.records):
            return _Record
        if (module, name) not in self.table:
            raise ValueError(f"pickle: expected tensors, got a call of {module}.{name}, which is not allowed")
        return self.table[module, name]

    def persistent_load(self, key: tuple) -> Tensor:
        if self.storage is None:
            raise ValueError(f"pickle: expected no outside storage, got {key!r}")
        return self.storage(key)


def from_numpy_pickle(content: bytes) -> dict[str, Tensor]:
    """The arrays in nested dictionaries. raises: ValueError if the pickle asks for anything but numpy arrays"""

    def empty(*_) -> np.ndarray:  # what numpy's own does before __setstate__ fills in shape, type and bytes
        return np.empty(0)

    table = {(f"numpy.{core}.multiarray", "_reconstruct"): empty for core in ("core", "_core")}
    table |= {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype}
    found = _flat(_load(io.BytesIO(content), table))
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in found.items() if isinstance(a, np.ndarray)}


def from_torchscript(file: BinaryIO) -> dict[str, Tensor]:
    """The weights of a TorchScript archive, which is a zip of a pickle, of tensors and of code; the code is not read.

    raises: ValueError if the pickle asks for anything but float32 tensors and lists of numbers
    """
    with zipfile.ZipFile(file) as archive:
        root = archive.namelist()[0].split("/")[0]

        def storage(key: tuple) -> Tensor:
            _, kind, name, _, count = key
            if kind != "float32":
                raise ValueError(f"pickle: expected float32 storage, got {kind}")
            return torch.frombuffer(bytearray(archive.read(f"{root}/data/{name}")), dtype=torch.float32, count=count)

        def rebuild(values: Tensor, offset: int, size: tuple, stride: tuple, *_) -> Tensor:
            return values.as_strided(size, stride, offset).clone(memory_format=torch.contiguous_format)

        table = {
            ("torch._utils", "_rebuild_tensor_v2"): rebuild,
            ("torch", "FloatStorage"): "float32",
            ("torch.jit._pickle", "build_intlist"): list,
            ("collections", "OrderedDict"): OrderedDict,
        }
        found = _flat(_load(io.BytesIO(archive.read(f"{root}/data.pkl")), table, "__torch__.", storage))
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}


def _load(*arguments) -> object:
    try:
        return _Restricted(*arguments).load()
    except ValueError:
        raise
    except Exception as error:  # damaged pickles raise nearly anything
        raise ValueError(f"pickle: expected a whole one, got a damaged one ({error})") from error


def _flat(value: object, prefix: str = "") -> dict[str, object]:
    """The leaves of nested dictionaries and records by their dotted names."""
    inner = vars(value) if isinstance(value, _Record) else value
    if not isinstance(inner, dict):
        return {prefix: value}
    found = {}
    for name, one in inner.items():
        found |= _flat(one, f"{prefix}.{name}" if prefix else str(name))
    return found
