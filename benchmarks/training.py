"""One training step of DCGAN-64 or of StyleGAN: the library's against the same step in reference operations.

    python benchmarks/training.py [--network dcgan or style] [--steps 12] [--device cpu]

Reference: NCHW memory layout, float32, Adam as a loop over parameters, every image decoded and scaled by a
PIL loader (torchvision transforms in a DataLoader without workers). Both take turns in one process, on the
same images, networks, batch and random numbers, and the best of the timed steps of each is compared.

StyleGAN's (both networks of models.style, width 12 at 64×64, batch 32, at each resolution they grow through): the reference resamples with a nearest
neighbour and a convolution by the blur, normalises and adds noise operation by operation, in float32, NCHW, with Adam
as a loop over parameters. The images come from memory in both, since that is what the DCGAN's comparison is about.
Both take R1 in one of 16 steps, and the mean over 16 is what counts. The process's largest memory so far is told too.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from unittest import mock

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from course_lib import data, runtime
from course_lib.losses import LOSSES
from course_lib.models import dcgan, style
from course_lib.penalties import r1
from course_lib.training import ExponentialAverage, discriminator_step, generator_step
from course_lib.training.draws import Told
from course_lib.training.loop import InPrecision

BATCH, LATENT = 64, 100
STYLE_BATCH, R1_EVERY = 32, 16


class PngFiles(Dataset):
    """Images as encoded files, decoded one by one: what torchvision's ImageFolder does, less the disk."""

    def __init__(self, pixels):
        self.files = []
        for image in pixels:
            buffer = io.BytesIO()
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(buffer, format="png")
            self.files.append(buffer.getvalue())
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.transform(Image.open(io.BytesIO(self.files[index])).convert("RGB"))


def networks(device):
    torch.manual_seed(0)
    return dcgan.Generator().to(device).train(), dcgan.Discriminator().to(device).train()


def reference(pixels, device):
    """A generator of finished steps in reference operations, with its averaged weights."""
    g, d = networks(device)
    adam = {"lr": 2e-4, "betas": (0.5, 0.999), "foreach": False, "fused": False}
    adam_g, adam_d = torch.optim.Adam(g.parameters(), **adam), torch.optim.Adam(d.parameters(), **adam)
    average = {name: tensor.clone() for name, tensor in g.state_dict().items()}
    loss = LOSSES["non_saturating"]
    while True:
        for real in DataLoader(PngFiles(pixels), batch_size=BATCH, shuffle=True, drop_last=True):
            real = real.to(device)
            adam_d.zero_grad()
            fake = g(torch.randn(BATCH, LATENT, device=device)).detach()
            loss.discriminator(d(real), d(fake)).backward()
            adam_d.step()
            adam_g.zero_grad()
            loss.generator(d(g(torch.randn(BATCH, LATENT, device=device)))).backward()
            adam_g.step()
            with torch.no_grad():
                for name, tensor in g.state_dict().items():
                    average[name] = (
                        0.999 * average[name] + 0.001 * tensor if tensor.is_floating_point() else tensor.clone()
                    )
            yield


def ours(pixels, device, dtype):
    """A generator of finished steps as `training.fit` does them."""
    g, d = (network.to(memory_format=torch.channels_last) for network in networks(device))
    pixels = pixels.to(device)
    adam = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": True}
    adam_g, adam_d = torch.optim.Adam(g.parameters(), **adam), torch.optim.Adam(d.parameters(), **adam)
    average = ExponentialAverage(g, 10)
    fast_g, fast_d, step = InPrecision(g, dtype), InPrecision(d, dtype), 0
    while True:
        draw = runtime.keyed_generator(device, 0, step)
        index = torch.randint(len(pixels), (BATCH,), generator=draw, device=device)
        real = data.to_float(pixels[index]).contiguous(memory_format=torch.channels_last)
        z = torch.randn(2, BATCH, LATENT, generator=draw, device=device)
        discriminator_step(fast_g, fast_d, adam_d, real, z[0])
        generator_step(fast_g, fast_d, adam_g, z[1])
        average.update(g, BATCH, (step + 1) * BATCH)
        step += 1
        yield


def plainly(x, w, style_of):
    """AdaIN, operation by operation."""
    scale, shift = style_of(w)[:, :, None, None].chunk(2, 1)
    mean = x.mean((2, 3), keepdim=True)
    variance = (x - mean).square().mean((2, 3), keepdim=True)
    return scale * ((x - mean) / (variance + 1e-8).sqrt()) + shift


def blurred(x):
    taps = x.new_tensor([0.25, 0.5, 0.25])
    kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=x.shape[1])


PLAIN = {  # what the reference puts in the place of models.style's operations
    "style.upsample_blurred": lambda x: blurred(F.interpolate(x, scale_factor=2)),
    "style.downsample_blurred": lambda x: F.avg_pool2d(blurred(x), 2),
    "style.Noise.forward": lambda self, x, noise: x + self.amount[:, None, None] * noise,
    "style.AdaIN.forward": lambda self, x, w: plainly(x, w, self.style),
}


