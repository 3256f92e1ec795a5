"""From the finished run of an autoencoder or a VAE to an entry of the zoo, and what is measured of one."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from course_lib import bounds, data, files, metrics, zoo
from course_lib.latent.overlap import active_dimensions, posterior_shares, sharers
from course_lib.models.vae import VAE, AutoEncoder
from course_lib.runtime import keyed_generator
from course_lib.training import checkpoint
from course_lib.training.recipes import RECIPES, build
from course_lib.zoo.judging import JUDGES, judge
from course_lib.zoo.measuring import PROTOCOL
from course_lib.zoo.recording import _write, count, round_to

BETAS = (0.1, 1.0, 2.0, 4.0, 8.0)
SWEEP = "vae-fashion-sweep"  # the recipe of the β sweep, and its folder in the zoo
SHOWN = 24  # images of each kind that the sweep keeps
SEEN = ("fashion-mnist", "mnist")  # data sets whose samples are judged as the GANs' are
READINGS = ("grey", "dynamic", "static")  # of a pixel, by a Bernoulli likelihood


def record_autoencoder(recipe_name: str, run: Path, out: Path, *, samples: int = 10_000, tested: int = 10_000) -> dict:
    """Write network.safetensors and card.json of an AutoEncoder's or a VAE's run into `out`; returns the card.

    Weights are kept in float16, which halves the file, and what is measured is the network with these weights.

    samples: from N(0, I), and for an autoencoder, which has no prior, also from the normal nearest to its codes
    tested:  test images for reconstructions and, of a VAE, for the bounds on log p(x)
    """
    recipe = RECIPES[recipe_name]
    network, header = finished(recipe_name, run)
    tensors = {name: tensor.cpu().half().contiguous() for name, tensor in network.state_dict().items()}
    network.load_state_dict(tensors)
    test = recipe.images("test").subset(slice(tested))
    drawn = zoo.sample(network, samples, seed=1)
    facts = {
        "summary": recipe.summary,
        "recipe": recipe_name,
        "config": header["config"],
        "precision": header["precision"],
        "parameters": {"encoder": count(network.encoder), "decoder": count(network.decoder)},
        "data": {"name": recipe.data, "split": "train", "sha256": data.load(recipe.data).sha256()},
        "hardware": header["environment"],
        "minutes": round(minutes(header), 1),
        "weights": "float16",
        "metrics": rounded(seen(drawn, test.pixels, recipe.data)),
        "reconstructions": rounded(reconstructions(network, test.pixels, recipe.data)),
    }
    if isinstance(network, VAE):
        trained_on = "dynamic" if header["config"].get("binarise") else "grey"
        readings = READINGS if (network.likelihood, trained_on) == ("bernoulli", "grey") else (trained_on,)
        facts["bounds"] = rounded(bounded(network, test.pixels, readings=readings))
        learned = recipe.images().subset(slice(2000)).pixels
        facts["bounds_of_training_images"] = rounded(bounded(network, learned, readings=(trained_on,)))
    else:
        codes = encoded(network, recipe.images().pixels)
        facts["fitted_normal"] = rounded(seen(from_normal(network, codes, samples), test.pixels, recipe.data))
    facts["history"] = [{key: round_to(value, 5) for key, value in row.items()} for row in header["history"]]
    facts["config"].pop("checkpoint_dir")
    return _write(out, facts, {"network.safetensors": to_bytes(tensors)})


def finished(recipe_name: str, run: Path) -> tuple[AutoEncoder, dict]:
    """The network that a run has trained so far, in eval mode, and its checkpoint's header."""
    header, tensors = checkpoint.load(Path(run) / "last.safetensors")
    (network,) = build(RECIPES[recipe_name])
    network.load_state_dict(
        {name.removeprefix("network."): each for name, each in tensors.items() if name.startswith("network.")}
    )
    return network.eval().requires_grad_(False), header


def minutes(header: dict) -> float:
    """Wall-clock minutes that the logged rows took, with whatever else the machine was doing."""
    rows = header["history"]
    before = [0, *(row["step"] for row in rows)]
    size = header["config"]["batch_size"]
    return sum((row["step"] - last) * size / row["images_per_second"] for row, last in zip(rows, before)) / 60


# ---------------------------------------------------------------- what is measured


@torch.inference_mode()
def encoded(network: AutoEncoder, pixels: Tensor, draw: torch.Generator | None = None) -> Tensor:
    """Codes of uint8 images: of a VAE the means of q, or with `draw` one sample of each q. (N, C, H, W) → (N, d) on the CPU"""
    device = next(network.parameters()).device
    codes = []
    for batch in pixels.split(1000):
        found = network.encode(data.to_float(batch.to(device)))
        if isinstance(network, VAE):
            mean, log_variance = (each.cpu() for each in found)
            noise = 0 * mean if draw is None else torch.randn(mean.shape, generator=draw)
            codes.append(bounds.reparameterise(mean, log_variance, noise))
        else:
            codes.append(found.cpu())
    return torch.cat(codes)


