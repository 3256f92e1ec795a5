"""What each optimisation of a training step is worth, ours against a plain loop, and cost as a DCGAN grows.

    python benchmarks/gains.py [--sizes 32 64] [--steps 10] [--device cpu] [--only gains or growth]

The plain loop is the lesson's: NCHW, float32, Adam as a loop over parameters, gradients for D's weights in the
generator's step too, every image decoded and scaled by a PIL loader, the average of weights tensor by tensor. Each
optimisation is switched on alone, and off alone where all the others are on; the networks, the images, the batch and
the arithmetic are the same. All take turns in one process, and the best of the timed steps of each is compared. What
of our step is convolutions is told as well: no switch here makes those faster.
"""

from __future__ import annotations

import argparse
import contextlib
import time

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader
from training import PngFiles

from course_lib import data, runtime
from course_lib.losses import LOSSES
from course_lib.models import dcgan
from course_lib.training import ExponentialAverage
from course_lib.training.loop import InPrecision, frozen

LATENT, LOSS = 100, LOSSES["non_saturating"]
SWITCHES = {
    "channels_last": "channels-last layout",
    "fused": "fused Adam",
    "frozen_d": "D frozen in G's step",
    "tensor": "data as one tensor",
    "foreach": "average by foreach",
    "half": "bfloat16",
}


def steps(pixels, *, width, batch, device, channels_last, fused, frozen_d, tensor, foreach, half):
    """A generator of finished steps of a DCGAN on (N, C, S, S) uint8 images; every switch is a bool."""
    torch.manual_seed(0)
    channels, size = pixels.shape[1:3]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    g = dcgan.Generator(LATENT, width, channels, size).to(device, memory_format=layout).train()
    d = dcgan.Discriminator(width, channels, size).to(device, memory_format=layout).train()
    how = {"fused": True} if fused else {"fused": False, "foreach": False}
    adam_g, adam_d = (torch.optim.Adam(each.parameters(), 2e-4, (0.5, 0.999), **how) for each in (g, d))
    average = ExponentialAverage(g, 10) if foreach else {name: each.clone() for name, each in g.state_dict().items()}
    dtype = torch.bfloat16 if half else torch.float32
    fast_g, fast_d = InPrecision(g, dtype), InPrecision(d, dtype)
    held = pixels.to(device) if tensor else None
    loader = None if tensor else _for_ever(pixels, batch)
    step = 0
    while True:
        if tensor:
            draw = runtime.keyed_generator(device, 0, step)
            real = data.to_float(held[torch.randint(len(held), (batch,), generator=draw, device=device)])
        else:
            real = next(loader)[:, :channels].to(device)
        real = real.contiguous(memory_format=layout)
        z = torch.randn(2, batch, LATENT, device=device)
        with torch.no_grad():
            fake = fast_g(z[0])
        adam_d.zero_grad(set_to_none=True)
        LOSS.discriminator(fast_d(real), fast_d(fake)).backward()
        adam_d.step()
        with frozen(d) if frozen_d else contextlib.nullcontext():
            adam_g.zero_grad(set_to_none=True)
            LOSS.generator(fast_d(fast_g(z[1]))).backward()
        adam_g.step()
        step += 1
        if foreach:
            average.update(g, batch, step * batch)
        else:
            with torch.no_grad():
                for name, each in g.state_dict().items():
                    average[name] = 0.999 * average[name] + 0.001 * each if each.is_floating_point() else each.clone()
        yield


def _for_ever(pixels, batch):
    while True:
        yield from DataLoader(PngFiles(pixels.expand(-1, 3, -1, -1)), batch_size=batch, shuffle=True, drop_last=True)


def best_seconds(runners: dict, rounds: int, device) -> dict[str, float]:
    """The shortest step of each, two uncounted ones first; in turns, so that a noisy moment hits all of them."""
    best = dict.fromkeys(runners, float("inf"))
    for turn in range(rounds + 2):
        for name, runner in runners.items():
            runtime.synchronise(device)
            start = time.perf_counter()
            next(runner)
            runtime.synchronise(device)
            if turn >= 2:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def images(size: int, channels: int):
    """1,280 grey images as the lesson has them: Fashion-MNIST with a border, as RGB from 64 px up."""
    return data.load("fashion-mnist", "test").padded(size).pixels[:1280].expand(-1, channels, -1, -1).contiguous()


