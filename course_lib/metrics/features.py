"""From images to features: what an extractor is, the ways to scale, and a cache under a complete key.

An extractor is one frozen value that holds all that changes its features. `extractor(name, …)` makes the course's
own, `wrap(network, …)` one of yours, `extract(images, extractor)` runs it and remembers.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from course_lib import assets, ranks, runtime
from course_lib.files import cache_dir, write_atomically
from course_lib.metrics.moments import GaussianMoments
from course_lib.metrics.resizing import RESIZES
from course_lib.models import inception
from course_lib.runtime import known, progress_bar

NO_HEAD = (
    "the Inception's 1008-class head is in no package; it comes with the official checkpoint of the pytorch-fid "
    "release (pt_inception-2015-12-05-6726825d.pth). The course's classifiers have heads of their own"
)

SCALINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "symmetric": lambda x: x / 127.5 - 1,  # 255 becomes 1
    "tensorflow": lambda x: (x - 128) / 128,  # 255 becomes 0.992
    "imagenet": lambda x: (
        (x / 255 - x.new_tensor([0.485, 0.456, 0.406])[:, None, None])
        / x.new_tensor([0.229, 0.224, 0.225])[:, None, None]
    ),
}
QUANTISATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "round": lambda x: (127.5 * x + 128).floor().clamp(0, 255),
    "truncate": lambda x: (255 * (x / 2 + 0.5)).floor().clamp(0, 255),  # half of all pixels land one level lower
}

# ---------------------------------------------------------------- pixels


def as_uint8(images: Tensor, argument: str, quantisation: str = "round") -> Tensor:
    """Images as (N, C, H, W) uint8, C 1 or 3. Nothing is rescaled; what looks like another range is warned about.

    images:       tensor or NumPy array, uint8 in [0, 255] (returned as it is) or floating point in [−1, 1]
    quantisation: "round": floor(127.5x + 128); "truncate": torchmetrics' way
    raises:       ValueError for another shape, type or range, NaN, or no image
    """
    images = torch.as_tensor(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.numel() == 0:
        last = images.ndim == 4 and images.shape[3] in (1, 3)
        hint = "; with channels last, swap the dimensions to (0, 3, 1, 2)" if last else ""
        raise ValueError(f"{argument}: expected (N, 1 or 3, H, W) with N > 0, got {tuple(images.shape)}{hint}")
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise ValueError(f"{argument}: expected uint8 in [0, 255] or floating point in [-1, 1], got {images.dtype}")
    low, high = (value.item() for value in images.detach().aminmax())
    if images.dtype == torch.uint8:
        if high <= 1:
            _suspicious(argument, f"uint8 values from {low} to {high}", "[0, 1]")
        return images
    if not (low >= -1 and high <= 1):  # written so that NaN fails too
        raise ValueError(f"{argument}: expected floating point in [-1, 1], got [{low:.9g}, {high:.9g}]")
    if low > -0.05 and high > low:  # resampling and rounding leave images of [0, 1] a little below 0
        _suspicious(argument, f"values from {low:.4g} to {high:.4g}", "[0, 1]")
    return QUANTISATIONS[known("quantisation", quantisation, QUANTISATIONS)](images.detach().float()).to(torch.uint8)


def _suspicious(argument: str, saw: str, looks_like: str) -> None:
    warnings.warn(f"{argument}: {saw} look like images in {looks_like}; they are taken as they are", stacklevel=4)


def pixels_sha256(images: Tensor) -> str:
    """Hash of uint8 images: of their shape and bytes."""
    found = hashlib.sha256(repr(tuple(images.shape)).encode())
    for batch in images.split(1000):
        found.update(batch.cpu().contiguous().numpy())
    return found.hexdigest()


# ---------------------------------------------------------------- extractors


@dataclass(frozen=True)
class Extractor:
    """uint8 (N, C, H, W) → float32 features (N, dimension) on the CPU. Two that are equal give the same features.

    channels:  what the network sees; grey images become three equal channels where it is 3, as in the tools
    size:      pixels a side that the network sees; None for whatever comes
    resize, scaling: names in RESIZES and SCALINGS
    weights:   SHA-256 of the network's weights; "" for a function that has none to show, which is never cached
    network:   (N, channels, size, size) scaled → (N, dimension)
    head:      features → class logits, where the network has one
    precision: of the network's arithmetic; measured for the FID of `fid-inception` in benchmarks/inception.py
    """

    name: str
    dimension: int
    channels: int
    size: int | None
    resize: str
    scaling: str
    weights: str
    network: Callable[[Tensor], Tensor] = field(compare=False, repr=False)
    head: Callable[[Tensor], Tensor] | None = field(default=None, compare=False, repr=False)
    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = True
    batch_size: int = field(default=64, compare=False)

    def __post_init__(self):
        known("resize", self.resize, RESIZES), known("scaling", self.scaling, SCALINGS)
        known("precision", self.precision, ("float32", "bfloat16"))
        if self.size is None and self.resize != "none":
            raise ValueError(f"size: expected the pixels a side that {self.resize!r} resizes to, got None")

    @torch.inference_mode()
    def __call__(self, images: Tensor, rows: range | None = None) -> Tensor:
        """Features of the images, or of those from rows.start to rows.stop, perhaps none.

        raises: ValueError for other images, or if the network returns another shape, NaN or infinity
        """
        if images.dtype != torch.uint8 or images.ndim != 4 or len(images) == 0:
            raise ValueError(
                f"images: expected (N, C, H, W) uint8 with N > 0, got {tuple(images.shape)} {images.dtype}"
            )
        first, last = (0, len(images)) if rows is None else (rows.start, rows.stop)
        found = torch.empty(last - first, self.dimension)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # float32 means float32
            for start in progress_bar(range(first, last, self.batch_size), desc=self.name, unit="batch", leave=False):
                batch = self.prepare(images[start : min(start + self.batch_size, last)])
                seen = self.network(batch.to(getattr(torch, self.precision))).float()
                if seen.shape != (len(batch), self.dimension):
                    raise ValueError(
                        f"network: expected features ({len(batch)}, {self.dimension}), got {tuple(seen.shape)}"
                    )
                if not torch.isfinite(seen).all():
                    image = start + (~torch.isfinite(seen)).any(1).nonzero()[0].item()
                    raise ValueError(f"network: expected finite features, got NaN or infinity from image {image}")
                found[start - first : start - first + len(batch)] = seen.cpu()
        return found

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 images → what the network sees, float32."""
        x = images.to(self.device).float()
        if x.shape[1] != self.channels:
            if x.shape[1] != 1:
                raise ValueError(f"images: expected {self.channels} channels for {self.name}, got {x.shape[1]}")
            x = x.expand(-1, self.channels, -1, -1)
        x = SCALINGS[self.scaling](RESIZES[self.resize](x, self.size))
        return x.contiguous(memory_format=torch.channels_last if self.channels_last else torch.contiguous_format)

    def key(self) -> dict[str, str]:
        """Everything that changes a digit of the features, besides the images."""
        names = ("name", "dimension", "channels", "size", "resize", "scaling", "weights", "precision", "channels_last")
        return {name: str(getattr(self, name)) for name in names} | {"device": self.device.split(":")[0]}


