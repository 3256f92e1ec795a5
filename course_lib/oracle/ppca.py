"""Probabilistic PCA: a latent variable model in which evidence, posterior and every ELBO are known exactly.

z ~ N(0, I), x = W·z + μ + σ·noise (Tipping, Bishop 1999, J. Royal Statistical Society B 61). A linear VAE with a Gaussian
likelihood is this model, so what a VAE can only bound is computed here. Everything is float64 and in nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from course_lib import bounds


@dataclass(frozen=True)
class PPCA:
    """weights: W (D, d);  mean: μ (D,);  std: σ > 0 of the noise; tensors float64"""

    weights: Tensor
    mean: Tensor
    std: float

    def __post_init__(self):
        if self.weights.ndim != 2 or self.weights.dtype != torch.float64:
            raise ValueError(f"weights: expected (D, d) float64, got {tuple(self.weights.shape)} {self.weights.dtype}")
        if self.mean.shape != self.weights.shape[:1] or self.mean.dtype != torch.float64:
            raise ValueError(
                f"mean: expected ({len(self.weights)},) float64 like the rows of weights, "
                f"got {tuple(self.mean.shape)} {self.mean.dtype}"
            )
        if not self.std > 0:
            raise ValueError(f"std: expected a positive number, got {self.std}")

    @property
    def latent_dim(self) -> int:
        """Number of latent dimensions d."""
        return self.weights.shape[1]

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """`count` independent draws of x, (count, D)."""
        z = torch.randn(count, self.latent_dim, generator=generator, dtype=torch.float64)
        noise = torch.randn(count, len(self.mean), generator=generator, dtype=torch.float64)
        return self.decode(z) + self.std * noise

    def decode(self, z: Tensor) -> Tensor:
        """Mean of p(x|z). (..., d) → (..., D)"""
        return z @ self.weights.T + self.mean

    def evidence(self, x: Tensor) -> Tensor:
        """log p(x), exactly: x is normal with mean μ and covariance WWᵀ + σ²I. (N, D) → (N,)"""
        cov = self.weights @ self.weights.T + self.std**2 * torch.eye(len(self.mean), dtype=torch.float64)
        return MultivariateNormal(self.mean, cov).log_prob(self._data(x))

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (N, d) and covariance (d, d) of p(z|x): M⁻¹Wᵀ(x − μ) and σ²M⁻¹, M = WᵀW + σ²I; one covariance for all x."""
        inner = self.weights.T @ self.weights + self.std**2 * torch.eye(self.latent_dim, dtype=torch.float64)
        centred = (self._data(x) - self.mean) @ self.weights  # (N, d)
        return torch.linalg.solve(inner, centred.T).T, self.std**2 * torch.linalg.inv(inner)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) + log p(z). x: (N, D), z: (..., N, d) → (..., N)"""
        log_variance = 2 * math.log(self.std)
        return bounds.log_normal(self._data(x), self.decode(z), log_variance) + bounds.log_normal(z)

    def elbo(self, x: Tensor, mean_q: Tensor, cov_q: Tensor) -> Tensor:
        """The ELBO at q(z|x) = N(mean_q, cov_q), its expectation taken in closed form. → (N,)

        E_q log p(x, z) is the joint at q's mean less half the trace of cov_q times the joint's curvature, I + WᵀW/σ².

        x: (N, D);  mean_q: (N, d);  cov_q: (d, d) for all, or (N, d, d); symmetric, positive definite
        raises: ValueError if shapes do not fit or a covariance has no density
        """
        d = self.latent_dim
        if mean_q.shape != (len(x), d) or cov_q.shape not in ((d, d), (len(x), d, d)):
            raise ValueError(
                f"mean_q, cov_q: expected ({len(x)}, {d}) and ({d}, {d}) or ({len(x)}, {d}, {d}), "
                f"got {tuple(mean_q.shape)} and {tuple(cov_q.shape)}"
            )
        factor, failed = torch.linalg.cholesky_ex(cov_q)
        if failed.any():
            raise ValueError("cov_q: expected symmetric, positive definite matrices; one has no density")
        curvature = torch.eye(d, dtype=torch.float64) + self.weights.T @ self.weights / self.std**2
        spread = 0.5 * (curvature * cov_q).sum((-2, -1))
        half_log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        entropy_q = half_log_det + 0.5 * d * (1 + math.log(2 * math.pi))
        return self.log_joint(x, mean_q) - spread + entropy_q

    def _data(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != len(self.mean) or x.dtype != torch.float64:
            raise ValueError(f"x: expected (N, {len(self.mean)}) float64, got {tuple(x.shape)} {x.dtype}")
        return x


def fit(x: Tensor, latent_dim: int) -> PPCA:
    """The most likely probabilistic PCA of these points, in closed form (Tipping, Bishop 1999).

    σ² is the mean of the eigenvalues that are left out; W the leading eigenvectors, each scaled by √(λ − σ²).

    x: (N, D) float64 with N > D > latent_dim ≥ 1
    raises: ValueError for another shape, or if the points lie in a subspace of that dimension (σ would be 0)
    """
    if x.ndim != 2 or x.dtype != torch.float64 or not 1 <= latent_dim < x.shape[1] < len(x):
        raise ValueError(f"x: expected (N, D) float64 with N > D > {latent_dim}, got {tuple(x.shape)} {x.dtype}")
    values, vectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
    noise = values[:-latent_dim].mean().item()
    if noise <= 1e-12 * values[-1].item():
        raise ValueError(f"x: expected points off every {latent_dim}-dimensional plane, got points on one")
    weights = vectors[:, -latent_dim:] * (values[-latent_dim:] - noise).clamp(min=0).sqrt()
    return PPCA(weights.flip(1), x.mean(0), math.sqrt(noise))
