"""What can be done with StyleGAN's styles: truncation towards their mean, crossover of two."""

from __future__ import annotations

import torch
from torch import Tensor


def truncate(w: Tensor, w_mean: Tensor, psi: float, *, layers: int | None = None, cutoff: int | None = None) -> Tensor:
    """w̄ + ψ·(w − w̄): towards the mean style. ψ = 0 is the mean style, ψ = 1 leaves w, above 1 leads away.

    Karras, Laine, Aila 2018 (arXiv:1812.04948). w̄ is the mean of mapped latents, which is not the mapped mean latent.

    w:       (N, w_dim);  w_mean: (w_dim,)
    layers:  of the synthesis network, for one style a layer: the result is then (N, layers, w_dim)
    cutoff:  layers from this one on keep w as it is; needs `layers`
    raises:  ValueError if ψ is not from 0 to 2, shapes do not fit, or the cutoff lies outside 0 to layers
    """
    if not 0 <= psi <= 2:
        raise ValueError(f"psi: expected 0 to 2, got {psi}")
    if w.ndim != 2 or w_mean.shape != w.shape[1:]:
        raise ValueError(f"w_mean: expected (w_dim,) for w (N, w_dim), got {tuple(w_mean.shape)} and {tuple(w.shape)}")
    if cutoff is not None and (layers is None or not 0 <= cutoff <= layers):
        raise ValueError(f"cutoff: expected 0 to the number of layers, {layers}, got {cutoff}")
    truncated = torch.lerp(w_mean.expand_as(w), w, psi)
    if layers is None:
        return truncated
    cut = layers if cutoff is None else cutoff
    return torch.cat([truncated[:, None].expand(-1, cut, -1), w[:, None].expand(-1, layers - cut, -1)], 1)


def mix_styles(coarse: Tensor, fine: Tensor, crossover: int | Tensor, layers: int) -> Tensor:
    """Style mixing: layers below `crossover` take the style of `coarse`, the others that of `fine`. A crossover, not
    an interpolation: no layer sees anything between the two.

    coarse, fine: (N, w_dim);  crossover: a number or (N,), 0 (all of `fine`) to layers (all of `coarse`)
    returns:      (N, layers, w_dim)
    raises:       ValueError if shapes do not fit or a crossover lies beyond the last layer
    """
    if coarse.ndim != 2 or coarse.shape != fine.shape:
        raise ValueError(f"fine: expected (N, w_dim) like coarse, got {tuple(fine.shape)} and {tuple(coarse.shape)}")
    crossover = torch.as_tensor(crossover, device=coarse.device)
    if not ((crossover >= 0) & (crossover <= layers)).all():
        raise ValueError(f"crossover: expected 0 to {layers}, the number of layers, got {crossover.tolist()}")
    before = torch.arange(layers, device=coarse.device) < crossover.reshape(-1, 1)  # (N or 1, layers)
    return torch.where(before[:, :, None], coarse[:, None], fine[:, None])
