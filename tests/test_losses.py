"""Adversarial losses against closed forms, PyTorch's own functions, and slopes by finite differences."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib.losses import LOSSES, noisy_targets, smoothed_discriminator, value

LOG2 = math.log(2)
AT_ZERO = {  # discriminator, generator where every logit is 0
    "non_saturating": (2 * LOG2, LOG2),
    "saturating": (2 * LOG2, -LOG2),
    "least_squares": (0.5, 0.5),
    "wasserstein": (0.0, 0.0),
    "hinge": (2.0, 0.0),
    "relativistic": (LOG2, LOG2),
}
REAL, FAKE = [2.0, -1.0], [0.5, -3.0]
BY_HAND = {  # discriminator, generator at those logits
    "non_saturating": (
        (math.log1p(math.exp(-2)) + math.log1p(math.exp(1))) / 2
        + (math.log1p(math.exp(0.5)) + math.log1p(math.exp(-3))) / 2,
        (math.log1p(math.exp(-0.5)) + math.log1p(math.exp(3))) / 2,
    ),
    "saturating": (None, -(math.log1p(math.exp(0.5)) + math.log1p(math.exp(-3))) / 2),
    "least_squares": ((1 + 4) / 4 + (0.25 + 9) / 4, (0.25 + 16) / 4),
    "wasserstein": (-1.25 - 0.5, 1.25),
    "hinge": ((0 + 2) / 2 + (1.5 + 0) / 2, 1.25),
    "relativistic": (  # the differences are 1.5 and 2
        (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(-2))) / 2,
        (math.log1p(math.exp(1.5)) + math.log1p(math.exp(2))) / 2,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_where_every_logit_is_0(name):
    zeros = torch.zeros(5)
    found = LOSSES[name].discriminator(zeros, zeros).item(), LOSSES[name].generator_loss(zeros, zeros).item()
    assert found == pytest.approx(AT_ZERO[name])


@pytest.mark.parametrize("name", LOSSES)
def test_two_pairs_by_hand(name):
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    d, g = BY_HAND[name]
    if d is not None:
        assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(d)
    assert LOSSES[name].generator_loss(fake, real).item() == pytest.approx(g)


def independent(name, real, fake):
    """Both losses once more, by PyTorch's own loss functions."""
    ones, zeros, cross = torch.ones_like(real), torch.zeros_like(fake), F.binary_cross_entropy_with_logits

    def mean(logits):
        return F.avg_pool1d(logits[None], len(logits))[0, 0]

    return {
        "non_saturating": lambda: (cross(real, ones) + cross(fake, zeros), cross(fake, ones)),
        "saturating": lambda: (cross(real, ones) + cross(fake, zeros), -cross(fake, zeros)),
        "least_squares": lambda: ((F.mse_loss(real, ones) + F.mse_loss(fake, zeros)) / 2, F.mse_loss(fake, ones) / 2),
        "wasserstein": lambda: (mean(fake - real), -mean(fake)),
        "hinge": lambda: (F.hinge_embedding_loss(real, -ones) + F.hinge_embedding_loss(-fake, -ones), -mean(fake)),
        "relativistic": lambda: (F.soft_margin_loss(real - fake, ones), F.soft_margin_loss(fake - real, ones)),
    }[name]()


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_slope_against_another_implementation(name):
    real, fake = (3 * torch.randn(40, dtype=torch.float64)).requires_grad_(), torch.randn(40, dtype=torch.float64)
    fake.requires_grad_()
    ours = LOSSES[name].discriminator(real, fake), LOSSES[name].generator_loss(fake, real)
    for mine, theirs in zip(ours, independent(name, real, fake)):
        torch.testing.assert_close(mine, theirs)
        slopes = [
            torch.autograd.grad(v, (real, fake), allow_unused=True, materialize_grads=True) for v in (mine, theirs)
        ]
        torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_against_finite_differences(name):
    logits = [torch.randn(6, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(LOSSES[name].discriminator, logits)
    assert torch.autograd.gradcheck(lambda real, fake: LOSSES[name].generator_loss(fake, real), logits)


@pytest.mark.parametrize("name", LOSSES)
def test_both_players_pull_the_right_way(name):
    real, fake = torch.full((4,), 0.2, requires_grad=True), torch.full((4,), 0.2, requires_grad=True)
    up, down = torch.autograd.grad(LOSSES[name].discriminator(real, fake), (real, fake))
    assert (up < 0).all() and (down > 0).all()  # downhill: real logits up, fake logits down
    (pull,) = torch.autograd.grad(LOSSES[name].generator_loss(fake, real), fake)
    assert (pull < 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_bounded_says_whether_a_critic_gains_by_growing_for_ever(name):
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.0])
    sizes = [LOSSES[name].discriminator(scale * real, scale * fake).item() for scale in (1e3, 1e6)]
    assert (sizes[1] < sizes[0] - 1e5) == (not LOSSES[name].bounded)


def test_the_best_least_squares_logit_is_a_half_where_the_densities_are_equal():
    logits = torch.full((8,), 0.5, requires_grad=True)
    loss = LOSSES["least_squares"].discriminator(logits, logits)
    assert loss.item() == pytest.approx(0.25) and (torch.autograd.grad(loss, logits)[0] == 0).all()


def test_hinge_has_no_slope_beyond_its_margin():
    real, fake = torch.tensor([1.5, 0.5], requires_grad=True), torch.tensor([-1.5, -0.5], requires_grad=True)
    slopes = torch.autograd.grad(LOSSES["hinge"].discriminator(real, fake), (real, fake))
    assert slopes[0].tolist() == [0, -0.5] and slopes[1].tolist() == [0, 0.5]


def test_only_differences_count_for_a_relativistic_loss():
    real, fake, loss = torch.randn(9), torch.randn(9), LOSSES["relativistic"]
    torch.testing.assert_close(loss.discriminator(real + 5, fake + 5), loss.discriminator(real, fake))
    torch.testing.assert_close(loss.generator(fake, real), loss.discriminator(fake, real))


def test_a_relativistic_loss_needs_pairs():
    loss = LOSSES["relativistic"]
    message = r"fake_logits: expected \(5,\) like real_logits, to be paired, got \(4,\)"
    with pytest.raises(ValueError, match=message):
        loss.discriminator(torch.zeros(5), torch.zeros(4))
    with pytest.raises(ValueError, match=message):
        loss.generator(torch.zeros(4), torch.zeros(5))
    with pytest.raises(ValueError, match=r"real_logits: expected \(4,\), a relativistic loss compares pairs, got None"):
        loss.generator_loss(torch.zeros(4))
    assert LOSSES["hinge"].generator_loss(torch.ones(4)) == LOSSES["hinge"].generator_loss(torch.ones(4), torch.ones(9))


def test_with_targets_of_1_smoothing_is_cross_entropy():
    real, fake = torch.randn(30), torch.randn(20)
    plain = LOSSES["non_saturating"].discriminator(real, fake)
    torch.testing.assert_close(smoothed_discriminator(real, fake, target=1.0), plain)
    targets = torch.rand(30)
    want = F.binary_cross_entropy_with_logits(real, targets) + F.softplus(fake).mean()
    torch.testing.assert_close(smoothed_discriminator(real, fake, target=targets), want)


@pytest.mark.parametrize("t", [1.0, 0.9, 0.6])
def test_the_best_smoothed_discriminator_is_t_p_over_p_plus_q(t):
    """Three points with densities of p and q in tenths; a minimum of a convex function is where its slope is 0."""
    p, q, places = torch.tensor([1, 3, 6]), torch.tensor([5, 3, 2]), torch.arange(3)
    best = t * p.double() / (p + q)
    logits = best.logit().requires_grad_()
    loss = smoothed_discriminator(logits[places.repeat_interleave(p)], logits[places.repeat_interleave(q)], target=t)
    assert torch.autograd.grad(loss, logits)[0].abs().max() < 1e-12


def test_noisy_targets_have_the_gradient_of_their_mean():
    """Exact for the mean of the targets drawn, since the loss is linear in them; 0.85 is that mean's expectation."""
    logits = torch.full((200_000,), 0.3, dtype=torch.float64, requires_grad=True)
    fake = torch.zeros(2, dtype=torch.float64)
    targets = noisy_targets((200_000,), generator=torch.Generator().manual_seed(0)).double()
    assert targets.min() >= 0.7 and targets.max() < 1 and targets.mean().item() == pytest.approx(0.85, abs=1e-3)

    def slope(target):
        return torch.autograd.grad(smoothed_discriminator(logits, fake, target), logits)[0].sum().item()

    assert slope(targets) == pytest.approx(slope(targets.mean().item()), rel=1e-12)
    assert slope(targets) == pytest.approx(slope(0.85), abs=1e-3)
    assert slope(0.85) == pytest.approx(torch.tensor(0.3).sigmoid().item() - 0.85)


def test_noisy_targets_follow_their_generator():
    a, b = (noisy_targets((5,), 0.2, 0.4, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(a, b) and a.min() >= 0.2 and a.max() < 0.4


def test_wrong_targets_are_named():
    logits = torch.zeros(3)
    for target in (0.0, 1.5, -0.1):
        with pytest.raises(ValueError, match=r"target: expected a number in \(0, 1\], got"):
            smoothed_discriminator(logits, logits, target)
    with pytest.raises(ValueError, match=r"target: expected a number or \(3,\), got \(4,\)"):
        smoothed_discriminator(logits, logits, torch.ones(4))
    with pytest.raises(ValueError, match="low, high: expected 0 <= low <= high <= 1, got 0.9, 0.5"):
        noisy_targets((3,), 0.9, 0.5)


def test_against_binary_cross_entropy():
    real, fake = torch.randn(50), torch.randn(40)
    want = F.binary_cross_entropy_with_logits(real, torch.ones(50)) + F.binary_cross_entropy_with_logits(
        fake, torch.zeros(40)
    )
    torch.testing.assert_close(LOSSES["non_saturating"].discriminator(real, fake), want)
    torch.testing.assert_close(
        LOSSES["non_saturating"].generator(fake), F.binary_cross_entropy_with_logits(fake, torch.ones(40))
    )
    torch.testing.assert_close(
        LOSSES["saturating"].generator(fake), -F.binary_cross_entropy_with_logits(fake, torch.zeros(40))
    )


def test_the_value_is_minus_the_discriminators_loss():
    real, fake = torch.tensor([math.log(4), 0.0]), torch.tensor([-math.log(9)])  # D = 0.8, 0.5 and 0.1
    assert value(real, fake).item() == pytest.approx((math.log(0.8) + math.log(0.5)) / 2 + math.log(0.9))
    assert value(real, fake) == -LOSSES["saturating"].discriminator(real, fake)
    assert value(torch.zeros(5), torch.zeros(7)).item() == pytest.approx(-math.log(4))


def test_slopes_at_a_logit_of_minus_four():
    for name, slope in (("saturating", -0.018), ("non_saturating", -0.982)):
        logit = torch.tensor([-4.0], requires_grad=True)
        (found,) = torch.autograd.grad(LOSSES[name].generator(logit), logit)
        assert found.item() == pytest.approx(slope, abs=5e-4)


@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_no_rounded_logarithm(logit):
    x = torch.tensor([logit], requires_grad=True)
    value = LOSSES["non_saturating"].discriminator(-x, x)
    (slope,) = torch.autograd.grad(value, x)
    assert torch.isfinite(value) and torch.isfinite(slope)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", LOSSES)
def test_half_precision_logits_are_taken_to_float32(name, dtype):
    real, fake = torch.randn(9).to(dtype), torch.randn(9).to(dtype)
    for half, full in (
        (LOSSES[name].discriminator(real, fake), LOSSES[name].discriminator(real.float(), fake.float())),
        (LOSSES[name].generator_loss(fake, real), LOSSES[name].generator_loss(fake.float(), real.float())),
    ):
        assert half.dtype == torch.float32 and torch.equal(half, full)


@pytest.mark.parametrize("logits", [torch.zeros(3, 1), torch.zeros(3, dtype=torch.long)])
def test_wrong_logits_are_named(logits):
    with pytest.raises(ValueError, match="fake_logits: expected \\(N,\\) floating point"):
        LOSSES["non_saturating"].generator(logits)
