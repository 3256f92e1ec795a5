"""The recorded trade-off curves: complete, of the weights that are shipped, and what a small repetition finds."""

import math

import pytest
import torch

from course_lib import zoo
from course_lib.zoo import judging, truncation

NAMES = ("dcgan-fashion", "mlp-fashion")


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_complete_and_of_these_weights(name):
    record = truncation.recorded(name)
    assert record["weights"] == zoo.card(name)["sha256"]["network.safetensors"], "record the curve again"
    assert (record["n"], record["k"], record["draws"]) == (10_000, truncation.K, 4)
    assert [row["threshold"] for row in record["rows"]] == list(truncation.THRESHOLDS)
    for row in record["rows"]:
        assert all(0 <= row[key] <= 1 for key in ("precision", "recall", "coverage", "sure"))
        assert 0 <= row["class_entropy"] <= math.log(10) + 1e-6 and row["fid"] >= 0 and row["density"] >= 0
        assert all(row[f"{key}_half"] >= 0 for key in truncation.MEASURES)


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_distribution_has_the_cards_distance(name):
    row = truncation.recorded(name)["rows"][-1]
    card = zoo.card(name)["metrics"]
    assert row["fid"] == pytest.approx(card["fid"], rel=0.1) and row["sure"] == pytest.approx(card["sure"], abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_diversity_falls_with_the_threshold_and_the_distance_rises(name):
    rows = truncation.recorded(name)["rows"]
    for one, other in zip(rows, rows[1:]):
        assert one["coverage"] < other["coverage"] + 2 * (one["coverage_half"] + other["coverage_half"])
        assert one["class_entropy"] < other["class_entropy"] + one["class_entropy_half"] + other["class_entropy_half"]
    by_threshold = {row["threshold"]: row for row in rows}
    for key, direction in (("coverage", 1), ("class_entropy", 1), ("fid", -1)):
        values = [direction * by_threshold[c][key] for c in (0.25, 0.5, 1.0, None)]
        assert values == sorted(values) and values[0] < values[-1]


def test_the_two_networks_answer_differently():
    dcgan, mlp = ({row["threshold"]: row for row in truncation.recorded(name)["rows"]} for name in NAMES)
    assert dcgan[0.5]["precision"] < dcgan[None]["precision"] - 0.15 and dcgan[0.25]["precision"] < 0.2
    assert mlp[0.25]["precision"] > mlp[None]["precision"] + 0.05
    assert (
        max(dcgan[c]["precision"] for c in (1.0, 1.25, 1.5)) > dcgan[None]["precision"] + 0.01
    )  # a gentle cut helps a little


def test_a_small_repetition_agrees_with_the_record():
    again = truncation.curve("mlp-fashion", (0.25, 1.0, None), count=600, draws=2)
    assert again["n"] == 600 and [row["threshold"] for row in again["rows"]] == [0.25, 1.0, None]
    by_threshold = {row["threshold"]: row for row in truncation.recorded("mlp-fashion")["rows"]}
    for row in again["rows"]:
        recorded = by_threshold[row["threshold"]]
        assert row["class_entropy"] == pytest.approx(recorded["class_entropy"], abs=0.12)
        assert row["sure"] == pytest.approx(recorded["sure"], abs=0.08)
        assert row["fid"] == pytest.approx(recorded["fid"], rel=0.35)


def test_measures_of_photographs_against_photographs():
    real, _ = judging.real()
    from course_lib import data

    row = truncation.measure(data.load("fashion-mnist", "test").pixels[1000:2000], real=real[:1000])
    assert tuple(row) == truncation.MEASURES
    assert row["precision"] > 0.8 and row["recall"] > 0.8 and row["class_entropy"] > 2.28 and row["fid"] < 1.5


def test_between_recorded_thresholds_lines_are_straight_and_the_end_is_all_of_z():
    record = truncation.recorded("mlp-fashion")
    rows = {row["threshold"]: row for row in record["rows"]}
    assert truncation.at(record, 1.0, "fid") == rows[1.0]["fid"]
    assert truncation.at(record, 0.625, "fid") == pytest.approx((rows[0.5]["fid"] + rows[0.75]["fid"]) / 2)
    assert truncation.at(record, 4.0, "fid") == truncation.at(record, 9.0, "fid") == rows[None]["fid"]
    assert truncation.at(record, 3.25, "fid") == pytest.approx((rows[2.5]["fid"] + rows[None]["fid"]) / 2)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="name: expected one of .*did you mean 'mlp-fashion'"):
        truncation.recorded("mlp-fashon")
    with pytest.raises(ValueError, match="name: expected one of"):
        truncation.recorded("classifier-fashion")
    with pytest.raises(ValueError, match="threshold: expected at least 0.1, got 0.0"):
        truncation.at(truncation.recorded("mlp-fashion"), 0.0, "fid")
    with pytest.raises(ValueError, match="thresholds: expected at least one, got none"):
        truncation.curve("mlp-fashion", (), count=50, draws=2)
    with pytest.raises(ValueError, match="draws: expected one of 2, 3, .*, got 1"):
        truncation.curve("mlp-fashion", (1.0,), count=50, draws=1)
    with pytest.raises(ValueError, match="threshold: expected at least 0.01, got 0"):
        truncation.curve("mlp-fashion", (0.0,), count=50, draws=2)


def test_students_t():
    from scipy.stats import t

    for draws, value in truncation.STUDENT_95.items():
        assert value == pytest.approx(t.ppf(0.975, draws - 1), abs=5e-4)
    assert torch.tensor(list(truncation.STUDENT_95.values())).diff().max() < 0
