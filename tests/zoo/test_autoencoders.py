"""Autoencoders and VAEs of the zoo are what their cards say, and the chapter's claims about them hold."""

import re
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from course_lib import bounds, data, files, zoo
from course_lib.exercises import ch08  # noqa: F401 (registers the chapter's quizzes)
from course_lib.exercises.questions import QUIZZES
from course_lib.training.autoencoding import AutoencodingConfig
from course_lib.training.checkpoint import read_config
from course_lib.training.recipes import RECIPES, AutoencodingRecipe, build, train_autoencoder
from course_lib.zoo import autoencoders
from course_lib.zoo.autoencoders import BETAS, SWEEP, read, sharpness, sweep
from course_lib.zoo.judging import judge

CACHE = files.cache_dir()
NAMES = [name for name in zoo.names() if isinstance(RECIPES.get(name), AutoencodingRecipe)]
VAES = [name for name in NAMES if name.startswith("vae-")]
FASHION = [name for name in NAMES if RECIPES[name].data == "fashion-mnist"]


def pixels(name, split="test", count=500):
    """uint8 images as the network of that name takes them; skips where they are no part of the course."""
    try:
        return RECIPES[name].images(split).pixels[:count]
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def with_the_users_cache(monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(CACHE))


def test_every_recipe_of_an_autoencoder_has_its_entry():
    recipes = {name for name, recipe in RECIPES.items() if isinstance(recipe, AutoencodingRecipe)}
    assert {*NAMES, SWEEP} == recipes


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_of_the_recipe_as_it_stands_and_of_its_data(name):
    card = zoo.card(name)
    assert read_config(AutoencodingConfig, card["config"]) == RECIPES[name].config
    assert card["summary"] == RECIPES[name].summary and card["history"][-1]["step"] <= card["config"]["steps"]
    assert len(pixels(name, count=1)) and data.load(RECIPES[name].data).sha256() == card["data"]["sha256"]


@pytest.mark.parametrize("name", FASHION)
def test_the_cards_metrics_can_be_measured_again(name):
    network, card = zoo.load(name)
    found = judge(zoo.sample(network, 10_000, seed=1))
    for key in ("fid", "sure"):
        assert found[key] == pytest.approx(card["metrics"][key], rel=0.01), key


@pytest.mark.parametrize("name", NAMES)
def test_reconstructions_can_be_measured_again(name):
    network, card = zoo.load(name)
    images = data.to_float(pixels(name))
    with torch.inference_mode():
        error = (network.reconstruct(images) - images).square().flatten(1).mean(1)
    mean, deviation = bounds.mean_and_error(error)
    assert abs(mean - card["reconstructions"]["mse"]) < 4 * deviation


@pytest.mark.parametrize("name", VAES)
def test_bounds_are_in_order_and_can_be_measured_again(name):
    """On the card ELBO ≤ L₅ ≤ L₅₀ for every reading of a pixel; on 200 images from other draws, within their errors."""
    vae, card = zoo.load(name)
    for reading in autoencoders.READINGS:
        row = card["bounds"].get(reading)
        if row:
            assert row["elbo"]["mean"] < row["iwae_5"]["mean"] < row["iwae_50"]["mean"]
            assert row["elbo"]["mean"] == pytest.approx(row["log_likelihood"]["mean"] - row["kl"]["mean"], abs=0.05)
    reading = next(iter(card["bounds"]))
    images = read(data.to_float(pixels(name, count=200)), reading)
    found = bounds.of_images(vae, images, draws=10, ks=(5,), seed=1)
    for values, key in ((found.elbo, "elbo"), (found.weighted[5], "iwae_5"), (found.kl.sum(1), "kl")):
        mean, error = bounds.mean_and_error(values)
        assert abs(mean - card["bounds"][reading][key]["mean"]) < 4 * error, key


