"""Compiled steps against the plain ones. The backend here traces and differentiates like the one for a GPU, and writes no code."""

import copy

import pytest
import torch
from torch._dynamo.utils import counters

from course_lib import training
from course_lib.data import Images
from course_lib.models import dcgan, residual
from course_lib.training.compiled import CompiledSteps

PIXELS = torch.randint(0, 256, (48, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
IMAGES = Images(PIXELS, torch.zeros(48, dtype=torch.int64), ("one",))
CASES = {
    "gradient penalty": {"loss": "wasserstein", "penalty": "gradient_penalty", "penalty_weight": 10.0},
    "R1 and R2, relativistic": {"loss": "relativistic", "penalty": "r1_r2", "penalty_weight": 1.0},
    "hinge, no penalty": {"loss": "hinge"},
    "a penalty every other update": {
        "loss": "non_saturating",
        "penalty": "r1",
        "penalty_weight": 1.0,
        "penalty_every": 2,
    },
}


def trained(networks, compiled: bool, **options):
    generator, discriminator = copy.deepcopy(networks)
    config = training.TrainConfig(
        steps=6, batch_size=8, precision="float32", log_every_steps=1, ema_half_life_kimg=None, **options
    )
    steps = CompiledSteps(backend="aot_eager") if compiled else None
    replaced = {"d_step": steps.discriminator_step, "g_step": steps.generator_step} if compiled else {}
    training.fit(generator, discriminator, IMAGES, config, verbose=False, **replaced)
    return [*generator.parameters(), *discriminator.parameters()]


def equal_to_1e_5(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_compiled_steps_are_the_plain_ones_to_1e_5(case):
    torch.manual_seed(0)
    networks = (
        residual.Generator(latent_dim=4, width=4, channels=1, size=16),
        residual.Discriminator(width=4, channels=1, size=16),
    )
    equal_to_1e_5(trained(networks, True, **CASES[case]), trained(networks, False, **CASES[case]))


def test_every_step_runs_the_graph_of_the_first():
    torch.manual_seed(0)
    networks = (
        residual.Generator(latent_dim=4, width=4, channels=1, size=16),
        residual.Discriminator(width=4, channels=1, size=16),
    )
    counters.clear()
    trained(networks, True, **CASES["gradient penalty"])
    assert counters["stats"]["unique_graphs"] == 2  # one for each player


def test_a_batch_norm_critic_under_a_penalty_takes_the_plain_step():
    torch.manual_seed(0)
    networks = (
        dcgan.Generator(latent_dim=4, width=4, channels=1, size=16),
        dcgan.Discriminator(width=4, channels=1, size=16),
    )
    options = {"penalty": "r1", "penalty_weight": 0.1}
    with pytest.warns(UserWarning, match="BatchNorm"):
        found, wanted = (trained(networks, compiled, **options) for compiled in (True, False))
    equal_to_1e_5(found, wanted)


@pytest.mark.parametrize(
    ("options", "steps", "said"),
    [
        ({"augment": ("cutout",)}, {}, "compiled: expected False with augment or growth"),
        ({}, {"d_step": lambda *arguments: None}, "compiled: expected False with steps of your own"),
    ],
)
def test_what_is_not_compiled_is_refused(options, steps, said):
    networks = residual.Generator(4, 4, 1, 16), residual.Discriminator(4, 1, 16)
    config = training.TrainConfig(steps=1, batch_size=8, compiled=True, precision="float32", **options)
    with pytest.raises(ValueError, match=said):
        training.fit(*networks, IMAGES, config, verbose=False, **steps)
