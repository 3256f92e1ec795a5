"""What is in the zoo is what its cards say, and is as good as the course claims."""

import shutil
from dataclasses import replace

import pytest
import torch

from course_lib import assets, data, zoo
from course_lib.files import cache_dir
from course_lib.training import RECIPES, TrainConfig
from course_lib.training.checkpoint import read_config
from course_lib.training.classification import accuracy
from course_lib.zoo import judging, recording, sheets

GENERATORS = ["dcgan-fashion", "mlp-fashion", "mlp-mnist", "residual-fashion", "residual-fashion-classes"]
AUTOENCODERS = [
    "ae-fashion",
    "ae-fashion-2d",
    "vae-avatars",
    "vae-fashion",
    "vae-fashion-2d",
]  # tests/zoo/test_autoencoders.py looks at them
AVATARS = [
    "classifier-avatars",
    "dcgan-avatars",
    "style-avatars-32",
    "style-avatars-64",
]  # tests/zoo/test_avatars_zoo.py
CLASSIFIERS = {"classifier-fashion": 0.925, "classifier-mnist": 0.99}


CACHE = cache_dir()  # the user's: each test is given an empty one


@pytest.fixture
def needs(monkeypatch):
    """needs(name) → name of that network's data; skips where they are an optional download that is not here."""

    def look(name):
        dataset = zoo.card(name)["data"]["name"]
        monkeypatch.setenv("COURSE_CACHE", str(CACHE))
        if dataset in assets.ASSETS and assets.state(dataset) != "ready":
            pytest.skip(f"{dataset} is not in the cache (gan-course fetch {dataset})")
        return dataset

    return look


def test_everything_loads_in_eval_mode_with_a_complete_card():
    assert zoo.names() == sorted([*CLASSIFIERS, *GENERATORS, *AUTOENCODERS, *AVATARS])
    for name in zoo.names():
        network, card = zoo.load(name)
        assert not network.training and not any(p.requires_grad for p in network.parameters())
        for field in (
            "summary",
            "recipe",
            "config",
            "precision",
            "parameters",
            "data",
            "hardware",
            "minutes",
            "metrics",
            "history",
            "sha256",
        ):
            assert card[field], f"{name}: {field}"


@pytest.mark.parametrize("name", [*GENERATORS, *CLASSIFIERS])
def test_the_data_are_those_of_the_card(name, needs):
    assert data.load(needs(name)).sha256() == zoo.card(name)["data"]["sha256"]


@pytest.mark.parametrize("name", GENERATORS)
def test_the_card_is_of_the_recipe_as_it_stands(name):
    """A recipe that is changed without a new run would no longer reproduce its network."""
    card = zoo.card(name)
    recorded = read_config(TrainConfig, card["config"])
    assert replace(recorded, precision=RECIPES[name].config.precision) == RECIPES[name].config
    assert card["snapshots"][-1]["step"] == card["config"]["steps"]
    assert 0 <= card["config"]["steps"] - card["history"][-1]["step"] < card["config"]["log_every_steps"]


@pytest.mark.parametrize("name", GENERATORS)
def test_snapshots_are_what_the_network_drew(name):
    card, recorded = zoo.card(name), zoo.snapshots(name)
    assert len(recorded.steps) >= min(17, RECIPES[name].snapshots)
    assert recorded.steps == [row["step"] for row in card["snapshots"]]
    generator = zoo.load(name)[0]
    drawn = data.to_uint8(zoo.sample(generator, recording.DRAWN)).int()
    assert (drawn - recorded.images[-1].int()).abs().float().mean() < 1.5  # grey levels, by WebP
    assert recorded.images[0].float().std() < recorded.images[-1].float().std(), "it began with grey"


@pytest.mark.parametrize("name", GENERATORS)
def test_the_cards_metrics_can_be_measured_again(name, needs):
    generator, card = zoo.load(name)
    found = judging.judge(zoo.sample(generator, card["metrics"]["n"], seed=1), needs(name))
    assert found["fid"] == pytest.approx(card["metrics"]["fid"], rel=0.01)
    assert found["sure"] == pytest.approx(card["metrics"]["sure"], abs=0.002)
    assert found["real_sure"] == pytest.approx(card["metrics"]["real_sure"], abs=0.002)


@pytest.mark.parametrize(("name", "least"), CLASSIFIERS.items())
def test_the_classifier_reaches_what_issue_and_card_say(name, least, needs):
    network, card = zoo.load(name)
    found = accuracy(network, data.load(needs(name), "test"))
    assert found >= least and found == pytest.approx(card["metrics"]["test_accuracy"], abs=5e-4)


def test_the_dcgan_is_as_good_as_the_course_claims():
    """Over 10,000 samples no class is below 4 %, and the distance is a tenth of the fully connected generator's."""
    metrics = zoo.card("dcgan-fashion")["metrics"]
    assert metrics["n"] == 10_000
    assert min(metrics["class_shares"]) >= 0.04
    assert metrics["fid"] < zoo.card("mlp-fashion")["metrics"]["fid"] / 10


