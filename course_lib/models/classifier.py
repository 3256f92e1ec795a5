"""Small convolutional classifiers: the course's own judges and feature extractors.

One of 28×28 grey images, and one of avatars, which names each of their attributes. They stride early, because what a slider waits for is operations, not weights: 1.4 and 2.5 million multiply-adds an image.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from course_lib.models import expect_images


class Classifier(nn.Module):
    """Images (N, 1, 28, 28) in [−1, 1] → features (N, 64) or logits (N, classes)."""

    def __init__(self, classes: int = 10, width: int = 24, feature_dim: int = 64):
        super().__init__()

        def block(before, after, kernel):
            return [
                nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]

        self.body = nn.Sequential(  # 28 → 14 → 7 → 4
            *block(1, width, 5),
            *block(width, 2 * width, 3),
            *block(2 * width, 4 * width, 3),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(4 * width * 16, feature_dim, bias=False),
            nn.BatchNorm1d(feature_dim),
            nn.ReLU(),
        )
        self.head = nn.Linear(feature_dim, classes)

    def features(self, images: Tensor) -> Tensor:
        """(N, 1, 28, 28) in [−1, 1] → (N, 64), non-negative."""
        expect_images(images, 1, 28)
        return self.body(images)

    def logits(self, images: Tensor) -> Tensor:
        """(N, 1, 28, 28) in [−1, 1] → (N, classes)."""
        return self.head(self.features(images))

    forward = logits


class AttributeClassifier(nn.Module):
    """Images (N, 3, 32, 32) in [−1, 1] → features (N, 128), and for each attribute the logits of its values.

    Larger images are averaged down to 32×32 first, so what it sees of an avatar does not depend on its size.

    classes: name → number of values; their logits stand side by side in this order, one linear map of the features
    """

    size = 32

    def __init__(self, classes: Mapping[str, int], width: int = 32, feature_dim: int = 128):
        super().__init__()
        self.classes = dict(classes)

        def block(before, after, kernel):
            return [
                nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]

        self.body = nn.Sequential(  # 32 → 16 → 8 → 4
            *block(3, width, 5),
            *block(width, 2 * width, 3),
            *block(2 * width, 2 * width, 3),
            nn.Flatten(),
            nn.Linear(2 * width * 16, feature_dim, bias=False),
            nn.BatchNorm1d(feature_dim),
            nn.ReLU(),
        )
        self.head = nn.Linear(feature_dim, sum(self.classes.values()))

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) in [−1, 1], S a multiple of 32 → (N, 128), non-negative."""
        side = images.shape[-1]
        if side > self.size and side % self.size == 0:
            images = F.avg_pool2d(images, side // self.size)
        expect_images(images, 3, self.size)
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) in [−1, 1] → all attributes' logits side by side."""
        return self.head(self.features(images))

    def split(self, logits: Tensor) -> dict[str, Tensor]:
        """The logits of each attribute: (N, sum of classes) → name: (N, its classes)."""
        return dict(zip(self.classes, logits.split(list(self.classes.values()), 1)))

    def loss(self, logits: Tensor, attributes: Tensor) -> Tensor:
        """Sum of the attributes' mean cross-entropies in nats.  attributes: (N, A) int64, columns as in `classes`"""
        parts = self.split(logits).values()
        return sum(F.cross_entropy(part, column) for part, column in zip(parts, attributes.T))

    def predict(self, logits: Tensor) -> Tensor:
        """The most probable value of each attribute: → (N, A) int64, columns as in `classes`."""
        return torch.stack([part.argmax(1) for part in self.split(logits).values()], 1)


def folded(network: Classifier) -> Classifier:
    """A copy for inference with BatchNorm folded into the weights before it, in channels-last: fewer passes over memory.

    The same function but for rounding (features within 1e-5 of about 10). The network itself stays as it is.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    layers: list[nn.Module] = []
    for layer in network.body:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        elif isinstance(layer, nn.BatchNorm1d):
            layers[-1] = fuse_linear_bn_eval(layers[-1], layer)
        elif isinstance(layer, nn.ReLU):
            layers.append(nn.ReLU(inplace=True))
        elif not isinstance(layer, nn.Dropout):
            layers.append(layer)
    network.body = nn.Sequential(*layers)
    return network.to(memory_format=torch.channels_last)
