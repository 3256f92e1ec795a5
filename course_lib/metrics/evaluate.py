"""Two sets of images in, a table of numbers out, each with N, the protocol it follows and the hash of its network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_lib import metrics, ranks
from course_lib.data import Images
from course_lib.metrics import features, protocols
from course_lib.metrics.features import Extractor
from course_lib.metrics.protocols import Protocol
from course_lib.metrics.sources import open_images
from course_lib.runtime import known

LEAST = 2  # images a side: one has no covariance


@dataclass(frozen=True)
class Measured:
    """One number. `error` is None where there is none; `error_is` says what kind it is, or why there is none.

    protocol: whose definition; extractor, weights: whose eyes, with their SHA-256
    seconds:  of the arithmetic, once there are features
    """

    metric: str
    value: float
    error: float | None
    error_is: str
    better: str
    n_real: int
    n_fake: int
    protocol: str
    extractor: str
    weights: str
    precision: str
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` returns: rows in the order asked for, what could not be measured and why, and what to know.

    network_seconds: of looking at the images, or of reading what an earlier look left in the cache
    """

    rows: tuple[Measured, ...]
    missing: dict[str, str]  # metric → why there is no number
    notes: tuple[str, ...]
    real: str
    fake: str
    seconds: float
    network_seconds: float

    def __getitem__(self, metric: str) -> Measured:
        return {row.metric: row for row in self.rows}[known("metric", metric, [row.metric for row in self.rows])]

    def as_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Metric:
    """A line of METRICS. measure(protocol, real, fake, head) → [(name, value, error, what the error is)]

    better: "lower" or "higher"
    """

    summary: str
    better: str
    paper: str
    measure: Callable[[Protocol, Tensor, Tensor, Callable | None], list[tuple[str, float, float | None, str]]]


def _fid(protocol: Protocol, real: Tensor, fake: Tensor, head):
    value = protocols.fid(protocol, real=real, fake=fake)
    try:
        return [("fid", value, metrics.fid_standard_error(real, fake), "standard error, without the bias of N")]
    except ValueError:
        return [("fid", value, None, f"none: it needs more images than the {real.shape[1]} features, and no dead ones")]


def _fid_infinity(protocol: Protocol, real: Tensor, fake: Tensor, head):
    least = 4 * real.shape[1]  # so that half of the sizes, which begin at two for each feature, lie below N / 2
    if len(fake) < least:
        raise ValueError(
            f"fake: expected at least {least} images, four for each feature (with fewer the bias is no straight line "
            f"over 1/N), got {len(fake)}"
        )
    found = metrics.fid_infinity(real=real, fake=fake)
    return [("fid_infinity", found.fid, (found.high - found.low) / 2, "95 % interval of the line")]


def _kid(protocol: Protocol, real: Tensor, fake: Tensor, head):
    values = protocols.kid_values(protocol, real=real, fake=fake)
    return [("kid", values.mean().item(), values.std(correction=0).item(), f"std of {len(values)} subsets")]


def _score(protocol: Protocol, real: Tensor, fake: Tensor, head):
    if head is None:
        raise ValueError(features.NO_HEAD)
    with torch.inference_mode():
        mean, std = protocols.inception_score(protocol, logits=head(fake))
    return [("inception_score", mean, std, f"std of {protocol.score_splits} splits")]


def _precision_recall(protocol: Protocol, real: Tensor, fake: Tensor, head):
    found = protocols.precision_recall(protocol, real=real, fake=fake)
    return [(name, share, _binomial(share, n), "binomial, of the shares alone")
            for (name, share), n in zip(found._asdict().items(), (len(fake), len(real)))]  # fmt: skip


def _binomial(share: float, n: int) -> float:
    """Standard error of a share of n, with one success and one failure added, so that 0 and 1 are not certain."""
    share = (share * n + 1) / (n + 2)
    return (share * (1 - share) / (n + 2)) ** 0.5


def _density_coverage(protocol: Protocol, real: Tensor, fake: Tensor, head):
    found = metrics.density_coverage(real=real, fake=fake, k=5)
    coverage = (found.coverage, _binomial(found.coverage, len(real)), "binomial, of the shares alone")
    return [("density", found.density, None, "none: its balls overlap"), ("coverage", *coverage)]


def _prd(protocol: Protocol, real: Tensor, fake: Tensor, head):
    found = metrics.prd_curve(real=real, fake=fake)
    none = "none: a mean over clusterings of the same images"
    return [("prd_f8", found.f8, None, none), ("prd_f1_8", found.f1_8, None, none)]