def _classifier(name: str, resize: str, scaling: str) -> Extractor:
    """One of the zoo's; `metrics` stands below `zoo`, so it is asked for when it is needed."""
    from course_lib import zoo

    network, card = zoo.load(name)
    weights, head = card["sha256"]["network.safetensors"], copy.deepcopy(network.head).cpu()
    return Extractor(name, head.in_features, 1, 28, "centre", "symmetric", weights, network.body, head, batch_size=500)


def _attribute_classifier(name: str, resize: str, scaling: str) -> Extractor:
    """The judge of avatars. It has a head for each attribute, so none whose classes exclude one another."""
    from course_lib import zoo

    network, card = zoo.load(name)
    weights, dimension = card["sha256"]["network.safetensors"], network.head.in_features
    return Extractor(
        name, dimension, 3, network.size, "averaged", "symmetric", weights, network.body, None, batch_size=500
    )


def _fid_inception(name: str, resize: str, scaling: str) -> Extractor:
    network = inception.fold(inception.load())
    return Extractor(name, inception.FEATURES, 3, inception.SIZE, resize, scaling, inception.weights_sha256(), network)


def _torchvision_inception(name: str, resize: str, scaling: str) -> Extractor:
    """For teaching what happens with another network: its distances are no FID. Uses torchvision's own scaling."""
    import torchvision

    path = Path(torch.hub.get_dir(), "checkpoints", "inception_v3_google-0cc3c7bd.pth")
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: expected torchvision's Inception-v3, found nothing; it is only for comparison, and nothing else needs it"
        )
    network = torchvision.models.inception_v3(weights=None, init_weights=False, transform_input=False)
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(tensors)
    network.fc = nn.Identity()
    return Extractor(name, 2048, 3, 299, resize, "imagenet", assets.digest(tensors), network)


EXTRACTORS: dict[str, Callable[[str, str, str], Extractor]] = {
    "fid-inception": _fid_inception,
    "classifier-fashion": _classifier,
    "classifier-mnist": _classifier,
    "classifier-avatars": _attribute_classifier,
    "torchvision-inception": _torchvision_inception,
}


def extractor(
    name: str,
    *,
    resize: str = "bilinear",
    scaling: str = "symmetric",
    device: str | torch.device | None = None,
    precision: str = "float32",
    channels_last: bool = True,
    batch_size: int | None = None,
) -> Extractor:
    """One of the course's extractors, ready on a device.

    "fid-inception"         2048 features of the 2015 Inception (after `gan-course fetch fid-inception`), any colour
                            images; resize and scaling as a protocol says
    "classifier-fashion"    64 features of the course's own classifier; grey images of 28 to 32 pixels, of which it
    "classifier-mnist"      sees the middle 28
    "torchvision-inception" another network with a similar name, to show that it is another; only if its weights are here

    device:    `runtime.device()` unless given
    precision: "bfloat16" is faster on CPUs with AMX (5.4 times pytorch-fid's network, float32 1.8 times) and moves the
               FID: Fashion-MNIST train[:2000] against test[:2000] is 12.22 and not 12.34, 0.9% less. Never mix the
               two: the same images in both precisions are 0.22 apart (benchmarks/inception.py)
    raises:    ValueError for unknown names; FileNotFoundError, naming the command, for missing weights
    """
    made = EXTRACTORS[known("extractor", name, EXTRACTORS)](name, resize, scaling)
    return _placed(made, device, precision, channels_last, batch_size)


