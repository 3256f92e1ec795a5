"""Progressive growing: which resolution a run is at, and how far the newest layers are faded in.

Karras et al. 2017 (arXiv:1710.10196). Both are functions of the images seen, so that a resumed run and the ranks of
one need nothing else. A schedule is a tuple of stages (resolution, kimg of fading, kimg after it); the last stage
lasts as long as the run does, whatever its length says.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Schedule = tuple[tuple[int, float, float], ...]


def stage(schedule: Schedule, images_seen: int) -> tuple[int, float]:
    """(resolution, alpha) after so many images: alpha rises from 0 to 1 while a stage is faded in, and stays there."""
    end = 0.0
    for resolution, fade, stable in schedule:  # noqa: B007 (the last one looked at is the stage)
        start, end = end, end + 1000 * (fade + stable)
        if images_seen < end:
            break
    within = images_seen - start
    return resolution, 1.0 if within >= 1000 * fade else within / (1000 * fade)


def so_far(schedule: Schedule, images_seen: int) -> list[tuple[int, float, float]]:
    """(resolution, images at its start, images at which it is faded in) of the stages begun: all that a run has seen
    of its schedule. What is still to come may be changed."""
    found, start = [], 0.0
    for resolution, fade, stable in schedule:
        if start > images_seen or (start == images_seen and found):
            break
        found.append((resolution, start, min(start + 1000 * fade, images_seen)))
        start += 1000 * (fade + stable)
    return found


def ends(schedule: Schedule, batch_size: int) -> list[int]:
    """The step after which each stage but the last is finished."""
    found, images = [], 0.0
    for _, fade, stable in schedule[:-1]:
        images += 1000 * (fade + stable)
        found.append(-int(-images // batch_size))
    return found


def grow(networks: tuple[nn.Module, ...], schedule: Schedule, images_seen: int) -> None:
    """Tell the networks what stage they are at; nothing without a schedule."""
    if schedule:
        for network in networks:
            network.grow(*stage(schedule, images_seen))


def shrunk(real: Tensor, schedule: Schedule, images_seen: int) -> Tensor:
    """Real images as this stage sees them: means over squares of pixels, faded from the stage before as the fakes are.

    real: (N, C, size, size) → (N, C, resolution, resolution)
    """
    if not schedule:
        return real
    resolution, alpha = stage(schedule, images_seen)
    small = F.avg_pool2d(real, real.shape[2] // resolution)
    if alpha == 1:
        return small
    return torch.lerp(F.interpolate(F.avg_pool2d(small, 2), scale_factor=2), small, alpha)


def check(schedule: Schedule, networks: tuple[nn.Module, ...], size: int) -> None:
    """raises: ValueError that names what is wrong with a schedule for networks and images of this size"""
    if not schedule:
        return
    if not all(hasattr(network, "grow") for network in networks):
        raise ValueError("growth: expected networks with a method grow(resolution, alpha), such as models.style")
    resolutions = [each[0] for each in schedule]
    if resolutions[-1] != size or any(after != 2 * before for before, after in zip(resolutions, resolutions[1:])):
        raise ValueError(f"growth: expected resolutions that double up to {size}, the images' size, got {resolutions}")
    if schedule[0][1] != 0:
        raise ValueError(f"growth: expected no fading in the first stage, got {schedule[0][1]:g} kimg")
    for resolution, fade, stable in schedule:
        if not (fade >= 0 and stable >= 0 and fade + stable > 0):
            raise ValueError(
                f"growth: expected kimg of at least 0, not both 0, at {resolution}, got {fade:g} and {stable:g}"
            )
    for network in networks:
        network.grow(resolutions[0])  # refuses what it cannot be
        network.grow(size)
