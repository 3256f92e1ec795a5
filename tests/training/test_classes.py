"""Class-conditional training: each fake has the class of a real image beside it, and a trained generator obeys its class."""

from dataclasses import replace

import pytest
import torch

from course_lib import data, zoo
from course_lib.models import in_turn, residual
from course_lib.training import TrainConfig, checkpoint, discriminator_step, fit, generator_step
from course_lib.training.draws import Draws

SHADES = torch.tensor([20, 120, 230])  # what tells the three classes apart
QUICK = TrainConfig(steps=4, batch_size=16, precision="float32", log_every_steps=2)


@pytest.fixture
def shades():
    """300 images of 8×8 of one grey each, with a little noise; the class is the shade."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (300,), generator=draw)
    pixels = SHADES[labels].view(-1, 1, 1, 1) + torch.randint(-9, 10, (300, 1, 8, 8), generator=draw)
    return data.Images(pixels.to(torch.uint8), labels, ("dark", "grey", "bright"))


def networks(classes=3, others=3):
    torch.manual_seed(0)
    return (
        residual.Generator(8, 4, 1, 8, classes=classes, batch_norm=True),
        residual.Discriminator(4, 1, 8, classes=others),
    )


def test_a_trained_generator_draws_the_class_it_is_told(shades):
    """The pairs with R1 + R2, 300 steps: the mean shade of each class within 25 grey levels, all latents."""
    config = TrainConfig(
        steps=300, batch_size=32, loss="relativistic", penalty="r1_r2", penalty_weight=0.1, penalty_every=4,
        learning_rate_g=4e-3, learning_rate_d=4e-3, betas=(0.0, 0.99), ema_half_life_kimg=1.0, precision="float32",
    )  # fmt: skip
    averaged = fit(*networks(), shades, config, verbose=False).averaged.eval()
    drawn = data.to_uint8(zoo.sample(averaged, 90)).float().mean((1, 2, 3)).view(30, 3)  # classes in turn
    assert (drawn.mean(0) - SHADES).abs().max() < 25 and drawn.std(0).max() < 40


def test_both_networks_are_told_the_classes_of_the_real_batch(shades):
    """Of D's update and of G's, the penalty's calls among them; by a discriminator that looks at what it is told."""
    g, d = networks()
    draws = Draws(shades.pixels, QUICK, 8, torch.float32, torch.contiguous_format, shades.labels)
    turn, heard = [0], []

    def hears(network, arguments, keywords):
        heard.append((type(network).__name__, torch.equal(keywords["labels"], draws.labels(turn[0] // 2))))

    def d_step(*arguments, **besides):
        real = arguments[3]
        means = (real.mean((1, 2, 3)) + 1) * 127.5
        nearest = (means[:, None] - SHADES).abs().argmin(1)
        assert torch.equal(nearest, draws.labels(turn[0] // 2)), "the labels are those of these images"
        turn[0] += 1
        return discriminator_step(*arguments, **besides)

    def g_step(*arguments, **besides):
        found = generator_step(*arguments, **besides)
        turn[0] += 1
        return found

    seen = []

    def watch(state):
        seen.append(state.step)
        if state.step == 0:
            g.register_forward_pre_hook(hears, with_kwargs=True)
            d.register_forward_pre_hook(hears, with_kwargs=True)

    config = replace(QUICK, loss="relativistic", penalty="r1_r2", penalty_weight=0.1)
    fit(g, d, shades, config, [watch], d_step=d_step, g_step=g_step, verbose=False)
    assert seen == [0, 1, 2, 3, 4] and turn == [8] and all(right for _, right in heard)
    assert {name for name, _ in heard} == {"Generator", "Discriminator"} and len(heard) >= 4 * (2 + 4 + 2)


def test_an_interrupted_run_ends_as_the_unbroken_one_bit_for_bit(shades, tmp_path):
    def run(folder, *lengths):
        for steps in lengths:
            fit(*networks(), shades, replace(QUICK, steps=steps, checkpoint_dir=str(folder)), verbose=False)
        return checkpoint.load(folder / "last.safetensors")[1]

    whole, broken = run(tmp_path / "whole", 23), run(tmp_path / "broken", 9, 23)  # an epoch ends at 18
    assert whole.keys() == broken.keys() and all(torch.equal(broken[key], each) for key, each in whole.items())


def test_without_a_class_all_come_in_turn_and_a_class_can_be_asked_for():
    g = networks()[0].eval()
    assert in_turn(g, 5)["labels"].tolist() == [0, 1, 2, 0, 1] and in_turn(residual.Generator(8, 4, 1, 8), 5) == {}
    torch.testing.assert_close(zoo.sample(g, 7, batch_size=2), zoo.sample(g, 7))
    bright = torch.full((7,), 2)
    assert torch.equal(zoo.sample(g, 7, labels=bright)[2::3], zoo.sample(g, 7)[2::3])
    assert not torch.allclose(zoo.sample(g, 7, labels=bright)[0], zoo.sample(g, 7)[0])


@pytest.mark.parametrize(
    ("built", "changes", "says"),
    [
        ({"others": None}, {}, "classes: expected the same for both networks, got 3 and None"),
        ({"classes": 2, "others": 2}, {}, "images: expected labels from 0 to 1, got labels from 0 to 2"),
        ({}, {"compiled": True}, "compiled: expected False with class-conditional networks"),
    ],
)
def test_what_does_not_fit_is_said_before_the_first_step(shades, built, changes, says):
    with pytest.raises(ValueError, match=says):
        fit(*networks(**built), shades, replace(QUICK, **changes), verbose=False)