def wrap(
    network: Callable[[Tensor], Tensor],
    *,
    name: str,
    dimension: int,
    channels: int = 3,
    size: int | None = None,
    resize: str = "none",
    scaling: str = "symmetric",
    head: Callable[[Tensor], Tensor] | None = None,
    device: str | torch.device | None = None,
    precision: str = "float32",
    channels_last: bool = True,
    batch_size: int = 64,
) -> Extractor:
    """An extractor of your own network: any module or function from scaled images to (N, dimension).

    A module is put in eval mode and known by its type and the hash of its state; a function that is no module shows
    no hash, so its features are never cached. In "bfloat16" or on another device a copy of the module runs.
    """
    weights = ""
    if isinstance(network, nn.Module):
        weights = assets.digest({key: value.detach().cpu() for key, value in network.state_dict().items()})
        name = f"{name} ({type(network).__name__})"
    made = Extractor(name, dimension, channels, size, resize, scaling, weights, network, head)
    return _placed(made, device, precision, channels_last, batch_size)


def _placed(made: Extractor, device, precision: str, channels_last: bool, batch_size: int | None) -> Extractor:
    batch_size = made.batch_size if batch_size is None else batch_size
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: expected a whole number from 1 up, got {batch_size!r}")
    device = str(device or runtime.device())
    known("precision", precision, ("float32", "bfloat16"))
    network = made.network
    if isinstance(network, nn.Module):
        network = network.eval()
        if precision != "float32" or any(str(p.device) != device for p in network.parameters()):
            network = copy.deepcopy(network).to(device, getattr(torch, precision))
        if channels_last and any(p.ndim == 4 for p in network.parameters()):
            network = network.to(memory_format=torch.channels_last)
    return replace(
        made, network=network, device=device, precision=precision, channels_last=channels_last, batch_size=batch_size
    )


# ---------------------------------------------------------------- the cache


def extract(images: Tensor, extractor: Extractor, *, cached: bool = True, shared: bool = False) -> Tensor:
    """Features of uint8 images, from the cache if they were computed before on this kind of device.

    The key holds the images' hash (with N), the extractor's name, weights, resize, scaling, precision, layout and
    device, and torch's version: whatever changes a digit. A damaged file is computed anew.

    shared:  the ranks of a process group divide the images among them; each must call this, with the same images.
             They cut between batches, so the network sees the very batches that one process would show it, and
             its features are the same to the bit (with as many threads, on the same kind of device)
    returns: (N, dimension) float32 on the CPU
    """

    def compute() -> dict[str, Tensor]:
        if not shared:
            return {"features": extractor(images)}
        rows = ranks.share(len(images), extractor.batch_size)
        return {"features": torch.cat(ranks.together(lambda: extractor(images, rows)))}

    return _remembered(images, extractor, "features", cached, compute, shared)["features"]


@dataclass(frozen=True)
class Statistics:
    """What `frechet_distance` asks for: count rows with this mean (d,) and covariance (d, d), float64."""

    count: int
    mean: Tensor
    cov: Tensor


def statistics(images: Tensor, extractor: Extractor, *, ddof: int = 1, cached: bool = True) -> Statistics:
    """Moments of the features of uint8 images, cached as `extract` caches features; ddof is part of the key."""

    def compute() -> dict[str, Tensor]:
        moments = GaussianMoments().update(extract(images, extractor, cached=cached))
        return {"mean": moments.mean, "cov": moments.cov(ddof)}

    found = _remembered(images, extractor, f"statistics, ddof {ddof}", cached, compute)
    return Statistics(len(images), found["mean"], found["cov"])


def _remembered(
    images: Tensor, extractor: Extractor, what: str, cached: bool, compute, shared: bool = False
) -> dict[str, Tensor]:
    """compute(), or what it gave before. shared: rank 0's file decides, lest some ranks compute and some do not."""
    if not cached or not extractor.weights:
        return compute()
    facts = {"what": what, "images": pixels_sha256(images), "torch": torch.__version__, **extractor.key()}
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    path = cache_dir() / "features" / f"{name}.safetensors"

    def recalled() -> dict[str, Tensor] | None:
        with contextlib.suppress(Exception):  # missing or damaged: safetensors has an exception class for each damage
            return from_bytes(path.read_bytes())

    tensors = ranks.from_first(recalled) if shared else recalled()
    if tensors is None:
        tensors = compute()
        if not shared or ranks.rank() == 0:
            with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not a result
                write_atomically(path, to_bytes(tensors, metadata=facts))
    return tensors
