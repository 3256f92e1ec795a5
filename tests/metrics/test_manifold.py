"""Membership in a union of balls: by hand, against the shares that count it, and what one point can do."""

import pytest
import torch

from course_lib import metrics
from course_lib.data import degrade, load, to_float
from course_lib.metrics.manifold import in_manifold
from course_lib.zoo.judging import classify


def cloud(count, dim, seed, scale=1.0, shift=0.0):
    return scale * torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)) + shift


def test_any_ball_will_do_and_the_edge_counts():
    centres, radii = torch.tensor([[0.0, 0.0], [10.0, 0.0], [4.0, 0.0]]), torch.tensor([1.0, 7.0, 0.5])
    points = torch.tensor([[0.0, 1.0], [5.0, 1.0], [3.0, 1.0], [-9.0, 0.0]])
    assert in_manifold(points, centres, radii).tolist() == [True, True, False, False]


@pytest.mark.parametrize(("dim", "shift"), [(2, 0.0), (64, 0.0), (64, 300.0)])
def test_its_shares_are_precision_and_recall(dim, shift):
    real, fake = cloud(150, dim, 1, shift=shift), cloud(120, dim, 2, scale=1.1, shift=shift)
    found = metrics.precision_recall(real=real, fake=fake, k=3)
    shares = [
        in_manifold(points, centres, metrics.neighbour_radii(centres, 3)).double().mean().item()
        for points, centres in ((fake, real), (real, fake))
    ]
    assert shares == pytest.approx([found.precision, found.recall], abs=1e-12)


def test_a_kth_neighbour_lies_on_the_edge_exactly():
    points = cloud(80, 16, 3, shift=50.0)
    radii = metrics.neighbour_radii(points, 4)
    whom = torch.cdist(points.double(), points.double()).argsort(dim=1)[:, 4]
    alone = [in_manifold(points[j][None], points[i][None], radii[i][None]).item() for i, j in enumerate(whom.tolist())]
    assert all(alone)


def test_one_outlier_takes_precision_from_0_to_1_density_by_1_over_k_and_coverage_by_1_over_n():
    real, fake = cloud(1000, 64, 1), cloud(1000, 64, 2, shift=1.0)
    spoiled = real.clone()
    spoiled[0] = 3.0
    before, after = (metrics.precision_recall(real=each, fake=fake) for each in (real, spoiled))
    assert (
        before.precision < 0.02 and after.precision > 0.98 and after.recall == pytest.approx(before.recall, abs=0.002)
    )
    before, after = (metrics.density_coverage(real=each, fake=fake) for each in (real, spoiled))
    assert after.density - before.density == pytest.approx(1 / 5, abs=0.01)
    assert 0 <= after.coverage - before.coverage <= 2 / 1000


def test_wide_fakes_have_recall_1_and_precision_0():
    found = metrics.precision_recall(real=cloud(1000, 64, 1), fake=cloud(1000, 64, 2, scale=1.5))
    assert found.precision < 0.02 and found.recall > 0.98


def test_more_samples_of_a_flat_distribution_lower_recall_and_raise_coverage():
    real, flat = cloud(500, 8, 1), cloud(4000, 8, 2) * torch.tensor([1.0] * 4 + [0.2] * 4)
    few, many = (metrics.prdc(real=real, fake=flat[:count], k=3, strict=False) for count in (60, 4000))
    assert few.recall > 2 * many.recall and few.coverage < many.coverage - 0.2


def test_blur_raises_precision_in_pixels_and_lowers_it_in_features():
    pixels = load("fashion-mnist", "test").pixels
    sharp, others = to_float(pixels[:2000]), to_float(pixels[2000:4000])
    found = {}
    for sigma in (0.0, 0.5, 1.0):
        images = degrade.blur(others, sigma)
        found["pixels", sigma] = metrics.precision_recall(real=sharp.flatten(1), fake=images.flatten(1))
        found["features", sigma] = metrics.precision_recall(real=classify(sharp)[0], fake=classify(images)[0])
    precision, recall = ([found["pixels", sigma][i] for sigma in (0.0, 0.5, 1.0)] for i in (0, 1))
    assert precision == pytest.approx([0.75, 0.93, 0.99], abs=0.02)
    assert recall == pytest.approx([0.78, 0.43, 0.006], abs=0.02)
    assert found["features", 1.0].precision < found["features", 0.0].precision - 0.2


@pytest.mark.parametrize(
    ("points", "radii", "says"),
    [
        (torch.zeros(2, 3), torch.ones(4), r"points: expected \(M, 2\) like centres"),
        (torch.zeros(2, 2), torch.ones(3), r"radii: expected \(4,\) numbers of at least 0, got \(3,\)"),
        (torch.zeros(2, 2), -torch.ones(4), "at least 0"),
    ],
)
def test_what_is_refused(points, radii, says):
    with pytest.raises(ValueError, match=says):
        in_manifold(points, torch.zeros(4, 2), radii)
