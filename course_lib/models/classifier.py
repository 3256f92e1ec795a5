"""A small convolutional classifier of 28×28 grey images: the course's own judge and feature extractor.

It strides early, because what a slider waits for is operations, not weights: 1.4 million multiply-adds an image.
"""

from __future__ import annotations

import copy

import torch
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