def test_the_small_residual_network_is_between_the_lessons_and_the_dcgan():
    """With less than an eighth of the DCGAN's weights; below the DCGAN it is not (docs/decisions.md)."""
    cards = {name: zoo.card(name) for name in ("mlp-fashion", "residual-fashion", "dcgan-fashion")}
    assert sorted(cards, key=lambda name: -cards[name]["metrics"]["fid"]) == list(cards)
    assert cards["residual-fashion"]["metrics"]["fid"] < cards["mlp-fashion"]["metrics"]["fid"] / 2
    weights = [sum(cards[name]["parameters"].values()) for name in ("residual-fashion", "dcgan-fashion")]
    assert 8 * weights[0] < weights[1]


def test_told_the_class_the_residual_network_is_below_the_dcgan_for_both_judges():
    """With fewer weights and twice the images; it has the labels, which the DCGAN has not. By three standard errors at least."""
    told, dcgan = zoo.card("residual-fashion-classes"), zoo.card("dcgan-fashion")
    assert told["metrics"]["n"] == dcgan["metrics"]["n"] == 10_000
    assert told["metrics"]["fid"] < dcgan["metrics"]["fid"] and told["metrics"]["sure"] > dcgan["metrics"]["sure"]
    published = [card["measured"]["fid-inception"]["metrics"]["fid"]["samples"] for card in (told, dcgan)]
    errors = sum(each["error"] ** 2 for each in published) ** 0.5
    assert published[1]["value"] - published[0]["value"] > 3 * errors
    assert sum(told["parameters"].values()) < sum(dcgan["parameters"].values())


def test_it_draws_the_class_it_is_told_and_keeps_the_shade_of_its_latent():
    """500 latents, each told all ten classes; accuracy of the classifier, which reaches 93 % on photographs."""
    generator, _ = zoo.load("residual-fashion-classes")
    drawn = [zoo.sample(generator, 500, labels=torch.full((500,), label)) for label in range(10)]
    right = [(judging.classify(images)[1].argmax(1) == label).double().mean() for label, images in enumerate(drawn)]
    assert sum(right) / 10 > 0.85
    shades = torch.stack([images.mean((1, 2, 3)) for images in drawn])
    between = torch.corrcoef(shades)[~torch.eye(10, dtype=torch.bool)]
    assert between.mean() > 0.4 and shades.std(1).min() > 0.05


@pytest.mark.xfail(
    strict=True, reason="told no class, no DCGAN tried came above 0.82 of the real share (docs/decisions.md)"
)
def test_the_dcgan_is_nearly_as_sure_as_real_images():
    """A classifier of at least 91 % is as sure of samples as of test images: 0.85 of the share at least."""
    metrics = zoo.card("dcgan-fashion")["metrics"]
    assert metrics["sure"] >= 0.85 * metrics["real_sure"]


def test_samples_depend_on_the_seed_and_not_on_the_batch():
    generator = zoo.load("mlp-fashion")[0]
    torch.testing.assert_close(zoo.sample(generator, 20, batch_size=3), zoo.sample(generator, 20), atol=1e-5, rtol=0)
    assert not torch.allclose(zoo.sample(generator, 2, seed=4), zoo.sample(generator, 2, seed=5))


def test_names_that_do_not_exist_are_answered():
    with pytest.raises(ValueError, match="name: .*did you mean 'dcgan-fashion'"):
        zoo.load("dcgan_fashion")
    with pytest.raises(ValueError, match="name: expected a generator with snapshots, got 'classifier-fashion'"):
        zoo.snapshots("classifier-fashion")


@pytest.mark.parametrize(("channels", "most"), [(1, 1.5), (3, 6.0)])
def test_a_sheet_gives_back_each_image_in_its_place(channels, most):
    """Flat images, each of its own level, which WebP keeps to a level or two; colours it keeps at half the pixels."""
    levels = torch.linspace(20, 235, 12 * channels).round().view(12, channels, 1, 1)
    images = levels.expand(-1, -1, 8, 8).to(torch.uint8)
    back = sheets.unpack(sheets.pack(images, across=4), channels, 8)
    assert back.shape == images.shape
    assert (back.int() - images.int()).abs().float().mean() < most  # neighbours are 18 levels apart and more


def test_damage_is_named_with_its_cure(tmp_path, monkeypatch):
    shutil.copytree(zoo.FOLDER / "mlp-fashion", tmp_path / "mlp-fashion")
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    path = tmp_path / "mlp-fashion" / "network.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"network.safetensors: expected SHA-256 .*git checkout -- course_lib/zoo"):
        zoo.load("mlp-fashion")
    path.unlink()
    with pytest.raises(FileNotFoundError, match="found nothing; mend it with"):
        zoo.load("mlp-fashion")


def test_a_border_comes_off_where_it_was_put_on():
    images = data.load("fashion-mnist", "test").subset(slice(0, 4))
    assert torch.equal(data.centre(images.padded(32).pixels, 28), images.pixels)
