"""Metrics from features: each of the library's against the tool that the field uses, in one run.

    python benchmarks/metrics.py [--quick] [--threads 2] [--cpu]

Needs the `test` extra (pytorch-fid, torch-fidelity, prdc). Every work runs once in a process of its own, which loads
its inputs and imports its tool before the clock starts; peak memory is told for the whole process (inputs and
imports included: PyTorch's libraries alone are some 500 MiB) and for what the work added to it. The features are made to look like Inception's: not negative, correlated, with a spectrum that falls off.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np  # nothing else here: a reference that needs no torch must not be charged for it

KID = {
    "kid_subsets": 100,
    "kid_subset_size": 1000,
    "kid_kernel": "poly",
    "kid_kernel_poly_degree": 3,
    "kid_kernel_poly_gamma": None,
    "kid_kernel_poly_coef0": 1,
    "rng_seed": 2020,
}

# ---------------------------------------------------------------- the two sides: each imports, then returns its work


def pytorch_fid(real, fake):
    """`calculate_activation_statistics` less the network, then the distance; it keeps features in float64."""
    distance = _pytorch_fid_distance()
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    return lambda: distance(np.mean(real, 0), np.cov(real, rowvar=False), np.mean(fake, 0), np.cov(fake, rowvar=False))


def import_what_is_asked_for_late():
    """The library imports SciPy where it is used; the references' imports are outside the clock too."""
    importlib.import_module("scipy.linalg")


def our_fid(real, fake):
    import_what_is_asked_for_late()
    import torch

    from course_lib import metrics

    return lambda: metrics.fid(torch.from_numpy(real), torch.from_numpy(fake))


def numpy_moments(real, fake):
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    return lambda: [np.mean(real, 0), np.mean(fake, 0), np.cov(real, rowvar=False), np.cov(fake, rowvar=False)][2].sum()


def our_moments(real, fake):
    import_what_is_asked_for_late()
    import torch

    from course_lib import metrics

    def work():
        moments = [metrics.GaussianMoments().update(torch.from_numpy(rows)) for rows in (real, fake)]
        return [side.cov() for side in moments][0].sum().item()

    return work


def scipy_trace(real, fake):
    import scipy.linalg

    x, y = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    return lambda: np.trace(scipy.linalg.sqrtm(x @ y)).real


def our_trace(real, fake):
    import_what_is_asked_for_late()
    import torch

    from course_lib.metrics.frechet import trace_of_root

    x, y = (torch.from_numpy(np.cov(rows, rowvar=False)) for rows in (real, fake))
    return lambda: trace_of_root(x, y).item()


def prdc(real, fake):
    from prdc import compute_prdc

    return lambda: tuple(float(value) for value in compute_prdc(real, fake, 5).values())


def our_prdc(real, fake):
    import torch

    from course_lib import metrics

    return lambda: tuple(metrics.prdc(real=torch.from_numpy(real), fake=torch.from_numpy(fake), k=5))


def torch_fidelity_kid(real, fake):
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    real, fake = torch.from_numpy(real), torch.from_numpy(fake)
    return lambda: kid_features_to_metric(real, fake, verbose=False, **KID)["kernel_inception_distance_mean"]


def our_kid(real, fake):
    """On torch-fidelity's subsets, so that the digits can be compared."""
    import torch

    from course_lib import metrics

    def work():
        draw = np.random.RandomState(KID["rng_seed"])
        sides = [
            draw.choice(len(side), KID["kid_subset_size"], replace=False)
            for _ in range(KID["kid_subsets"])
            for side in (real, fake)
        ]
        rows = torch.from_numpy(np.stack(sides))
        pair = torch.from_numpy(real), torch.from_numpy(fake)
        return metrics.kid_of_subsets(*pair, rows[::2], rows[1::2]).mean().item()

    return work


def torch_fidelity_score(logits):
    import torch
    from torch_fidelity.metric_isc import isc_features_to_metric

    return lambda: isc_features_to_metric(torch.from_numpy(logits), shuffle=False)["inception_score_mean"]


def our_score(logits):
    import torch

    from course_lib import metrics

    return lambda: metrics.inception_score(logits=torch.from_numpy(logits)).mean


def _pytorch_fid_distance():
    """pytorch-fid's own function; SciPy 1.18 dropped `sqrtm(disp=)`, which it calls, so it gets one that has it."""
    import scipy.linalg
    from pytorch_fid import fid_score

    def sqrtm(matrix, disp=True):
        return scipy.linalg.sqrtm(matrix) if disp else (scipy.linalg.sqrtm(matrix), 0.0)

    fid_score.linalg = SimpleNamespace(sqrtm=sqrtm)
    return fid_score.calculate_frechet_distance


