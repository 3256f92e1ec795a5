"""The recorded tips: they are the settings as they stand, a batch of games is its games, and the claims hold."""

import pytest
import torch

from course_lib import penalties
from course_lib.training.many_games import ManyGames
from course_lib.zoo import ablations
from course_lib.zoo.ablations import AVERAGED, PLAIN, RATES, SEEDS, SETTINGS, WORLDS


def total(world, name):
    return sum(ablations.load(world)["results"][name]["found"])


@pytest.mark.parametrize("world", WORLDS)
def test_the_record_holds_every_seed_of_the_settings_as_they_stand(world):
    facts = ablations.load(world)
    assert facts["steps"] == ablations.STEPS[world] and facts["seeds"] == SEEDS
    assert (facts["at_least"], facts["samples"]) == (ablations.AT_LEAST, ablations.SAMPLES)
    for counts in facts["results"].values():
        assert len(counts["found"]) == len(counts["high_quality"]) == SEEDS
        assert all(0 <= each <= len(WORLDS[world].means) for each in counts["found"])
        assert all(0 <= each <= 1 for each in counts["high_quality"])
    wanted = SETTINGS if world == "ring" else ablations.ON_THE_GRID
    assert set(facts["results"]) == {*wanted, AVERAGED}


def test_a_record_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(ablations, "FOLDER", tmp_path)
    monkeypatch.setattr(ablations, "ON_THE_GRID", ["β₁ = 0"])
    first = ablations.record("grid", steps=2)["results"]
    monkeypatch.setattr(ablations, "ON_THE_GRID", ["β₁ = 0", "D of width 4"])
    played = []
    monkeypatch.setattr(
        ablations, "play", lambda names, *rest, play=ablations.play: played.append(names) or play(names, *rest)
    )
    assert list(ablations.record("grid", steps=2)["results"]) == [*first, "D of width 4"] and played == [
        ["D of width 4"]
    ]
    assert ablations.load("grid")["results"]["β₁ = 0"] == first["β₁ = 0"]
    assert ablations.record("grid", steps=3)["steps"] == 3 and played[1:] == [["β₁ = 0"], ["D of width 4"]]


def test_settings_that_share_a_batch_are_what_they_are_alone():
    names = [PLAIN, "β₁ = 0.9", "G 0.0005, D 0.008"]
    together = ablations.play(names, "ring", 25, seeds=2)
    for name in names:
        setting = SETTINGS[name]
        alone = ManyGames(
            WORLDS["ring"], seeds=range(2), lr_g=setting.lr_g, lr_d=setting.lr_d, beta1=setting.beta1
        ).play(25)
        quality = [each.high_quality for each in alone.modes()]
        assert together[name].high_quality == pytest.approx(quality, abs=0.003)


def test_the_average_lags_behind_the_weights():
    played = ablations.play([PLAIN], "ring", 60, seeds=2)
    assert set(played) == {PLAIN, AVERAGED} and played[AVERAGED] != played[PLAIN]


def test_a_discriminator_that_is_faster_finds_more_modes_than_a_generator_that_is():
    pairs = [(rate_g, rate_d) for rate_g in RATES for rate_d in RATES if rate_g != rate_d]
    d_faster = [total("ring", f"G {g:g}, D {d:g}") for g, d in pairs if d > g]
    g_faster = [total("ring", f"G {g:g}, D {d:g}") for g, d in pairs if d < g]
    assert sum(d_faster) > sum(g_faster) + 2 * SEEDS * len(g_faster)


def test_momentum_of_0_9_loses_modes_of_the_ring():
    assert total("ring", "β₁ = 0.9") < total("ring", PLAIN) - 4


def test_the_penalty_does_not_prevent_collapse_of_a_generator_that_is_too_fast():
    assert total("ring", "WGAN-GP, G fast") < 5


def test_the_diversity_term_helps_a_generator_that_is_too_fast():
    assert total("ring", "G fast, diversity") > total("ring", "G fast")


def test_the_normalised_critic_has_a_slope_of_1_at_most():
    torch.manual_seed(0)
    critic = ablations.Normalised(steps=100)
    with torch.no_grad():
        for layer in critic.layers:
            layer.weight.mul_(7)
    points = 3 * torch.randn(500, 2)
    slopes = penalties.gradients(critic, points).norm(dim=1)
    assert 0 < slopes.max() < 1 + 1e-3


def test_the_varied_critic_sees_the_batch_and_the_plain_one_does_not():
    torch.manual_seed(0)
    critic, point = ablations.Varied(), torch.tensor([[1.0, 2.0]])
    crowds = [torch.cat([point, others]) for others in (point.repeat(7, 1), torch.randn(7, 2))]
    first = [critic(crowd)[0].item() for crowd in crowds]
    assert abs(first[0] - first[1]) > 1e-4
    plain = ManyGames(WORLDS["ring"], seeds=[0]).d.network
    assert abs(plain(crowds[0])[0].item() - plain(crowds[1])[0].item()) < 1e-6


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match="did you mean 'ring'"):
        ablations.load("rings")
    with pytest.raises(ValueError, match="names: expected one of"):
        ablations.play(["beta 0.9"], "ring", 1)
