"""Entropy, KL and Jensen-Shannon divergence of discrete distributions, in nats. Last dimension: outcomes."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def entropy(p: Tensor) -> Tensor:
    """H(p) = −Σ p log p, with 0 log 0 = 0. p: (..., K) probabilities → (...)"""
    return -torch.special.xlogy(_probabilities(p, "p"), p).sum(-1)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p‖q) = Σ p log(p/q), infinite where p > 0 = q. p, q: (..., K) probabilities → (...)"""
    _probabilities(p, "p"), _probabilities(q, "q")
    terms = torch.special.xlogy(p, p) - torch.special.xlogy(p, q)
    return terms.sum(-1)


def js_divergence(p: Tensor, q: Tensor) -> Tensor:
    """JSD(p, q) = ½KL(p‖m) + ½KL(q‖m), m = (p + q)/2: 0 to log 2. p, q: (..., K) probabilities → (...)"""
    m = (_probabilities(p, "p") + _probabilities(q, "q")) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def _probabilities(p: Tensor, argument: str) -> Tensor:
    if not p.is_floating_point() or p.ndim < 1:
        raise ValueError(f"{argument}: expected (..., K) floating point probabilities, got {tuple(p.shape)} {p.dtype}")
    total = p.sum(-1)
    slack = math.sqrt(torch.finfo(p.dtype).eps) + p.shape[-1] * torch.finfo(p.dtype).eps
    if not ((p >= 0).all() and (total - 1).abs().max() < slack):  # written so that NaN fails too
        raise ValueError(
            f"{argument}: expected probabilities that sum to 1, got sums {total.min():.6g} to {total.max():.6g}"
        )
    return p
