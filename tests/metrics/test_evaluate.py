"""Two sets in, a table out: folders, arrays, data sets and networks; what cannot be compared is refused."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from course_lib import cli, data, metrics, zoo
from course_lib.metrics import features, protocols

JUDGE = "classifier-fashion"


def clothes(count, start=0, split="test"):
    return data.load("fashion-mnist", split).subset(slice(start, start + count))


def folder(path, images):
    path.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        values = image.permute(1, 2, 0).numpy()
        Image.fromarray(values[:, :, 0] if values.shape[2] == 1 else values).save(path / f"{index:04}.png")
    return path


def colour(count, size=32, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), generator=draw, dtype=torch.uint8)


def mean_colour(**changes):
    return features.wrap(lambda x: x.mean((2, 3)), **{"name": "mean colour", "dimension": 3} | changes)


# ---------------------------------------------------------------- the numbers


def test_the_numbers_are_those_of_the_metrics_on_the_extractors_features():
    real, fake = clothes(1000), clothes(1000, 2000)
    found = metrics.evaluate(real, fake, extractor=JUDGE, protocol="torch-fidelity")
    eyes, one = features.extractor(JUDGE), protocols.protocol("torch-fidelity")
    x, y = eyes(real.pixels), eyes(fake.pixels)
    assert found["fid"].value == pytest.approx(metrics.fid(x, y), rel=1e-6)
    kid = protocols.kid_values(one, real=x, fake=y)
    assert (found["kid"].value, found["kid"].error) == pytest.approx(
        (kid.mean().item(), kid.std(correction=0).item()), rel=1e-4
    )
    shares = metrics.precision_recall(real=x, fake=y, k=3)
    assert (found["precision"].value, found["recall"].value) == pytest.approx(shares, abs=2e-3)
    assert found["density"].value == pytest.approx(metrics.density_coverage(real=x, fake=y, k=5).density, abs=2e-3)
    with torch.inference_mode():
        score = protocols.inception_score(one, logits=eyes.head(y))
    assert (found["classifier_score"].value, found["classifier_score"].error) == pytest.approx(score, rel=1e-5)
    assert {row.metric for row in found.rows} >= {"prd_f8", "prd_f1_8", "coverage"} and not found.missing


def test_each_row_carries_n_protocol_network_and_hash():
    found = metrics.evaluate(clothes(60), clothes(50, 100), extractor=JUDGE, metrics=["fid", "density_coverage"])
    row = found["fid"]
    assert (row.n_real, row.n_fake, row.protocol, row.extractor) == (60, 50, "pytorch-fid", JUDGE)
    assert row.weights == zoo.card(JUDGE)["sha256"]["network.safetensors"] and row.precision == "float32"
    assert found["coverage"].protocol == "prdc on pytorch-fid" and found["coverage"].error > 0
    assert any("fewer than the 64 features" in note for note in found.notes)
    assert any("not with published ones" in note for note in found.notes)
    assert json.loads(json.dumps(found.as_dict()))["rows"][0]["metric"] == "fid"


def test_fid_has_an_error_and_its_value_at_endless_fakes_an_interval():
    real, fake = clothes(300), clothes(260, 1000)
    found = metrics.evaluate(real, fake, extractor=JUDGE, metrics=["fid", "fid_infinity"])
    eyes = features.extractor(JUDGE)
    x, y = eyes(real.pixels), eyes(fake.pixels)
    assert found["fid"].error == pytest.approx(metrics.fid_standard_error(x, y), rel=1e-4)
    assert found["fid"].error_is == "standard error, without the bias of N"
    line = metrics.fid_infinity(real=x, fake=y)
    row = found["fid_infinity"]
    assert row.protocol == "Chong and Forsyth on pytorch-fid" and row.value < found["fid"].value
    assert (row.value - row.error, row.value + row.error) == pytest.approx((line.low, line.high), rel=1e-3)
    few = metrics.evaluate(real, clothes(50, 1000), extractor=JUDGE, metrics=["fid"])["fid"]
    assert few.error is None and few.error_is.startswith("none: it needs more images than the 64 features")


def test_a_metric_that_the_tool_lacks_follows_one_that_has_it_with_its_own_resize():
    seen = []

    def eyes(resize):
        def look(x):
            seen.append(resize)
            return x.mean((2, 3))

        return look

    real, fake = colour(20), colour(20, seed=1)

    def both(name, *, resize, scaling, **_):
        return features.wrap(eyes(resize), name=name, dimension=3, size=16, resize=resize, scaling=scaling)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "extractor", both)
        found = metrics.evaluate(real, fake, metrics=["fid", "precision_recall"], protocol="clean")
    assert set(seen) == {"bicubic-pil", "bilinear-tf1"}
    assert found["fid"].protocol == "clean" and found["precision"].protocol == "torch-fidelity"


def test_swapping_the_sides_swaps_precision_and_recall():
    one, other = clothes(200), clothes(200, 500)
    there, back = (
        metrics.evaluate(*pair, extractor=JUDGE, metrics=["precision_recall"]) for pair in ((one, other), (other, one))
    )
    assert there["precision"].value == back["recall"].value and there["recall"].value == back["precision"].value


def test_floats_are_quantised_as_the_protocol_says():
    real, fake = clothes(100), clothes(100, 100)
    as_floats = metrics.evaluate(real, data.to_float(fake.pixels), extractor=JUDGE, metrics=["fid"])
    assert as_floats["fid"].value == metrics.evaluate(real, fake, extractor=JUDGE, metrics=["fid"])["fid"].value
    darker = metrics.evaluate(
        real,
        (data.to_float(fake.pixels) - 1e-3).clamp(-1, 1),
        extractor=JUDGE,
        metrics=["fid"],
        protocol="torchmetrics",
    )
    assert darker["fid"].value != as_floats["fid"].value


def test_what_one_set_cannot_give_is_told_and_the_rest_goes_on():
    found = metrics.evaluate(colour(5), colour(5, seed=1), extractor=mean_colour())
    assert set(found.missing) == {"fid_infinity", "kid", "inception_score", "density_coverage", "prd"}
    assert "expected at least 12 images, four for each feature" in found.missing["fid_infinity"]
    assert "expected 1000 rows each, as torch-fidelity draws, got 5 and 5" in found.missing["kid"]
    assert "1008-class head is in no package" in found.missing["inception_score"]
    assert {row.metric for row in found.rows} == {"fid", "precision", "recall"}


# ---------------------------------------------------------------- where images come from


def test_a_folder_and_an_npz_give_the_images_that_were_put_in(tmp_path):
    images = colour(6)
    np.savez(tmp_path / "last.npz", images.permute(0, 2, 3, 1).numpy())
    np.savez(tmp_path / "first.npz", images=images.numpy(), labels=np.zeros(6))
    for source in (folder(tmp_path / "f", images), tmp_path / "last.npz", tmp_path / "first.npz"):
        pixels, notes = metrics.open_images(source)
        assert torch.equal(pixels, images) and notes == []
    grey, _ = metrics.open_images(folder(tmp_path / "g", clothes(3).pixels))
    assert torch.equal(grey, clothes(3).pixels)


def test_names_are_data_sets_and_generators():
    assert torch.equal(metrics.open_images("fashion-mnist")[0], data.load("fashion-mnist", "test").pixels)
    assert len(metrics.open_images("fashion-mnist:train")[0]) == 60_000
    drawn, notes = metrics.open_images("dcgan-fashion", 20)
    assert drawn.shape == (20, 1, 28, 28) and "without the border of 4 pixels" in notes[0]
    with pytest.raises(ValueError, match="source: expected one of fashion-mnist.*did you mean 'dcgan-fashion'"):
        metrics.open_images("dcgan-fashon")
    with pytest.raises(ValueError, match="source: expected a generator, a folder, an npz file or a data set"):
        metrics.open_images(JUDGE)


def test_files_that_cannot_be_read_are_listed_and_left_out(tmp_path):
    real = folder(tmp_path / "real", colour(6))
    fake = folder(tmp_path / "fake", colour(6, seed=1))
    (fake / "0002.png").write_bytes((fake / "0002.png").read_bytes()[:60])
    (fake / "notes.txt").write_text("not an image")
    Image.fromarray(np.full((32, 32), 40_000, dtype=np.uint16)).save(fake / "deep.png")
    found = metrics.evaluate(real, fake, extractor=mean_colour(), metrics=["fid"])
    assert found["fid"].n_fake == 5
    (note,) = [note for note in found.notes if "left out" in note]
    assert note.startswith(f"fake: 3 of 8 files in {fake} left out: 0002.png (")
    assert "deep.png (more than 8 bits a channel, which the tools would clip to white)" in note and "notes.txt" in note


def test_cmyk_and_animated_files_are_read_as_the_tools_read_them(tmp_path):
    path = folder(tmp_path / "mixed", colour(1, 16))
    first = Image.fromarray(colour(1, 16, seed=2)[0].permute(1, 2, 0).numpy())
    first.save(path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (16, 16))])
    first.convert("CMYK").save(path / "print.tif")
    pixels, notes = metrics.open_images(path)
    assert pixels.shape == (3, 3, 16, 16) and notes == [] and pixels[1].float().mean() > 50


def test_grey_saved_in_colour_is_grey_and_an_alpha_channel_is_told(tmp_path):
    """torchvision's save_image writes three channels, and a folder of them is compared with grey photographs."""
    pixels = clothes(8).pixels
    for mode in ("RGB", "RGBA"):
        (tmp_path / mode).mkdir()
        for number, image in enumerate(pixels):
            picture = Image.fromarray(image[0].numpy()).convert(mode)
            picture.save(tmp_path / mode / f"{number}.png")
    assert (
        torch.equal(metrics.open_images(tmp_path / "RGB")[0], pixels) and not metrics.open_images(tmp_path / "RGB")[1]
    )
    read, notes = metrics.open_images(tmp_path / "RGBA")
    assert torch.equal(read, pixels) and "8 images" in notes[0] and "alpha channel, which is ignored" in notes[0]


