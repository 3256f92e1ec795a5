"""One run on several processes that `torchrun` started, with the result of one process for the same global batch.

    torchrun --nproc-per-node 2 -m course_lib.cli train dcgan-fashion

Every rank holds both networks, draws the whole batch's randomness from the same key (seed, step) and computes its own
rows of it (`rows`). Gradients are averaged between `backward` and the optimizer's step, by a hook on the optimizer
(`average_gradients`), so every rank takes the same step. Rank 0 alone writes, prints and runs callbacks.

Why not DistributedDataParallel: it averages while one backward pass runs through the module it wraps. Here D runs
several times before a backward pass; in G's step it is run through without wanting gradients; and a penalty calls
`torch.autograd.grad`, which DDP does not support. The hook needs to know none of it, works with a learner's own steps,
and the gradients of these networks are a few megabytes, so that hiding their transfer would gain little.

Networks that treat images independently give the result of one process to rounding. BatchNorm and MinibatchStd take
their statistics from a rank's rows alone: with them, more ranks are another network, and what is kept are rank 0's
running statistics.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.distributed as dist
from torch import Tensor

from course_lib import ranks
from course_lib.training import checkpoint


class RankLost(RuntimeError):
    """Another process of the run is gone, so this one stops too."""


def rows(batch_size: int) -> slice:
    """This rank's part of a batch, as large as every other's. raises: ValueError if they cannot be equally large"""
    if batch_size % ranks.world_size():
        raise ValueError(
            f"batch_size: expected a multiple of the {ranks.world_size()} processes, which share it, got {batch_size}"
        )
    share = ranks.share(batch_size)
    return slice(share.start, share.stop)


def described(batch_size: int, batch_norm: bool) -> str:
    """A sentence on how the work is shared."""
    own = "; BatchNorm takes its statistics of these alone" if batch_norm else ""
    return f"{ranks.world_size()} processes, {batch_size // ranks.world_size()} images of each batch in each{own}"


def average_gradients(optimizer: torch.optim.Optimizer) -> None:
    """From now on each of the optimizer's steps takes the mean of all ranks' gradients; nothing where there is one rank."""
    if ranks.world_size() > 1:
        optimizer.register_step_pre_hook(lambda optimizer, *_: _average(optimizer))


def _average(optimizer: torch.optim.Optimizer) -> None:
    parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    means = mean(torch.cat([gradient.reshape(-1) for gradient in gradients]))  # one message instead of dozens
    for gradient, part in zip(gradients, means.split([gradient.numel() for gradient in gradients])):
        gradient.copy_(part.view(gradient.shape))


def mean(values: Tensor) -> Tensor:
    """The mean over ranks, the same bits on each of them."""
    return values if ranks.world_size() == 1 else _reduced(values, dist.ReduceOp.SUM) / ranks.world_size()


def least(value: Tensor) -> Tensor:
    """The smallest of all ranks' values."""
    return value if ranks.world_size() == 1 else _reduced(value, dist.ReduceOp.MIN)


def _reduced(values: Tensor, operation) -> Tensor:
    values = values.detach().clone()
    dist.all_reduce(values, operation)
    return values


def same_everywhere(state) -> None:
    """Rank 0's networks, optimizers, step and history on every rank: what it built, or what it read from a checkpoint."""
    if ranks.world_size() == 1:
        return
    state.step, state.history.rows = ranks.from_first(lambda: (state.step, state.history.rows))
    for optimizer in state.parts()[1].values():
        moved = ranks.from_first(partial(checkpoint.moved, optimizer))
        if ranks.rank():
            checkpoint.make_moments(optimizer, moved)
    device = next(state.generator.parameters()).device  # where RMSprop's counters are not
    with torch.no_grad():
        for tensor in checkpoint.named_tensors(state).values():
            sent = tensor.detach().to(device).contiguous()
            dist.broadcast(sent, 0)
            tensor.copy_(sent)


@contextmanager
def one_fate(where: Callable[[], str]) -> Iterator[None]:
    """Within it, a rank that is left behind raises RankLost with a sentence that says where the run stood.

    It notices by a broken connection in the next exchange, or by the SIGTERM with which torchrun ends the ranks that
    are left; whichever comes first. From then on the process no longer heeds SIGTERM, which would cut the sentence off
    before it is printed; it is ending, and torchrun's SIGKILL follows after half a minute. Nothing where there is one rank.

    where: () → such as "at step 7; the last good state is …"
    """
    if ranks.world_size() == 1:
        yield
        return

    def lost(why: str) -> RankLost:
        if listening:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return RankLost(f"rank {ranks.rank()} stopped because another rank is gone ({why}) {where()}")

    def told(*_):
        raise lost("torchrun ended this one")

    listening = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, told) if listening else None
    try:
        yield
    except dist.DistError as error:  # NCCL, and the store
        raise lost(_first_line(error)) from error
    except RuntimeError as error:
        if "gloo" not in str(error) and "onnection" not in str(error):  # gloo has no exception of its own
            raise
        raise lost(_first_line(error)) from error
    finally:
        if listening and signal.getsignal(signal.SIGTERM) is told:
            signal.signal(signal.SIGTERM, before)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
