"""The fidelity-diversity curve on a generator whose truth is known: it reproduces the data."""

import pytest
import torch
from torch import nn

from course_lib import latent, metrics


class Exact(nn.Module):
    """z in 8 dimensions → the same point, through a BatchNorm that has seen normal latents."""

    def __init__(self):
        super().__init__()
        self.latent_dim, self.norm = 8, nn.BatchNorm1d(8)
        self.eval()

    def forward(self, z):
        return self.norm(z)


REAL = torch.randn(500, 8, generator=torch.Generator().manual_seed(0))


def curve(thresholds, generator=None, **options):
    draw = torch.Generator().manual_seed(1)
    return metrics.trade_off(
        generator or Exact(), lambda images: images, thresholds, real=REAL, count=500, draw=draw, **options
    )


def test_precision_rises_and_recall_falls_where_the_generator_is_exact():
    tight, middle, wide, whole = curve([0.3, 0.7, 2.0, None])
    assert min(tight.precision, middle.precision) > whole.precision + 0.05
    assert tight.recall <= middle.recall < wide.recall - 0.3
    assert whole.precision == pytest.approx(whole.recall, abs=0.07)


def test_the_numbers_are_those_of_precision_and_recall():
    (found,) = curve([None], k=5)
    z = torch.randn(500, 8, generator=torch.Generator().manual_seed(1))
    fake = Exact()(z)
    assert found == metrics.precision_recall(real=REAL, fake=fake, k=5)


def test_train_mode_would_hide_the_truncation_and_is_given_back():
    generator = Exact().train()
    before = generator.norm.running_var.clone()
    (found,) = curve([0.3], generator)
    assert generator.training and torch.equal(generator.norm.running_var, before)
    assert found.recall < 0.3
    with torch.no_grad():  # what would have been measured
        z = latent.truncated_normal((500, 8), 0.3, torch.Generator().manual_seed(1))
        stretched = metrics.precision_recall(real=REAL, fake=Exact().train()(z), k=3)
    assert stretched.recall > found.recall + 0.3


def test_a_generator_that_raises_is_given_back_too():
    class Broken(Exact):
        def forward(self, z):
            raise RuntimeError("broken")

    generator = Broken().train()
    with pytest.raises(RuntimeError, match="broken"):
        curve([1.0], generator)
    assert generator.training


def test_bad_thresholds_are_refused():
    with pytest.raises(ValueError, match="thresholds: expected at least one, got none"):
        curve([])
    with pytest.raises(ValueError, match="threshold: expected at least 0.01, got 0"):
        curve([0.0])