METRICS = {
    "fid": Metric("Fréchet distance of Gaussians fitted to features", "lower", "arXiv:1706.08500", _fid),
    "fid_infinity": Metric("FID extrapolated to endless fakes", "lower", "arXiv:1911.07023", _fid_infinity),
    "kid": Metric("squared MMD of features under a cubic kernel, unbiased", "lower", "arXiv:1801.01401", _kid),
    "inception_score": Metric("sure of each image, and of all classes alike", "higher", "arXiv:1606.03498", _score),
    "precision_recall": Metric("shares inside the other set's balls", "higher", "arXiv:1904.06991", _precision_recall),
    "density_coverage": Metric("how deep in real balls, and how many hold a fake", "higher", "arXiv:2002.09797",
                               _density_coverage),
    "prd": Metric("precision-recall curve over clusters: F8 weighs recall, F1/8 precision", "higher",
                  "arXiv:1806.00035", _prd),
}  # fmt: skip


def evaluate(
    real: Tensor | Images | str | Path,
    fake: Tensor | Images | str | Path,
    *,
    protocol: str = "pytorch-fid",
    metrics: Iterable[str] | None = None,
    extractor: str | Extractor = "fid-inception",
    device: str | torch.device | None = None,
    precision: str = "float32",
    batch_size: int | None = None,
    cached: bool = True,
) -> Evaluation:
    """Each metric of two sets of images, with its error, N, protocol and the hash of the network that looked.

    real, fake: uint8 in [0, 255] or floating point in [−1, 1], (N, C, H, W), tensor or NumPy array; or `Images`; or
                what `open_images` takes
    protocol:   a name in protocols.PROTOCOLS; a metric that it does not define follows the one that does
    metrics:    names in METRICS; all unless given. What one set cannot give (too few images, no head) is told in
                `missing`, and the others go on
    batch_size: images at a time; the extractor's own unless given
    extractor:  a name in features.EXTRACTORS, or an Extractor, whose resize and scaling then hold for every metric
    raises:     ValueError if the two cannot be compared: one image, other channels, other sizes where nothing resizes,
                the same images twice; FileNotFoundError for missing files or weights

    In a process group (`ranks.joined` under torchrun) every rank must call it, with the same arguments. They divide the
    network's work (`features.extract`); the arithmetic is done once, on rank 0, on all features in their order, so the
    digits are those of one process. Every rank gets the result.
    """
    started = time.perf_counter()
    chosen = protocols.protocol(protocol)
    asked = [known("metrics", name, METRICS) for name in (metrics if metrics is not None else METRICS)]
    if not asked:
        raise ValueError("metrics: expected at least one, got none")
    if isinstance(real, (str, Path)) and isinstance(fake, (str, Path)) and _same(real, fake):
        raise ValueError(f"fake: expected another set than real, got {fake} twice; its distance to itself says nothing")
    notes: list[str] = []
    sides = {"real": real, "fake": fake}
    told = {side: str(value) if isinstance(value, (str, Path)) else "given images" for side, value in sides.items()}
    pixels: dict[str, Tensor] = {}

    def opened() -> list[str]:
        pixels.update({side: _pixels(value, side, chosen.quantisation, notes) for side, value in sides.items()})
        return [features.pixels_sha256(images) for images in pixels.values()] if ranks.world_size() > 1 else []

    first, *others = ranks.together(opened)
    if any(other != first for other in others):
        raise ValueError("real, fake: expected the same images on every rank, got different ones")
    eyes_of = {(chosen.resize, chosen.scaling): _eyes(extractor, chosen, device, precision, batch_size)}
    _comparable(pixels, eyes_of[chosen.resize, chosen.scaling], notes)

    seen: dict[Extractor, dict[str, Tensor]] = {}
    begun = time.perf_counter()
    for followed, _ in (protocols.follows(name, chosen) for name in asked):
        look = (followed.resize, followed.scaling)
        if look not in eyes_of:
            eyes_of[look] = _eyes(extractor, followed, device, precision, batch_size)
        eyes = eyes_of[look]
        if eyes not in seen:
            seen[eyes] = {side: features.extract(p, eyes, cached=cached, shared=True) for side, p in pixels.items()}
    network_seconds = time.perf_counter() - begun

    def measured() -> tuple[list[Measured], dict[str, str]]:
        rows, missing = [], {}
        for name in asked:
            begun = time.perf_counter()
            followed, says = protocols.follows(name, chosen)
            eyes = eyes_of[followed.resize, followed.scaling]
            try:
                numbers = METRICS[name].measure(followed, **seen[eyes], head=eyes.head)
            except ValueError as error:
                missing[name] = str(error)
                continue
            if name == "inception_score" and not eyes.name.startswith("fid-inception"):
                says, numbers = f"{says}, over the classes of {eyes.name}", [("classifier_score", *numbers[0][1:])]
            seconds = time.perf_counter() - begun
            for label, value, error, kind in numbers:
                rows.append(
                    Measured(label, value, error, kind, METRICS[name].better, len(pixels["real"]), len(pixels["fake"]),
                             says, eyes.name, eyes.weights, eyes.precision, seconds)
                )  # fmt: skip
        return rows, missing

    rows, missing = ranks.from_first(measured)
    eyes = eyes_of[chosen.resize, chosen.scaling]
    width = eyes.dimension
    if eyes.name != "fid-inception":
        notes.append(f"the features are those of {eyes.name}: compare with its numbers only, not with published ones")
    smaller = min(map(len, pixels.values()))
    if "fid" in asked and smaller < 10_000:
        rank = f", and fewer than the {width} features, so its covariance is singular" if smaller <= width else ""
        notes.append(f"FID falls as N grows: {smaller} images{rank}; compare only at the same N")
    if "inception_score" in asked:
        notes += _short_parts(seen, eyes_of, chosen)
    seconds = time.perf_counter() - started
    return Evaluation(tuple(rows), missing, tuple(notes), told["real"], told["fake"], seconds, network_seconds)