@pytest.mark.parametrize("source", ["img/nothere", "samples.npy", "README.md"])
def test_a_path_that_is_no_set_of_images_is_named(source):
    with pytest.raises(ValueError, match=f"source: expected a folder of images or an .npz file.*{source}"):
        metrics.open_images(source)


def test_parts_with_fewer_images_than_classes_are_told():
    found = metrics.evaluate(
        clothes(40), clothes(40, start=40), metrics=["inception_score"], extractor=JUDGE, protocol="torch-fidelity"
    )
    assert "10 parts of 4 images cannot score more than 4 each, of 10 classes" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda p: p.mkdir(), "expected at least one readable image, got an empty folder"),
        (
            lambda p: (folder(p, colour(2)), folder(p / "more", colour(3, 16))),
            r"expected images of one size, got 2 sizes \(3 of 16×16, 2 of 32×32\)",
        ),
        (
            lambda p: (p.mkdir(), (p / "a.png").write_text("x")),
            r"expected at least one readable image, got 1 of 1 files in .* left out: a.png",
        ),
    ],
)
def test_a_folder_that_is_no_set_of_images_is_refused(tmp_path, build, says):
    build(tmp_path / "x")
    with pytest.raises(ValueError, match=says):
        metrics.open_images(tmp_path / "x")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.zeros((2, 8, 8, 3)), "b": np.zeros(2)}, 'expected one array, or one named "images", got a, b'),
        ({"a": np.zeros((2, 8, 8, 3))}, r"expected uint8 .* got float64 \(2, 8, 8, 3\)"),
        ({"a": np.zeros((2, 3, 8, 3), np.uint8)}, "expected 1 or 3 channels in second or in last place"),
        ({"a": np.zeros((2, 4, 8, 8), np.uint8)}, "expected 1 or 3 channels in second or in last place"),
    ],
)
def test_an_array_that_is_no_set_of_images_is_refused(tmp_path, arrays, says):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=says):
        metrics.open_images(tmp_path / "x.npz")


