"""Named recipes: everything that a recorded network's run depends on, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes
from torch import nn

from course_lib import data, files, runtime
from course_lib.models import dcgan, mlp
from course_lib.models.classifier import Classifier
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


@dataclass(frozen=True)
class ClassifierRecipe:
    """A data set, one network and a configuration."""

    summary: str
    data: str
    networks: Callable[[], tuple[nn.Module]]
    config: ClassifierConfig


def epochs(count: int, batch_size: int, images: int = 60_000) -> int:
    """Steps in `count` epochs; the last, partial batch of an epoch is left out."""
    return count * (images // batch_size)


RECIPES: dict[str, Recipe | ClassifierRecipe] = {
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
}


def build(recipe: Recipe | ClassifierRecipe) -> tuple[nn.Module, ...]:
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
    """
    recipe = RECIPES[
        runtime.known("recipe_name", recipe_name, [n for n, r in RECIPES.items() if isinstance(r, Recipe)])
    ]
    for name, value in (overrides or {}).items():
        free = [field.name for field in fields(TrainConfig) if field.name != "checkpoint_dir"]  # `out` is its name here
        kind = type(getattr(recipe.config, runtime.known("override", name, free)))
        if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool) != (kind is bool):
            raise ValueError(f"{name}: expected {kind.__name__}, got {value!r}")
    out = Path(out or Path("runs", recipe_name))
    config = replace(recipe.config, checkpoint_dir=str(out), **(overrides or {}))
    images = data.load(recipe.data, "train").padded(recipe.size)
    generator, discriminator = build(recipe)
    wanted = snapshot_steps(config.steps, recipe.snapshots)

    def keep(state: TrainingState) -> None:
        if state.step in wanted:
            tensors = {
                name: tensor.half().cpu().contiguous() if tensor.is_floating_point() else tensor.cpu()
                for name, tensor in state.average.network.state_dict().items()
            }
            files.write_atomically(snapshot_file(out, state.step), to_bytes(tensors))

    return fit(generator, discriminator, images, config, [keep, *callbacks], verbose=verbose)


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
    names = [name for name, recipe in RECIPES.items() if isinstance(recipe, ClassifierRecipe)]
    recipe = RECIPES[runtime.known("recipe_name", recipe_name, names)]
    with torch.random.fork_rng():  # dropout draws from the global generator: one seed for it and the initial weights
        torch.manual_seed(recipe.config.seed)
        (network,) = recipe.networks()
        return network, fit_classifier(network, data.load(recipe.data, "train"), recipe.config, callbacks)
