"""Images a second through the FID's Inception against pytorch-fid's network, and what the fast ways do to the FID.

    python benchmarks/inception.py [--batch 32] [--images 2000]

Same weights, images, process and threads; all take turns, and the best of the timed batches of each is compared.
Then the FID of Fashion-MNIST's first training images against its first test images (grey made colour, protocol
pytorch-fid) with each way of computing. Needs `gan-course fetch fid-inception` and `pip install pytorch-fid`.
"""

from __future__ import annotations

import argparse
import time

import torch
import torchvision
from pytorch_fid import inception as peer

from course_lib import data, metrics, runtime
from course_lib.metrics import features
from course_lib.models import inception

WAYS = {  # options of features.extractor
    "ours, float32, channels first": {"channels_last": False},
    "ours, float32": {},
    "ours, bfloat16": {"precision": "bfloat16"},
}


def pytorch_fids(network: inception.Inception) -> torch.nn.Module:
    """pytorch-fid's network with our weights: both list their units in the order in which they compute."""
    plain = torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    plain.Mixed_5b = peer.FIDInceptionA(192, pool_features=32)
    plain.Mixed_5c, plain.Mixed_5d = (peer.FIDInceptionA(before, pool_features=64) for before in (256, 288))
    plain.Mixed_6b, plain.Mixed_6c, plain.Mixed_6d, plain.Mixed_6e = (
        peer.FIDInceptionC(768, channels_7x7=width) for width in (128, 160, 160, 192)
    )
    plain.Mixed_7b, plain.Mixed_7c = peer.FIDInceptionE_1(1280), peer.FIDInceptionE_2(2048)
    plain.fc, plain.dropout = torch.nn.Identity(), torch.nn.Identity()
    theirs = [m for m in plain.modules() if isinstance(m, torchvision.models.inception.BasicConv2d)]
    ours = [m for m in network.modules() if isinstance(m, inception.Unit)]
    for unit, other in zip(ours, theirs, strict=True):
        state = {"conv.weight": unit.weight, "bn.weight": torch.ones_like(unit.beta), "bn.bias": unit.beta}
        other.load_state_dict(state | {"bn.running_mean": unit.mean, "bn.running_var": unit.var}, strict=False)
    return plain.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=2000, help="a side, for the FID; 0 leaves it out")
    options = parser.parse_args()
    device = runtime.device()
    facts = runtime.environment(device)
    print(f"{facts['device']}, {facts['threads']} threads, torch {facts['torch']}")
    print(f"flags: {runtime.cpu_flags('avx2', 'avx512f', 'avx512_bf16', 'amx_bf16')}; batch {options.batch}\n")

    images = data.load("fashion-mnist", "test").pixels[: options.batch]
    eyes = {name: features.extractor("fid-inception", **way) for name, way in WAYS.items()}
    network = pytorch_fids(inception.load()).to(device)
    plain = (
        features.RESIZES["bilinear"](images.float(), 299)
        .expand(-1, 3, -1, -1)
        .div(127.5)
        .sub(1)
        .contiguous()
        .to(device)
    )
    seen = {name: one.prepare(images).to(getattr(torch, one.precision)) for name, one in eyes.items()}
    runs = {"pytorch-fid, float32": lambda: network(plain)}
    runs |= {name: lambda name=name: eyes[name].network(seen[name]) for name in eyes}
    seconds = dict.fromkeys(runs, float("inf"))
    with torch.inference_mode():
        for turn in range(options.rounds + 1):  # the first warms up
            for name, run in runs.items():
                runtime.synchronise(device)
                start = time.perf_counter()
                run()
                runtime.synchronise(device)
                if turn:
                    seconds[name] = min(seconds[name], time.perf_counter() - start)
        exact = network(plain).float()
        away = {name: (run().float() - exact).abs().max().item() for name, run in runs.items()}
    base = seconds["pytorch-fid, float32"]
    print(f"{'way':32}{'images/s':>10}{'ratio':>8}{'features off by':>18}")
    for name, took in seconds.items():
        print(f"{name:32}{options.batch / took:10.1f}{base / took:8.2f}{away[name]:18.1e}")

    if options.images:
        print(f"\nFID of Fashion-MNIST, train[:{options.images}] against test[:{options.images}]")
        sides = [data.load("fashion-mnist", split).pixels[: options.images] for split in ("train", "test")]
        found = {}
        for name in list(WAYS)[1:]:
            found[name] = metrics.fid(*(features.extract(side, eyes[name]) for side in sides))
            off = found[name] / found["ours, float32"] - 1
            print(f"{name:32}{found[name]:10.5f}{off:+10.3%}")


if __name__ == "__main__":
    main()
