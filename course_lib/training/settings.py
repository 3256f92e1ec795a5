"""What a configuration may say: each field's type, also as text of the command line, and what fits networks and images."""

from __future__ import annotations

import ast
import contextlib
import types
import warnings
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import torch
from torch import nn

from course_lib import runtime
from course_lib.data import Images
from course_lib.data.augment import TRANSFORMS
from course_lib.losses import LOSSES
from course_lib.models import in_turn
from course_lib.penalties import PENALTIES, has_batch_norm
from course_lib.training import distributed, growth

# each (network, learning rate, TrainConfig) → optimizer
OPTIMIZERS: dict[str, Callable[[nn.Module, float, Any], torch.optim.Optimizer]] = {
    "adam": lambda network, lr, config: torch.optim.Adam(network.parameters(), lr, config.betas, fused=True),
    "rmsprop": lambda network, lr, config: torch.optim.RMSprop(network.parameters(), lr),
}


def check(generator, discriminator, images: Images, config) -> None:
    """Say what does not fit before the first step instead of from inside a convolution.

    config: a TrainConfig
    raises: ValueError that names the setting or the images;  warns of a penalty beside BatchNorm
    """
    runtime.known("loss", config.loss, LOSSES)
    runtime.known("precision", config.precision, ("auto", "float32", "bfloat16", "float64"))
    runtime.known("optimizer", config.optimizer, OPTIMIZERS)
    for name in config.augment:
        runtime.known("augment", name, TRANSFORMS)
    for name in ("steps", "batch_size", "critic_steps", "penalty_every", "log_every_steps", "checkpoint_every_steps"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}: expected at least 1, got {getattr(config, name)}")
    if config.penalty is not None:
        runtime.known("penalty", config.penalty, PENALTIES)
        if not config.penalty_weight > 0:
            raise ValueError(f"penalty_weight: expected a positive number for a penalty, got {config.penalty_weight}")
        if has_batch_norm(discriminator):
            warnings.warn(
                f"penalty {config.penalty} of a discriminator with BatchNorm: it couples the images of a batch, and what "
                "is penalised is not the slope at any image; do this on purpose only",
                stacklevel=3,
            )
    elif config.penalty_weight:
        raise ValueError(f"penalty: expected one of {', '.join(PENALTIES)} for a penalty_weight, got None")
    if config.compiled and (config.augment or config.growth):
        raise ValueError(
            "compiled: expected False with augment or growth, whose randomness is drawn inside the networks, got True"
        )
    if config.clip is not None and not config.clip > 0:
        raise ValueError(f"clip: expected None or a positive number, got {config.clip}")
    if not 0 < config.real_target <= 1:
        raise ValueError(f"real_target: expected a number in (0, 1], got {config.real_target}")
    if config.real_target != 1 and config.loss not in ("non_saturating", "saturating"):
        raise ValueError(
            f"real_target: expected 1.0 with the loss {config.loss!r}, which has no labels, got {config.real_target}"
        )
    if config.batch_size > len(images):
        raise ValueError(f"batch_size: expected at most {len(images)} (the number of images), got {config.batch_size}")
    if not hasattr(generator, "latent_dim"):
        raise ValueError("generator: expected a module with an attribute latent_dim")
    _check_classes(generator, discriminator, images, config)
    own = distributed.rows(config.batch_size)
    if own.stop - own.start < 2 and has_batch_norm(generator):
        raise ValueError("batch_size: expected at least 2 for networks with BatchNorm, got 1")
    growth.check(config.growth, (generator, discriminator), images.pixels.shape[2])
    training = [network.training for network in (generator, discriminator)]
    place = next(generator.parameters())
    try:
        with torch.no_grad():
            z = torch.zeros(2, generator.latent_dim, device=place.device, dtype=place.dtype)
            fake = generator.eval()(z, **in_turn(generator, 2))
    finally:
        generator.train(training[0])
    if fake.shape[1:] != images.pixels.shape[1:]:
        raise ValueError(
            f"images: expected {tuple(fake.shape[1:])} like the generator's output, "
            f"got {tuple(images.pixels.shape[1:])}; Images.padded adds a border"
        )


def _check_classes(generator, discriminator, images: Images, config) -> None:
    classes, other = (getattr(network, "classes", None) for network in (generator, discriminator))
    if classes != other:
        raise ValueError(f"classes: expected the same for both networks, got {classes} and {other}")
    if classes is None:
        return
    lowest, highest = images.labels.min().item(), images.labels.max().item()
    if lowest < 0 or highest >= classes:
        raise ValueError(f"images: expected labels from 0 to {classes - 1}, got labels from {lowest} to {highest}")
    if config.compiled:
        raise ValueError("compiled: expected False with class-conditional networks, which are told labels, got True")


def fitting(kind: type, name: str, value: object) -> object:
    """`value`, if it is of the type of the field `name` of the dataclass `kind`; a whole number is a float too.

    raises: ValueError that offers the nearest field for an unknown one, or names the type
    """
    wanted = get_type_hints(kind)[runtime.known("override", name, [field.name for field in fields(kind)])]
    if not _fits(value, wanted):
        raise ValueError(f"{name}: expected {_described(wanted)}, got {value!r}")
    return value


def parse(kind: type, text: str) -> tuple[str, object]:
    """ "NAME=VALUE" as (name, value of that field's type): steps=1000, loss=hinge, penalty=none, betas=0,0.9,
    augment=brightness,cutout, augment= (for none).

    raises: ValueError as `fitting` does, or if there is no =
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set: expected NAME=VALUE, got {text!r}")
    wanted = get_type_hints(kind)[runtime.known("--set", name, [field.name for field in fields(kind)])]
    if get_origin(wanted) is tuple:
        nested = get_origin(get_args(wanted)[0]) is tuple  # growth=(4,0,30),(8,20,20)
        parts = [f"{part})" for part in value.split(")")[:-1]] if nested else value.strip("()[] ").split(",")
        read = tuple(_read(part.strip(", ")) for part in parts if part.strip(", "))
    else:
        read = value if wanted is str else _read(value)
    return name, fitting(kind, name, read)


def _read(text: str) -> object:
    """A number, True, False or None, in any case; anything else is a word."""
    with contextlib.suppress(ValueError, SyntaxError):
        return ast.literal_eval(text.title() if text.lower() in ("true", "false", "none") else text)
    return text


def _fits(value: object, wanted: Any) -> bool:
    if get_origin(wanted) is types.UnionType:
        return any(_fits(value, each) for each in get_args(wanted))
    if get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if not isinstance(value, tuple):
            return False
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        return len(kinds) == len(value) and all(map(_fits, value, kinds))
    if wanted in (int, float):
        return isinstance(value, (int, wanted)) and not isinstance(value, bool)
    return isinstance(value, wanted)


def _described(wanted: Any) -> str:
    if get_origin(wanted) is types.UnionType:
        return " or ".join(map(_described, get_args(wanted)))
    if get_origin(wanted) is tuple:
        kinds = get_args(wanted)
        if kinds[-1] is Ellipsis:
            return f"({_described(kinds[0])}, ...)"
        return f"({', '.join(map(_described, kinds))})"
    return "None" if wanted is type(None) else wanted.__name__
