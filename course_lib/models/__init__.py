"""Networks only, shapes in every docstring. Discriminators return logits, never probabilities."""

import torch
from torch import Tensor, nn

SMALLEST = 4  # side of the smallest images that a network which grows draws or sees


def in_turn(network: nn.Module, count: int) -> dict[str, Tensor]:
    """{"labels": 0, 1, 2, … and round again, (count,) int64} for a network built with `classes`; {} for any other.

    What a class-conditional network is called with where nobody asks for a class: all of them, equally often.
    """
    if getattr(network, "classes", None) is None:
        return {}
    return {"labels": torch.arange(count, device=next(network.parameters()).device) % network.classes}


def expect_latents(z: Tensor, latent_dim: int) -> None:
    """raises: ValueError unless z is a floating-point (N, latent_dim) tensor."""
    if z.ndim != 2 or z.shape[1] != latent_dim or not z.is_floating_point():
        raise ValueError(f"z: expected (N, {latent_dim}) floating point, got {tuple(z.shape)} {z.dtype}")


def expect_images(images: Tensor, channels: int, size: int) -> None:
    """raises: ValueError unless images is a floating-point (N, channels, size, size) tensor."""
    if images.ndim != 4 or images.shape[1:] != (channels, size, size):
        raise ValueError(f"images: expected (N, {channels}, {size}, {size}), got {tuple(images.shape)}")
    if not images.is_floating_point():
        raise ValueError(f"images: expected float in [-1, 1], got {images.dtype}; data.to_float converts uint8")


def doublings(resolution: int) -> int:
    """How often a network that grows has doubled the side of its images: 0 at 4×4, 1 at 8×8, …"""
    return resolution.bit_length() - SMALLEST.bit_length()


def expect_stage(resolution: int, alpha: float, size: int) -> int:
    """`resolution`, for a network that grows up to `size`. raises: ValueError for it or for alpha, by name"""
    if not isinstance(resolution, int) or not SMALLEST <= resolution <= size or resolution & (resolution - 1):
        raise ValueError(f"resolution: expected a power of two from {SMALLEST} to {size}, got {resolution}")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha: expected 0 to 1, got {alpha}")
    return resolution
