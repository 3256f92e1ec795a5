"""MNIST and CIFAR-10: what is published about them holds where they were fetched; a classroom without them is told."""

import hashlib
import struct

import pytest
import torch

from course_lib import assets, data
from course_lib.files import cache_dir

CACHE = cache_dir()  # the user's: each test is given an empty one


@pytest.fixture
def fetched(monkeypatch):
    def need(name):
        monkeypatch.setenv("COURSE_CACHE", str(CACHE))
        if assets.state(name) != "ready":
            pytest.skip(f"{name} is {assets.state(name)}: gan-course fetch {name}")

    return need


@pytest.mark.parametrize("name", ["mnist", "cifar-10"])
def test_loading_fetches_nothing_and_names_the_command(name):
    with pytest.raises(
        FileNotFoundError,
        match=f"{name}-train.safetensors: expected {name}, found none; get it with: gan-course fetch {name}$",
    ):
        data.load(name)


@pytest.mark.parametrize(
    ("name", "shape", "train", "test", "mean", "std"),
    [
        # counts: the data sets' pages; mean and deviation: those that torchvision users normalise with
        (
            "mnist",
            (1, 28, 28),
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
            [0.1307],
            [0.3081],
        ),
        ("cifar-10", (3, 32, 32), [5000] * 10, [1000] * 10, [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
    ],
)
def test_published_counts_means_and_deviations(fetched, name, shape, train, test, mean, std):
    fetched(name)
    images = data.load(name)
    assert images.pixels.shape == (sum(train), *shape) and images.pixels.dtype == torch.uint8
    assert images.labels.dtype == torch.int64 and len(images.class_names) == 10
    assert torch.bincount(images.labels).tolist() == train
    assert torch.bincount(data.load(name, "test").labels).tolist() == test
    shades = torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in images.pixels.unbind(1)])
    share, shade = shades / shades.sum(1, keepdim=True, dtype=torch.float64), torch.arange(256) / 255
    found = (share * shade).sum(1)
    assert found.tolist() == pytest.approx(mean, abs=5e-5)
    assert ((share * shade**2).sum(1) - found**2).sqrt().tolist() == pytest.approx(std, abs=5e-5)


def test_mnist_is_the_official_files_byte_for_byte(fetched):
    """SHA-256 of the four uncompressed files as many repositories pin them."""
    fetched("mnist")
    official = {
        "train": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        "test": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    }
    for split, expected in official.items():
        images = data.load("mnist", split)
        count = len(images)
        pixels = struct.pack(">4i", 0x803, count, 28, 28) + images.pixels.numpy().tobytes()
        labels = struct.pack(">2i", 0x801, count) + images.labels.byte().numpy().tobytes()
        assert tuple(hashlib.sha256(file).hexdigest() for file in (pixels, labels)) == expected


def test_cifar_is_the_official_binary_version_byte_for_byte(fetched):
    """SHA-256 of data_batch_1.bin ... test_batch.bin as the Ruby port of torchvision pins them."""
    fetched("cifar-10")
    official = [
        "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    ]
    found = []
    for split in ("train", "test"):
        images = data.load("cifar-10", split)
        for batch in range(0, len(images), 10_000):
            rows = images.subset(slice(batch, batch + 10_000))
            records = torch.cat([rows.labels.byte()[:, None], rows.pixels.flatten(1)], 1)
            found.append(hashlib.sha256(records.numpy().tobytes()).hexdigest())
    assert found == official