# ---------------------------------------------------------------- what cannot be compared


@pytest.mark.parametrize(
    ("real", "fake", "options", "says"),
    [
        (colour(1), colour(5), {}, "real: expected at least 2 images, since one has no covariance, got 1"),
        (colour(5), colour(5)[:, :1], {}, "fake: expected 3 channels like real, got 1"),
        (colour(5), colour(5), {}, "fake: expected other images than real, got the same ones"),
        ("fashion-mnist", "fashion-mnist", {}, "fake: expected another set than real, got fashion-mnist twice"),
        (
            colour(5),
            colour(5, 16),
            {},
            r"fake: expected \(32, 32\) pixels like real, since mean colour does not resize, got \(16, 16\)",
        ),
        (colour(5), 300 * torch.rand(5, 3, 32, 32), {}, r"fake: expected floating point in \[-1, 1\]"),
        (colour(5), colour(5, seed=1), {"metrics": ["fd"]}, "metrics: expected one of fid, .* did you mean 'fid'"),
        (colour(5), colour(5, seed=1), {"metrics": []}, "metrics: expected at least one, got none"),
        (colour(5), colour(5, seed=1), {"protocol": "tf"}, "protocol: expected one of pytorch-fid"),
        (colour(5), colour(5, seed=1), {"extractor": JUDGE}, r"images: expected 28 to 32 pixels|expected 1 channels"),
    ],
)
def test_it_is_refused_with_the_reason(real, fake, options, says):
    with pytest.raises(ValueError, match=says):
        metrics.evaluate(real, fake, **{"extractor": mean_colour()} | options)


