"""HYPE's estimators against observers whose thresholds are known: what is found, how far off, how often the interval holds."""

import math

import pytest
import torch

from course_lib.metrics.hype import Observer, Rule, Staircase, hype_infinity, hype_time, settled_on, simulate

OBSERVERS = [Observer(60), Observer(150), Observer(350), Observer(150, slope=0.5), Observer(150, blind=0.15)]


def by_parts(observer):
    return f"{observer.threshold_ms:g}ms-slope{observer.slope:g}-blind{observer.blind:g}"


# ---------------------------------------------------------------- the observer


def test_an_observer_guesses_at_a_glance_and_is_right_but_for_blind_spots_with_time():
    observer = Observer(100, slope=0.3, blind=0.1)
    assert observer.right(1e-6).item() == pytest.approx(0.5) and observer.right(math.inf).item() == pytest.approx(0.95)
    assert Observer(100, blind=0).right(100).item() == pytest.approx(0.75)
    draw = torch.Generator().manual_seed(0)
    answers = observer.answer(torch.full((20_000,), 150.0), draw)
    assert answers.double().mean().item() == pytest.approx(observer.right(150).item(), abs=0.01)


@pytest.mark.parametrize("observer", OBSERVERS, ids=by_parts)
def test_the_exposure_for_a_share_gives_that_share(observer):
    for share in (0.6, 0.75, 0.9):
        assert observer.right(observer.exposure_for(share)).item() == pytest.approx(share)
    assert Observer(100, blind=0.6).exposure_for(0.75) == math.inf == Observer(100, blind=1).exposure_for(0.75)


# ---------------------------------------------------------------- the staircase


def test_a_staircase_rests_where_three_of_four_are_right():
    for observer in (Observer(150), Observer(150, blind=0.2)):
        shown, right = simulate(observer, Rule(trials=400), 200, frame_ms=0.01)
        assert right[:, 100:].double().mean().item() == pytest.approx(0.75, abs=0.005)
        middle = shown[:, 100:].log().mean().exp().item()
        assert middle == pytest.approx(observer.exposure_for(0.75), rel=0.1)


@pytest.mark.parametrize("observer", OBSERVERS, ids=by_parts)
def test_sixty_flashes_find_the_known_threshold_within_a_factor_of_1_9_nine_times_in_ten(observer):
    runs = [hype_time(s, r) for s, r in zip(*simulate(observer, Rule(), 200, seed=1))]
    off = torch.tensor([math.log(each.ms / observer.exposure_for()) for each in runs])
    assert abs(off.mean()) < 0.12, "hardly any bias"
    assert off.abs().quantile(0.9) < math.log(1.9) and (observer.slope > 0.3 or off.abs().quantile(0.9) < math.log(1.6))
    held = sum(each.low <= observer.exposure_for() <= each.high for each in runs) / len(runs)
    assert held >= 0.92, "the interval is at least as wide as it says"
    assert all(each.low <= each.ms <= each.high for each in runs)


def test_the_mean_of_a_staircase_is_less_noisy_than_its_mode():
    observer = Observer(150)
    mean, mode = settled_on(*simulate(observer, Rule(), 500))
    error = [(each / observer.exposure_for()).log().square().mean().sqrt().item() for each in (mean, mode)]
    assert error[0] < 0.7 * error[1]


def test_more_flashes_narrow_it():
    errors = []
    for trials in (30, 60, 240):
        mean, _ = settled_on(*simulate(Observer(150), Rule(trials=trials), 400))
        errors.append((mean / Observer(150).exposure_for()).log().std().item())
    assert errors[0] > 1.25 * errors[1] > 1.8 * errors[2]


def test_who_can_never_tell_and_who_can_at_once_are_told_as_bounds():
    for observer, bound, share in ((Observer(150, blind=1), "longest", 0.9), (Observer(3, blind=0), "shortest", 1.0)):
        found = [hype_time(s, r).bound for s, r in zip(*simulate(observer, Rule(), 100))]
        assert found.count(bound) >= share * len(found)
    found = [hype_time(s, r).bound for s, r in zip(*simulate(Observer(150), Rule(), 100))]
    assert found.count(None) == 100


def test_one_person_is_treated_as_the_simulated_ones():
    shown, right = simulate(Observer(200), Rule(trials=40), 3, frame_ms=1000 / 144, seed=5)
    for s, r in zip(shown.tolist(), right.tolist()):
        stairs = Staircase(Rule(trials=40))
        for ms, answer in zip(s, r):
            assert ms == pytest.approx(max(1, round(stairs.exposure_ms * 0.144)) / 0.144)
            stairs.report(answer, ms)
        assert stairs.finished and stairs.shown_ms == s and stairs.right == r


def test_steps_by_hand():
    stairs = Staircase(Rule(step=2, start_ms=400, shortest_ms=20, longest_ms=1000, trials=10))
    asked = []
    for right in (True, True, False, True, False, False, True):
        asked.append(round(stairs.exposure_ms, 6))
        stairs.report(right, stairs.exposure_ms)
    # down by 4 until the first mistake (never below 20), then up by 8 (never above 1000) and down by 2
    assert asked == [400, 100, 25, 200, 100, 800, 1000] and stairs.exposure_ms == 500


