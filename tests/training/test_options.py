"""Penalties, critic steps, clipping, augmentation, smoothing, RMSprop, pairs: each against the same run written out by hand."""

import warnings

import pytest
import torch
import torch.nn.functional as F

from course_lib import data, runtime, training
from course_lib.data.augment import diff_augment
from course_lib.losses import LOSSES
from course_lib.models import dcgan, residual
from course_lib.training import TrainConfig, checkpoint, fit
from course_lib.training.draws import Augmented, Draws

EXACT = dict(batch_size=16, precision="float64", log_every_steps=1, ema_half_life_kimg=None)
QUICK = dict(batch_size=16, precision="float32", log_every_steps=2)


def networks():
    """Without BatchNorm, so that penalties mean something; the same weights every time."""
    torch.manual_seed(0)
    return residual.Generator(8, 4, 1, 8), residual.Discriminator(4, 1, 8)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def score(critic, images):
    """The gradient of each image's own logit, one image at a time: (N, D)."""
    rows = []
    for image in images:
        image = image[None].requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(image).squeeze(), image, create_graph=True)
        rows.append(slope.flatten())
    return torch.stack(rows)


def by_hand(few, steps, *, d_loss, g_loss, critic_steps=1, penalty=None, every=1, make, after=lambda d: None):
    """The game in its plainest form: float64, no library step, no frozen network."""
    g, d = (network.double() for network in networks())
    optimizer_g, optimizer_d = make(g.parameters()), make(d.parameters())
    pixels, rows = few.pixels, []
    for step in range(steps):
        z = torch.randn(
            critic_steps + 1, 16, 8, generator=runtime.keyed_generator("cpu", 0, step, "z"), dtype=torch.float64
        )
        for turn in range(critic_steps):
            number = step * critic_steps + turn
            epoch, place = divmod(number, len(pixels) // 16)
            order = data.epoch_order(len(pixels), epoch, 0, "cpu")
            real = data.to_float(pixels[order[16 * place : 16 * place + 16]]).double()
            fake = g(z[turn]).detach()
            loss = d_loss(d(real), d(fake))
            total = loss
            if penalty and number % every == 0:
                total = loss + every * penalty(d, real, fake, runtime.keyed_generator("cpu", 0, number, "penalty"))
            optimizer_d.zero_grad()
            total.backward()
            optimizer_d.step()
            after(d)
        loss_g = g_loss(d(g(z[-1])), real, d)
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
        rows.append((loss.item(), loss_g.item()))
    return torch.cat([weights(g), weights(d)]), rows


def adam(parameters):
    return torch.optim.Adam(parameters, 2e-4, (0.5, 0.999), foreach=False, fused=False)


def between(d, real, fake, draw):
    mix = torch.rand(16, generator=draw, dtype=torch.float64).reshape(-1, 1, 1, 1)
    return 10 * (score(d, mix * real + (1 - mix) * fake).norm(dim=1) - 1).square().mean()


def both_slopes(d, real, fake, draw):
    return 0.3 * 0.5 * (score(d, real).square().sum(1).mean() + score(d, fake).square().sum(1).mean())


def clipped(d):
    with torch.no_grad():
        for parameter in d.parameters():
            parameter.clamp_(-0.02, 0.02)


BY_HAND = {
    "WGAN-GP": (
        dict(loss="wasserstein", critic_steps=3, penalty="gradient_penalty", penalty_weight=10.0),
        dict(d_loss=lambda r, f: f.mean() - r.mean(), g_loss=lambda f, real, d: -f.mean(), critic_steps=3, penalty=between),
        adam,
    ),
    "relativistic, lazily R1 + R2": (
        dict(loss="relativistic", critic_steps=2, penalty="r1_r2", penalty_weight=0.3, penalty_every=3),
        dict(
            d_loss=lambda r, f: F.softplus(f - r).mean(),
            g_loss=lambda f, real, d: F.softplus(d(real) - f).mean(),
            critic_steps=2,
            penalty=both_slopes,
            every=3,
        ),
        adam,
    ),
    "clipping, RMSprop": (
        dict(loss="wasserstein", critic_steps=2, clip=0.02, optimizer="rmsprop", learning_rate_d=5e-5, learning_rate_g=5e-5),
        dict(d_loss=lambda r, f: f.mean() - r.mean(), g_loss=lambda f, real, d: -f.mean(), critic_steps=2, after=clipped),
        lambda parameters: torch.optim.RMSprop(parameters, 5e-5, foreach=False),
    ),
    "one-sided smoothing": (
        dict(real_target=0.8),
        dict(
            d_loss=lambda r, f: F.binary_cross_entropy_with_logits(r, torch.full_like(r, 0.8)) + F.softplus(f).mean(),
            g_loss=lambda f, real, d: F.softplus(-f).mean(),
        ),
        adam,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_a_run_is_the_run_written_out_by_hand(few, name):
    """Six steps in float64: every weight and both losses; the penalty is in no logged loss."""
    settings, plain, make = BY_HAND[name]
    g, d = networks()
    history = fit(g, d, few, TrainConfig(steps=6, **EXACT, **settings), verbose=False)
    want, rows = by_hand(few, 6, **plain, make=make)
    torch.testing.assert_close(torch.cat([weights(g), weights(d)]), want, rtol=0, atol=1e-12)
    assert (want - torch.cat([weights(n) for n in networks()]).double()).abs().max() > 1e-4
    torch.testing.assert_close(
        torch.tensor([history["d_loss"], history["g_loss"]]), torch.tensor(rows).T, rtol=0, atol=1e-6
    )


def test_each_update_of_d_has_images_and_latents_of_its_own(few):
    """Three updates a step: the 16 batches of an epoch are each image once, and the next epoch has another order."""
    seen, latents = [], []

    def d_step(g, d, optimizer, real, z, loss):
        seen.append(real), latents.append(z)
        return training.discriminator_step(g, d, optimizer, real, z, loss)

    def g_step(g, d, optimizer, z, loss):
        latents.append(z)
        return training.generator_step(g, d, optimizer, z, loss)

    fit(*networks(), few, TrainConfig(steps=8, critic_steps=3, **QUICK), d_step=d_step, g_step=g_step, verbose=False)
    assert len(seen) == 24 and len(torch.cat(latents).unique(dim=0)) == 32 * 16
    epoch = torch.cat(seen[:16])
    want = data.to_float(few.pixels)
    assert torch.equal(epoch.flatten(1).sum(1).sort().values, want.flatten(1).sum(1).sort().values)
    assert not torch.equal(torch.cat(seen[16:]), epoch[: 8 * 16])


def test_a_lazy_penalty_is_seldom_and_as_many_times_as_heavy(few):
    given = []

    def d_step(g, d, optimizer, real, z, loss, penalty=None):
        given.append(penalty and penalty(lambda x: 3 * x.flatten(1).sum(1), real, real).item())
        return training.discriminator_step(g, d, optimizer, real, z, loss, penalty)

    config = TrainConfig(steps=3, critic_steps=3, penalty="r1", penalty_weight=0.5, penalty_every=4, **QUICK)
    fit(*networks(), few, config, d_step=d_step, verbose=False)
    once = 4 * 0.5 * 0.5 * 9 * 64  # every · weight · ½ · ‖∇‖², of a critic with slope 3 at each of 64 pixels
    assert [value is not None for value in given] == [number % 4 == 0 for number in range(9)]
    assert [value for value in given if value is not None] == pytest.approx([once] * 3)


def test_a_learners_own_steps_are_asked_for_nothing_new_by_the_defaults(few):
    def d_step(g, d, optimizer, real, z, loss):
        return training.discriminator_step(g, d, optimizer, real, z, loss)

    def g_step(g, d, optimizer, z, loss):
        return training.generator_step(g, d, optimizer, z, loss)

    fit(*networks(), few, TrainConfig(steps=1, **QUICK), d_step=d_step, g_step=g_step, verbose=False)


def test_clipping_bounds_d_after_every_update_and_leaves_g(few):
    config = TrainConfig(steps=4, clip=0.01, **QUICK)
    largest = []
    fit(*networks(), few, config, [lambda s: largest.append([weights(n).abs().max().item() for n in (s.discriminator, s.generator)])], verbose=False)  # fmt: skip
    assert largest[0][0] > 0.01 and all(d <= 0.01 + 1e-9 and g > 0.01 for d, g in largest[1:])


def test_d_sees_altered_images_only_in_both_steps(few):
    """A cut-out square is 0 in a quarter of an image at most and is nowhere 0 before."""
    inputs = []

    class Watching(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, images):
            inputs.append(images.detach().clone())
            return self.network(images)

    g, d = networks()
    fit(g, Watching(d), few, TrainConfig(steps=1, augment=("cutout",), **QUICK), verbose=False)
    assert len(inputs) == 3, "real and fake in D's step, fake in G's"
    holes = [(images == 0).all(1) for images in inputs]
    assert all(((hole.flatten(1).sum(1) >= 1).all() and (hole.flatten(1).sum(1) <= 16).all()) for hole in holes)
    assert not torch.equal(holes[0], holes[1]) and not torch.equal(holes[1], holes[2])


def test_gradients_pass_through_the_alteration():
    critic = Augmented(torch.nn.Flatten(), ("brightness", "translation", "cutout"))
    images = torch.rand(6, 1, 8, 8, requires_grad=True)
    critic.draw = runtime.keyed_generator("cpu", 1)
    critic(images).sum().backward()
    same = torch.ones(6, 1, 8, 8, requires_grad=True)
    diff_augment(same, critic.policy, runtime.keyed_generator("cpu", 1)).sum().backward()
    assert torch.equal(images.grad, same.grad) and 0 < images.grad.sum() < images.numel()


def test_a_step_alters_alike_whenever_it_is_drawn(few):
    config = TrainConfig(steps=9, augment=("brightness",), **QUICK)
    one, other = (Draws(few.pixels, config, 8, torch.float32, torch.contiguous_format) for _ in range(2))
    one.real(3), one.transforms(0)
    assert torch.equal(torch.rand(4, generator=one.transforms(5)), torch.rand(4, generator=other.transforms(5)))
    assert torch.equal(one.real(17), other.real(17)) and torch.equal(one.latents(5), other.latents(5))


def test_a_relativistic_generator_is_compared_with_the_real_images():
    g, d = networks()
    z, real = torch.randn(4, 8), torch.rand(4, 1, 8, 8)
    want = F.softplus(d(real) - d(g(z))).mean()
    step = torch.optim.SGD(g.parameters(), 0.1)
    value, _ = training.generator_step(g, d, step, z, LOSSES["relativistic"], real)
    torch.testing.assert_close(value, want.detach())
    with pytest.raises(ValueError, match="real_logits: expected"):
        training.generator_step(g, d, step, z, LOSSES["relativistic"])


def test_a_penalty_beside_batch_norm_warns(few):
    config = TrainConfig(steps=1, penalty="r1", penalty_weight=1.0, **QUICK)
    g, d = dcgan.Generator(8, 4, 1, 16), dcgan.Discriminator(4, 1, 16)
    with pytest.warns(UserWarning, match="discriminator with BatchNorm: it couples the images of a batch"):
        fit(g, d, few.padded(16), config, verbose=False)
    with warnings.catch_warnings(action="error"):
        fit(*networks(), few, config, verbose=False)


@pytest.mark.parametrize(
    "settings",
    [
        dict(optimizer="rmsprop", clip=0.05, loss="wasserstein", critic_steps=2),
        dict(penalty="gradient_penalty", penalty_weight=10.0, penalty_every=3, critic_steps=2, augment=("translation",)),
    ],
)  # fmt: skip
def test_every_option_resumes_bit_for_bit(few, tmp_path, settings):
    ends = []
    for name, stops in (("whole", [7]), ("broken", [3, 7])):
        for steps in stops:
            g, d = networks()
            config = TrainConfig(
                steps=steps, checkpoint_dir=str(tmp_path / name), checkpoint_every_steps=2, **QUICK, **settings
            )
            fit(g, d, few, config, verbose=False)
        ends.append(checkpoint.load(tmp_path / name / "last.safetensors")[1])
    assert ends[0].keys() == ends[1].keys() and all(torch.equal(ends[1][name], t) for name, t in ends[0].items())
    assert any(name.startswith(settings.get("optimizer", "adam") + "_d") for name in ends[0])


def test_a_weight_that_is_not_finite_is_never_the_last_good_state(few, tmp_path):
    """The loss of step 4 is that of the weights before its update, and still finite."""
    count = []

    def g_step(g, d, optimizer, z, loss):
        result = training.generator_step(g, d, optimizer, z, loss)
        count.append(1)
        if len(count) == 4:
            with torch.no_grad():
                next(g.parameters()).view(-1)[0] = float("inf")
        return result

    config = TrainConfig(steps=9, checkpoint_dir=str(tmp_path), checkpoint_every_steps=2, **QUICK)
    with pytest.raises(training.TrainingDiverged, match="at step 4: .*a weight not finite; the last good state"):
        fit(*networks(), few, config, g_step=g_step, verbose=False)
    header, tensors = checkpoint.load(tmp_path / "last.safetensors")
    assert header["step"] == 2 and all(torch.isfinite(t.float()).all() for t in tensors.values())


def test_float64_is_float64_throughout(few):
    g, d = networks()
    seen = []

    def d_step(g, d, optimizer, real, z, loss):
        result = training.discriminator_step(g, d, optimizer, real, z, loss)
        seen.extend((real.dtype, z.dtype, *(each.dtype for each in result)))
        return result

    fit(g, d, few, TrainConfig(steps=1, **EXACT), d_step=d_step, verbose=False)
    assert set(seen) == {torch.float64} == {p.dtype for p in (*g.parameters(), *d.parameters())}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"penalty": "r3", "penalty_weight": 1.0}, "penalty: expected one of gradient_penalty, r1, r1_r2, got 'r3'"),
        ({"penalty": "r1"}, "penalty_weight: expected a positive number for a penalty, got 0.0"),
        ({"penalty_weight": 10.0}, "penalty: expected one of .* for a penalty_weight, got None"),
        ({"critic_steps": 0}, "critic_steps: expected at least 1, got 0"),
        ({"penalty_every": 0}, "penalty_every: expected at least 1, got 0"),
        ({"clip": 0.0}, "clip: expected None or a positive number, got 0.0"),
        ({"optimizer": "adamm"}, "optimizer: expected one of adam, rmsprop, got 'adamm'; did you mean 'adam'"),
        ({"augment": ("cutuot",)}, "augment: expected one of .*did you mean 'cutout'"),
        ({"real_target": 1.1}, r"real_target: expected a number in \(0, 1\], got 1.1"),
        ({"real_target": 0.9, "loss": "hinge"}, "real_target: expected 1.0 with the loss 'hinge', which has no labels"),
    ],
)
def test_bad_options_are_named_before_the_first_step(few, change, says):
    with pytest.raises(ValueError, match=says):
        fit(*networks(), few, TrainConfig(steps=1, **QUICK, **change), verbose=False)


def test_a_dcgan_trains_with_everything_that_fits_it(few):
    """Smoke: bfloat16, channels-last, BatchNorm in G, a critic without it, all options at once."""
    torch.manual_seed(0)
    config = TrainConfig(
        steps=3, batch_size=16, precision="bfloat16", log_every_steps=1, loss="relativistic", penalty="r1_r2",
        penalty_weight=0.1, penalty_every=2, augment=("brightness", "translation"), critic_steps=2,
    )  # fmt: skip
    history = fit(dcgan.Generator(8, 8, 1, 8), residual.Discriminator(4, 1, 8), few, config, verbose=False)
    assert all(abs(value) < 100 for value in history["d_loss"])
