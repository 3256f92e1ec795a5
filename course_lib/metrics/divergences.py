"""Entropy, KL and Jensen-Shannon divergence of discrete distributions, and KL of Gaussians; in nats.

Last dimension: outcomes. Probabilities are tensors, NumPy arrays or lists.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_lib.metrics.checks import two_gaussians


def entropy(p: Tensor) -> Tensor:
    """H(p) = −Σ p log p, with 0 log 0 = 0. p: (..., K) probabilities → (...)"""
    p = _probabilities(p, "p")
    return -torch.special.xlogy(p, p).sum(-1)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p‖q) = Σ p log(p/q), infinite where p > 0 = q. p, q: (..., K) probabilities → (...)"""
    p, q = _probabilities(p, "p"), _probabilities(q, "q")
    terms = torch.special.xlogy(p, p) - torch.special.xlogy(p, q)
    return terms.sum(-1)


def js_divergence(p: Tensor, q: Tensor) -> Tensor:
    """JSD(p, q) = ½KL(p‖m) + ½KL(q‖m), m = (p + q)/2: 0 to log 2. p, q: (..., K) probabilities → (...)"""
    p, q = _probabilities(p, "p"), _probabilities(q, "q")
    m = (p + q) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def gaussian_kl(mean_p: Tensor, cov_p: Tensor, mean_q: Tensor, cov_q: Tensor) -> Tensor:
    """KL(N(μ_p, Σ_p) ‖ N(μ_q, Σ_q)) = ½(tr Σ_q⁻¹Σ_p + (μ_q − μ_p)ᵀΣ_q⁻¹(μ_q − μ_p) − d + log det Σ_q / det Σ_p).

    mean_p, mean_q: (d,);  cov_p, cov_q: (d, d) symmetric, positive definite;  computed in float64
    returns: scalar float64, differentiable
    raises:  ValueError if shapes do not fit or a covariance is singular (then the divergence is infinite)
    """
    mean_p, cov_p, mean_q, cov_q = two_gaussians(mean_p=mean_p, cov_p=cov_p, mean_q=mean_q, cov_q=cov_q)
    d = len(mean_p)
    factors = []
    for name, cov in (("cov_p", cov_p), ("cov_q", cov_q)):
        factor, failed = torch.linalg.cholesky_ex(cov)
        if failed or (cov - cov.T).abs().max() > 1e-6 * cov.abs().max():
            raise ValueError(f"{name}: expected a symmetric, positive definite matrix; this one has no density")
        factors.append(factor)
    factor_p, factor_q = factors
    whitened = torch.linalg.solve_triangular(factor_q, factor_p, upper=False).square().sum()
    shift = torch.linalg.solve_triangular(factor_q, (mean_q - mean_p)[:, None], upper=False).square().sum()
    log_ratio = 2 * (factor_q.diagonal().log().sum() - factor_p.diagonal().log().sum())
    return (whitened + shift - d + log_ratio) / 2


def _probabilities(p, argument: str) -> Tensor:
    p = torch.as_tensor(p)
    if not p.is_floating_point() or p.ndim < 1:
        raise ValueError(f"{argument}: expected (..., K) floating point probabilities, got {tuple(p.shape)} {p.dtype}")
    total = p.sum(-1)
    slack = math.sqrt(torch.finfo(p.dtype).eps) + p.shape[-1] * torch.finfo(p.dtype).eps
    if not ((p >= 0).all() and (total - 1).abs().max() < slack):  # written so that NaN fails too
        raise ValueError(
            f"{argument}: expected probabilities that sum to 1, got sums {total.min():.6g} to {total.max():.6g}"
        )
    return p
