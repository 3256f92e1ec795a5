"""The networks of avatars: what their cards and records say, read for directions and recomputed at a small size."""

import math
from dataclasses import replace

import pytest
import torch

from course_lib import data, latent, zoo
from course_lib.data.avatars import ATTRIBUTES
from course_lib.files import cache_dir
from course_lib.metrics import features
from course_lib.models.style import Generator
from course_lib.training import RECIPES, TrainConfig
from course_lib.training.checkpoint import read_config
from course_lib.training.classification import attribute_accuracy
from course_lib.training.recipes import build
from course_lib.zoo import avatars as records
from course_lib.zoo import judging

GROWN = {"style-avatars-32": 32, "style-avatars-64": 64}
CURVES = [*GROWN, "dcgan-avatars"]
CACHE = cache_dir()  # the user's: each test is given an empty one


@pytest.fixture(scope="module")
def few():
    return data.load("avatars-small-32", "test")


def test_the_classifier_is_as_good_as_its_card_says_attribute_by_attribute(few):
    network, card = zoo.load("classifier-avatars")
    said, found = card["metrics"]["test_accuracy_by_attribute"], attribute_accuracy(network, few)
    assert list(said) == list(ATTRIBUTES)
    for name, share in said.items():
        assert abs(found[name] - share) < 4 * math.sqrt(share * (1 - share) / len(few)) + 0.002, name
    assert card["metrics"]["test_accuracy"] == pytest.approx(sum(said.values()) / 9) and min(said.values()) > 0.7
    large = data.load("avatars-small", "test")
    assert attribute_accuracy(network, large) == pytest.approx(found, abs=0.02)  # it sees the same at 64 pixels