# ---------------------------------------------------------------- running them


def make_inputs(folder: Path, n: int, few: int, d: int, images: int, classes: int) -> None:
    import torch
    from torch.nn.functional import softplus

    torch.manual_seed(0)
    mixing = torch.randn(d, d) * torch.arange(1, d + 1).pow(-0.5)[:, None]
    for key, shift in (("real", 0.0), ("fake", 0.1)):
        rows = softplus(0.5 * torch.randn(n, d) @ mixing + 0.3 * torch.randn(n, d) + shift - 0.5).numpy()
        np.save(folder / f"{key}.npy", rows)
        np.save(folder / f"{key}_few.npy", rows[:few])
    np.save(folder / "logits.npy", 3 * torch.randn(images, classes).numpy())


def isolated(work, paths: list[Path], threads: int, cpu: bool, send) -> None:
    run = work(*(np.load(path) for path in paths))
    small = np.ones((256, 256))
    _ = small @ small  # wakes the threads
    if scipy := sys.modules.get("scipy.linalg"):  # whose BLAS is one of its own
        scipy.blas.dgemm(1.0, small, small)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
        _ = torch.from_numpy(small) @ torch.from_numpy(small)
    before = peak_mib()
    with contextlib.redirect_stdout(io.StringIO()):  # prdc prints
        clock = time.process_time if cpu else time.perf_counter
        start = clock()
        value = run()
        seconds = clock() - start
    send.send((seconds, value, peak_mib(), peak_mib() - before))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def in_process(target, *arguments):
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, send) if target is isolated else arguments)
    process.start()
    send.close()
    answer = receive.recv() if target is isolated else None
    process.join()
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small inputs, for a rehearsal: the ratios mean nothing")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="processor seconds, where others use the machine too")
    options = parser.parse_args()
    n, few, d, images, classes = (1500, 200, 256, 5000, 100) if options.quick else (10000, 1000, 2048, 50000, 1008)
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(options.threads)
    rows = [
        (f"FID, N={n}", "pytorch-fid", pytorch_fid, our_fid, ("real", "fake")),
        ("  moments", "numpy mean, cov", numpy_moments, our_moments, ("real", "fake")),
        ("  trace term", "scipy sqrtm", scipy_trace, our_trace, ("real", "fake")),
        (f"FID, N={few}", "pytorch-fid", pytorch_fid, our_fid, ("real_few", "fake_few")),
        ("precision, recall, density, coverage", "prdc", prdc, our_prdc, ("real", "fake")),
        ("KID, 100 x 1000", "torch-fidelity", torch_fidelity_kid, our_kid, ("real", "fake")),
        (f"Inception Score, {images} x {classes}", "torch-fidelity", torch_fidelity_score, our_score, ("logits",)),
    ]
    print(
        f"N = {n}, d = {d}, float32; {options.threads} threads; {'processor' if options.cpu else 'wall clock'} seconds; load before: {os.getloadavg()[0]:.1f}\n"
    )
    print(f"{'':55}{'seconds':^26}{'MiB, whole process':^21}{'MiB, added by it':^21}")
    three = f"{'theirs':>7}{'ours':>7}{'share':>7}"
    print(f"{'work':38}{'reference':17}{'theirs':>9}{'ours':>9}{'ratio':>8}{three}{three}  difference")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_process(make_inputs, folder, n, few, d, images, classes)
        for title, tool, reference, ours, inputs in rows:
            paths = [folder / f"{key}.npy" for key in inputs]
            theirs = in_process(isolated, reference, paths, options.threads, options.cpu)
            here = in_process(isolated, ours, paths, options.threads, options.cpu)
            print(
                f"{title:38}{tool:17}{theirs[0]:9.3f}{here[0]:9.3f}{theirs[0] / here[0]:7.1f}x"
                f"{memory(theirs[2], here[2])}{memory(theirs[3], here[3])}  {difference(theirs[1], here[1])}",
                flush=True,
            )


def memory(theirs: float, ours: float) -> str:
    return f"{theirs:7.0f}{ours:7.0f}{ours / max(theirs, 1):7.2f}"


def difference(theirs, ours) -> str:
    """Relative, or whether the four shares are the same counts."""
    if isinstance(theirs, tuple):
        same = np.allclose(theirs, ours, rtol=1e-14, atol=0)
        return f"{'identical' if same else 'NOT identical'}: {', '.join(f'{value:.6g}' for value in ours)}"
    return f"{abs(ours - theirs) / abs(theirs):.1e} relative, of {theirs:.6g}"


if __name__ == "__main__":
    main()