def test_readings_of_a_pixel():
    images = torch.linspace(-1, 1, 2000).reshape(2, 1, 20, 50)
    assert torch.equal(read(images, "grey"), images)
    assert torch.equal(read(images, "static") > 0, images > 0)
    drawn = read(images, "dynamic")
    assert set(drawn.unique().tolist()) == {-1.0, 1.0} and torch.equal(drawn, read(images, "dynamic"))
    assert abs(drawn[1].mean() - 0.5) < 0.1 and abs(drawn[0].mean() + 0.5) < 0.1


def test_a_vae_of_black_and_white_pixels_costs_less_than_grey_ones_on_the_same_photographs():
    """Grey pixels cost their own entropy: no decoder is below it, and black and white ones have none."""
    card = zoo.card("vae-fashion")["bounds"]
    t = (data.to_float(data.load("fashion-mnist", "test").pixels) + 1) / 2
    entropy = (torch.special.entr(t) + torch.special.entr(1 - t)).flatten(1).sum(1).mean().item()
    assert -card["grey"]["log_likelihood"]["mean"] > entropy > 150
    assert card["static"]["elbo"]["mean"] > card["grey"]["elbo"]["mean"] + 50


@pytest.mark.parametrize("dimensions", ["-2d", ""])
def test_prior_samples_of_autoencoder_and_vae(dimensions):
    """N(0, I) is no distribution of an autoencoder's codes: its samples leave classes out and most photographs uncovered."""
    ae, vae = (zoo.card(f"{kind}-fashion{dimensions}") for kind in ("ae", "vae"))
    assert min(vae["metrics"]["class_shares"]) > 0.01 > min(ae["metrics"]["class_shares"])
    assert vae["metrics"]["fid"] < ae["metrics"]["fid"] and vae["metrics"]["coverage"] > ae["metrics"]["coverage"]
    for card in (ae["metrics"], ae["fitted_normal"], vae["metrics"]):
        assert 0 < card["sure"] < card["real_sure"]


def test_a_normal_fitted_to_codes_has_their_moments():
    codes = torch.randn(5000, 3, generator=torch.Generator().manual_seed(0)) @ torch.tensor(
        [[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]]
    ) + torch.tensor([1.0, 0.0, -2.0])
    drawn = autoencoders.normal_like(codes, 100_000)
    torch.testing.assert_close(drawn.mean(0), codes.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(codes.T), atol=0.15, rtol=0)


def test_sharpness_falls_with_blur_and_is_one_for_a_checkerboard():
    board = (torch.arange(8)[:, None] + torch.arange(8)[None]) % 2
    images = (2.0 * board - 1).expand(3, 1, 8, 8)
    assert sharpness(images) == pytest.approx(4.0)
    assert sharpness(torch.zeros(3, 1, 8, 8)) == 0
    photographs = data.to_float(data.load("fashion-mnist", "test").pixels[:200])
    assert sharpness(torch.nn.functional.avg_pool2d(photographs, 3, 1, 1)) < 0.6 * sharpness(photographs)


