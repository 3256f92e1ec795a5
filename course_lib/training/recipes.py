"""Named recipes: everything that a recorded network's run depends on, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import nn

from course_lib import data, files, ranks, runtime
from course_lib.data.avatars import ATTRIBUTES
from course_lib.models import dcgan, mlp, residual, style
from course_lib.models.classifier import AttributeClassifier, Classifier
from course_lib.models.vae import VAE, AutoEncoder
from course_lib.training import growth, settings
from course_lib.training.autoencoding import AutoencodingConfig, fit_vae
from course_lib.training.classification import ClassifierConfig, fit_classifier
from course_lib.training.history import History
from course_lib.training.loop import TrainConfig, TrainingState, fit


@dataclass(frozen=True)
class Recipe:
    """A data set, two networks and a configuration. `steps` is a whole number of epochs of 60,000 images."""

    summary: str
    data: str
    size: int  # images are padded to size × size
    networks: Callable[[], tuple[nn.Module, nn.Module]]
    config: TrainConfig
    snapshots: int = 20  # averaged generators kept on the way, besides the untrained one
    kept: str = "float32"  # how the record keeps weights: zoo.weights.KINDS


@dataclass(frozen=True)
class ClassifierRecipe:
    """A data set, one network and a configuration."""

    summary: str
    data: str
    networks: Callable[[], tuple[nn.Module]]
    config: ClassifierConfig


@dataclass(frozen=True)
class AutoencodingRecipe:
    """A data set, an AutoEncoder or a VAE, and a configuration."""

    summary: str
    data: str
    networks: Callable[[], tuple[nn.Module]]
    config: AutoencodingConfig
    size: int | None = None  # images are averaged down to size × size

    def images(self, split: str = "train") -> data.Images:
        """The recipe's photographs of that split, as the network takes them."""
        images = data.load(self.data, split)
        return images if self.size is None else images.shrunk(self.size)