def style_steps(pixels, device, resolution, dtype=torch.float32, plain=False):
    """A generator of finished StyleGAN steps at a resolution, R1 in the first of every 16."""
    torch.manual_seed(0)
    layout = torch.contiguous_format if plain else torch.channels_last
    pair = style.Generator(latent_dim=64, width=12, most=64), style.Discriminator(width=12, most=64)
    g, d = (network.to(device, memory_format=layout).train() for network in pair)
    g.grow(resolution), d.grow(resolution)
    how = {"foreach": False, "fused": False} if plain else {"fused": True}
    adam_g, adam_d = (torch.optim.Adam(n.parameters(), 2.5e-3, (0.0, 0.99), **how) for n in (g, d))
    average = ExponentialAverage(g, 10)
    told = Told(g)
    fast_g, fast_d, step = InPrecision(told, dtype), InPrecision(d, dtype), 0
    pixels = F.avg_pool2d(pixels.to(device).float(), pixels.shape[-1] // resolution).round().to(torch.uint8)
    while True:
        told.draw = draw = runtime.keyed_generator(device, 0, step)
        index = torch.randint(len(pixels), (STYLE_BATCH,), generator=draw, device=device)
        real = data.to_float(pixels[index]).contiguous(memory_format=layout)
        z = torch.randn(2, STYLE_BATCH, g.latent_dim, generator=draw, device=device)
        penalty = None if step % R1_EVERY else lambda critic, real, fake: 2 * R1_EVERY * r1(critic, real)
        with contextlib.ExitStack() as stack:
            for name, function in PLAIN.items() if plain else ():
                stack.enter_context(mock.patch(f"course_lib.models.{name}", function))
            discriminator_step(fast_g, fast_d, adam_d, real, z[0], penalty=penalty)
            generator_step(fast_g, fast_d, adam_g, z[1])
        average.update(g, STYLE_BATCH, (step + 1) * STYLE_BATCH)
        step += 1
        yield


def style_table(device, rounds: int) -> None:
    """Mean milliseconds of 16 steps, the best of `rounds`, and images a second; for each resolution."""
    pixels = data.load("avatars-small").pixels
    print(f"{'':8}{'reference':>22}{'ours, float32':>22}{'ours, bfloat16':>22}{'ratio':>8}{'memory':>12}")
    for resolution in (4, 8, 16, 32, 64):
        runners = [
            style_steps(pixels, device, resolution, plain=True),
            style_steps(pixels, device, resolution),
            style_steps(pixels, device, resolution, torch.bfloat16),
        ]
        best = [float("inf")] * len(runners)
        for turn in range(rounds + 1):  # the first is not counted
            for index, runner in enumerate(runners):
                runtime.synchronise(device)
                start = time.perf_counter()
                for _ in range(R1_EVERY):
                    next(runner)
                runtime.synchronise(device)
                if turn:
                    best[index] = min(best[index], (time.perf_counter() - start) / R1_EVERY)
        shown = "".join(f"{1e3 * seconds:10.1f}ms {STYLE_BATCH / seconds:6.0f}/s" for seconds in best)
        print(f"{resolution:3}×{resolution:<4}{shown}{best[0] / min(best[1:]):7.2f}x{_memory(device):>12}")


def _where(what: str, device) -> str:
    facts = runtime.environment(device)
    flags = runtime.cpu_flags("amx_bf16", "avx512_bf16", "avx512f", "avx2")
    return f"{what}; {facts['device']}; {facts['threads']} threads; torch {facts['torch']}; CPU: {flags}\n"


def _memory(device) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated(device) / 2**20:.0f} MiB"
    with contextlib.suppress(ImportError):  # not on Windows
        import resource

        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
        return f"{largest / (2**20 if sys.platform == 'darwin' else 2**10):.0f} MiB"
    return "not told"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=("dcgan", "style"), default="dcgan")
    parser.add_argument(
        "--steps",
        type=int,
        default=12,
        help="timed steps of each, after two that are not; style: a quarter as many rounds of 16",
    )
    parser.add_argument("--device", default=str(runtime.device()))
    options = parser.parse_args()
    device = torch.device(options.device)
    if options.network == "style":
        print(_where(f"StyleGAN, batch {STYLE_BATCH}", device))
        return style_table(device, max(1, options.steps // 4))
    grey = data.load("fashion-mnist", "test").padded(64).pixels[:1280]
    pixels = grey.expand(-1, 3, -1, -1).contiguous()
    runners = {
        "reference: NCHW, float32, plain Adam, PIL loader": reference(pixels, device),
        "ours, float32": ours(pixels, device, torch.float32),
        "ours, bfloat16": ours(pixels, device, torch.bfloat16),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for turn in range(options.steps + 2):
        for name, runner in runners.items():  # in turns, so that a noisy moment hits all of them
            runtime.synchronise(device)
            start = time.perf_counter()
            next(runner)
            runtime.synchronise(device)
            if turn >= 2:
                seconds[name].append(time.perf_counter() - start)
    print(_where(f"DCGAN-64, batch {BATCH}", device))
    print(f"{'step':52}{'best':>9}{'median':>9}{'ratio':>8}")
    base = None
    for name, times in seconds.items():
        best, middle = min(times), statistics.median(times)
        base = base or best
        print(f"{name:52}{1e3 * best:7.0f}ms{1e3 * middle:7.0f}ms{base / best:7.2f}x")


if __name__ == "__main__":
    main()
