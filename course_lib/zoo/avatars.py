"""What truncation and style mixing do to the zoo's generators of avatars: recorded, and the functions that recompute it.

`python -m course_lib.zoo.avatars NAME` writes both records of a generator again.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib import data, files, latent, runtime, zoo
from course_lib.data.avatars import ATTRIBUTES
from course_lib.metrics import fid, neighbour_radii, prdc
from course_lib.models.style import Generator
from course_lib.zoo import judging
from course_lib.zoo.recording import round_to

PSIS = (0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
THRESHOLDS = (0.25, 0.5, 1.0, 1.5, None)  # None: the whole normal distribution
MEASURES = (*("precision", "recall", "density", "coverage", "fid", "attribute_entropy", "attribute_coverage", "sure"),)
K = 3
STUDENT_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}  # two-sided, draws − 1 freedoms

# ---------------------------------------------------------------- truncation


def measure(images: Tensor, *, real: tuple[Tensor, Tensor], real_radii: Tensor | None = None, k: int = K) -> dict:
    """MEASURES of one set of samples, by the course's classifier of avatars.

    images:  (N, 3, 32 or 64, …) float in [−1, 1] or uint8;  real: (features (M, 128), probabilities) of real ones
    returns: precision and recall (d ≤ r), density and coverage (d < r), all with the same k; fid, the squared Fréchet
             distance of features; and what `judging.diversity` says of the samples
    """
    features, probabilities = judging.classify(images, dataset="avatars")
    near = prdc(real=real[0], fake=features, k=k, strict=False, real_radii=real_radii)
    said = judging.diversity(probabilities, real[1])
    return dict(zip(MEASURES, (*near, fid(real[0], features), *(said[name] for name in MEASURES[5:]))))


def measure_curve(
    name: str,
    psis: Sequence[float] = PSIS,
    thresholds: Sequence[float | None] = THRESHOLDS,
    *,
    count: int = 1_000,
    draws: int = 3,
    k: int = K,
    dataset: str = "avatars-32",
) -> dict:
    """MEASURES at each ψ and at each threshold of z: the mean over independent draws, and half of a 95 % interval.

    The interval is Student's over the draws: it says how far the mean would move with other latents, not with other
    avatars. Real are the first `count` test images, the same for all; "real" says what as many training images have.

    psis:   none for a generator without styles
    raises: ValueError for an unknown name, ψ of a generator without styles, or a number of draws without its t
    """
    if draws not in STUDENT_95:
        raise ValueError(f"draws: expected one of {', '.join(map(str, STUDENT_95))}, got {draws}")
    generator, card = zoo.load(name)
    expect_styles(generator, name, psis)
    test, train = (data.load(dataset, split).pixels[:count] for split in ("test", "train"))
    real = judging.classify(test, dataset=dataset)
    eyes = {"real": real, "real_radii": neighbour_radii(real[0], k), "k": k}

    def row(**how) -> dict:
        found = [measure(zoo.sample(generator, count, seed=100 + draw, **how), **eyes) for draw in range(draws)]
        return how | _means(found)

    return {
        "network": card["sha256"]["network.safetensors"],
        "judge": zoo.card("classifier-avatars")["sha256"]["network.safetensors"],
        "real_images": f"the first {len(test)} test images of {dataset}",
        "count": count,
        "draws": draws,
        "k": k,
        "real": {key: round_to(value, 5) for key, value in measure(train, **eyes).items()},
        "psi": [row(psi=psi) for psi in runtime.progress_bar(psis, desc=f"{name}, psi")],
        "threshold": [row(threshold=threshold) for threshold in runtime.progress_bar(thresholds, desc=f"{name}, z")],
    }


def expect_styles(generator: nn.Module, name: str, psis: Sequence[float]) -> None:
    """raises: ValueError for values of ψ that a generator without styles cannot take"""
    if len(psis) and not isinstance(generator, Generator):
        raise ValueError(f"psis: expected none for {name}, which has no styles, got {list(psis)}")


def _means(found: list[dict]) -> dict:
    """{name: mean, name_half: half of the interval} over the draws."""
    row = {}
    for key in MEASURES:
        values = torch.tensor([each[key] for each in found], dtype=torch.float64)
        half = STUDENT_95[len(found)] * values.std().item() / math.sqrt(len(found))
        row |= {key: round_to(values.mean().item(), 5), f"{key}_half": round_to(half, 3)}
    return row


def curve(name: str) -> dict:
    """The record of `measure_curve`: {"count", "draws", "k", "real", "psi": rows, "threshold": rows, …}."""
    return _read(name, "curve.json")


# ---------------------------------------------------------------- style mixing


@torch.inference_mode()
def measure_mixing(generator: nn.Module | str, *, count: int = 1_000, seed: int = 0, batch_size: int = 250) -> dict:
    """Which attributes follow the coarse latent and which the fine one, for each crossover.

    `count` pairs of latents. For each attribute only the pairs count whose own images differ in it, as the classifier
    sees them: "first" is the share of their mixed images with the attribute of the first latent's image (the layers
    below the crossover), "second" with that of the second's; what is left has neither. "pairs" says how many count.

    returns: {"count", "layers", "pairs": {attribute: number}, "rows": [{"crossover": 0 … layers, "first": {attribute:
             share}, "second": {…}}]}
    """
    generator = zoo.load(generator)[0] if isinstance(generator, str) else generator
    device, depth = next(generator.parameters()).device, generator.synthesis.depth
    z = torch.randn(2, count, generator.latent_dim, generator=runtime.keyed_generator("cpu", seed, "mixing"))
    w = generator.mapping(z.flatten(0, 1).to(device)).unflatten(0, (2, count))

    def seen(crossover: int) -> Tensor:
        drawn = [
            generator.synthesis(latent.mix_styles(coarse, fine, crossover, depth)).clamp(-1, 1).cpu()
            for coarse, fine in zip(w[0].split(batch_size), w[1].split(batch_size))
        ]
        return judging.attributes_of(torch.cat(drawn))

    found = [seen(crossover) for crossover in range(depth + 1)]  # the second alone, …, the first alone
    second, first = found[0], found[-1]
    differ = first != second
    pairs = differ.sum(0)
    rows = []
    for crossover, mixed in enumerate(found):
        shares = {
            which: (((mixed == parent) & differ).sum(0) / pairs.clamp(min=1)).tolist()
            for which, parent in (("first", first), ("second", second))
        }
        rows.append({"crossover": crossover} | {key: dict(zip(ATTRIBUTES, value)) for key, value in shares.items()})
    return {"count": count, "layers": depth, "pairs": dict(zip(ATTRIBUTES, pairs.tolist())), "rows": rows}


def mixing(name: str) -> dict:
    """The record of `measure_mixing`."""
    return _read(name, "mixing.json")


# ---------------------------------------------------------------- the records


def record(name: str, count: int = 10_000) -> None:
    """Measure a generator and write curve.json (of `count` samples) and, of one with styles, mixing.json into its folder."""
    styled = isinstance(zoo.load(name)[0], Generator)
    if styled:
        facts = {"network": zoo.card(name)["sha256"]["network.safetensors"]} | measure_mixing(name)
        _write(name, "mixing.json", facts)
    _write(name, "curve.json", measure_curve(name, PSIS if styled else (), count=count))


def _read(name: str, file: str) -> dict:
    """raises: ValueError for an unknown network, or one without such a record"""
    path = zoo.FOLDER / runtime.known("name", name, zoo.names()) / file
    if not path.exists():
        having = [each for each in zoo.names() if (zoo.FOLDER / each / file).exists()]
        raise ValueError(f"name: expected a network with {file}, one of {', '.join(having)}, got {name!r}")
    return json.loads(path.read_text(encoding="utf-8"))


def _write(name: str, file: str, facts: dict) -> None:
    """JSON with one line for each row."""
    lines = []
    for key, value in facts.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            lines.append(f'"{key}": [\n  {rows}\n ]' if value else f'"{key}": []')
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    text = "{\n " + ",\n ".join(lines) + "\n}\n"
    files.write_atomically(zoo.FOLDER / name / file, text.encode())


if __name__ == "__main__":
    for each in sys.argv[1:]:
        record(each)
