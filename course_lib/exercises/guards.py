"""What stands around an answer while it is judged: a time limit, its own name, and nothing left behind."""

from __future__ import annotations

import _thread
import random
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def undisturbed():
    """Whatever runs inside leaves no trace in the notebook: random states, grad mode, default dtype."""
    python, numpy_state, dtype, grad = (
        random.getstate(),
        np.random.get_state(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
    )
    try:
        with torch.random.fork_rng(), torch.enable_grad():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)


class _Limit:
    reached = False


@contextmanager
def time_limit(seconds: float):
    """KeyboardInterrupt in the main thread after `seconds`; `.reached` tells it from the learner's own."""
    limit, over, lock = _Limit(), False, threading.Lock()

    def stop():
        with lock:
            if not over:
                limit.reached = True
                _thread.interrupt_main()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    deaf = None
    if threading.current_thread() is threading.main_thread():
        if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):  # as in a job started in the background
            deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer.start()
    try:
        yield limit
    finally:
        with lock:
            over = True
        timer.cancel()
        if deaf is not None:
            signal.signal(signal.SIGINT, deaf)


@contextmanager
def under_its_own_name(answer: Callable):
    """While it is checked, the answer's name means the answer.

    Otherwise, after one «Run All», `def lerp(a, b, t): return lerp(a, b, t)` would call the library's function
    and be accepted.
    """
    home = sys.modules.get(getattr(answer, "__module__", None))
    space, name = getattr(answer, "__globals__", vars(home) if home else {}), getattr(answer, "__name__", "")
    missing = object()
    before = space.get(name, missing)
    space[name] = answer
    try:
        yield
    finally:
        if before is missing:
            space.pop(name, None)
        else:
            space[name] = before


def seed() -> None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