def test_a_recorded_card_says_what_was_measured_of_the_weights_it_keeps(tmp_path):
    """A run of two steps becomes an entry: float16 weights, and metrics, bounds and reconstructions of just these."""
    name = "vae-avatars"
    train_autoencoder(name, tmp_path / "run", {"steps": 2, "checkpoint_every_steps": 1}, verbose=False)
    card = autoencoders.record_autoencoder(name, tmp_path / "run", tmp_path / "out", samples=50, tested=60)
    tensors = load_file(tmp_path / "out" / "network.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16} and card["weights"] == "float16"
    (vae,) = build(RECIPES[name])
    vae.load_state_dict(tensors)
    vae.eval()
    images = data.to_float(RECIPES[name].images("test").pixels[:60])
    with torch.no_grad():
        error = (vae.reconstruct(images) - images).square().mean().item()
    assert card["reconstructions"]["mse"] == pytest.approx(error, rel=1e-3) and "fid" not in card["metrics"]
    found = bounds.of_images(vae, images)
    assert card["bounds"]["grey"]["iwae_50"]["mean"] == pytest.approx(found.weighted[50].mean().item(), rel=1e-3)
    assert list(card["bounds"]) == ["grey", "kl_per_dimension", "active", "draws", "unit"]
    assert card["bounds"]["unit"] == "nats per image of 3072 values"


# ---------------------------------------------------------------- the β sweep


def test_the_sweep_is_of_its_recipe_and_complete():
    facts, images = sweep()
    assert [row["beta"] for row in facts["rows"]] == list(BETAS)
    assert facts["data"]["sha256"] == data.load("fashion-mnist").sha256()
    config = read_config(AutoencodingConfig, facts["config"])
    assert replace(config, beta=RECIPES[SWEEP].config.beta) == RECIPES[SWEEP].config
    for part in images.values():
        assert part.shape == (len(BETAS), autoencoders.SHOWN, 1, 28, 28) and part.dtype == torch.uint8


def test_with_beta_the_kl_falls_posteriors_overlap_and_what_comes_back_blurs():
    rows = sweep()[0]["rows"]
    for low, high in zip(rows, rows[1:]):
        assert high["kl"] < low["kl"] and high["log_likelihood"] < low["log_likelihood"]
        assert high["reconstructions"]["sharpness"] < low["reconstructions"]["sharpness"]
        assert high["reconstructions"]["mse"] > low["reconstructions"]["mse"]
        assert high["active"] <= low["active"] and high["shared"] >= 0.99 * low["shared"]
    assert rows[-1]["active"] < 20 < rows[-1]["shared"]
    for row in rows:
        assert row["elbo"] == pytest.approx(row["log_likelihood"] - row["kl"], abs=0.05)
        assert row["elbo"] < row["iwae_50"]


def test_the_bound_is_best_near_beta_1_and_is_no_order_of_the_samples():
    rows = sweep()[0]["rows"]
    assert max(rows, key=lambda row: row["elbo"])["beta"] == 1
    by_bound = sorted(rows, key=lambda row: -row["iwae_50"])
    by_distance = sorted(rows, key=lambda row: row["samples"]["fid"])
    assert [row["beta"] for row in by_bound] != [row["beta"] for row in by_distance]
    assert rows[0]["samples"]["fid"] > min(row["samples"]["fid"] for row in rows) < rows[-1]["samples"]["fid"]


def test_an_unfinished_or_foreign_run_is_not_recorded(tmp_path):
    train_autoencoder(SWEEP, tmp_path / "4", {"beta": 4.0, "steps": 1, "checkpoint_every_steps": 1}, verbose=False)
    (tmp_path / "8").symlink_to(tmp_path / "4")
    with pytest.raises(ValueError, match="runs: expected a finished run with β = 8 in"):
        autoencoders.record_sweep(tmp_path, tmp_path / "out", betas=(8.0,))


# ---------------------------------------------------------------- what the chapter's questions quote


def test_numbers_in_the_quizzes_are_those_of_the_cards():
    text = " ".join(question.text for name in ("08.recall", "08.check") for question in QUIZZES[name])
    block = zoo.card("mlp-fashion")["measured"]["classifier-fashion"]["metrics"]
    said = re.search(r"precision ([\d.]+) and recall ([\d.]+)", text)
    for quoted, key in zip(said.groups(), ("precision", "recall")):
        assert float(quoted) == pytest.approx(block[key]["samples"]["value"], abs=0.005), key
    said = re.search(r"is −(\d+) nats with grey levels as probabilities and −(\d+) nats", text)
    for quoted, reading in zip(said.groups(), ("grey", "static")):
        assert float(quoted) == pytest.approx(-zoo.card("vae-fashion")["bounds"][reading]["elbo"]["mean"], abs=0.5)
