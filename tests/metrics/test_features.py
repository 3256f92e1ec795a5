"""From images to features: every resize against its original, ranges, extractors, the cache and its key."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_lib import assets, data, zoo
from course_lib.files import cache_dir
from course_lib.metrics import features

MINE = cache_dir() / "assets" / "fid-inception-weights.safetensors"  # before each test gets a cache of its own


@pytest.fixture
def weights():
    """The real weights of the FID's network, where this machine has them."""
    if not MINE.exists():
        pytest.skip("not fetched: gan-course fetch fid-inception")
    mine = assets.cached("fid-inception", "weights")
    mine.parent.mkdir(parents=True)
    mine.symlink_to(MINE)


def photos(count=4, height=32, width=32, channels=3, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, height, width), generator=draw, dtype=torch.uint8)


def small(**changes):
    """An extractor of a small random network."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return features.wrap(network, **{"name": "small", "dimension": 8} | changes)


# ---------------------------------------------------------------- resizing


@pytest.mark.parametrize(("height", "width"), [(32, 32), (28, 40), (299, 299), (512, 400)])
def test_tensorflows_old_resize_is_that_of_torch_fidelity(height, width):
    peer = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    x = photos(2, height, width).float()
    theirs = peer.interpolate_bilinear_2d_like_tensorflow1x(x, size=(299, 299), align_corners=False)
    assert (features.RESIZES["bilinear-tf1"](x, 299) - theirs).abs().max() < 1e-3  # of 255


@pytest.mark.filterwarnings("ignore")  # of Pillow's mode argument, which the package gives
@pytest.mark.parametrize(("height", "width"), [(32, 32), (512, 400), (300, 200)])
def test_the_clean_resize_is_that_of_clean_fid(height, width):
    peer = pytest.importorskip("cleanfid.resize")
    image = photos(1, height, width)
    theirs = peer.build_resizer("clean")(image[0].permute(1, 2, 0).numpy())
    ours = features.RESIZES["bicubic-pil"](image.float(), 299)[0].permute(1, 2, 0)
    assert (ours - torch.from_numpy(theirs)).abs().max() < 0.01  # of 255
    assert theirs.min() == 0 and theirs.max() == 255  # the clamp is at work


def test_half_a_pixel_apart():
    """A ramp of 0, 1, 2, … enlarged fourfold: half-pixel centres start at −3/8, TensorFlow 1 at 0."""
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    half, old = (features.RESIZES[name](ramp, 32)[0, 0, 0] for name in ("bilinear", "bilinear-tf1"))
    assert half[4:8].tolist() == [0.625, 0.875, 1.125, 1.375] and old[4:8].tolist() == [1.0, 1.25, 1.5, 1.75]


def test_shrinking_without_antialias_sees_one_pixel_in_four():
    stripes = torch.tensor([255.0, 0.0, 0.0, 0.0]).repeat(16).expand(1, 1, 64, 64)
    spread = {name: resize(stripes, 16).std().item() for name, resize in features.RESIZES.items() if "bi" in name}
    assert features.RESIZES["bilinear-tf1"](stripes, 16).mean() == 255  # aliasing: the stripes became a white square
    assert features.RESIZES["bilinear-antialias"](stripes, 16)[..., 4:-4].mean() == pytest.approx(63.75, abs=1)
    assert features.RESIZES["bicubic-pil"](stripes, 16)[..., 4:-4].mean() == pytest.approx(63.75, abs=1)
    assert spread["bilinear-antialias"] < 10


@pytest.mark.parametrize("name", features.RESIZES)
def test_a_picture_of_the_right_size_is_left_alone(name):
    x = photos(1, 28, 28).float()
    assert torch.allclose(features.RESIZES[name](x, 28), x, atol=1e-4)


def test_the_middle_is_taken_where_a_border_was_put_on():
    images = data.load("fashion-mnist", "test").subset(slice(3))
    assert torch.equal(features.RESIZES["centre"](images.padded(32).pixels.float(), 28), images.pixels.float())
    with pytest.raises(
        ValueError, match=r"expected 28 to 32 pixels a side, of which the middle is seen, got \(64, 64\)"
    ):
        features.RESIZES["centre"](torch.zeros(1, 1, 64, 64), 28)


def test_scalings_meet_their_formulas():
    x = torch.tensor([0.0, 128.0, 255.0])
    assert features.SCALINGS["symmetric"](x).tolist() == pytest.approx([-1, 1 / 255, 1], abs=1e-6)
    assert features.SCALINGS["tensorflow"](x).tolist() == [-1, 0, 127 / 128]


# ---------------------------------------------------------------- ranges


def test_rounding_undoes_to_float_for_every_level_and_truncation_loses_some():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(features.as_uint8(data.to_float(levels), "real"), levels)
    near = data.to_float(levels) + 0.002 * torch.rand(levels.shape, generator=torch.Generator().manual_seed(0)) - 0.001
    near = near.clamp(-1, 1)
    assert torch.equal(features.as_uint8(near, "real"), levels)
    lower = (features.as_uint8(near, "real", "truncate").int() - levels.int()).float()
    assert set(lower.unique().tolist()) == {-1.0, 0.0} and 0.3 < (lower == -1).float().mean() < 0.7


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(3, 28, 28), r"fake: expected \(N, 1 or 3, H, W\) with N > 0, got \(3, 28, 28\)"),
        (torch.zeros(0, 3, 8, 8), r"got \(0, 3, 8, 8\)"),
        (torch.zeros(2, 4, 8, 8), r"got \(2, 4, 8, 8\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"got \(2, 8, 8, 3\); with channels last, swap the dimensions"),
        (
            torch.zeros(2, 3, 8, 8).int(),
            r"expected uint8 in \[0, 255\] or floating point in \[-1, 1\], got torch.int32",
        ),
        (torch.full((2, 3, 8, 8), 200.0), r"fake: expected floating point in \[-1, 1\], got \[200, 200\]"),
        (torch.full((2, 3, 8, 8), torch.nan), r"got \[nan, nan\]"),
    ],
)
def test_other_images_are_refused(images, says):
    with pytest.raises(ValueError, match=says):
        features.as_uint8(images, "fake")


def test_numpy_arrays_are_images_too():
    images = photos()
    assert torch.equal(features.as_uint8(images.numpy(), "real"), images)
    assert torch.equal(features.as_uint8(data.to_float(images).numpy(), "real"), images)


def test_what_looks_like_another_range_is_warned_about_and_left_alone():
    unit = torch.rand(2, 3, 8, 8)
    with pytest.warns(
        UserWarning, match=r"fake: values from 0\.\d+ to 0\.\d+ look like images in \[0, 1\]; they are taken as"
    ):
        assert features.as_uint8(unit, "fake").min() >= 127
    with pytest.warns(UserWarning, match=r"real: uint8 values from 0 to 1 look like images in \[0, 1\]"):
        features.as_uint8(photos() % 2, "real")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features.as_uint8(photos(), "real"), features.as_uint8(2 * unit - 1, "real")


# ---------------------------------------------------------------- extractors


def test_features_do_not_depend_on_the_batch_size_or_the_layout():
    images = photos(13)
    first = small()(images)
    assert first.shape == (13, 8) and first.dtype == torch.float32
    for other in (small(batch_size=1), small(batch_size=5), small(channels_last=False)):
        assert torch.allclose(other(images), first, atol=1e-6)


def test_grey_images_become_three_equal_channels():
    grey = photos(2, channels=1)
    assert torch.equal(small()(grey), small()(grey.expand(-1, 3, -1, -1)))


def test_a_function_is_an_extractor_too():
    mean = features.wrap(lambda x: x.mean((2, 3)), name="mean colour", dimension=3)
    assert torch.allclose(mean(photos()), data.to_float(photos()).mean((2, 3)), atol=1e-6) and mean.weights == ""


def test_the_hash_is_that_of_the_weights():
    assert small().weights == small().weights
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    before = features.wrap(network, name="mine", dimension=2).weights
    with torch.no_grad():
        network[1].bias += 1e-3
    assert features.wrap(network, name="mine", dimension=2).weights != before


def test_the_courses_classifier_is_the_zoos():
    images = data.load("fashion-mnist", "test").subset(slice(50))
    network, card = zoo.load("classifier-fashion")
    judge = features.extractor("classifier-fashion")
    with torch.inference_mode():
        expected = network.features(data.to_float(images.pixels))
        logits = network.logits(data.to_float(images.pixels))
    assert torch.allclose(judge(images.pixels), expected, atol=1e-5)
    assert torch.allclose(judge(images.padded(32).pixels), expected, atol=1e-5)
    assert torch.allclose(judge.head(expected), logits, atol=1e-5)
    assert judge.weights == card["sha256"]["network.safetensors"] and judge.dimension == 64


def test_colour_images_are_refused_by_a_grey_extractor():
    with pytest.raises(ValueError, match="images: expected 1 channels for classifier-fashion, got 3"):
        features.extractor("classifier-fashion")(photos(2, 28, 28))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: features.extractor("inception"),
            "extractor: expected one of fid-inception, .*did you mean 'fid-incept",
        ),
        (lambda: small(resize="bicubic"), "resize: expected one of none, .* got 'bicubic'; did you mean 'bicubic-pil'"),
        (lambda: small(resize="bilinear"), "size: expected the pixels a side that 'bilinear' resizes to, got None"),
        (lambda: small(precision="float16"), "precision: expected one of float32, bfloat16, got 'float16'"),
        (lambda: small(batch_size=0), "batch_size: expected a whole number from 1 up, got 0"),
        (
            lambda: small()(torch.zeros(2, 3, 8, 8)),
            r"images: expected \(N, C, H, W\) uint8 with N > 0, got .* torch.float32",
        ),
        (
            lambda: small(size=16)(photos()),
            r"expected \(16, 16\) pixels, since this extractor does not resize, got \(32, 32\)",
        ),
        (lambda: small(dimension=9)(photos()), r"network: expected features \(4, 9\), got \(4, 8\)"),
    ],
)
def test_what_cannot_be_extracted_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_network_that_returns_nan_is_an_error_that_names_the_image():
    def broken(x):
        rows = x.mean((2, 3))
        rows[x.amax((1, 2, 3)) == x.amin((1, 2, 3))] = torch.nan
        return rows

    images = photos(5)
    images[3] = 7
    with pytest.raises(ValueError, match="network: expected finite features, got NaN or infinity from image 3"):
        features.wrap(broken, name="broken", dimension=3, batch_size=2)(images)


def test_missing_weights_are_named_with_their_command(monkeypatch, tmp_path):
    with pytest.raises(FileNotFoundError, match="gan-course fetch fid-inception"):
        features.extractor("fid-inception")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="expected torchvision's Inception-v3, found nothing"):
        features.extractor("torchvision-inception")


def test_bfloat16_is_near_float32(weights):
    images = photos(2)
    exact, quick = (features.extractor("fid-inception", precision=p)(images) for p in ("float32", "bfloat16"))
    assert exact.shape == (2, 2048) and 0 < (exact - quick).abs().max() < 0.1 * exact.abs().max()


# ---------------------------------------------------------------- the cache


@pytest.fixture
def runs():
    """How often an extractor's network has run."""
    count = []

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(3))

        def forward(self, x):
            count.append(len(x))
            return x.mean((2, 3)) * self.scale

    return count, features.wrap(Counting(), name="counting", dimension=3)


