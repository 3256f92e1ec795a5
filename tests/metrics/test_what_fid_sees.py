"""Chapter 04's claims: what the Fréchet distance is a distance of, and what it sees and does not see of images."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib import data, metrics, zoo
from course_lib.data import degrade
from course_lib.data.normals import Normal, covariance_2d
from course_lib.zoo.judging import classify

N = 2000
NOWHERE = torch.zeros(2, dtype=torch.float64)


@pytest.fixture(scope="module")
def real():
    return classify(data.load("fashion-mnist", "test").pixels[:N])[0].double()


@pytest.fixture(scope="module")
def photographs():
    return data.load("fashion-mnist").subset(slice(0, N))


def test_clouds_that_lean_apart_are_2_26_apart_with_equal_means_and_variances():
    right, left = (covariance_2d(1, 1, correlation) for correlation in (0.9, -0.9))
    found = metrics.frechet_distance(NOWHERE, right, NOWHERE, left)
    assert (
        found == pytest.approx(2 * (math.sqrt(1.9) - math.sqrt(0.1)) ** 2, abs=1e-12) == pytest.approx(2.256, abs=1e-3)
    )


def test_it_is_the_shortest_mean_squared_journey():
    start, goal = Normal(NOWHERE, covariance_2d(1.6, 0.6, 0.8)), Normal(NOWHERE + 1, covariance_2d(0.7, 1.5, -0.6))
    root = start.root
    best = root.inverse() @ Normal(NOWHERE, root @ goal.cov @ root).root @ root.inverse()
    d2 = metrics.frechet_distance(start.mean, start.cov, goal.mean, goal.cov)

    def journey(plan):
        torch.testing.assert_close(plan @ start.cov @ plan.T, goal.cov)
        move = plan - torch.eye(2, dtype=torch.float64)
        return (2 + (move @ start.cov @ move.T).trace()).item()

    assert journey(best) == pytest.approx(d2, abs=1e-10)
    for angle in torch.linspace(
        0.1, 6.2, 20, dtype=torch.float64
    ):  # goal's root · a rotation · start's root⁻¹: all plans
        turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
        assert journey(goal.root @ turn @ root.inverse()) >= d2 - 1e-10


def test_it_is_a_squared_distance_and_detours_can_be_shorter():
    def between(a, b):
        one = torch.ones(1, 1, dtype=torch.float64)
        return metrics.frechet_distance(torch.tensor([a]), one, torch.tensor([b]), one)

    assert between(0.0, 2.0) == 4 > between(0.0, 1.0) + between(1.0, 2.0) == 2


def test_coin_flips_with_the_same_two_moments_are_0_apart(real):
    flips = torch.randint(0, 2, real.shape, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    centred = flips - flips.mean(0)
    white = centred @ Normal(torch.zeros(64), torch.cov(flips.T)).root.inverse()
    coins = real.mean(0) + white @ Normal(torch.zeros(64), torch.cov(real.T)).root
    assert metrics.fid(real, coins) < 1e-6 and real.min() >= 0 and (coins < 0).double().mean() > 0.2


def test_the_dcgan_is_above_the_floor_and_photographs_of_seven_classes_beyond_both_generators(real, photographs):
    features = classify(photographs.pixels)[0]
    floor = metrics.fid(real, features)
    dcgan, mlp = (
        metrics.fid(real, classify(zoo.sample(zoo.load(name)[0], N))[0]) for name in ("dcgan-fashion", "mlp-fashion")
    )
    lacking = metrics.fid(real, features[degrade.without_classes(photographs.labels, 3)])
    assert 0.3 < floor < dcgan < mlp < lacking and metrics.fid(real[:250], features[:250]) > 2 * dcgan


def test_blur_and_missing_classes_can_have_one_number(real, photographs):
    images = data.to_float(photographs.pixels)
    found = [metrics.fid(real, classify(degrade.blur(images, sigma))[0]) for sigma in (0.9, 1.1)]
    lacking = metrics.fid(real, classify(photographs.pixels[degrade.without_classes(photographs.labels, 3)])[0])
    assert found[0] < lacking < found[1]


def test_two_pixels_to_the_right_are_further_than_another_of_the_class_more_often_in_pixels_than_in_features():
    images = data.load("fashion-mnist", "test").subset(slice(0, 1000))
    partner = torch.empty(1000, dtype=torch.long)
    for label in range(10):
        rows = torch.nonzero(images.labels == label)[:, 0]
        partner[rows] = rows.roll(1)
    moved = F.pad(images.pixels, (2, 0))[..., :28]

    def further(embed):
        here, there, other = embed(images.pixels), embed(moved), embed(images.pixels[partner])
        return ((here - there).norm(dim=1) > (here - other).norm(dim=1)).double().mean().item()

    assert further(lambda pixels: data.to_float(pixels).flatten(1)) == pytest.approx(0.31, abs=0.02)
    assert further(lambda pixels: classify(pixels)[0]) == pytest.approx(0.06, abs=0.02)
