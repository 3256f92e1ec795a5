"""What this machine is and how the course runs on it: device, profile, precision, randomness, files.

Every other module may import this one; of the course it imports only `files` and `ranks`.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from course_lib import ranks
from course_lib.files import cache_dir, write_atomically

PROFILES = ("ci", "laptop", "gpu")


def profile() -> str:
    """How much a training cell does: "ci" (seconds), "laptop" (minutes on two cores) or "gpu".

    COURSE_PROFILE decides; unset, CI=true means "ci", a CUDA device "gpu", anything else "laptop".
    raises: ValueError if COURSE_PROFILE is none of the three
    """
    chosen = os.environ.get("COURSE_PROFILE", "").strip()
    if chosen:
        return known("COURSE_PROFILE", chosen, PROFILES)
    if os.environ.get("CI", "").lower() in ("1", "true"):
        return "ci"
    return "gpu" if torch.cuda.is_available() else "laptop"


def by_profile(*, ci, laptop, gpu):
    """The one of three values that fits this machine's profile; a notebook's knobs go through here."""
    return {"ci": ci, "laptop": laptop, "gpu": gpu}[profile()]


def device() -> torch.device:
    """Where tensors live: COURSE_DEVICE if set, else CUDA, else Apple's MPS, else the CPU.

    raises: ValueError if COURSE_DEVICE names no device, or one that this machine does not have
    """
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    chosen = os.environ.get("COURSE_DEVICE")
    if not chosen:
        return torch.device("cuda" if here["cuda"] else "mps" if here["mps"] else "cpu")
    if not here[known("COURSE_DEVICE", chosen.split(":")[0], here)]:
        raise ValueError(f"COURSE_DEVICE: expected a device of this machine, got {chosen!r}, which PyTorch cannot see")
    return torch.device(chosen)


def known(argument: str, name: str, names: Iterable[str]) -> str:
    """`name` if it is one of `names`; otherwise a ValueError that offers the nearest right one."""
    names = list(names)
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{argument}: expected one of {', '.join(names)}, got {name!r}{hint}")


def keyed_generator(device: torch.device | str, *key: object) -> torch.Generator:
    """A random generator that depends on nothing but its key, such as (seed, step, "z").

    Drawing step k's randomness from the key (seed, k) means that a resumed run needs no saved random
    state, that ranks can slice one global batch, and that a test can redraw any step.
    """
    digest = hashlib.blake2b(repr(key).encode("utf-8"), digest_size=8).digest()
    generator = torch.Generator(device=device)
    generator.manual_seed(int.from_bytes(digest, "little") >> 1)
    return generator


# ---------------------------------------------------------------- precision, chosen by measurement


def environment(device: torch.device) -> dict[str, str]:
    """What a bit-for-bit repetition depends on besides code, data and seed."""
    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()
    return {
        "torch": torch.__version__,
        "device": f"{device.type}: {chip}",
        "threads": str(torch.get_num_threads()),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


def fastest_precision(trial: Callable[[torch.dtype], None], name: str, device: torch.device) -> tuple[torch.dtype, str]:
    """float32 or bfloat16, whichever runs `trial` faster on this machine, and a sentence that says so.

    bfloat16 is 1.4 times faster than float32 on a CPU with AMX and 10 times slower on one with AVX2
    alone, so no rule of thumb will do. A few steps of each are timed once and remembered in the cache.

    trial: runs one training step in the given dtype on throw-away copies
    name:  what is being timed; one measurement per name, device, torch version and thread count
    """
    key = " | ".join([name, *environment(device).values()])
    store = cache_dir() / "precision.json"
    measured = _read_json(store)
    if key not in measured:
        milliseconds = {
            str(dtype).removeprefix("torch."): _milliseconds(trial, dtype, device)
            for dtype in (torch.float32, torch.bfloat16)
        }
        measured[key] = milliseconds
        with contextlib.suppress(OSError):  # a cache that cannot be written costs a second the next time
            write_atomically(store, json.dumps(measured, indent=1).encode())
    times = measured[key]
    best = min(times, key=times.get)
    other = max(times, key=times.get)
    return getattr(torch, best), (
        f"precision: {best}, {times[best]:.1f} ms a step against {times[other]:.1f} ms in {other} (measured here)"
    )


def _milliseconds(trial, dtype, device, warm=2, timed=5) -> float:
    best = float("inf")
    for repeat in range(warm + timed):
        synchronise(device)
        start = time.perf_counter()
        trial(dtype)
        synchronise(device)
        if repeat >= warm:
            best = min(best, time.perf_counter() - start)
        if time.perf_counter() - start > 5.0:  # ten times slower than the other: no need to be precise
            return 1e3 * (time.perf_counter() - start)
    return 1e3 * best


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _cpuinfo(field: str) -> str:
    """The first value of a field of /proc/cpuinfo; empty where there is none, as on macOS and Windows."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(field):
                return line.split(":", 1)[1].strip()
    return ""


def _cpu_name() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def cpu_flags(*wanted: str) -> str:
    """Which of these instruction sets the CPU has, as Linux names them; "not told" elsewhere."""
    flags = _cpuinfo("flags").split()
    if not flags:
        return "not told"
    return ", ".join(flag for flag in wanted if flag in flags) or "none of " + ", ".join(wanted)


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def progress_bar(iterable: Iterable, **options):
    """tqdm that fits its surroundings (notebook or terminal) and is silent under CI and on all ranks but the first.

    TQDM_DISABLE does not reach `tqdm.notebook`, so `disable=` is set here.
    """
    from tqdm.auto import tqdm

    return tqdm(iterable, disable=profile() == "ci" or ranks.rank() > 0, **options)
