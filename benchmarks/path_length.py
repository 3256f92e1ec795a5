"""Path lengths: paths a second of the library against torch-fidelity's, same generator, same distance, one run.

    python benchmarks/path_length.py [--paths 400] [--threads 2] [--rounds 3] [--cpu]

Needs the `test` extra (torch-fidelity). Both walk in Z from the first end, round images to grey levels, enlarge them to 64
pixels and compare them with the library's LPIPS (AlexNet), so that only the ways around the two networks differ.
torch-fidelity's own distance is VGG's, which would drown everything else. The two draw their latents differently; with
the same ones they agree to 1e-4 (tests/metrics/test_path_length.py). LPIPS alone stands below, against the package `lpips`
with the same weights.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
import warnings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=400)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="each side runs as often, in turn; the best counts")
    parser.add_argument("--cpu", action="store_true", help="processor seconds, where others use the machine too")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)

    import torch

    from course_lib import runtime, zoo

    torch.set_num_threads(options.threads)
    generator = zoo.load("dcgan-fashion")[0]
    device = next(generator.parameters()).device
    print(
        f"{runtime.environment(device)}; {'processor' if options.cpu else 'wall clock'} seconds; load before: {os.getloadavg()[0]:.1f}\n"
    )
    sides = {"torch-fidelity": theirs(generator, options), "ours": ours(generator, options)}
    best = race(sides, options)
    print(f"{'path lengths in Z, AlexNet, 64 px':36} {'paths a second':>16} {'ratio':>8}")
    for name, seconds in best.items():
        print(f"{name:36} {options.paths / seconds:16.1f} {best['torch-fidelity'] / seconds:7.2f}x")

    best = race(distances(options), options)
    print(f"\n{'LPIPS (AlexNet), 64 px':36} {'pairs a second':>16} {'ratio':>8}")
    for name, seconds in best.items():
        print(f"{name:36} {options.paths / seconds:16.1f} {best['lpips'] / seconds:7.2f}x")


def race(sides, options) -> dict[str, float]:
    """The best of a few times of each side, in turn, after one of each that does not count."""
    clock = time.process_time if options.cpu else time.perf_counter
    best = {name: float("inf") for name in sides}
    for turn in range(options.rounds + 1):
        for name, work in sides.items():
            start = clock()
            with contextlib.redirect_stdout(io.StringIO()):
                work()
            if turn:
                best[name] = min(best[name], clock() - start)
    return best


def ours(generator, options):
    from course_lib import metrics

    def work():
        return metrics.perceptual_path_length(
            generator, protocol="torch-fidelity", paths=options.paths, batch_size=options.batch
        ).mean

    return work


def theirs(generator, options):
    import numpy as np
    import torch
    from torch_fidelity import metric_ppl, sample_similarity_base
    from torch_fidelity.generative_model_modulewrapper import GenerativeModelModuleWrapper

    from course_lib.models import lpips

    device = next(generator.parameters()).device
    eyes = lpips.load("alex", str(device))
    percentile = np.percentile
    metric_ppl.np = type("np", (), dict(vars(np)))  # numpy 2.4 dropped an argument that it passes
    metric_ppl.np.percentile = staticmethod(
        lambda values, share, interpolation=None: percentile(values, share, method=interpolation)
    )

    class Wrapped(torch.nn.Module):
        def forward(self, z):
            return generator(z).add(1).mul(127.5).round().to(torch.uint8).expand(-1, 3, -1, -1)

    class Alex(sample_similarity_base.SampleSimilarityBase):
        def forward(self, x, y):
            def seen(image):
                image = torch.nn.functional.interpolate(image.float(), (64, 64), mode="bilinear", align_corners=False)
                return image / 127.5 - 1

            return eyes.of_any_range(seen(x), seen(y))

    metric_ppl.create_sample_similarity = lambda *_, **__: Alex("alex")

    def work():
        with torch.no_grad():
            return metric_ppl.calculate_ppl(
                1,
                input1=GenerativeModelModuleWrapper(Wrapped(), generator.latent_dim, "normal", 0),
                input1_model_num_samples=options.paths,
                batch_size=options.batch,
                cuda=device.type == "cuda",
                verbose=False,
                rng_seed=0,
            )

    return work


def distances(options):
    import torch

    from course_lib.models import lpips as networks

    with warnings.catch_warnings():  # of torchvision's old keyword arguments, which the package uses
        warnings.simplefilter("ignore")
        import lpips

        theirs = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    eyes = networks.load()
    convolutions = [module for module in theirs.net.modules() if isinstance(module, torch.nn.Conv2d)]
    for theirs_conv, conv in zip(convolutions, eyes.convs, strict=True):
        theirs_conv.load_state_dict(conv.state_dict())
    x, y = torch.rand(2, options.paths, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1

    def run(network):
        def work():
            with torch.inference_mode():
                return torch.cat(
                    [network(a, b).flatten() for a, b in zip(x.split(options.batch), y.split(options.batch))]
                )

        return work

    apart = (run(eyes)() - run(theirs)()).abs().max().item()
    assert apart < 1e-5, f"the two distances differ by {apart:.1e}"
    return {"lpips": run(theirs), "ours": run(eyes)}


if __name__ == "__main__":
    main()
