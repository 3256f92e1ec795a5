"""Fashion-MNIST: what is published about it holds, and damage is named with its cure."""

import gzip
import shutil

import pytest
import torch

from course_lib import data
from course_lib.data import fashion


def test_published_counts_mean_and_deviation():
    images = data.load("fashion-mnist", "train")
    assert images.pixels.shape == (60_000, 1, 28, 28) and images.pixels.dtype == torch.uint8
    assert torch.bincount(images.labels).tolist() == [6000] * 10
    pixels = images.pixels.double() / 255
    assert pixels.mean().item() == pytest.approx(0.2860, abs=1e-4) and pixels.std().item() == pytest.approx(
        0.3530, abs=1e-4
    )


def test_test_split_is_another_10_000():
    assert torch.bincount(data.load("fashion-mnist", "test").labels).tolist() == [1000] * 10


@pytest.fixture
def copied(tmp_path):
    for file in fashion.FOLDER.glob("t10k*"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_a_missing_file_is_named_with_its_cure(copied):
    (copied / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"t10k-labels-idx1-ubyte.gz: expected a Fashion-MNIST file.*git checkout"
    ):
        fashion.read("test", copied)


def test_a_truncated_file_is_named_with_its_cure(copied):
    path = copied / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz: expected a whole gzip file.*git checkout"):
        fashion.read("test", copied)


def test_a_changed_byte_is_noticed(copied):
    path = copied / "t10k-labels-idx1-ubyte.gz"
    payload = bytearray(gzip.decompress(path.read_bytes()))
    payload[100] ^= 1
    path.write_bytes(gzip.compress(bytes(payload)))
    with pytest.raises(ValueError, match=r"expected a payload with SHA-256 0402a96d"):
        fashion.read("test", copied)


def test_a_file_that_is_no_gzip_is_named(copied):
    (copied / "t10k-labels-idx1-ubyte.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(ValueError, match="expected a whole gzip file"):
        fashion.read("test", copied)


def test_the_same_payload_compressed_otherwise_is_accepted(copied):
    path = copied / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1))
    assert len(fashion.read("test", copied)[1]) == 10_000


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "an empty file"),
        (b"\0\0\x08\x02" + b"\0" * 8, "expected an IDX header 00000801"),
        (b"\0\0\x08\x01\0\0\0\x05abc", "expected 5 bytes after the header for shape \\(5,\\), got 3"),
        (b"\0\0\x08\x01\xff\xff\xff\xffabc", "expected"),
    ],
)
def test_the_idx_parser_is_strict(payload, says):
    with pytest.raises(ValueError, match=says):
        fashion.parse_idx(payload, 1, "labels")
