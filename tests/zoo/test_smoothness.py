"""Records of smoothness: they belong to the weights that are there, and say what a small run says."""

import json

import pytest
import torch

from course_lib import data, zoo
from course_lib.data import avatars
from course_lib.zoo import smoothness

RECORDED = [name for name in zoo.names() if (zoo.FOLDER / name / smoothness.FILE).exists()]


def test_every_question_is_about_values_that_there_are():
    for attribute, values in smoothness.QUESTIONS.values():
        assert values and set(values) < set(avatars.ATTRIBUTES[attribute])


def test_exact_answers_are_read_from_the_attributes():
    rows = avatars.attributes(400, seed=1)
    found = smoothness.exact_answers(rows)
    for row, glasses, beard in zip(rows, found["glasses"], found["beard"]):
        named = avatars.named(row)
        assert glasses == (named["glasses"] != "none") and beard == (named["beard"] != "none")
    assert 0.3 < found["long hair"].double().mean() < 0.7


@pytest.mark.skipif(smoothness.CLASSIFIER not in zoo.names(), reason="the zoo has no classifier of avatars")
def test_the_classifier_answers_as_the_attributes_do():
    images = data.load("avatars-small-32", "test")
    found, truth = smoothness.answers(data.to_float(images.pixels)), smoothness.exact_answers(images.attributes)
    for question in smoothness.QUESTIONS:
        assert found[question].min() >= 0 and found[question].max() <= 1
        assert ((found[question] > 0.5) == truth[question]).double().mean() > 0.9, question


def test_a_generator_without_a_mapping_has_no_w():
    assert smoothness.spaces(zoo.load("dcgan-fashion")[0]) == ["Z, full", "Z, end"]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The zoo in a folder of the test's own."""
    for each in zoo.FOLDER.iterdir():
        if (each / "card.json").exists():
            (tmp_path / each.name).mkdir()
            for file in each.iterdir():
                if file.name != smoothness.FILE:
                    (tmp_path / each.name / file.name).symlink_to(file)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.skipif("style-avatars-32" not in zoo.names(), reason="the zoo has no style-avatars-32")
def test_a_record_is_written_read_and_noticed_to_be_of_other_weights(copied):
    with pytest.raises(FileNotFoundError, match="python -m course_lib.zoo.smoothness style-avatars-32"):
        smoothness.recorded("style-avatars-32")
    facts = smoothness.record("style-avatars-32", paths=4, count=300)
    assert smoothness.recorded("style-avatars-32") == facts
    assert set(facts["path_lengths"]) == set(smoothness.PATHS) and set(facts["separability"]) == {"z", "w"}
    for row in facts["path_lengths"].values():
        assert 0 < row["low"] <= row["mean"] <= row["high"]
    path = copied / "style-avatars-32" / smoothness.FILE
    path.write_text(json.dumps(facts | {"network": "0" * 64}), encoding="utf-8")
    with pytest.raises(ValueError, match="expected the record of style-avatars-32's weights, got that of others"):
        smoothness.recorded("style-avatars-32")


@pytest.mark.parametrize("name", RECORDED)
def test_a_record_is_of_the_weights_that_are_there_and_a_small_run_agrees(name):
    facts = smoothness.recorded(name)
    assert facts["paths"] >= 1000 and facts["count"] >= 4000
    generator = zoo.load(name)[0]
    for space, row in facts["path_lengths"].items():
        found = smoothness.path_length(generator, space, paths=60, seed=1)
        assert found.low < row["high"] and row["low"] < found.high, space
    assert torch.isfinite(torch.tensor([row["score"] for row in facts["separability"].values()])).all()


@pytest.mark.parametrize("name", [name for name in RECORDED if name.startswith("style-")])
def test_paths_are_shorter_in_w_and_planes_tell_more_there(name):
    facts = smoothness.recorded(name)
    for where in ("full", "end"):
        assert facts["path_lengths"][f"W, {where}"]["high"] < facts["path_lengths"][f"Z, {where}"]["low"]
    assert facts["separability"]["w"]["high"] < facts["separability"]["z"]["low"]
