"""The metrics on the cards are of the networks that lie beside them, and can be measured again."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from course_lib import assets, cli, data, metrics, zoo
from course_lib.files import cache_dir
from course_lib.models import inception
from course_lib.zoo import measuring
from course_lib.zoo.judging import JUDGES

GENERATORS = ["dcgan-fashion", "mlp-fashion", "mlp-mnist", "residual-fashion", "residual-fashion-classes"]
CACHE = cache_dir()  # the user's: each test is given an empty one


def block_of(name):
    return zoo.card(name)["measured"][JUDGES[zoo.card(name)["data"]["name"]]]


@pytest.mark.parametrize("name", GENERATORS)
def test_the_block_is_of_these_weights_and_complete(name):
    card = zoo.card(name)
    for extractor, block in card["measured"].items():
        assert block["network"] == card["sha256"]["network.safetensors"], f"gan-course measure {name}"
        by_inception = extractor == measuring.INCEPTION
        weights = inception.weights_sha256() if by_inception else zoo.card(extractor)["sha256"]["network.safetensors"]
        assert block["weights"] == weights
        assert block["precision"] in (("float32", "bfloat16") if by_inception else ("float32",))
        assert block["protocol"] == ("pytorch-fid" if by_inception else "torch-fidelity")
        assert block["n"] >= 5_000 if by_inception else block["n"] == 10_000
        assert f"first {block['n']} test images" in block["real"] and f"first {block['n']} training" in block["floor"]
        expected = {"fid"} if by_inception else {
            "fid", "fid_infinity", "kid", "classifier_score", "precision", "recall", "density", "coverage",
        }  # fmt: skip
        assert set(block["metrics"]) == expected
        for metric, row in block["metrics"].items():
            for side in (row["samples"], row["floor"]):
                assert side["error"] is None and side["error_is"].startswith("none: ") or side["error"] > 0, metric


@pytest.mark.parametrize("name", GENERATORS)
def test_the_numbers_can_be_measured_again(name, monkeypatch):
    dataset = zoo.card(name)["data"]["name"]
    monkeypatch.setenv("COURSE_CACHE", str(CACHE))
    if dataset in assets.ASSETS and assets.state(dataset) != "ready":
        pytest.skip(f"{dataset} is not in the cache (gan-course fetch {dataset})")
    recorded = block_of(name)["metrics"]
    found = metrics.evaluate(
        dataset, name, protocol="torch-fidelity", metrics=["fid", "inception_score"], extractor=JUDGES[dataset], cached=False
    )  # fmt: skip
    for metric in ("fid", "classifier_score"):
        assert found[metric].value == pytest.approx(recorded[metric]["samples"]["value"], rel=0.01)
        assert found[metric].error == pytest.approx(recorded[metric]["samples"]["error"], rel=0.03)


def test_the_floor_can_be_measured_again():
    real, floor = data.load("fashion-mnist", "test").pixels, data.load("fashion-mnist", "train").pixels[:10_000]
    found = metrics.evaluate(real, floor, protocol="torch-fidelity", metrics=["fid"], extractor="classifier-fashion")
    for name in ("dcgan-fashion", "mlp-fashion"):
        assert found["fid"].value == pytest.approx(block_of(name)["metrics"]["fid"]["floor"]["value"], rel=1e-3)


@pytest.mark.parametrize("name", GENERATORS)
def test_samples_are_worse_than_the_floor_in_what_the_course_says_of_them(name):
    """Beyond their errors; a precision above that of photographs is no contradiction (mlp-fashion's is)."""
    rows = block_of(name)["metrics"]
    for metric, sign in (("fid", 1), ("classifier_score", -1), ("recall", -1), ("coverage", -1)):
        samples, floor = rows[metric]["samples"], rows[metric]["floor"]
        errors = samples["error"] + floor["error"]
        if (name, metric) == ("residual-fashion-classes", "classifier_score"):  # nearly the photographs' own
            errors = (samples["error"] ** 2 + floor["error"] ** 2) ** 0.5
        assert sign * (samples["value"] - floor["value"]) > 2 * errors, metric
    assert all(rows["fid_infinity"][side]["value"] < rows["fid"][side]["value"] for side in ("samples", "floor"))


# ---------------------------------------------------------------- the command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A zoo of two, that may be written to."""
    for name in ("mlp-fashion", "classifier-fashion"):
        shutil.copytree(zoo.FOLDER / name, tmp_path / name)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    return tmp_path


def test_the_command_writes_the_block_and_nothing_else(folder):
    before = zoo.card("mlp-fashion")
    run = CliRunner().invoke(cli.app, ["measure", "mlp-fashion", "--count", "1000"])
    assert run.exit_code == 0, run.output
    assert "N = 1000 a side" in run.stdout and "classifier_score" in run.stdout
    path = folder / "mlp-fashion" / "card.json"
    written, card = path.read_bytes(), zoo.card("mlp-fashion")
    assert card["measured"]["classifier-fashion"]["n"] == 1000 and {**card, "measured": 0} == {**before, "measured": 0}
    assert card["history"] == before["history"] and list(card)[-1] == "history"
    measuring.measure("mlp-fashion", count=1000)
    assert path.read_bytes() == written, "no date, no seconds: the same again"
    fid = metrics.evaluate(
        data.load("fashion-mnist", "test").pixels[:1000], metrics.open_images("mlp-fashion")[0][:1000],
        protocol="torch-fidelity", metrics=["fid"], extractor="classifier-fashion",
    )["fid"]  # fmt: skip
    assert card["measured"]["classifier-fashion"]["metrics"]["fid"]["samples"]["value"] == pytest.approx(
        fid.value, rel=1e-4
    )


def test_what_was_measured_of_other_weights_is_dropped(folder):
    path = folder / "mlp-fashion" / "card.json"
    card = zoo.card("mlp-fashion")
    ours, older = {"network": card["sha256"]["network.safetensors"], "n": 1}, {"network": "0" * 64, "n": 2}
    for block, kept in ((ours, True), (older, False)):
        path.write_text(json.dumps(card | {"measured": {"fid-inception": block}}))
        measuring.measure("mlp-fashion", count=1000)
        found = zoo.card("mlp-fashion")["measured"]
        assert ("fid-inception" in found) == kept and found["classifier-fashion"]["n"] == 1000


def test_truncated_samples_are_measured_beside_the_others(tmp_path, monkeypatch):
    for name in ("style-avatars-32", "classifier-avatars"):
        shutil.copytree(zoo.FOLDER / name, tmp_path / name)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    monkeypatch.setattr(measuring, "BY_CLASSIFIER", ("fid",))  # the others need a thousand images
    path = tmp_path / "style-avatars-32" / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"data": card["data"] | {"name": "avatars-small-32"}}))  # the set that is here
    run = CliRunner().invoke(cli.app, ["measure", "style-avatars-32", "--count", "500", "--psi", "0.5", "--psi", "1"])
    assert run.exit_code == 0, run.output
    row = zoo.card("style-avatars-32")["measured"]["classifier-avatars"]["metrics"]["fid"]
    assert row["psi = 1"] == row["samples"] and row["psi = 0.5"]["value"] != row["samples"]["value"]
    assert f"{row['psi = 0.5']['value']:.5g}" in run.stdout and "psi = 0.5" in run.stdout
    half = data.to_uint8(zoo.sample(zoo.load("style-avatars-32")[0], 10_000, psi=0.5)[:500])
    found = metrics.evaluate(
        data.load("avatars-small-32", "test").pixels[:500], half, protocol="torch-fidelity", metrics=["fid"], extractor="classifier-avatars"
    )["fid"]  # fmt: skip
    assert row["psi = 0.5"]["value"] == pytest.approx(found.value, rel=1e-4)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="psis: expected none for mlp-fashion, which has no styles"):
        measuring.measure("mlp-fashion", count=1000, psis=[0.5])
    with pytest.raises(ValueError, match="name: expected a generator, got 'classifier-fashion'"):
        measuring.measure("classifier-fashion")
    with pytest.raises(
        ValueError, match="extractor: expected one of classifier-fashion, fid-inception, got 'classifier-mnist'"
    ):
        measuring.measure("mlp-fashion", "classifier-mnist")
    with pytest.raises(ValueError, match="count: expected at most the 10000 images of fashion-mnist, got 20000"):
        measuring.measure("mlp-fashion", count=20_000)