def gains(size: int, rounds: int, device, width: int = 64, batch: int = 64) -> None:
    """Each switch on alone and off alone, and the whole, at one size."""
    pixels = images(size, 3 if size >= 64 else 1)
    off, on = dict.fromkeys(SWITCHES, False), dict.fromkeys(SWITCHES, True)
    settings = {"plain": off, "ours": on, "ours, float32": on | {"half": False}}
    settings |= {f"+{name}": off | {name: True} for name in SWITCHES}
    settings |= {f"-{name}": on | {name: False} for name in SWITCHES}
    runners = {
        name: steps(pixels, width=width, batch=batch, device=device, **switches) for name, switches in settings.items()
    }
    best = best_seconds(runners, rounds, device)
    print(f"\nDCGAN at {size} px, width {width}, batch {batch}: best step of {rounds}")
    print(f"{'':26}{'alone, on the plain loop':>26}{'missing, from ours':>24}")
    for name, told in SWITCHES.items():
        alone, missing = best[f"+{name}"], best[f"-{name}"]
        print(
            f"{told:26}{1e3 * alone:14.1f}ms {best['plain'] / alone:8.2f}x{1e3 * missing:14.1f}ms {missing / best['ours']:7.2f}x"
        )
    for name in ("plain", "ours, float32", "ours"):
        print(
            f"{name:26}{1e3 * best[name]:14.1f}ms {best['plain'] / best[name]:8.2f}x{batch / best[name]:14.0f} images/s"
        )
    share = convolutions(runners["ours"])
    print(
        f"{'of ours, convolutions':26}{1e3 * share * best['ours']:14.1f}ms, {share:.0%}, where 2.5x allows {400 * best['plain']:.1f}ms in all"
    )


def convolutions(runner) -> float:
    """Share of a step's time on the CPU that is spent inside convolutions, forwards and backwards, over three steps."""
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(3):
            next(runner)
    rows = profiled.key_averages()
    return sum(row.self_cpu_time_total for row in rows if "convolution" in row.key) / sum(
        row.self_cpu_time_total for row in rows
    )


def growth(rounds: int, device, half: bool) -> None:
    """Milliseconds a step and an image as one of batch, width and size grows; the others are 64, 32 and 32 px."""
    print(f"\ncost of our step, {'bfloat16' if half else 'float32'} (batch 64, width 32, 32 px but for what grows)")
    print(f"{'':26}{'step':>14}{'an image':>14}{'images/s':>14}{'against the row above':>26}")
    everything = dict.fromkeys(SWITCHES, True) | {"half": half}
    for what, values in {"batch": (16, 32, 64, 128, 256), "width": (16, 32, 64, 128), "size": (32, 64, 128)}.items():
        before = None
        for value in values:
            chosen = {"batch": 64, "width": 32, "size": 32} | {what: value}
            pixels = images(chosen.pop("size"), 1)
            runner = steps(pixels, device=device, **chosen, **everything)
            seconds = best_seconds({"one": runner}, rounds, device)["one"]
            batch = chosen["batch"]
            ratio = "" if before is None else f"{seconds / before:.2f}x a step"
            print(
                f"{f'{what} {value}':26}{1e3 * seconds:12.1f}ms{1e3 * seconds / batch:12.2f}ms{batch / seconds:14.0f}{ratio:>26}"
            )
            before = seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--steps", type=int, default=10, help="timed steps of each, after two that are not")
    parser.add_argument("--device", default=str(runtime.device()))
    parser.add_argument("--only", choices=("gains", "growth"))
    options = parser.parse_args()
    device = torch.device(options.device)
    facts = runtime.environment(device)
    flags = runtime.cpu_flags("amx_bf16", "avx512_bf16", "avx512f", "avx2")
    print(f"{facts['device']}; {facts['threads']} threads; torch {facts['torch']}; CPU: {flags}")
    for size in options.sizes if options.only != "growth" else ():
        gains(size, options.steps, device)
    if options.only != "gains":
        for half in (False, True):
            growth(options.steps, device, half)


if __name__ == "__main__":
    main()