def normal_like(codes: Tensor, count: int, seed: int = 1) -> Tensor:
    """`count` draws of the normal with these codes' mean and covariance. (N, d) → (count, d)"""
    root = torch.linalg.cholesky(torch.cov(codes.double().T)).float()
    noise = torch.randn(count, codes.shape[1], generator=keyed_generator("cpu", seed, "codes"))
    return codes.mean(0) + noise @ root.T


@torch.inference_mode()
def from_normal(network: AutoEncoder, codes: Tensor, count: int, seed: int = 1) -> Tensor:
    """What the draws of `normal_like` decode to: the nearest thing to a prior that an autoencoder has."""
    device = next(network.parameters()).device
    return torch.cat([network(z.to(device)).cpu() for z in normal_like(codes, count, seed).split(500)])


def seen(images: Tensor, real: Tensor, dataset: str) -> dict:
    """What can be measured of samples: all that the data's classifier sees, where there is one, and sharpness.

    images: (N, C, H, W) float in [−1, 1];  real: uint8 test images of the same shape
    """
    found = {"sharpness": sharpness(images) / sharpness(data.to_float(real)), "n": len(images)}
    return found | judge(images, dataset) | neighbours(images, dataset) if dataset in SEEN else found


def neighbours(images: Tensor, real: str = "fashion-mnist") -> dict:
    """Precision, recall, density and coverage as the cards of the GANs have them: same features, protocol and real images."""
    fake = data.to_uint8(images) if images.is_floating_point() else images
    found = metrics.evaluate(
        data.load(real, "test").pixels[: len(fake)],
        fake,
        protocol=PROTOCOL,
        metrics=("precision_recall", "density_coverage"),
        extractor=JUDGES[real],
        cached=False,
    )
    return {row.metric: row.value for row in found.rows}


@torch.inference_mode()
def reconstructions(network: AutoEncoder, pixels: Tensor, dataset: str = "fashion-mnist") -> dict:
    """How near the networks give back what they are given: mean squared error in [−1, 1] and sharpness, and, where the
    data have a classifier, distance and sureness."""
    device = next(network.parameters()).device
    found = torch.cat([network.reconstruct(data.to_float(batch.to(device))).cpu() for batch in pixels.split(500)])
    images = data.to_float(pixels)
    said = judge(found, dataset) if dataset in SEEN else {}
    return {
        "mse": (found - images).square().mean().item(),
        **{key: said[key] for key in ("fid", "sure") if key in said},
        "sharpness": sharpness(found) / sharpness(images),
        "n": len(pixels),
    }


def read(images: Tensor, reading: str) -> Tensor:
    """Test images as one of READINGS has them: "grey" leaves them, "dynamic" draws each pixel black or white with its
    grey level as probability, once and for all, "static" cuts at one half. (N, C, H, W) float in [−1, 1]"""
    if reading == "dynamic":
        return bounds.binarise(images, torch.rand(images.shape, generator=keyed_generator("cpu", 0, "binarise")))
    return images if reading == "grey" else torch.where(images > 0, 1.0, -1.0)


def bounded(vae: VAE, pixels: Tensor, draws: int = 50, others: int = 2000, readings: Sequence[str] = READINGS) -> dict:
    """Bounds on log p(x) in nats per image, with standard errors over images, for several readings of a pixel.

    Each reading (`read`) is another data set; all but "grey" are measured on the first `others` images. Of a Gaussian likelihood
    the bound is on a density of images in [−1, 1].
    """
    images = data.to_float(pixels)
    table = {}
    for name in readings:
        each = read(images if name == "grey" else images[:others], name)
        found = bounds.of_images(vae, each, draws=draws)
        values = {"log_likelihood": found.log_likelihood, "kl": found.kl.sum(1), "elbo": found.elbo}
        values |= {f"iwae_{k}": bound for k, bound in found.weighted.items()}
        table[name] = {key: dict(zip(("mean", "error"), bounds.mean_and_error(value))) for key, value in values.items()}
        table[name]["n"] = len(each)
        if name == readings[0]:
            table["kl_per_dimension"] = found.kl.mean(0).tolist()
            table["active"] = active_dimensions(encoded(vae, pixels))
    return table | {"draws": draws, "unit": f"nats per image of {pixels[0].numel()} values"}


def sharpness(images: Tensor) -> float:
    """Mean squared step between neighbouring pixels, across and down: what blur lowers. (N, C, H, W) float"""
    across, down = images.diff(dim=3), images.diff(dim=2)
    return 0.5 * (across.square().mean() + down.square().mean()).item()


