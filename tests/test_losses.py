"""Adversarial losses against closed forms and PyTorch's own cross-entropy."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib.losses import LOSSES, value


@pytest.mark.parametrize("name", LOSSES)
def test_where_nothing_can_be_told_apart_the_discriminator_pays_log_4(name):
    assert LOSSES[name].discriminator(torch.zeros(5), torch.zeros(7)).item() == pytest.approx(math.log(4))


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


def test_half_precision_logits_are_taken_to_float32():
    assert LOSSES["saturating"].generator(torch.zeros(3, dtype=torch.bfloat16)).dtype == torch.float32


@pytest.mark.parametrize("logits", [torch.zeros(3, 1), torch.zeros(3, dtype=torch.long)])
def test_wrong_logits_are_named(logits):
    with pytest.raises(ValueError, match="fake_logits: expected \\(N,\\) floating point"):
        LOSSES["non_saturating"].generator(logits)
