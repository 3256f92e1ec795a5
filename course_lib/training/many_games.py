"""Many games in the plane at once, one a seed, so that five seeds cost little more than one.

A single run of a GAN is an anecdote. Here all games of a comparison are one batch: the networks' weights lie in one
matrix, a row a game, and `torch.func.vmap` plays them side by side. Rates and β₁ may differ between games.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap

from course_lib import losses, penalties, runtime
from course_lib.data.mixtures import Mixture
from course_lib.metrics.modes import ModeCount, count_modes
from course_lib.training.points import Points, Scores

Setting = float | Sequence[float]  # one for all games, or one for each


class ManyGames:
    """Generators against discriminators on points of the plane; game k is the same whatever is played beside it.

    data:          a mixture in two dimensions
    seeds:         one for each game, of its first weights, latents and data; games of one seed start alike and see the same
    loss:          a key of losses.LOSSES;  lr_g, lr_d, beta1: Adam's, one for all games or one for each
    batch:         real points, and as many fakes, in a step;  d_steps: updates of D for each of G
    critic, generator: make one network each, without BatchNorm
    penalty, penalty_weight: a key of penalties.PENALTIES, added to D's loss
    clip:          bound of D's weights after each of its steps
    spectral:      normalise each layer of D spectrally, by one power iteration before each of its updates
    optimizer:     "adam" or "rmsprop", PyTorch's, which has no beta1
    real_target:   below 1: one-sided label smoothing, for the two cross-entropy losses
    diversity:     weight of penalties.diversity in G's loss
    """

    def __init__(
        self,
        data: Mixture,
        *,
        seeds: Sequence[int] = range(5),
        loss: str = "non_saturating",
        lr_g: Setting = 2e-3,
        lr_d: Setting = 2e-3,
        beta1: Setting = 0.5,
        batch: int = 64,
        d_steps: int = 1,
        critic: Callable[[], nn.Module] = Scores,
        generator: Callable[[], nn.Module] = Points,
        penalty: str | None = None,
        penalty_weight: float = 1.0,
        clip: float | None = None,
        spectral: bool = False,
        optimizer: str = "adam",
        real_target: float = 1.0,
        diversity: float = 0.0,
    ):
        if data.dim != 2:
            raise ValueError(f"data: expected a mixture in 2 dimensions, got {data.dim}")
        self.data, self.seeds, self.batch, self.d_steps = data, list(seeds), batch, d_steps
        self.loss = losses.LOSSES[runtime.known("loss", loss, losses.LOSSES)]
        if real_target != 1.0 and loss not in ("non_saturating", "saturating"):
            raise ValueError(
                f"real_target: expected 1.0 with the loss {loss!r}, which has no labels, got {real_target}"
            )
        if penalty is not None:
            runtime.known("penalty", penalty, penalties.PENALTIES)
        self.penalty, self.penalty_weight, self.clip = penalty, penalty_weight, clip
        self.real_target, self.diversity = real_target, diversity
        runtime.known("optimizer", optimizer, ("adam", "rmsprop"))
        pairs = [_seeded(seed, generator, critic) for seed in self.seeds]
        self.g = _Players([pair[0] for pair in pairs], lr_g, beta1, optimizer)
        self.d = _Players([pair[1] for pair in pairs], lr_d, beta1, optimizer)
        if spectral:
            self.d.normalise_spectrally()
        self.latent_dim = pairs[0][0].latent_dim
        self._kinds = sorted(set(self.seeds))
        self._row = torch.tensor([self._kinds.index(seed) for seed in self.seeds])
        self._draws = [runtime.keyed_generator("cpu", seed, "many games") for seed in self._kinds]
        self.fixed_z = self._each(lambda draw: torch.randn(1000, self.latent_dim, generator=draw))
        self.d_losses, self.g_losses = [], []  # of each step, (games,); the penalty is not in them

    def play(self, steps: int) -> ManyGames:
        """`steps` times `d_steps` updates of D and one of G; returns itself."""
        for _ in range(steps):
            for _ in range(self.d_steps):
                d_loss = self._d_step()
            self.d_losses.append(d_loss.detach())
            self.g_losses.append(self._g_step().detach())
        return self

    @torch.no_grad()
    def samples(self, weights: Tensor | None = None) -> Tensor:
        """What each G makes of 1,000 latents that stay the same: (games, 1000, 2).

        weights: in place of its own, such as an average of `.g.weights`, and of that shape
        """
        return vmap(self.g.run)(self.g.rows(weights), self.fixed_z)

    def modes(self, at_least: int = 20, weights: Tensor | None = None) -> list[ModeCount]:
        """For each game: modes with `at_least` of its 1,000 samples, and the share of samples near any."""
        means, stds = self.data.means, self.data.stds
        return [count_modes(points, means, stds, at_least) for points in self.samples(weights)]

    def last_losses(self, steps: int = 100) -> tuple[Tensor, Tensor]:
        """Mean loss of D and of G over the last steps, (games,) each."""
        return tuple(torch.stack(kept[-steps:]).mean(0) for kept in (self.d_losses, self.g_losses))

    def _each(self, draw_with: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw_with(draw) for draw in self._draws])[self._row]

    def _real(self) -> Tensor:
        return self._each(lambda draw: self.data.sample(self.batch, draw))

    def _latents(self) -> Tensor:
        return self._each(lambda draw: torch.randn(self.batch, self.latent_dim, generator=draw))

    def _d_step(self) -> Tensor:
        real, z = self._real(), self._latents()
        self.d.iterate()
        with torch.no_grad():
            fake = vmap(self.g.run)(self.g.rows(), z)
        d_loss = vmap(self._d_loss)(self.d.rows(), real, fake)
        total = d_loss.sum()
        if self.penalty:  # over all games' points at once: each logit depends on its own point alone
            rows, games = self.d.rows(), len(self.seeds)
            total = total + self.penalty_weight * games * penalties.PENALTIES[self.penalty](
                lambda points: vmap(self.d.run)(rows, points.reshape(games, -1, 2)).flatten(),
                real.flatten(0, 1),
                fake.flatten(0, 1),
                self._draws[0],
            )
        self.d.update(total)
        if self.clip:
            self.d.weights.data.clamp_(-self.clip, self.clip)
        return d_loss

    def _g_step(self) -> Tensor:
        z = self._latents()
        real = self._real() if self.loss.relativistic else z  # looked at by a relativistic loss only
        g_loss, fake = vmap(self._g_loss)(self.g.rows(), self.d.rows(), z, real)
        total = g_loss.sum()
        if self.diversity:
            total = total + self.diversity * vmap(penalties.diversity)(fake, z).sum()
        self.g.update(total)
        return g_loss

    def _d_loss(self, weights: dict, real: Tensor, fake: Tensor) -> Tensor:
        logits = self.d.run(weights, real), self.d.run(weights, fake)
        if self.real_target != 1.0:
            return losses.smoothed_discriminator(*logits, self.real_target)
        return self.loss.discriminator(*logits)

    def _g_loss(self, g_weights: dict, d_weights: dict, z: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        fake = self.g.run(g_weights, z)
        real_logits = self.d.run(d_weights, real) if self.loss.relativistic else None
        return self.loss.generator_loss(self.d.run(d_weights, fake), real_logits), fake


def _seeded(seed: int, *makes: Callable[[], nn.Module]) -> list[nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return [make() for make in makes]


class _Players:
    """One network a game, their weights the rows of a matrix, under an optimizer whose rate and β₁ may differ by row."""

    def __init__(self, networks: Sequence[nn.Module], lr: Setting, beta1: Setting, optimizer: str):
        self.network = networks[0]  # lends its shape; its own weights are not used
        self.shapes = {name: parameter.shape for name, parameter in self.network.named_parameters()}
        rows = [nn.utils.parameters_to_vector(network.parameters()).detach() for network in networks]
        self.weights = torch.stack(rows).requires_grad_(True)
        self.lr, self.beta1 = (
            torch.as_tensor(each, dtype=torch.float32).expand(len(rows))[:, None] for each in (lr, beta1)
        )
        self.mean, self.square, self.count = torch.zeros_like(self.weights), torch.zeros_like(self.weights), 0
        self.rmsprop = optimizer == "rmsprop"
        self.vectors: dict[
            str, tuple[Tensor, Tensor]
        ] = {}  # of spectrally normalised weights: u (games, m), v (games, n)

    def normalise_spectrally(self) -> None:
        """From now on every matrix is used divided by its largest singular value, which ten power iterations have found."""
        for name, shape in self.shapes.items():
            if len(shape) == 2:
                draw = runtime.keyed_generator("cpu", "power iteration", name)
                one = torch.randn(shape[0], generator=draw).expand(len(self.weights), -1)
                self.vectors[name] = one, torch.empty(0)
        for _ in range(10):
            self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """One power iteration on every normalised matrix (models.layers.power_iteration), for all games at once."""
        for name, (u, _) in self.vectors.items():
            matrix = self._parts(self.weights)[name]
            v = F.normalize(torch.einsum("gmn,gm->gn", matrix, u), dim=1)
            self.vectors[name] = F.normalize(torch.einsum("gmn,gn->gm", matrix, v), dim=1), v

    def rows(self, weights: Tensor | None = None) -> dict[str, Tensor]:
        """Each parameter by name, (games, ...)."""
        parts = self._parts(self.weights if weights is None else weights)
        for name, (u, v) in self.vectors.items():
            parts[name] = parts[name] / torch.einsum("gm,gmn,gn->g", u, parts[name], v)[:, None, None]
        return parts

    def _parts(self, weights: Tensor) -> dict[str, Tensor]:
        parts = weights.split([shape.numel() for shape in self.shapes.values()], dim=1)
        return {name: part.reshape(-1, *shape) for (name, shape), part in zip(self.shapes.items(), parts)}

    def run(self, weights: dict[str, Tensor], x: Tensor) -> Tensor:
        """One game's network on its points; `vmap` runs it for all."""
        return functional_call(self.network, weights, (x,))

    @torch.no_grad()
    def update(self, loss: Tensor, beta2: float = 0.999, eps: float = 1e-8) -> None:
        """One step of Adam, or of RMSprop as PyTorch has it, on the sum of all games' losses."""
        (gradient,) = torch.autograd.grad(loss, self.weights)
        if self.rmsprop:
            self.square.mul_(0.99).addcmul_(gradient, gradient, value=0.01)
            self.weights -= self.lr * gradient / (self.square.sqrt() + eps)
            return
        self.count += 1
        self.mean.lerp_(gradient, 1 - self.beta1)
        self.square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        mean, square = self.mean / (1 - self.beta1**self.count), self.square / (1 - beta2**self.count)
        self.weights -= self.lr * mean / (square.sqrt() + eps)