@torch.inference_mode()
def shared(vae: VAE, pixels: Tensor, draws: int = 1000) -> float:
    """Median number of these images that share the latent of one of them (latent.overlap)."""
    mean, log_variance = vae.encode(data.to_float(pixels))
    noise = torch.randn(draws, mean.shape[1], generator=keyed_generator("cpu", 0, "shared"))
    z = bounds.reparameterise(mean[:draws], log_variance[:draws], noise)
    return sharers(posterior_shares(z, mean, log_variance)).median().item()


def rounded(value, digits: int = 5):
    """`round_to` through dicts as well."""
    return (
        {key: rounded(each, digits) for key, each in value.items()}
        if isinstance(value, dict)
        else round_to(value, digits)
    )


# ---------------------------------------------------------------- the β sweep


def record_sweep(runs: Path, out: Path, betas: Sequence[float] = BETAS, *, samples: int = 10_000) -> dict:
    """Write what each β's run (runs/BETA) gives into one file, results.safetensors in `out`: numbers, and images to look at."""
    recipe = RECIPES[SWEEP]
    parts = [swept(Path(runs) / f"{beta:g}", beta, samples) for beta in betas]
    headers = [header for header, _ in parts]
    facts = {
        "summary": recipe.summary,
        "recipe": SWEEP,
        "config": {key: value for key, value in headers[0]["config"].items() if key not in ("beta", "checkpoint_dir")},
        "data": {"name": recipe.data, "split": "train", "sha256": data.load(recipe.data).sha256()},
        "hardware": headers[0]["hardware"],
        "bounds": {"n": 2000, "draws": 50, "reading": "grey", "unit": "nats per image of 784 pixels"},
        "rows": [header["row"] for header in headers],
    }
    images = {name: torch.stack([tensors[name] for _, tensors in parts]) for name in ("samples", "reconstructions")}
    files.write_atomically(Path(out) / "results.safetensors", to_bytes(images, {"course": json.dumps(facts)}))
    return facts


def swept(run: Path, beta: float, samples: int = 10_000) -> tuple[dict, dict[str, Tensor]]:
    """({"run", "config", "hardware", "row"}, images) of one β's finished run.

    Kept in measured.safetensors beside the checkpoint, so that a run is measured once, as soon as it is finished.
    raises: ValueError if the run is of another β or not finished
    """
    checkpoint_file, kept = run / "last.safetensors", run / "measured.safetensors"
    digest = hashlib.sha256(checkpoint_file.read_bytes()).hexdigest()
    if kept.exists():
        header, tensors = _with_facts(kept)
        if header["run"] == digest and header["row"]["samples"]["n"] == samples and header["row"]["beta"] == beta:
            return header, tensors
    vae, trained = finished(SWEEP, run)
    if trained["config"]["beta"] != beta or trained["step"] != trained["config"]["steps"]:
        raise ValueError(f"runs: expected a finished run with β = {beta:g} in {run}")
    test = RECIPES[SWEEP].images("test")
    real = data.to_float(test.pixels)
    images = zoo.sample(vae, samples, seed=1)
    found = bounds.of_images(vae, real[:2000])
    values = {"log_likelihood": found.log_likelihood, "kl": found.kl.sum(1), "elbo": found.elbo}
    values["iwae_50"] = found.weighted[50]
    row = {
        "beta": beta,
        **{key: bounds.mean_and_error(value)[0] for key, value in values.items()},
        "elbo_error": bounds.mean_and_error(found.elbo)[1],
        "active": active_dimensions(encoded(vae, test.pixels)),
        "shared": shared(vae, test.pixels),
        "samples": seen(images, test.pixels, RECIPES[SWEEP].data),
        "reconstructions": reconstructions(vae, test.pixels),
        "minutes": minutes(trained),
    }
    with torch.inference_mode():
        tensors = {
            "samples": data.to_uint8(zoo.sample(vae, SHOWN)),
            "reconstructions": data.to_uint8(vae.reconstruct(real[:SHOWN])),
        }
    header = {"run": digest, "config": trained["config"], "hardware": trained["environment"], "row": rounded(row)}
    files.write_atomically(kept, to_bytes(tensors, {"course": json.dumps(header)}))
    return header, tensors


@functools.lru_cache(maxsize=1)
def sweep() -> tuple[dict, dict[str, Tensor]]:
    """(facts, images) of the recorded β sweep: facts["rows"] one a β; samples and reconstructions (B, 24, 1, 28, 28) uint8.

    raises: FileNotFoundError naming the cure if it is missing
    """
    path = zoo.FOLDER / SWEEP / "results.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a part of the zoo, found nothing; {zoo.MEND}")
    return _with_facts(path)


def _with_facts(path: Path) -> tuple[dict, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["course"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
