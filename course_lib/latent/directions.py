"""Directions in a latent space along which images change most."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def principal_directions(generator: nn.Module, count: int) -> Tensor:
    """The latent directions that the generator's first linear map stretches most. → (count, latent_dim), orthonormal

    Shen and Zhou 2020 (arXiv:2007.06600, eq. 4): the leading right singular vectors of that layer's weights. No
    labels and no samples are used; what a direction means is for the reader to find out.

    generator: a module whose first parameter maps latents: nn.Linear (out, in) or nn.ConvTranspose2d (in, out, k, k)
    raises:    ValueError if count is not between 1 and the rank that the layer can have
    """
    weight = next(generator.parameters()).float()
    by_latent = weight if weight.ndim == 2 else weight.flatten(1).T  # (anything, latent_dim)
    if not 1 <= count <= min(by_latent.shape):
        raise ValueError(f"count: expected 1 to {min(by_latent.shape)}, got {count}")
    return torch.linalg.svd(by_latent, full_matrices=False).Vh[:count]