def test_features_are_computed_once(runs):
    count, extractor = runs
    first = features.extract(photos(), extractor)
    assert torch.equal(features.extract(photos(), extractor), first) and count == [4]
    features.extract(photos(), extractor, cached=False)
    assert count == [4, 4]


def test_whatever_changes_a_digit_changes_the_key(runs):
    count, one = runs
    network = one.network
    features.extract(photos(), one)
    others = [
        replace(one, scaling="tensorflow"),
        replace(one, weights="0" * 64),
        replace(one, precision="bfloat16", network=lambda x: network(x.float())),
        replace(one, size=32, resize="bilinear"),
        replace(one, channels_last=False),
        replace(one, name="another"),
    ]
    for number, other in enumerate(others, start=2):
        features.extract(photos(), other)
        assert len(count) == number
    for images in (photos(3), photos(seed=1), photos().flip(0), photos(4, 16, 64)):
        features.extract(images, one)
    assert len(count) == len(others) + 5 and len(list((cache_dir() / "features").iterdir())) == len(count)
    features.extract(photos(), replace(one, batch_size=1))
    assert len(count) == len(others) + 5  # the batch size changes nothing


def test_a_damaged_file_is_computed_anew(runs):
    count, extractor = runs
    first = features.extract(photos(), extractor)
    (file,) = (cache_dir() / "features").iterdir()
    file.write_bytes(file.read_bytes()[:50])
    assert torch.equal(features.extract(photos(), extractor), first) and count == [4, 4]