# ---------------------------------------------------------------- without a limit of time


def test_the_share_is_that_of_all_wrong_answers():
    wrong = torch.tensor([[True, False, False, False], [True, True, False, False]])
    assert hype_infinity(wrong, 10).share == 3 / 8
    sure = hype_infinity(torch.zeros(5, 4, dtype=torch.bool))
    assert sure == (0, 0, 0)


@pytest.mark.parametrize(("count", "share"), [(40, 0.3), (100, 0.3), (100, 0.1)])
def test_the_interval_over_images_holds_the_truth_at_its_nominal_rate(count, share):
    draw, held, repeats = torch.Generator().manual_seed(1), 0, 600
    observer = Observer(100, blind=2 * share)
    for _ in range(repeats):
        wrong = ~observer.answer(torch.full((count, 1), math.inf), draw)
        low, high = hype_infinity(wrong, 400, generator=draw)[1:]
        held += low <= share <= high
    assert held / repeats == pytest.approx(0.95, abs=0.03)  # the standard error of this share is 0.009


def people(rows, answers, draw):
    """Wrong answers of people who differ: their error rates are 0.02 to 0.48, 0.25 on average."""
    rates = 0.02 + 0.46 * torch.rand(rows, 1, generator=draw, dtype=torch.float64)
    return torch.rand(rows, answers, generator=draw, dtype=torch.float64) < rates


def test_redrawing_people_holds_the_truth_and_redrawing_their_answers_does_not():
    draw, held = torch.Generator().manual_seed(2), [0, 0]
    for _ in range(300):
        wrong = people(30, 40, draw)
        for way, table in enumerate((wrong, wrong.reshape(-1, 1))):
            low, high = hype_infinity(table, 200, generator=draw)[1:]
            held[way] += low <= 0.25 <= high
    assert held[0] / 300 == pytest.approx(0.95, abs=0.04) and held[1] / 300 < 0.8


def test_a_level_is_kept_and_a_generator_decides_the_draws():
    wrong = people(20, 50, torch.Generator().manual_seed(3))
    wide, narrow = (hype_infinity(wrong, 2000, level, torch.Generator().manual_seed(0)) for level in (0.95, 0.5))
    assert wide.low < narrow.low < wide.share < narrow.high < wide.high
    assert wide == hype_infinity(wrong, 2000, 0.95, torch.Generator().manual_seed(0))


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: hype_infinity(torch.zeros(0, 5, dtype=torch.bool)),
            "wrong: expected .* at least one answer, got \\(0, 5\\)",
        ),
        (lambda: hype_infinity(torch.zeros(5)), "wrong: expected"),
        (lambda: hype_infinity(torch.zeros(5, 2)), "wrong: expected .* got \\(5, 2\\) torch.float32"),
        (lambda: hype_infinity(torch.zeros(5, 2, dtype=torch.bool), draws=0), "draws, level: expected"),
        (lambda: hype_infinity(torch.zeros(5, 2, dtype=torch.bool), level=1.0), "draws, level: expected"),
        (lambda: Observer(0), "threshold_ms: expected more than 0, got 0"),
        (lambda: Observer(100, slope=0), "slope: expected more than 0"),
        (lambda: Observer(100, blind=1.5), "blind: expected 0 to 1, got 1.5"),
        (lambda: Observer(100).exposure_for(0.5), "share: expected between 0.5 and 1"),
        (lambda: Rule(shortest_ms=0), "shortest_ms, start_ms, longest_ms: expected 0 <"),
        (lambda: Rule(start_ms=2000), "shortest_ms, start_ms, longest_ms: expected 0 <"),
        (lambda: Rule(step=1.0), "step, longer, trials: expected more than 1"),
        (lambda: simulate(Observer(100), runs=0), "runs, frame_ms: expected at least 1"),
        (lambda: simulate(Observer(100), frame_ms=0), "runs, frame_ms: expected at least 1 and more than 0"),
        (lambda: Staircase().report(True, 0.0), "shown_ms: expected more than 0, got 0.0"),
        (lambda: Staircase().report(True, float("nan")), "shown_ms: expected more than 0, got nan"),
        (lambda: hype_time([], []), "expected at least 10 exposures and as many answers, got \\(0,\\)"),
        (lambda: hype_time([100.0] * 12, [True] * 11), "expected at least 10 exposures and as many answers"),
        (lambda: hype_time([100.0] * 11 + [0.0], [True] * 12), "shown_ms: expected more than 0 each, got 0.0"),
    ],
)
def test_what_cannot_be_estimated_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_run_that_is_over_takes_no_more_answers():
    stairs = Staircase(Rule(trials=10))
    for _ in range(10):
        stairs.report(True, stairs.exposure_ms)
    with pytest.raises(ValueError, match="right: expected 10 answers, got one more"):
        stairs.report(True, 100.0)
