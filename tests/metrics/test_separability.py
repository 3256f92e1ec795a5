"""Linear separability against closed forms, scipy's optimiser and what it should and should not notice."""

import math

import pytest
import torch

from course_lib import metrics
from course_lib.metrics.separability import conditional_entropy, separating_plane


def cloud(count=4000, dim=8, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def known(latents, values, **options):
    return metrics.linear_separability(latents, values, kept=1.0, **options)


def test_a_plane_that_tells_everything_scores_1_and_one_that_tells_nothing_2_an_attribute():
    z = cloud()
    sides = {"first": z[:, 0] > 0, "slanted": z @ torch.arange(8.0).double() > 1}
    found = known(z, sides)
    assert 1 <= found.score < 1.25 and min(found.accuracies.values()) > 0.98
    coins = {name: torch.rand(4000, generator=torch.Generator().manual_seed(i)) < 0.5 for i, name in enumerate("abc")}
    blind = known(z, coins)
    assert blind.score == pytest.approx(8, rel=0.01) and blind.points == {"a": 2000, "b": 2000, "c": 2000}
    assert sum(blind.entropies.values()) == pytest.approx(math.log(blind.score))


def test_a_rare_attribute_that_nothing_tells_costs_its_own_entropy():
    z, rare = cloud(), torch.rand(4000, generator=torch.Generator().manual_seed(3)) < 0.1
    found = known(z, {"rare": rare})
    share = rare.double().mean()
    assert found.entropies["rare"] == pytest.approx(
        torch.special.entr(torch.stack([share, 1 - share])).sum().item(), abs=0.03
    )
    assert found.accuracies["rare"] > 0.85  # which is why accuracy is not the score


def test_a_bent_border_is_told_worse_than_a_straight_one():
    z = cloud()
    ring, cross = z[:, :2].norm(dim=1) > 1.18, z[:, 0] * z[:, 1] > 0  # half of the points each
    straight = known(z, {"it": z[:, 0] > 0})
    assert straight.high < known(z, {"it": ring}).low and known(z, {"it": cross}).score > 1.95
    unbent = torch.cat([z, (z[:, :1] * z[:, 1:2])], 1)
    assert known(unbent, {"it": cross}).score < 1.2


def test_conditional_entropy_by_hand():
    assert conditional_entropy(torch.tensor([[5, 0], [0, 3]])) == 0
    assert conditional_entropy(torch.ones(2, 2)).item() == pytest.approx(math.log(2))
    table = torch.tensor([[3.0, 1.0], [0.0, 4.0]])  # half of the points on each side: ¾ and ¼ of one, all of the other
    assert conditional_entropy(table).item() == pytest.approx((0.75 * math.log(4 / 3) + 0.25 * math.log(4)) / 2)
    many = torch.stack([table, 7 * table, torch.eye(2)])
    assert conditional_entropy(many).tolist() == pytest.approx([conditional_entropy(table).item()] * 2 + [0])


def test_the_plane_is_the_one_that_scipy_finds():
    from scipy.optimize import minimize

    z = cloud(300, 5, 1)
    value = z @ torch.tensor([1.0, -2, 0, 0.5, 0]).double() + cloud(300, 1, 2)[:, 0] > 0.3
    sign = torch.where(value, 1.0, -1.0).double()

    def loss(weights):
        weights = torch.from_numpy(weights)
        margin = sign * (z @ weights[:-1] + weights[-1])
        return (torch.nn.functional.softplus(-margin).mean() + 0.005 * weights[:-1].square().sum()).item()

    want = minimize(loss, torch.zeros(6).double().numpy(), method="BFGS", options={"gtol": 1e-7}).x
    normal, offset = separating_plane(z, value, ridge=0.01)
    torch.testing.assert_close(torch.cat([normal, offset[None]]), torch.from_numpy(want), rtol=1e-3, atol=1e-4)


def test_separable_points_give_a_finite_plane():
    z = cloud(200, 3)
    normal, offset = separating_plane(z, z[:, 0] > 0)
    assert torch.isfinite(normal).all() and ((z @ normal + offset > 0) == (z[:, 0] > 0)).double().mean() > 0.97


def test_shifts_and_scales_of_coordinates_do_not_matter():
    z = cloud()
    value = {"it": z[:, 0] + 0.5 * z[:, 1] > 0.2}
    moved = z * torch.logspace(-3, 3, 8).double() + 100
    assert known(moved, value).score == pytest.approx(known(z, value).score, rel=1e-6)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    assert known(z[:, order], value).score == pytest.approx(known(z, value).score, rel=1e-6)


def test_a_coordinate_that_never_changes_does_no_harm():
    z = cloud()
    value = {"it": z[:, 0] > 0}
    constant = torch.cat([z, torch.full((4000, 1), 3.0).double()], 1)
    assert known(constant, value).score == pytest.approx(known(z, value).score, rel=1e-6)


def test_judging_the_fitted_points_flatters_a_plane():
    z = cloud(150, 100)
    coin = {"it": torch.rand(150, generator=torch.Generator().manual_seed(0)) < 0.5}
    assert known(z, coin, held_out=0).score < 1.3 and known(z, coin).score > 1.7


def test_the_surest_points_are_kept():
    z = cloud()
    score = 4 * z[:, 0] + cloud(4000, 1, 5)[:, 0]
    chance = {"it": score.sigmoid()}
    half, everything = metrics.linear_separability(z, chance), known(z, chance)
    assert half.points["it"] == 1000 and everything.points["it"] == 2000
    assert half.score < everything.score and half.accuracies["it"] > everything.accuracies["it"]


def test_the_interval_narrows_with_the_points_and_holds_the_score():
    z = cloud(16_000)
    value = {"it": z[:, 0] + cloud(16_000, 1, 7)[:, 0] > 0}
    wide, narrow = known(z[:1000], {"it": value["it"][:1000]}), known(z, value)
    assert wide.low < wide.score < wide.high and narrow.low < narrow.score < narrow.high
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(4, rel=0.3)
    assert known(z, value) == narrow


@pytest.mark.parametrize(
    ("latents", "chances", "options", "says"),
    [
        (
            torch.zeros(1, 4),
            {"it": torch.zeros(1)},
            {},
            r"latents: expected \(N, d\) with N of 10 or more, got \(1, 4\)",
        ),
        (cloud(20), {}, {}, "chances: expected at least one attribute"),
        (cloud(20), {"it": torch.zeros(19)}, {}, r"chances: expected \(20,\) in \[0, 1\] for 'it', got \(19,\)"),
        (cloud(20), {"it": torch.full((20,), 3.0)}, {}, r"for 'it', got \(20,\) from 3 to 3"),
        (cloud(20), {"it": torch.ones(20)}, {}, "chances: expected both values of 'it' among 5 points, got one"),
        (cloud(20), {"it": torch.ones(20)}, {"kept": 0}, "kept: expected a share up to 1, got 0"),
        (cloud(20), {"it": torch.ones(20)}, {"held_out": 1}, "held_out: expected a share up to 0.9, got 1"),
        (cloud(20), {"it": torch.ones(20)}, {"confidence": 1}, "confidence: expected a number between 0 and 1, got 1"),
    ],
)
def test_bad_input_is_named(latents, chances, options, says):
    with pytest.raises(ValueError, match=says):
        metrics.linear_separability(latents, chances, **options)
