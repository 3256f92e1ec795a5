"""The metric microscope driven by plain Python: each slider must move the metrics the way its name says."""

import pytest

from course_lib import widgets

FID, COVERAGE = "FID (classifier)", "coverage"


@pytest.fixture(scope="module")
def shared():
    return widgets.metric_microscope(count=500)


@pytest.fixture
def microscope(shared):
    shared.source.value = shared.source.options[0]
    shared.reset.click()
    return shared


def moved(microscope, **parts):
    """(values before, values after) of setting these parts."""
    before = dict(microscope.values)
    for name, value in parts.items():
        getattr(microscope, name).value = value
    return before, dict(microscope.values)


@pytest.mark.parametrize("blur", [1.0, 2.0])
def test_blur_raises_the_distance_and_costs_recall(microscope, blur):
    before, after = moved(microscope, blur=blur)
    assert after[FID] > 2 * before[FID] and after["recall"] < before["recall"]


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_noise_raises_the_distance_and_costs_coverage(microscope, noise):
    before, after = moved(microscope, noise=noise)
    assert after[FID] > 2 * before[FID] and after[COVERAGE] < before[COVERAGE]


@pytest.mark.parametrize("dropped", [5, 9])
def test_lost_classes_cost_recall_and_coverage_and_not_precision(microscope, dropped):
    before, after = moved(microscope, dropped=dropped)
    assert after[COVERAGE] < before[COVERAGE] - 0.3 and after["recall"] < before["recall"] - 0.3
    assert after["precision"] > before["precision"] - 0.1
    assert after["classifier score"] < before["classifier score"]


def test_duplicates_cost_coverage(microscope):
    before, after = moved(microscope, duplicates=1.0)
    assert after[COVERAGE] < before[COVERAGE] - 0.3


def test_memorised_images_please_every_comparison(microscope):
    before, after = moved(microscope, copies=1.0)
    assert after[FID] < 1e-3 < before[FID] and after[COVERAGE] == 1.0 and after["precision"] == 1.0


def test_truncation_of_the_dcgans_latents_costs_recall(microscope):
    microscope.source.value = microscope.source.options[1]
    before, after = moved(microscope, threshold=0.5)
    assert after["recall"] < before["recall"] and after[FID] != before[FID]


def test_the_table_says_where_each_metric_went_and_undo_brings_all_back(microscope):
    untouched = dict(microscope.values)
    microscope.blur.value = 2.0
    assert "▲" in microscope.numbers.value and "▼" in microscope.numbers.value
    microscope.reset.click()
    assert microscope.values == untouched and "▲" not in microscope.numbers.value
    assert "N = 500" in microscope.status.value


def test_each_source_is_compared_with_its_own_untouched_set(microscope):
    microscope.blur.value = 1.0
    microscope.source.value = microscope.source.options[1]
    spoilt, its_own = dict(microscope.values), dict(microscope.before[microscope.source.value])
    microscope.reset.click()
    assert microscope.values == pytest.approx(its_own) and spoilt[FID] != its_own[FID]
    assert microscope.before[microscope.source.options[0]][FID] != its_own[FID]
