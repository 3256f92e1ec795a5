"""One training step of DCGAN-64: the library's against the same step in reference operations.

    python benchmarks/training.py [--steps 12] [--device cpu]

Reference: NCHW memory layout, float32, Adam as a loop over parameters, every image decoded and scaled by a
PIL loader (torchvision transforms in a DataLoader without workers). Both take turns in one process, on the
same images, networks, batch and random numbers, and the best of the timed steps of each is compared.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from course_lib import data, runtime
from course_lib.losses import LOSSES
from course_lib.models import dcgan
from course_lib.training import ExponentialAverage, discriminator_step, generator_step
from course_lib.training.loop import InPrecision

BATCH, LATENT = 64, 100


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12, help="timed steps of each, after two that are not")
    parser.add_argument("--device", default=str(runtime.device()))
    options = parser.parse_args()
    device = torch.device(options.device)
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
    facts = runtime.environment(device)
    flags = runtime.cpu_flags("amx_bf16", "avx512_bf16", "avx512f", "avx2")
    print(
        f"DCGAN-64, batch {BATCH}; {facts['device']}; {facts['threads']} threads; torch {facts['torch']}; CPU: {flags}\n"
    )
    print(f"{'step':52}{'best':>9}{'median':>9}{'ratio':>8}")
    base = None
    for name, times in seconds.items():
        best, middle = min(times), statistics.median(times)
        base = base or best
        print(f"{name:52}{1e3 * best:7.0f}ms{1e3 * middle:7.0f}ms{base / best:7.2f}x")


if __name__ == "__main__":
    main()
