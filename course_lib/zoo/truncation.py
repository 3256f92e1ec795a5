"""What truncation does to the zoo's generators: recorded at N = 10,000, and the function that recomputes it.

`python -m course_lib.zoo.truncation NAME` writes the record again (half an hour on one core for the DCGAN).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from course_lib import files, runtime, zoo
from course_lib.metrics import entropy, fid, neighbour_radii, prdc
from course_lib.zoo import judging
from course_lib.zoo.recording import round_to

THRESHOLDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, None)  # None: the whole normal distribution
UNCUT = 4.0  # where a curve over thresholds draws the whole distribution
MEASURES = ("precision", "recall", "density", "coverage", "fid", "class_entropy", "sure")
K = 3
STUDENT_95 = {
    2: 12.706,
    3: 4.303,
    4: 3.182,
    5: 2.776,
    6: 2.571,
    8: 2.365,
    10: 2.262,
}  # two-sided, draws − 1 degrees of freedom


def measure(images: Tensor, *, real: Tensor, real_radii: Tensor | None = None, k: int = K) -> dict[str, float]:
    """MEASURES of one set of samples of Fashion-MNIST's generators, by the course's classifier.

    images: (N, 1, H, W), H, W ≥ 28, float in [−1, 1] or uint8;  real: (M, 64) features of real images
    returns: precision and recall (d ≤ r), density and coverage (d < r), all with the same k; fid, the squared Fréchet
             distance of features; class_entropy of the most probable classes' shares in nats, at most log 10;
             sure, the share with a top probability above 0.9
    """
    features, probabilities = judging.classify(images)
    near = prdc(real=real, fake=features, k=k, strict=False, real_radii=real_radii)
    shares = torch.bincount(probabilities.argmax(1), minlength=probabilities.shape[1]).double() / len(images)
    sure = (probabilities.amax(1) > judging.SURE).double().mean().item()
    return dict(zip(MEASURES, (*near, fid(real, features), float(entropy(shares)), sure)))


def curve(
    name: str, thresholds: Sequence[float | None] = THRESHOLDS, *, count: int = 10_000, draws: int = 4, k: int = K
) -> dict:
    """MEASURES at each threshold, the mean of `draws` independent draws of `count` samples and half a 95 % interval.

    The interval is Student's over the draws: it says how far the mean would move with other latents, not with
    other photographs. Real are the first `count` test images, the same for all.

    raises: ValueError for an unknown name, no threshold or one below 0.01, or a number of draws without its t
    """
    if draws not in STUDENT_95:
        raise ValueError(f"draws: expected one of {', '.join(map(str, STUDENT_95))}, got {draws}")
    if len(thresholds) == 0:
        raise ValueError("thresholds: expected at least one, got none")
    generator, card = zoo.load(name)
    real = judging.real()[0][:count]
    radii, rows = neighbour_radii(real, k), []
    for threshold in runtime.progress_bar(thresholds, desc=name):
        found = [
            measure(
                zoo.sample(generator, count, seed=100 + draw, threshold=threshold), real=real, real_radii=radii, k=k
            )
            for draw in range(draws)
        ]
        row = {"threshold": threshold}
        for key in MEASURES:
            values = torch.tensor([each[key] for each in found], dtype=torch.float64)
            half = STUDENT_95[draws] * values.std().item() / math.sqrt(draws)
            row |= {key: round_to(values.mean().item(), 5), f"{key}_half": round_to(half, 3)}
        rows.append(row)
    return {
        "network": name,
        "weights": card["sha256"]["network.safetensors"],
        "n": count,
        "k": k,
        "draws": draws,
        "protocol": f"features (64) and probabilities of {judging.JUDGES['fashion-mnist']}, against the first {len(real):,} test "
        "images of fashion-mnist; precision and recall with d ≤ r, density and coverage with d < r",
        "hardware": runtime.environment(runtime.device()),
        "rows": rows,
    }


def recorded(name: str) -> dict:
    """The curve that was recorded for a network of the zoo. raises: ValueError if there is none for it"""
    with_record = [each for each in zoo.names() if file_of(each).exists()]
    return json.loads(file_of(runtime.known("name", name, with_record)).read_text(encoding="utf-8"))


def file_of(name: str) -> Path:
    """Where a network's record lies."""
    return zoo.FOLDER / name / "truncation.json"


def at(record: dict, threshold: float, key: str) -> float:
    """A measure between the recorded thresholds, by straight lines; all of z counts as a threshold of 4, which leaves 0.006 %.

    raises: ValueError if the threshold is below the smallest recorded one
    """
    rows = [(row["threshold"] or UNCUT, row[key]) for row in record["rows"]]
    if not threshold >= rows[0][0]:
        raise ValueError(f"threshold: expected at least {rows[0][0]}, got {threshold}")
    for (low, before), (high, after) in zip(rows, rows[1:]):
        if threshold <= high:
            return before + (threshold - low) / (high - low) * (after - before)
    return rows[-1][1]


def write(name: str) -> Path:
    """Measure and write a network's record, one line for each threshold."""
    found = curve(name)
    body = json.dumps({key: value for key, value in found.items() if key != "rows"}, indent=1, ensure_ascii=False)
    rows = ",\n  ".join(json.dumps(row) for row in found["rows"])
    files.write_atomically(file_of(name), f'{body[:-2]},\n "rows": [\n  {rows}\n ]\n}}\n'.encode())
    return file_of(name)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(write(each))
