"""The loop: what a step changes, what is written down, what it refuses, and how it stops."""

import pytest
import torch

from course_lib import training
from course_lib.losses import LOSSES, Loss
from course_lib.models import mlp
from course_lib.training import TrainConfig, fit
from course_lib.training.loop import InPrecision, decay, frozen, gradient_norm

CONFIG = TrainConfig(steps=6, batch_size=16, log_every_steps=2, precision="float32")


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_history_has_a_row_for_every_logged_step(pair, few):
    history = fit(*pair(), few, CONFIG, verbose=False)
    assert history["step"] == [2, 4, 6] and len(history) == 3
    assert all(value == value and abs(value) < 1e4 for row in history.rows for value in row.values())
    assert all(speed > 0 for speed in history["images_per_second"])
    assert not history.averaged.training and not any(p.requires_grad for p in history.averaged.parameters())


def test_the_seed_and_nothing_else_decides(pair, few):
    runs = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        g, d = pair()
        torch.manual_seed(noise)  # what else was drawn before must not matter
        fit(g, d, few, TrainConfig(**{**CONFIG.__dict__, "seed": seed}), verbose=False)
        runs.append(weights(g))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_the_learners_own_steps_are_used(pair, few):
    calls = []

    def d_step(*arguments):
        calls.append("d")
        return training.discriminator_step(*arguments)

    def g_step(*arguments):
        calls.append("g")
        return training.generator_step(*arguments)

    fit(*pair(), few, CONFIG, d_step=d_step, g_step=g_step, verbose=False)
    assert calls == ["d", "g"] * 6


def test_callbacks_see_the_start_and_every_step(pair, few):
    seen = []
    fit(*pair(), few, CONFIG, [lambda state: seen.append(state.step)], verbose=False)
    assert seen == list(range(7))


def test_a_discriminator_step_leaves_the_generator_alone(pair):
    g, d = pair()
    before, mine = weights(g), weights(d)
    optimizer = torch.optim.SGD(d.parameters(), lr=0.1)
    loss, real, fake = training.discriminator_step(g, d, optimizer, torch.rand(4, 1, 8, 8), torch.randn(4, 8))
    assert torch.equal(before, weights(g)) and all(p.grad is None for p in g.parameters())
    assert not torch.equal(mine, weights(d)) and real.shape == fake.shape == (4,) and loss.ndim == 0


def test_a_generator_step_leaves_the_discriminator_alone_and_able_to_learn(pair):
    g, d = pair()
    before, mine = weights(d), weights(g)
    training.generator_step(g, d, torch.optim.SGD(g.parameters(), lr=0.1), torch.randn(4, 8))
    assert torch.equal(before, weights(d)) and all(p.grad is None and p.requires_grad for p in d.parameters())
    assert not torch.equal(mine, weights(g))


def test_frozen_restores_each_flag_even_after_an_error(pair):
    _, d = pair()
    first = next(d.parameters()).requires_grad_(False)
    with pytest.raises(KeyError), frozen(d):
        assert not any(p.requires_grad for p in d.parameters())
        raise KeyError
    assert not first.requires_grad and sum(p.requires_grad for p in d.parameters()) == len(list(d.parameters())) - 1


def test_gradient_norm_is_that_of_all_gradients_together(pair):
    g, _ = pair()
    assert gradient_norm(g) == 0
    g(torch.randn(4, 8)).square().sum().backward()
    want = torch.cat([p.grad.flatten() for p in g.parameters()]).norm()
    torch.testing.assert_close(gradient_norm(g), want)


def test_bfloat16_computes_in_bfloat16_and_answers_in_float32(pair):
    g, _ = pair()
    z = torch.randn(4, 8)
    half, full = InPrecision(g, torch.bfloat16)(z), InPrecision(g, torch.float32)(z)
    assert half.dtype == torch.float32 and not torch.equal(half, full)
    torch.testing.assert_close(half, full, atol=0.05, rtol=0.1)


def test_channels_last_changes_results_by_rounding_only(pair, few):
    runs = []
    for layout in (True, False):
        g, d = pair()
        fit(
            g,
            d,
            few,
            TrainConfig(**{**CONFIG.__dict__, "channels_last": layout, "steps": 1, "log_every_steps": 1}),
            verbose=False,
        )
        runs.append(weights(g))
    torch.testing.assert_close(*runs, atol=5e-4, rtol=0)  # one Adam step moves each weight by at most 2e-4


def test_the_learning_rate_falls_linearly_in_its_last_part():
    assert [decay(x, 0.5) for x in (0, 0.5, 0.75, 1.0)] == [1, 1, 0.5, 0] and decay(0.99, 1.0) == 1


def test_the_average_has_the_half_life_it_says():
    start, target = mlp.Generator(8, 4, 1, 4), mlp.Generator(8, 4, 1, 4)
    average = training.ExponentialAverage(start, half_life_kimg=0.064)  # 64 images
    begin, goal = weights(start), weights(target)
    for step in range(2):
        average.update(target, batch_size=32, images_seen=10_000 + step)
    torch.testing.assert_close(weights(average.network), (begin + goal) / 2)
    with pytest.raises(ValueError, match="half_life_kimg: expected a positive number"):
        training.ExponentialAverage(start, 0)


def test_nan_stops_with_the_step_the_last_good_state_and_advice(pair, few, tmp_path):
    bad = Loss(LOSSES["non_saturating"].discriminator, lambda logits: logits.mean() / 0 * 0)
    count = []

    def g_step(g, d, optimizer, z, loss):
        count.append(1)
        return training.generator_step(g, d, optimizer, z, bad if len(count) == 5 else loss)

    config = TrainConfig(
        **{**CONFIG.__dict__, "checkpoint_dir": str(tmp_path), "checkpoint_every_steps": 2, "steps": 20}
    )
    with pytest.raises(
        training.TrainingDiverged, match=r"diverged at step 5: .* last good state is .*last.safetensors.*learning rate"
    ) as caught:
        fit(*pair(), few, config, g_step=g_step, verbose=False)
    assert caught.value.step == 5
    header, tensors = training.load_checkpoint(caught.value.checkpoint)
    assert header["step"] == 4 and all(torch.isfinite(t.float()).all() for t in tensors.values())


def test_without_a_checkpoint_it_says_so(pair, few):
    with pytest.raises(training.TrainingDiverged, match="no checkpoint was kept"):
        fit(*pair(), few, TrainConfig(**{**CONFIG.__dict__, "learning_rate_g": float("inf")}), verbose=False)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loss": "non-saturating"}, "loss: expected one of .*did you mean 'non_saturating'"),
        ({"precision": "float16"}, "precision: expected one of auto, float32, bfloat16"),
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"batch_size": 1000}, r"batch_size: expected at most 256 \(the number of images\), got 1000"),
        ({"batch_size": 1}, "batch_size: expected at least 2 for networks with BatchNorm"),
    ],
)
def test_bad_settings_are_named_before_the_first_step(pair, few, change, says):
    with pytest.raises(ValueError, match=says):
        fit(*pair(), few, TrainConfig(**{**CONFIG.__dict__, **change}), verbose=False)


def test_images_that_do_not_fit_the_generator_are_named(pair, few):
    with pytest.raises(
        ValueError, match=r"images: expected \(1, 8, 8\) like the generator's output, got \(1, 16, 16\)"
    ):
        fit(*pair(), few.padded(16), CONFIG, verbose=False)
