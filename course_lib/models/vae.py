"""Autoencoder and variational autoencoder: small convolutional encoder and decoder around a short code.

Kingma, Welling 2013 (arXiv:1312.6114). Three strided convolutions down to a sixteenth or more, the same way back; no
BatchNorm, so that a network in training is the network that is measured. Images of another size than a power of two
are padded inside (28 to 32) and the decoder's border is cut off: the likelihood is of the images' own pixels.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.bounds import bernoulli_log_likelihood, gaussian_kl, gaussian_log_likelihood, reparameterise
from course_lib.data import centre
from course_lib.models import expect_images, expect_latents
from course_lib.runtime import known

LIKELIHOODS = ("bernoulli", "gaussian")


class AutoEncoder(nn.Module):
    """Images → code → what the decoder says of each pixel, given the code. As a generator: `autoencoder(z)`.

    latent_dim: length of the code;  width: channels of the widest map, doubled as the map halves
    size:       side of the images, 8 or more
    likelihood: what the decoder's output means. "bernoulli": logits of a pixel being white. "gaussian": means in
                [−1, 1] of normals of deviation `std`
    """

    codes = 1  # numbers that the encoder gives for each dimension of the code

    def __init__(
        self,
        latent_dim: int = 2,
        width: int = 16,
        channels: int = 1,
        size: int = 28,
        likelihood: str = "bernoulli",
        std: float = 0.3,
    ):
        super().__init__()
        if not isinstance(latent_dim, int) or latent_dim < 1:
            raise ValueError(f"latent_dim: expected a whole number from 1 up, got {latent_dim}")
        if not isinstance(size, int) or size < 8:
            raise ValueError(f"size: expected a whole number from 8 up, got {size}")
        if not std > 0:
            raise ValueError(f"std: expected a positive number, got {std}")
        self.latent_dim, self.channels, self.size = latent_dim, channels, size
        self.likelihood, self.std = known("likelihood", likelihood, LIKELIHOODS), std
        inner = 1 << (size - 1).bit_length()  # 28 → 32
        self.border = (inner - size) // 2, inner - size - (inner - size) // 2
        maps = [width * 2**level for level in range(3)]
        side = inner // 8
        down = [channels, *maps]
        self.encoder = nn.Sequential(
            *(layer for before, after in zip(down, maps) for layer in (nn.Conv2d(before, after, 4, 2, 1), nn.SiLU())),
            nn.Flatten(),
            nn.Linear(maps[-1] * side * side, self.codes * latent_dim),
        )
        up = [*maps[::-1], channels]
        layers = [nn.Linear(latent_dim, maps[-1] * side * side), nn.Unflatten(1, (maps[-1], side, side))]
        for before, after in zip(up, up[1:]):
            layers += [nn.SiLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        self.decoder = nn.Sequential(*layers)

    def encode(self, images: Tensor) -> Tensor:
        """(N, C, size, size) in [−1, 1] → codes (N, latent_dim)."""
        return self._encoded(images)

    def decode(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) → (N, C, size, size): logits ("bernoulli") or means in [−1, 1] ("gaussian")."""
        expect_latents(z, self.latent_dim)
        found = centre(self.decoder(z), self.size)
        return found if self.likelihood == "bernoulli" else found.tanh()

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) → the mean of p(x|z), images (N, C, size, size) in [−1, 1]."""
        found = self.decode(z)
        return (found / 2).tanh() if self.likelihood == "bernoulli" else found  # tanh(a/2) = 2·sigmoid(a) − 1

    def log_likelihood(self, z: Tensor, images: Tensor, validate: bool = True) -> Tensor:
        """log p(x|z) of each image, summed over its pixels, nats. z (N, latent_dim), images in [−1, 1] → (N,)"""
        if self.likelihood == "bernoulli":
            return bernoulli_log_likelihood(self.decode(z), images, validate)
        return gaussian_log_likelihood(self.decode(z), images, self.std, validate)

    def terms(self, images: Tensor, noise: Tensor | None = None, validate: bool = True) -> tuple[Tensor, Tensor]:
        """What training weighs against each other: log p(x|z) (N,) and the code's price (N, latent_dim), here 0.

        noise: not used; a VAE draws with it
        """
        z = self.encode(images)
        return self.log_likelihood(z, images, validate), z.new_zeros(z.shape)

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images → code (for a VAE the mean of q) → images, all in [−1, 1]."""
        return self(self.encode(images))

    def _encoded(self, images: Tensor) -> Tensor:
        expect_images(images, self.channels, self.size)
        return self.encoder(F.pad(images, self.border * 2, value=-1.0))


class VAE(AutoEncoder):
    """p(z) = N(0, I), p(x|z) by the decoder, and q(z|x) = N(μ(x), diag σ²(x)) by the encoder. Arguments as above."""

    codes = 2

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, size, size) in [−1, 1] → mean and logarithm of the variance of q(z|x), (N, latent_dim) each."""
        mean, log_variance = self._encoded(images).chunk(2, 1)
        return mean, log_variance

    def terms(self, images: Tensor, noise: Tensor, validate: bool = True) -> tuple[Tensor, Tensor]:
        """The ELBO's two terms: log p(x|z) (N,) at z = μ + σ·noise, and KL(q‖p) (N, latent_dim).

        noise: (N, latent_dim) from N(0, I)
        """
        expect_latents(noise, self.latent_dim)
        mean, log_variance = self.encode(images)
        z = reparameterise(mean, log_variance, noise)
        return self.log_likelihood(z, images, validate), gaussian_kl(mean, log_variance)

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images → mean of q → images, all in [−1, 1]."""
        return self(self.encode(images)[0])
