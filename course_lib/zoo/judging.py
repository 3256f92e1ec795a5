"""How good are a generator's samples, in the eyes of the course's own classifier of the same data?

Its numbers compare generators within the course. They are not the published FID (another network, other images)
and say nothing that this classifier cannot see.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from course_lib import data, zoo
from course_lib.data.avatars import ATTRIBUTES
from course_lib.metrics import entropy, fid
from course_lib.models.classifier import AttributeClassifier
from course_lib.runtime import known

JUDGES = {  # data set → network of the zoo
    "fashion-mnist": "classifier-fashion",
    "mnist": "classifier-mnist",
    **dict.fromkeys(("avatars", "avatars-32", "avatars-small", "avatars-small-32"), "classifier-avatars"),
}
SURE = 0.9
FASHION_KINDS = {"clothes": (0, 1, 2, 3, 4, 6), "shoes": (5, 7, 9), "bags": (8,)}  # classes of Fashion-MNIST
BATCH = 250  # images: what a layer makes of them stays in the cache; more at a time are slower (benchmarks/sliders.py)


@torch.inference_mode()
def classify(
    images: Tensor, classifier: nn.Module | None = None, *, dataset: str = "fashion-mnist"
) -> tuple[Tensor, Tensor]:
    """(features (N, 64), probabilities (N, 10)) on the CPU; by the data set's own classifier unless one is given.

    images: (N, 1, 28, 28) or with a border around it, such as (N, 1, 32, 32); float in [−1, 1] or uint8. Avatars are
            (N, 3, 32, 32) or larger, have 128 features, and the probabilities of their attributes side by side
    """
    classifier = classifier or zoo.load(JUDGES[known("dataset", dataset, JUDGES)])[0]
    device = next(classifier.parameters()).device
    features, probabilities = [], []
    for batch in images.split(BATCH):
        batch = data.to_float(batch) if batch.dtype == torch.uint8 else batch
        by_attribute = isinstance(classifier, AttributeClassifier)
        found = classifier.features((batch if by_attribute else data.centre(batch, 28)).to(device))
        features.append(found.cpu())
        logits = classifier.head(found)
        parts = classifier.split(logits).values() if by_attribute else [logits]
        probabilities.append(torch.cat([part.softmax(1) for part in parts], 1).cpu())
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
             0.9), class_shares (10 shares of the most probable class), n, protocol. Of avatars, instead of
             class_shares, what `diversity` says
    """
    features, probabilities = classify(images, dataset=dataset)
    real_features, real_probabilities = real(dataset)
    if JUDGES[dataset] == "classifier-avatars":
        return {
            "fid": fid(real_features, features),
            **diversity(probabilities, real_probabilities),
            "n": len(images),
            "protocol": f"features (128) and attributes of {JUDGES[dataset]}, against the {len(real_features):,} test images of {dataset}",
        }
    shares = torch.bincount(probabilities.argmax(1), minlength=10).double() / len(images)
    return {
        "fid": fid(real_features, features),
        "sure": (probabilities.amax(1) > SURE).double().mean().item(),
        "real_sure": (real_probabilities.amax(1) > SURE).double().mean().item(),
        "class_shares": shares.tolist(),
        "n": len(images),
        "protocol": f"features (64) and probabilities of {JUDGES[dataset]}, against the {len(real_features):,} test images of {dataset}",
    }


def between_kinds(probabilities: Tensor, kinds: Mapping[str, Sequence[int]] = FASHION_KINDS) -> Tensor:
    """Which images hesitate between two kinds of things: (N, K) → (N,) bool.

    They are those of which the classifier is not sure (top probability of `SURE` at most) and whose two most probable
    classes are of different kinds: a sandal or a bag, not a shirt or a T-shirt.

    kinds:  {kind: its classes}; each of the K classes in one of them
    raises: ValueError for kinds that leave a class out or hold one twice
    """
    classes = [index for members in kinds.values() for index in members]
    if sorted(classes) != list(range(probabilities.shape[1])):
        raise ValueError(f"kinds: expected each of {probabilities.shape[1]} classes once, got {sorted(classes)}")
    kind = torch.empty(len(classes), dtype=torch.int64, device=probabilities.device)
    for number, members in enumerate(kinds.values()):
        kind[list(members)] = number
    top, second = probabilities.topk(2, dim=1).indices.unbind(1)
    return (probabilities.amax(1) <= SURE) & (kind[top] != kind[second])


# ---------------------------------------------------------------- avatars


def attributes_of(images: Tensor) -> Tensor:
    """The attributes that the classifier of avatars sees: (N, 3, 32 or 64, …) → (N, 9) int64, columns as in ATTRIBUTES."""
    return _values(classify(images, dataset="avatars")[1])


def diversity(probabilities: Tensor, real_probabilities: Tensor) -> dict:
    """What avatars' attributes say of a set of samples, beside a set of real ones. Both (N, 103), from `classify`.

    returns: sure, real_sure: mean over attributes of the shares with a top probability above 0.9;
             attribute_entropy, real_attribute_entropy: in nats, the sum over attributes of the entropy of their values'
             shares, which is the entropy of a whole avatar where attributes are independent;
             attribute_coverage: the share of the values real ones have that a tenth as many samples have, or more
    """
    found = {}
    for prefix, each in (("", probabilities), ("real_", real_probabilities)):
        parts = each.split([len(values) for values in ATTRIBUTES.values()], 1)
        found[f"{prefix}sure"] = sum((part.amax(1) > SURE).double().mean().item() for part in parts) / len(parts)
        found[f"{prefix}attribute_entropy"] = sum(entropy(shares).item() for shares in _shares(_values(each)))
    covered = [
        (mine >= theirs / 10)[theirs > 0]
        for mine, theirs in zip(_shares(_values(probabilities)), _shares(_values(real_probabilities)))
    ]
    return found | {"attribute_coverage": torch.cat(covered).double().mean().item()}


def _values(probabilities: Tensor) -> Tensor:
    """The most probable value of each attribute: (N, 103) → (N, 9)"""
    parts = probabilities.split([len(values) for values in ATTRIBUTES.values()], 1)
    return torch.stack([part.argmax(1) for part in parts], 1)


def _shares(table: Tensor) -> list[Tensor]:
    """For each attribute the share of each of its values. table: (N, 9)"""
    counts = zip(table.T, ATTRIBUTES.values())
    return [torch.bincount(column, minlength=len(values)).double() / len(table) for column, values in counts]