def test_the_same_folder_by_another_name_is_noticed(tmp_path):
    path = folder(tmp_path / "one", colour(3))
    with pytest.raises(ValueError, match="twice; its distance to itself says nothing"):
        metrics.evaluate(path, tmp_path / "one" / ".." / "one", extractor=mean_colour())


def test_other_sizes_with_a_resize_are_compared_and_told():
    eyes = mean_colour(size=16, resize="bilinear")
    found = metrics.evaluate(colour(20), colour(20, 64, seed=1), extractor=eyes, metrics=["fid"])
    assert any("real has (32, 32) pixels and fake (64, 64)" in note for note in found.notes)


# ---------------------------------------------------------------- the command line


def test_the_command_prints_a_table_and_writes_json(tmp_path):
    real, fake = folder(tmp_path / "real", clothes(40).pixels), folder(tmp_path / "fake", clothes(40, 50).pixels)
    (fake / "broken.png").write_bytes(b"x")
    out = tmp_path / "result.json"
    arguments = ["evaluate", str(real), str(fake), "--extractor", JUDGE, "--metrics", "fid,kid,precision_recall"]
    run = CliRunner().invoke(cli.app, [*arguments, "--device", "cpu", "--batch-size", "7", "--json", str(out)])
    assert run.exit_code == 0, run.output
    words = run.stdout.split()
    assert {"fid", "precision", "recall", "pytorch-fid", JUDGE} <= set(words) and "broken.png" in run.stdout
    assert "no kid: real, fake: expected 1000 rows each" in run.stdout
    kept = json.loads(out.read_text())
    assert [row["metric"] for row in kept["rows"]] == ["fid", "precision", "recall"]
    assert kept["rows"][0]["error"] is None and "(none: it needs more images" in " ".join(words)
    assert kept["seconds"] > kept["network_seconds"] > 0
    assert kept["missing"].keys() == {"kid"} and any("broken.png" in note for note in kept["notes"])


def test_what_is_missing_is_named_on_the_command_line():
    run = CliRunner().invoke(cli.app, ["evaluate", "fashion-mnist", "dcgan-fashion"])
    assert isinstance(run.exception, FileNotFoundError) and "gan-course fetch fid-inception" in str(run.exception)