def epochs(count: int, batch_size: int, images: int = 60_000) -> int:
    """Steps in `count` epochs; the last, partial batch of an epoch is left out."""
    return count * (images // batch_size)


PAIRS = TrainConfig(
    steps=epochs(14, 64),
    batch_size=64,
    loss="relativistic",
    penalty="r1_r2",
    penalty_weight=0.1,
    penalty_every=8,
    learning_rate_g=4e-3,
    learning_rate_d=4e-3,
    decay_from=0.3,
    betas=(0.0, 0.99),
)
STYLES = replace(
    PAIRS,
    steps=10_000,
    batch_size=32,
    penalty_weight=0.3,
    learning_rate_g=1.2e-2,
    learning_rate_d=1.2e-3,
    checkpoint_every_steps=250,
)
BELOW_32 = ((4, 0.0, 1.5), (8, 0.5, 2.0), (16, 1.0, 3.0))  # kimg
GROWTH_TO_32 = (*BELOW_32, (32, 2.0, 310.0))
GROWTH_TO_64 = (*BELOW_32, (32, 2.0, 160.0), (64, 10.0, 140.0))

RECIPES: dict[str, Recipe | ClassifierRecipe | AutoencodingRecipe] = {
    "mlp-fashion": Recipe(
        "the lesson's fully connected GAN on Fashion-MNIST: latent 100, batch 64, 50 epochs, learning rate 2e-4",
        data="fashion-mnist",
        size=28,
        networks=lambda: (mlp.Generator(latent_dim=100, width=128, size=28), mlp.Discriminator(width=256, size=28)),
        config=TrainConfig(steps=epochs(50, 64), batch_size=64, precision="float32"),  # bfloat16 gains nothing here
    ),
    "mlp-mnist": Recipe(
        "the lesson's fully connected GAN as written, on MNIST: latent 100, batch 64, 50 epochs, learning rate 2e-4",
        data="mnist",
        size=28,
        networks=lambda: (mlp.Generator(latent_dim=100, width=128, size=28), mlp.Discriminator(width=256, size=28)),
        config=TrainConfig(steps=epochs(50, 64), batch_size=64, precision="float32"),
        kept="int8",
    ),
    "dcgan-fashion": Recipe(
        "DCGAN at 32×32, width 64, on Fashion-MNIST: latent 100, batch 64, 40 epochs, learning rate 2e-4, falling from half-way",
        data="fashion-mnist",
        size=32,
        networks=lambda: (
            dcgan.Generator(latent_dim=100, width=64, channels=1, size=32),
            dcgan.Discriminator(width=64, channels=1, size=32),
        ),
        config=TrainConfig(steps=epochs(40, 64), batch_size=64, decay_from=0.5),
    ),
    "dcgan-avatars": Recipe(
        "DCGAN at 32×32, width 32, on avatars: the style-based generator's yardstick, as many images as that saw",
        data="avatars-32",
        size=32,
        networks=lambda: (
            dcgan.Generator(latent_dim=100, width=32, channels=3, size=32),
            dcgan.Discriminator(width=32, channels=3, size=32),
        ),
        config=TrainConfig(
            steps=STYLES.steps * STYLES.batch_size // 64,
            batch_size=64,
            checkpoint_every_steps=250,
        ),
        snapshots=8,
        kept="float16",
    ),
    "style-avatars-32": Recipe(
        "style-based generator of avatars, grown from 4×4 to 32×32, against a residual critic that grows with it: relativistic loss, R1 + R2",
        data="avatars-32",
        size=32,
        networks=lambda: _style_pair(32, width=16, critic_width=48),
        config=replace(STYLES, growth=GROWTH_TO_32),
    ),
    "style-avatars-64": Recipe(
        "style-based generator of avatars, grown from 4×4 to 64×64: as style-avatars-32, and as many images",
        data="avatars",
        size=64,
        networks=lambda: _style_pair(64, width=8, critic_width=24),
        config=replace(STYLES, growth=GROWTH_TO_64),
    ),
    "residual-fashion": Recipe(
        "residual networks at 32×32, width 16, on Fashion-MNIST: relativistic loss, R1 + R2, BatchNorm in the generator, 14 epochs",
        data="fashion-mnist",
        size=32,
        networks=lambda: (
            residual.Generator(latent_dim=100, width=16, channels=1, size=32, batch_norm=True, patch=2),
            residual.Discriminator(width=16, channels=1, size=32, patch=2),
        ),
        config=PAIRS,
        snapshots=8,
        kept="float16",
    ),
    "residual-fashion-classes": Recipe(
        "class-conditional residual networks at 32×32, width 48, on Fashion-MNIST: projection, relativistic loss, R1 + R2, 84 epochs",
        data="fashion-mnist",
        size=32,
        networks=lambda: (
            residual.Generator(latent_dim=100, width=48, channels=1, size=32, classes=10, batch_norm=True, patch=2),
            residual.Discriminator(width=48, channels=1, size=32, classes=10, patch=2),
        ),
        config=replace(PAIRS, steps=epochs(84, 64), learning_rate_g=1.3e-3, learning_rate_d=1.3e-3),
        snapshots=8,
        kept="int8",
    ),
    "classifier-fashion": ClassifierRecipe(
        "small convolutional classifier of Fashion-MNIST: the course's judge and feature extractor",
        data="fashion-mnist",
        networks=lambda: (Classifier(),),
        config=ClassifierConfig(epochs=40),
    ),
    "classifier-mnist": ClassifierRecipe(
        "the same network on MNIST, without mirror images: the judge of digits",
        data="mnist",
        networks=lambda: (Classifier(),),
        config=ClassifierConfig(epochs=20, mirror=False),
    ),
    "classifier-avatars": ClassifierRecipe(
        "small convolutional classifier of avatars at 32×32, one linear head an attribute: their judge and extractor",
        data="avatars-32",
        networks=lambda: (AttributeClassifier({name: len(values) for name, values in ATTRIBUTES.items()}),),
        config=ClassifierConfig(epochs=20, largest_shift=1, mirror=False),
    ),
    "ae-fashion-2d": AutoencodingRecipe(
        "autoencoder with two latent dimensions on Fashion-MNIST, for its map: width 12, 20 epochs",
        data="fashion-mnist",
        networks=lambda: (AutoEncoder(latent_dim=2, width=12),),
        config=AutoencodingConfig(steps=epochs(20, 64), batch_size=64),
    ),
    "vae-fashion-2d": AutoencodingRecipe(
        "the same as a VAE: two latent dimensions, Bernoulli likelihood of grey levels, β = 1",
        data="fashion-mnist",
        networks=lambda: (VAE(latent_dim=2, width=12),),
        config=AutoencodingConfig(steps=epochs(20, 64), batch_size=64),
    ),
    "ae-fashion": AutoencodingRecipe(
        "autoencoder with 20 latent dimensions on Fashion-MNIST: width 16, cross-entropy of grey levels, 3 epochs",
        data="fashion-mnist",
        networks=lambda: (AutoEncoder(latent_dim=20, width=16),),
        config=AutoencodingConfig(steps=epochs(3, 64), batch_size=64),
    ),
    "vae-fashion": AutoencodingRecipe(
        "VAE with 20 latent dimensions on Fashion-MNIST: width 16, Bernoulli likelihood of grey levels, β = 1, 30 epochs",
        data="fashion-mnist",
        networks=lambda: (VAE(latent_dim=20, width=16),),
        config=AutoencodingConfig(steps=epochs(30, 64), batch_size=64),
    ),
    "vae-fashion-sweep": AutoencodingRecipe(
        "vae-fashion for 3 epochs, to be run once for each β: --set beta=4",
        data="fashion-mnist",
        networks=lambda: (VAE(latent_dim=20, width=16),),
        config=AutoencodingConfig(steps=epochs(3, 64), batch_size=64),
    ),
    "vae-avatars": AutoencodingRecipe(
        "VAE with 32 latent dimensions on the 2,000 small avatars at 32×32: width 12, Gaussian likelihood, σ = 0.15, 40 epochs",
        data="avatars-small",
        networks=lambda: (VAE(latent_dim=32, width=12, channels=3, size=32, likelihood="gaussian", std=0.15),),
        config=AutoencodingConfig(steps=epochs(40, 64, images=2000), batch_size=64),
        size=32,
    ),
}


def _style_pair(size: int, width: int, critic_width: int) -> tuple[nn.Module, nn.Module]:
    """A style-based generator of avatars and the critic that grows with it; widths at `size` and at half of it."""
    return (
        style.Generator(
            latent_dim=32, width=width, size=size, most=128, mixing=0.2, mapping_lr=0.02, convolution_lr=3.0
        ),
        residual.GrowingDiscriminator(width=critic_width, size=size),
    )


def build(recipe: Recipe | ClassifierRecipe | AutoencodingRecipe) -> tuple[nn.Module, ...]:
    """The recipe's networks as they are before training: initial weights depend on the recipe's seed alone."""
    with torch.random.fork_rng():
        torch.manual_seed(recipe.config.seed)
        return recipe.networks()


def train(
    recipe_name: str,
    out: Path | str | None = None,
    overrides: Mapping[str, object] | None = None,
    callbacks=(),
    verbose: bool = True,
) -> History:
    """Run a GAN's recipe, or go on with it where an earlier call stopped.

    out:       folder for the checkpoint and snapshots/step-NNNNNNN.safetensors; default runs/NAME
    overrides: fields of TrainConfig to change, e.g. {"steps": 1000}
    raises:    ValueError for an unknown recipe or field; what `fit` raises

    Started by torchrun, its processes share each batch and rank 0 alone writes (training.distributed).
    """
    recipe, config = configured(recipe_name, overrides)
    out = Path(out or Path("runs", recipe_name))
    config = replace(config, checkpoint_dir=str(out))
    images = data.load(recipe.data, "train").padded(recipe.size)
    generator, discriminator = build(recipe)
    wanted = {*snapshot_steps(config.steps, recipe.snapshots), *growth.ends(config.growth, config.batch_size)}

    def keep(state: TrainingState) -> None:
        if state.step in wanted:
            tensors = {
                name: tensor.half().cpu().contiguous() if tensor.is_floating_point() else tensor.cpu()
                for name, tensor in state.average.network.state_dict().items()
            }
            files.write_atomically(snapshot_file(out, state.step), to_bytes(tensors))

    with ranks.joined():
        return fit(generator, discriminator, images, config, [keep, *callbacks], verbose=verbose)


def configured(recipe_name: str, overrides: Mapping[str, object] | None = None) -> tuple[Recipe, TrainConfig]:
    """A GAN's recipe and its configuration with some fields changed.

    raises: ValueError for an unknown recipe or field, or a value of another type
    """
    recipe, config = _configured(Recipe, recipe_name, overrides)
    if not config.ema_half_life_kimg:
        raise ValueError(
            f"ema_half_life_kimg: expected a number, since a recipe keeps averaged generators, got {config.ema_half_life_kimg}"
        )
    return recipe, config


def _configured(kind: type, recipe_name: str, overrides: Mapping[str, object] | None) -> tuple:
    """The recipe of this kind, and its configuration with some fields changed."""
    names = [name for name, recipe in RECIPES.items() if isinstance(recipe, kind)]
    recipe = RECIPES[runtime.known("recipe_name", recipe_name, names)]
    changes = {name: settings.fitting(type(recipe.config), name, value) for name, value in (overrides or {}).items()}
    if "checkpoint_dir" in changes:
        raise ValueError("checkpoint_dir: expected no override, the run's folder is out")
    return recipe, replace(recipe.config, **changes)


def snapshot_file(run: Path, step: int) -> Path:
    """Where a run keeps the averaged generator of a moment."""
    return run / "snapshots" / f"step-{step:07d}.safetensors"


def snapshot_steps(steps: int, count: int) -> list[int]:
    """0 and `count` moments up to `steps`, denser at the start, where samples change fastest."""
    first = min(100, max(1, steps // 100))
    ratio = (steps / first) ** (1 / max(1, count - 1))
    return sorted({0, steps, *(round(first * ratio**index) for index in range(count))})


def train_classifier(recipe_name: str, callbacks=()) -> tuple[nn.Module, list[dict[str, float]]]:
    """Run a classifier's recipe from its start; returns the network and one row an epoch.

    raises: ValueError for an unknown recipe
    """
    recipe, config = _configured(ClassifierRecipe, recipe_name, None)
    with torch.random.fork_rng():  # dropout draws from the global generator: one seed for it and the initial weights
        torch.manual_seed(config.seed)
        (network,) = recipe.networks()
        return network, fit_classifier(network, data.load(recipe.data, "train"), config, callbacks)


def train_autoencoder(
    recipe_name: str,
    out: Path | str | None = None,
    overrides: Mapping[str, object] | None = None,
    callbacks=(),
    verbose: bool = True,
) -> History:
    """Run the recipe of an AutoEncoder or a VAE, or go on with it where an earlier call stopped. Arguments as in `train`.

    overrides: fields of AutoencodingConfig to change, e.g. {"beta": 4.0}
    """
    recipe, config = _configured(AutoencodingRecipe, recipe_name, overrides)
    config = replace(config, checkpoint_dir=str(out or Path("runs", recipe_name)))
    return fit_vae(*build(recipe), recipe.images(), config, callbacks, verbose=verbose)