def _short_parts(seen, eyes_of, chosen: Protocol) -> list[str]:
    """What to know where a split of the Inception Score has fewer images than there are classes."""
    followed, _ = protocols.follows("inception_score", chosen)
    eyes = eyes_of[followed.resize, followed.scaling]
    if eyes.head is None:
        return []
    fake = seen[eyes]["fake"]
    with torch.inference_mode():
        classes = eyes.head(fake[:1]).shape[1]
    part = len(fake) // followed.score_splits
    if part >= classes:
        return []
    return [f"{followed.score_splits} parts of {part} images cannot score more than {part} each, of {classes} classes"]


def _eyes(chosen: str | Extractor, protocol: Protocol, device, precision: str, batch_size: int) -> Extractor:
    if isinstance(chosen, Extractor):
        return chosen
    return features.extractor(
        chosen,
        resize=protocol.resize,
        scaling=protocol.scaling,
        device=device,
        precision=precision,
        batch_size=batch_size,
    )


def _pixels(value: Tensor | Images | str | Path, side: str, quantisation: str, notes: list[str]) -> Tensor:
    if isinstance(value, (str, Path)):
        value, more = open_images(value)
        notes += [f"{side}: {note}" for note in more]
    return features.as_uint8(value.pixels if isinstance(value, Images) else value, side, quantisation)


def _same(one: str | Path, other: str | Path) -> bool:
    a, b = Path(one), Path(other)
    return a.resolve() == b.resolve() if a.exists() and b.exists() else str(one) == str(other)


def _comparable(pixels: dict[str, Tensor], eyes: Extractor, notes: list[str]) -> None:
    real, fake = pixels["real"], pixels["fake"]
    for side, images in pixels.items():
        if len(images) < LEAST:
            raise ValueError(
                f"{side}: expected at least {LEAST} images, since one has no covariance, got {len(images)}"
            )
    if real.shape[1] != fake.shape[1]:
        raise ValueError(f"fake: expected {real.shape[1]} channels like real, got {fake.shape[1]}")
    if real.shape[1:] == fake.shape[1:]:
        if len(real) == len(fake) and features.pixels_sha256(real) == features.pixels_sha256(fake):
            raise ValueError("fake: expected other images than real, got the same ones; their distance says nothing")
    elif eyes.resize == "none":
        raise ValueError(
            f"fake: expected {tuple(real.shape[2:])} pixels like real, since {eyes.name} does not resize, "
            f"got {tuple(fake.shape[2:])}"
        )
    elif eyes.resize != "centre":
        notes.append(
            f"real has {tuple(real.shape[2:])} pixels and fake {tuple(fake.shape[2:])}: the resize blurs them differently, "
            "and that is in the numbers"
        )
    eyes.prepare(real[:1]), eyes.prepare(fake[:1])  # a wrong size or channel is told before anything is computed
