"""Where this process stands among those that `torchrun` started, and how they share work: one process has rank 0 of 1.

Imports nothing of the course. What training needs besides (gradients that are averaged) stands in training.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
import torch.distributed as dist

Value = TypeVar("Value")


def rank() -> int:
    """This process's number, 0 without a process group."""
    return dist.get_rank() if _grouped() else 0


def world_size() -> int:
    """How many processes there are, 1 without a process group."""
    return dist.get_world_size() if _grouped() else 1


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Within it the processes of one `torchrun` know each other; each has its own GPU where there are any.

    Does nothing in a process that stands alone, or where a process group exists already.
    """
    if _grouped() or not dist.is_available() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group()  # gloo for tensors on the CPU, NCCL for those on a GPU
    try:
        yield
    finally:
        dist.destroy_process_group()


def share(count: int, multiple: int = 1) -> range:
    """This rank's part of range(count): contiguous, in rank order, cut only at multiples (of a batch size, say).

    A part may be empty. The parts of all ranks together are range(count), each number once.
    """
    pieces = -(-count // multiple)
    start, stop = (min(count, pieces * number // world_size() * multiple) for number in (rank(), rank() + 1))
    return range(start, stop)


def together(make: Callable[[], Value]) -> list[Value]:
    """make() on every rank; all results, in rank order, on every rank. What one of them raises is raised on all.

    Every rank must call it: those that do would wait for the others.
    """
    results = _gathered(_attempt(make))
    for _, error in results:
        if error is not None:
            raise error
    return [value for value, _ in results]


def from_first(make: Callable[[], Value]) -> Value:
    """make() on rank 0 alone; its result on every rank. What it raises is raised on all."""
    return together(make if rank() == 0 else lambda: None)[0]


def _attempt(make: Callable[[], Value]) -> tuple[Value | None, Exception | None]:
    try:
        return make(), None
    except Exception as error:  # raised again on every rank: none is left waiting
        if world_size() == 1:
            raise
        return None, error


def _gathered(value: Value) -> list[Value]:
    if world_size() == 1:
        return [value]
    values: list[Value] = [value] * world_size()
    dist.all_gather_object(values, value)
    return values


def _grouped() -> bool:
    return dist.is_available() and dist.is_initialized()