def test_a_cache_that_cannot_be_written_costs_no_result(runs, monkeypatch, tmp_path):
    (tmp_path / "a file").write_text("not a folder")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a file"))
    assert features.extract(photos(), runs[1]).shape == (4, 3)


def test_statistics_are_those_of_the_features_and_remembered(runs):
    count, extractor = runs
    for _ in range(2):
        found = features.statistics(photos(50), extractor)
        assert found.count == 50 and len(count) == 1
    rows = extractor(photos(50)).double()
    assert torch.allclose(found.mean, rows.mean(0)) and torch.allclose(found.cov, rows.T.cov())
    assert torch.allclose(features.statistics(photos(50), extractor, ddof=0).cov * 50, found.cov * 49)


def test_a_function_without_weights_is_never_cached():
    features.extract(photos(), features.wrap(lambda x: x.mean((2, 3)), name="mean", dimension=3))
    assert not (cache_dir() / "features").exists()


def test_what_pillow_does_to_a_float_channel_is_what_clean_means():
    """Without the package: Pillow's own bicubic on mode F."""
    channel = np.asarray(photos(1, 64, 64)[0, 0], dtype=np.float32)
    pillow = np.asarray(Image.fromarray(channel).resize((299, 299), Image.Resampling.BICUBIC)).clip(0, 255)
    ours = features.RESIZES["bicubic-pil"](torch.from_numpy(channel)[None, None], 299)[0, 0].numpy()
    assert np.abs(ours - pillow).max() < 3e-3
