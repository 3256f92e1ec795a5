"""Named protocols: all that changes the digits of a metric besides the images, as each known tool has it. Never a blend.

A protocol covers the metrics that its tool has (`computes`). For another metric, `follows` names the protocol that
defines it, and then all of that protocol holds: its resize too, so the images go through the network once more.
Density, coverage, PRD and FID∞ are defined on features alone; they take those of the protocol asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_lib import metrics
from course_lib.metrics.features import QUANTISATIONS, RESIZES, SCALINGS
from course_lib.runtime import known

OF_FEATURES_ALONE = {  # metric → whose definition
    "density_coverage": "prdc",
    "prd": "Sajjadi",
    "fid_infinity": "Chong and Forsyth",
}


@dataclass(frozen=True)
class Protocol:
    """From floats to digits. Seeds of None: the tool draws without a seed, so its digits change from run to run, and
    here the seed 0 stands in for it."""

    name: str
    tool: str  # the package or repository, in the version that these fields were read from and compared with
    computes: tuple[str, ...]
    resize: str  # to 299 pixels; a name in features.RESIZES
    scaling: str  # what the network sees; a name in features.SCALINGS
    quantisation: str = "round"  # of floats in [−1, 1]; a name in features.QUANTISATIONS
    ddof: int = 1  # of the covariances in the FID
    kid_subsets: int = 100
    kid_subset_size: int = 1000
    kid_seed: int | None = None
    kid_generator: str = "numpy"  # numpy: RandomState.choice; torch: randperm
    kid_first: str = "fake"  # whose rows are drawn first in each subset
    score_splits: int = 10
    score_shuffles: bool = False
    score_seed: int | None = None
    score_ddof: int = 0  # of the ± over splits
    neighbours: int = 3  # k of precision and recall
    strict: bool = False  # inside a ball if d < r, and not d ≤ r
    note: str = ""

    def __post_init__(self):
        known("resize", self.resize, RESIZES), known("scaling", self.scaling, SCALINGS)
        known("quantisation", self.quantisation, QUANTISATIONS)


PROTOCOLS = {
    one.name: one
    for one in (
        Protocol(
            "pytorch-fid",
            tool="pytorch-fid 0.3.0",
            computes=("fid",),
            resize="bilinear",
            scaling="symmetric",
        ),
        Protocol(
            "torch-fidelity",
            tool="torch-fidelity 0.4.0",
            computes=("fid", "kid", "inception_score", "precision_recall"),
            resize="bilinear-tf1",
            scaling="tensorflow",
            kid_seed=2020,
            score_shuffles=True,
            score_seed=2020,
        ),
        Protocol(
            "clean",
            tool="clean-fid 0.1.35",
            computes=("fid", "kid"),
            resize="bicubic-pil",
            scaling="tensorflow",
        ),
        Protocol(
            "stylegan",
            tool="stylegan3",
            computes=("fid", "kid", "inception_score"),
            resize="bilinear-tf1",
            scaling="tensorflow",
            ddof=0,
            note="its precision and recall take VGG16's fc features, which are in no package",
        ),
        Protocol(
            "torchmetrics",
            tool="torchmetrics 1.9.0",
            computes=("fid", "kid", "inception_score"),
            resize="bilinear-antialias",
            scaling="tensorflow",
            quantisation="truncate",
            kid_generator="torch",
            kid_first="real",
            score_shuffles=True,
            score_ddof=1,
            note="its Inception Score shuffles by torch's generator; here by numpy's",
        ),
    )
}
FALLBACK = "torch-fidelity"  # for metrics of the Inception that a tool lacks


def protocol(name: str) -> Protocol:
    """A protocol by name. raises: ValueError naming the nearest for an unknown one"""
    return PROTOCOLS[known("protocol", name, PROTOCOLS)]


def follows(metric: str, chosen: Protocol) -> tuple[Protocol, str]:
    """(protocol whose fields hold, what to print beside the number) for a metric under a chosen protocol."""
    if metric in OF_FEATURES_ALONE:
        return chosen, f"{OF_FEATURES_ALONE[metric]} on {chosen.name}"
    followed = chosen if metric in chosen.computes else PROTOCOLS[FALLBACK]
    return followed, followed.name


def fid(chosen: Protocol, *, real: Tensor, fake: Tensor) -> float:
    """FID with the protocol's ddof. real, fake: (N, d), (M, d) features"""
    return metrics.fid(real, fake, ddof=chosen.ddof)


def kid_values(chosen: Protocol, *, real: Tensor, fake: Tensor) -> Tensor:
    """KID of each of the protocol's subsets, drawn as its tool draws them: (kid_subsets,) float64.

    raises: ValueError if there are fewer rows than a subset has; clean-fid and stylegan3 then take smaller ones
    """
    size = chosen.kid_subset_size
    if chosen.name in ("clean", "stylegan"):
        size = min(size, len(real), len(fake))
    elif size > min(len(real), len(fake)):
        raise ValueError(
            f"real, fake: expected {size} rows each, as {chosen.name} draws, got {len(real)} and {len(fake)}"
        )
    seed = 0 if chosen.kid_seed is None else chosen.kid_seed
    if chosen.kid_generator == "numpy":
        numpy_draw = np.random.RandomState(seed)

        def draw(count: int) -> Tensor:
            return torch.from_numpy(numpy_draw.choice(count, size, replace=False))
    else:
        torch_draw = torch.Generator().manual_seed(seed)

        def draw(count: int) -> Tensor:
            return torch.randperm(count, generator=torch_draw)[:size]

    counts = {"real": len(real), "fake": len(fake)}
    order = ["fake", "real"] if chosen.kid_first == "fake" else ["real", "fake"]
    drawn = [{side: draw(counts[side]) for side in order} for _ in range(chosen.kid_subsets)]
    rows = {side: torch.stack([one[side] for one in drawn]) for side in counts}
    return metrics.kid_of_subsets(real, fake, rows["real"], rows["fake"])


def inception_score(chosen: Protocol, *, logits: Tensor) -> tuple[float, float]:
    """(mean, standard deviation) over the protocol's splits, rows shuffled where its tool shuffles. logits: (N, K)"""
    if chosen.score_shuffles:
        order = np.random.RandomState(0 if chosen.score_seed is None else chosen.score_seed).permutation(len(logits))
        logits = logits[torch.from_numpy(order)]
    scores = metrics.inception_score(logits=logits, splits=chosen.score_splits)
    ratio = chosen.score_splits / (chosen.score_splits - chosen.score_ddof)
    return scores.mean, scores.std * ratio**0.5


def precision_recall(chosen: Protocol, *, real: Tensor, fake: Tensor) -> metrics.PrecisionRecall:
    """Improved precision and recall with the protocol's k and tie rule. real, fake: (N, d), (M, d) features"""
    return metrics.precision_recall(real=real, fake=fake, k=chosen.neighbours, strict=chosen.strict)
