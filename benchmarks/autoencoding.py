"""One training step of the course's VAE: the library's against the same step in reference operations.

    python benchmarks/autoencoding.py [--steps 60] [--device cpu]

Reference: NCHW memory layout, float32, torch.distributions for likelihood, posterior and KL, Adam as a loop over
parameters, the loss read out after every step, and batches from torchvision's ToTensor in a DataLoader without workers.
Both train vae-fashion's networks on the same images and take turns in one process; the best of the timed steps of each is
compared. First both steps are run on one batch with the same noise: their losses must agree.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from course_lib import data, runtime
from course_lib.training import recipes
from course_lib.training.autoencoding import elbo_step

RECIPE = "vae-fashion"


class Arrays(Dataset):
    """Images in memory, converted one by one: what torchvision's FashionMNIST does at each access."""

    def __init__(self, pixels):
        self.images = pixels[:, 0].numpy()
        self.transform = transforms.ToTensor()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(transforms.functional.to_pil_image(self.images[index]))


def network(device):
    return recipes.build(recipes.RECIPES[RECIPE])[0].to(device).train()


def plain_loss(vae, real, noise=None):
    """Minus the ELBO by torch.distributions; real: (N, 1, 28, 28) in [0, 1]."""
    mean, log_variance = vae.encode(2 * real - 1)
    q = Normal(mean, log_variance.mul(0.5).exp())
    z = q.rsample() if noise is None else mean + q.stddev * noise
    likelihood = Bernoulli(logits=vae.decode(z), validate_args=False).log_prob(real).sum((1, 2, 3))
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return -(likelihood - kl_divergence(q, prior).sum(1)).mean()


def reference(pixels, device, batch):
    """A generator of finished steps in reference operations."""
    vae = network(device)
    adam = torch.optim.Adam(vae.parameters(), lr=2e-3, foreach=False, fused=False)
    while True:
        for real in DataLoader(Arrays(pixels), batch_size=batch, shuffle=True, drop_last=True):
            loss = plain_loss(vae, real.to(device))
            adam.zero_grad()
            loss.backward()
            adam.step()
            loss.item()
            yield


def ours(pixels, device, batch):
    """A generator of finished steps as `training.autoencoding.fit_vae` does them."""
    vae = network(device).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(vae.parameters(), lr=2e-3, fused=True)
    pixels, step = pixels.to(device), 0
    while True:
        draw = runtime.keyed_generator(device, 0, step)
        index = torch.randint(len(pixels), (batch,), generator=draw, device=device)
        real = data.to_float(pixels[index]).contiguous(memory_format=torch.channels_last)
        elbo_step(vae, adam, real, torch.randn(batch, vae.latent_dim, generator=draw, device=device), 1.0)
        step += 1
        yield


def agree(pixels, device, batch) -> float:
    """Largest relative difference of the two losses on one batch with the same noise."""
    vae = network(device)
    real = data.to_float(pixels[:batch]).to(device)
    noise = torch.randn(batch, vae.latent_dim, device=device)
    with torch.no_grad():
        theirs = plain_loss(vae, (real + 1) / 2, noise)
    likelihood, kl = elbo_step(vae, torch.optim.SGD(vae.parameters(), lr=0.0), real, noise, 1.0)
    return (theirs + (likelihood - kl.sum(1)).mean()).abs().item() / theirs.item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="timed steps of each, after five that are not")
    parser.add_argument("--device", default=str(runtime.device()))
    options = parser.parse_args()
    device, batch = torch.device(options.device), recipes.RECIPES[RECIPE].config.batch_size
    pixels = data.load("fashion-mnist", "test").pixels
    apart = agree(pixels, device, batch)
    if apart > 1e-5:
        raise SystemExit(f"the two steps do not compute the same loss: {apart:.1e} apart")
    runners = {
        "reference: NCHW, torch.distributions, plain Adam, DataLoader": reference(pixels, device, batch),
        "ours": ours(pixels, device, batch),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for turn in range(options.steps + 5):
        for name, runner in runners.items():  # in turns, so that a noisy moment hits both
            runtime.synchronise(device)
            start = time.perf_counter()
            next(runner)
            runtime.synchronise(device)
            if turn >= 5:
                seconds[name].append(time.perf_counter() - start)
    facts = runtime.environment(device)
    print(
        f"{RECIPE}, batch {batch}; {facts['device']}; {facts['threads']} threads; torch {facts['torch']}; losses {apart:.0e} apart\n"
    )
    print(f"{'step':62}{'best':>9}{'median':>9}{'ratio':>8}")
    base = None
    for name, times in seconds.items():
        best, middle = min(times), statistics.median(times)
        base = base or best
        print(f"{name:62}{1e3 * best:7.1f}ms{1e3 * middle:7.1f}ms{base / best:7.2f}x")


if __name__ == "__main__":
    main()
