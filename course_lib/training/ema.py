"""Averaged weights: the generator that is sampled is a running mean of the one that is trained."""

from __future__ import annotations

import copy

import torch
from torch import nn


class ExponentialAverage:
    """Exponential moving average of a network's weights and BatchNorm statistics.

    The half-life is in thousands of images (kimg), so that a change of batch size does not change what is
    averaged: decay per step = 0.5 ** (batch / half-life). Early on the half-life is at most a tenth of the
    images seen, or the random initial weights would linger (as in Karras et al. 2020, arXiv:2006.06676,
    whose code calls it the EMA ramp-up).
    """

    def __init__(self, network: nn.Module, half_life_kimg: float):
        if not half_life_kimg > 0:
            raise ValueError(f"half_life_kimg: expected a positive number of thousands of images, got {half_life_kimg}")
        self.half_life_images = 1000 * half_life_kimg
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module, batch_size: int, images_seen: int) -> None:
        """Move the average towards `network` by one step of `batch_size` images."""
        half_life = min(self.half_life_images, max(images_seen / 10, 1))
        weight = 1 - 0.5 ** (batch_size / half_life)
        mine, theirs = self.network.state_dict(), network.state_dict()
        floating = [name for name, tensor in mine.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([mine[name] for name in floating], [theirs[name] for name in floating], weight)
        for name in mine.keys() - set(floating):
            mine[name].copy_(theirs[name])
