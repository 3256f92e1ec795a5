"""How good are a generator's samples, in the eyes of the course's own classifier of the same data?

Its numbers compare generators within the course. They are not the published FID (another network, other images)
and say nothing that this classifier cannot see.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

from course_lib import data, zoo
from course_lib.metrics import fid
from course_lib.runtime import known

JUDGES = {"fashion-mnist": "classifier-fashion", "mnist": "classifier-mnist"}  # data set → network of the zoo
SURE = 0.9
BATCH = 250  # images: what a layer makes of them stays in the cache; more at a time are slower (benchmarks/sliders.py)


@torch.inference_mode()
def classify(
    images: Tensor, classifier: nn.Module | None = None, *, dataset: str = "fashion-mnist"
) -> tuple[Tensor, Tensor]:
    """(features (N, 64), probabilities (N, 10)) on the CPU; by the data set's own classifier unless one is given.

    images: (N, 1, 28, 28) or with a border around it, such as (N, 1, 32, 32); float in [−1, 1] or uint8
    """
    classifier = classifier or zoo.load(JUDGES[known("dataset", dataset, JUDGES)])[0]
    device = next(classifier.parameters()).device
    features, probabilities = [], []
    for batch in images.split(BATCH):
        batch = data.to_float(batch) if batch.dtype == torch.uint8 else batch
        found = classifier.features(data.centre(batch, 28).to(device))
        features.append(found.cpu())
        probabilities.append(classifier.head(found).softmax(1).cpu())
    return torch.cat(features), torch.cat(probabilities)


@functools.lru_cache(maxsize=2)
def real(dataset: str = "fashion-mnist") -> tuple[Tensor, Tensor]:
    """`classify` of the test images, computed once."""
    return classify(data.load(dataset, "test").pixels, dataset=dataset)


def judge(images: Tensor, dataset: str = "fashion-mnist") -> dict:
    """Distance, sureness and balance of samples, with N and protocol.

    images:  (N, 1, H, W) with H, W ≥ 28, float in [−1, 1] or uint8
    dataset: what they should look like; its 10,000 test images are the other side
    returns: fid (squared Fréchet distance of features), sure and real_sure (shares with top probability above
             0.9), class_shares (10 shares of the most probable class), n, protocol
    """
    features, probabilities = classify(images, dataset=dataset)
    real_features, real_probabilities = real(dataset)
    shares = torch.bincount(probabilities.argmax(1), minlength=10).double() / len(images)
    return {
        "fid": fid(real_features, features),
        "sure": (probabilities.amax(1) > SURE).double().mean().item(),
        "real_sure": (real_probabilities.amax(1) > SURE).double().mean().item(),
        "class_shares": shares.tolist(),
        "n": len(images),
        "protocol": f"features (64) and probabilities of {JUDGES[dataset]}, against the {len(real_features):,} test images of {dataset}",
    }