def test_its_features_are_the_extractor_of_avatars(few):
    eyes = features.extractor("classifier-avatars")
    network = zoo.load("classifier-avatars")[0]
    with torch.inference_mode():
        want = network.features(data.to_float(few.pixels[:50])).cpu()
    torch.testing.assert_close(eyes(few.pixels[:50]), want, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(judging.classify(few.pixels[:50], dataset="avatars")[0], want, atol=1e-4, rtol=1e-4)
    assert eyes(data.load("avatars-small", "test").pixels[:3]).shape == (3, 128)
    with pytest.raises(ValueError, match=r"images: expected \(m·32, m·32\) pixels"):
        eyes(torch.zeros(1, 3, 40, 40, dtype=torch.uint8))


def test_attributes_are_named_as_they_were_drawn(few):
    said = judging.attributes_of(few.pixels)
    assert said.shape == (500, 9) and (said == few.attributes).double().mean() > 0.9


def test_diversity_of_one_avatar_and_of_all_alike():
    classes = [len(values) for values in ATTRIBUTES.values()]
    one = torch.cat([torch.eye(count)[:1].expand(100, -1) for count in classes], 1)
    every = torch.cat([torch.eye(count).repeat(math.lcm(*classes) // count, 1) for count in classes], 1)
    found = judging.diversity(one, every)
    assert found["attribute_entropy"] == 0 and found["sure"] == 1
    assert found["attribute_coverage"] == pytest.approx(9 / sum(classes))
    assert found["real_attribute_entropy"] == pytest.approx(sum(map(math.log, classes)))
    assert judging.diversity(every, every)["attribute_coverage"] == 1


@pytest.mark.parametrize(("name", "size"), GROWN.items())
def test_a_grown_generator_has_the_layers_up_to_its_resolution(name, size):
    generator, card = zoo.load(name)
    assert isinstance(generator, Generator) and card["resolution"] == generator.synthesis.size == size
    assert generator.synthesis.depth == len(generator.synthesis.layers) == 2 * int(math.log2(size)) - 2
    z = torch.randn(3, generator.latent_dim)
    images = generator(z)
    assert images.shape == (3, 3, size, size) and images.abs().max() <= 1
    generator.grow(16)
    assert generator(z).shape == (3, 3, 16, 16)


def test_at_64_it_is_the_network_of_32_with_one_stage_more():
    small, large = (build(RECIPES[name])[0] for name in GROWN)
    shapes = [{key: each.shape for key, each in net.state_dict().items()} for net in (small, large.up_to(32))]
    assert shapes[0] == shapes[1] and large.synthesis.depth == small.synthesis.depth + 2
    assert large.mixing == small.mixing == 0.2
    assert {net.synthesis.layers[3].conv.lr_multiplier for net in (small, large)} == {3.0}


@pytest.mark.parametrize(("name", "size"), GROWN.items())
def test_the_card_is_of_the_recipe_as_it_stands(name, size):
    card, recipe = zoo.card(name), RECIPES[name].config
    assert replace(read_config(TrainConfig, card["config"]), precision=recipe.precision) == recipe
    assert card["step"] == card["stopped"]["at_step"] == card["stopped"]["of"] == recipe.steps
    assert card["kimg"] * 1000 == card["step"] * recipe.batch_size and RECIPES[name].size == size


@pytest.mark.parametrize(("name", "size"), GROWN.items())
def test_growth_is_shown_from_its_beginning_to_the_network_itself(name, size):
    moments, card = zoo.growth(name), zoo.card(name)
    assert [each.step for each in moments] == sorted({each.step for each in moments})
    assert moments[0].step == 0 and moments[-1].step == card["step"]
    sides = [each.resolution for each in moments]
    assert sides == sorted(sides) and set(sides) == {side for side in (4, 8, 16, 32, 64) if side <= size}
    for each in moments:
        assert each.images.shape == (24, 3, each.resolution, each.resolution) and each.images.dtype == torch.uint8
        assert each.kimg == pytest.approx(each.step * card["config"]["batch_size"] / 1000) and 0 <= each.alpha <= 1
    generator = zoo.load(name)[0]
    generator.grow(size, moments[-1].alpha)
    drawn = data.to_uint8(zoo.sample(generator, 24)).int()
    assert (drawn - moments[-1].images.int()).abs().float().mean() < 6  # grey levels, by WebP


@pytest.mark.parametrize("name", [*GROWN, "dcgan-avatars", "classifier-avatars"])
def test_the_data_are_those_of_the_card(name, monkeypatch):
    if not list(CACHE.glob("avatars-*-train.npz")):
        pytest.skip("the full set of avatars is not in the cache (drawn on first use, in minutes)")
    monkeypatch.setenv("COURSE_CACHE", str(CACHE))
    facts = zoo.card(name)["data"]
    assert data.load(facts["name"]).sha256() == facts["sha256"]


def test_the_yardstick_was_measured_alike_and_told_as_it_is():
    """As many images, as many samples, the same judge: distance and precision are the StyleGAN's, recall is the DCGAN's."""
    style, dcgan = zoo.card("style-avatars-32"), zoo.card("dcgan-avatars")
    assert style["kimg"] * 1000 == dcgan["config"]["steps"] * dcgan["config"]["batch_size"] == 320_000
    assert style["metrics"]["n"] == dcgan["metrics"]["n"] == 10_000
    assert style["metrics"]["protocol"] == dcgan["metrics"]["protocol"]
    assert style["metrics"]["fid"] < 0.85 * dcgan["metrics"]["fid"]
    assert style["metrics"]["fid"] < 0.05 * dcgan["snapshots"][0]["fid"]
    judged = [card["measured"]["classifier-avatars"]["metrics"] for card in (style, dcgan)]
    margin = {
        metric: judged[0][metric]["samples"]["value"] - judged[1][metric]["samples"]["value"]
        for metric in ("precision", "recall")
    }
    assert margin["precision"] > 0.05 and margin["recall"] < -0.05
    falling = [row["fid"] for row in style["snapshots"]]
    assert len(falling) >= 5 and falling == sorted(falling, reverse=True)


def test_what_did_not_grow_has_no_growth():
    with pytest.raises(ValueError, match="name: expected a generator that grew, got 'dcgan-avatars'"):
        zoo.growth("dcgan-avatars")


# ---------------------------------------------------------------- truncation


@pytest.mark.parametrize("name", CURVES)
def test_a_record_is_of_the_network_that_is_here(name):
    record = records.curve(name)
    assert record["network"] == zoo.card(name)["sha256"]["network.safetensors"]
    assert record["judge"] == zoo.card("classifier-avatars")["sha256"]["network.safetensors"]
    assert [row["threshold"] for row in record["threshold"]] == list(records.THRESHOLDS)
    assert [row["psi"] for row in record["psi"]] == (list(records.PSIS) if name.startswith("style") else [])


@pytest.mark.parametrize("name", GROWN)
def test_recall_and_attribute_entropy_fall_as_psi_falls(name):
    rows = records.curve(name)["psi"]
    for measure in ("recall", "attribute_entropy", "coverage"):
        values = [row[measure] for row in rows]
        slack = max(row[f"{measure}_half"] for row in rows)
        assert all(low <= high + 2 * slack for low, high in zip(values, values[1:])), measure
        assert values[0] < 0.5 * values[-1]
    alone = rows[0]  # ψ = 0: one image, and nothing that a draw could change
    assert alone["psi"] == 0 and alone["attribute_entropy"] == 0 == alone["recall_half"]
    assert alone["precision"] in (0, 1)


def test_truncating_z_narrows_the_dcgan():
    rows = records.curve("dcgan-avatars")["threshold"]
    assert rows[-1]["threshold"] is None
    for measure in ("attribute_entropy", "recall", "coverage"):
        assert rows[0][measure] + rows[0][f"{measure}_half"] < rows[-1][measure] - rows[-1][f"{measure}_half"]
    assert rows[0]["fid"] > 2 * rows[-1]["fid"]


def test_truncating_z_hardly_reaches_a_network_that_begins_with_pixel_norm():
    """It takes the length of z off, which is most of what truncation changes; ψ works behind the mapping."""
    record = records.curve("style-avatars-32")
    entropies = [row["attribute_entropy"] for row in record["threshold"]]
    assert max(entropies) - min(entropies) < 0.02 * max(entropies)
    assert record["psi"][2]["psi"] == 0.5 and record["psi"][2]["attribute_entropy"] < 0.85 * min(entropies)


def test_a_small_curve_has_the_records_direction():
    found = records.measure_curve(
        "style-avatars-32", (0.0, 0.5, 1.0), (0.5,), count=200, draws=2, dataset="avatars-small-32"
    )
    values = [row["attribute_entropy"] for row in found["psi"]]
    recorded = {row["psi"]: row["attribute_entropy"] for row in records.curve("style-avatars-32")["psi"]}
    assert values == sorted(values) and values[0] == 0
    for row in found["psi"]:  # entropy of few is a little too small
        assert row["attribute_entropy"] == pytest.approx(recorded[row["psi"]], rel=0.12, abs=1e-9)
    assert found["threshold"][0]["threshold"] == 0.5 and found["count"] == 200


def test_psi_reaches_the_samples():
    generator = zoo.load("style-avatars-32")[0]
    still = zoo.sample(generator, 3, psi=0.0)
    torch.testing.assert_close(still[0], still[1])
    assert torch.equal(zoo.sample(generator, 3, psi=1.0), zoo.sample(generator, 3))


# ---------------------------------------------------------------- style mixing


@pytest.mark.parametrize("name", GROWN)
def test_mixing_goes_from_the_second_latent_to_the_first(name):
    table = records.mixing(name)
    rows = table["rows"]
    assert table["network"] == zoo.card(name)["sha256"]["network.safetensors"]
    assert [row["crossover"] for row in rows] == list(range(table["layers"] + 1))
    for attribute in ATTRIBUTES:
        first, second = ([row[which][attribute] for row in rows] for which in ("first", "second"))
        assert first[0] == second[-1] == 0 and first[-1] == second[0] == 1
        assert all(0 <= a + b <= 1 + 1e-6 for a, b in zip(first, second))
        assert max(low - high for low, high in zip(first, first[1:])) < 0.1  # more layers, more of the first
    halves = {attribute: next(r["crossover"] for r in rows if r["first"][attribute] >= 0.5) for attribute in ATTRIBUTES}
    assert len(set(halves.values())) > 1  # attributes do not all change hands at one layer


def test_a_small_table_agrees_with_the_record():
    found, record = records.measure_mixing("style-avatars-32", count=150, seed=1), records.mixing("style-avatars-32")
    for attribute, pairs in found["pairs"].items():
        for mine, theirs in zip(found["rows"], record["rows"]):
            share = theirs["first"][attribute]
            slack = 4.5 * math.sqrt(max(share * (1 - share), 0.01) / max(pairs, 1))
            assert abs(mine["first"][attribute] - share) < slack, (attribute, mine["crossover"])


def test_the_crossover_at_either_end_is_one_latent_alone():
    generator = zoo.load("style-avatars-32")[0]
    z = torch.randn(4, generator.latent_dim)
    w = generator.mapping(z)
    depth = generator.synthesis.depth
    mixed = generator.synthesis(latent.mix_styles(w, w.roll(1, 0), depth, depth)).clamp(-1, 1)
    torch.testing.assert_close(mixed, generator(z))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="psis: expected none for dcgan-avatars, which has no styles"):
        records.measure_curve("dcgan-avatars", (0.5,), count=50, draws=2, dataset="avatars-small-32")
    with pytest.raises(ValueError, match="draws: expected one of 2, 3, 4"):
        records.measure_curve("dcgan-avatars", (), count=50, draws=1)
    with pytest.raises(ValueError, match="name: expected a network with mixing.json, one of .*, got 'dcgan-avatars'"):
        records.mixing("dcgan-avatars")
    with pytest.raises(ValueError, match="name: expected one of .*did you mean 'style-avatars-32'"):
        records.curve("style-avatar-32")


# ---------------------------------------------------------------- two judges


def speckle(pixels) -> float:
    """How much neighbours differ in the 6×6 pixels of the upper left corner, where nearly all avatars have plain background:
    grey levels, the median over images."""
    return pixels[:, :, :6, :6].double().diff(dim=3).abs().flatten(1).mean(1).median().item()


def test_two_judges_put_the_stylegan_before_the_dcgan():
    """The attributes' classifier by a fifth, the published Inception by more than half: it sees the speckled background too."""
    style, dcgan = (zoo.card(name)["measured"] for name in ("style-avatars-32", "dcgan-avatars"))
    ratios = []
    for eyes in ("classifier-avatars", "fid-inception"):
        assert style[eyes]["n"] == dcgan[eyes]["n"] == 10_000
        ours, theirs = (card[eyes]["metrics"]["fid"]["samples"] for card in (style, dcgan))
        assert ours["value"] + 2 * ours["error"] < theirs["value"] - 2 * theirs["error"]
        ratios.append(ours["value"] / theirs["value"])
    assert ratios[1] < 0.5 < ratios[0] < 0.85
    noise = [
        speckle(data.to_uint8(zoo.sample(zoo.load(name)[0], 500, seed=3)))
        for name in ("style-avatars-32", "dcgan-avatars")
    ]
    assert speckle(data.load("avatars-small-32").pixels[:500]) < noise[0] < 0.5 * noise[1], noise
