"""Fashion-MNIST: 70,000 photographs of clothes, 28×28 grey, ten classes of 7,000.

Xiao, Rasul, Vollgraf 2017 (arXiv:1708.07747), MIT licence. The four files are part of the repository, so
nothing is fetched. Their uncompressed payloads are pinned: a file compressed anew by someone else is still
accepted, a changed pixel is not.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import torch
from torch import Tensor

FOLDER = Path(__file__).with_name("fashion_mnist")
CLASS_NAMES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
PREFIX = {"train": "train", "test": "t10k"}
SHA256 = {  # of the uncompressed payload
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
MEND = "mend it with: git checkout -- course_lib/data/fashion_mnist"


def read(split: str, folder: Path = FOLDER) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """(pixels (N, 1, 28, 28) uint8, labels (N,) int64, class names) of "train" or "test"."""
    pixels = _idx(folder / f"{PREFIX[split]}-images-idx3-ubyte.gz", dimensions=3)
    labels = _idx(folder / f"{PREFIX[split]}-labels-idx1-ubyte.gz", dimensions=1)
    return pixels.unsqueeze(1), labels.long(), CLASS_NAMES


def _idx(path: Path, dimensions: int) -> Tensor:
    """One IDX file of unsigned bytes (yann.lecun.com/exdb/mnist describes the format), verified, then parsed.

    raises: FileNotFoundError or ValueError naming the file, what was expected and the command that mends it
    """
    try:
        payload = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected a Fashion-MNIST file, found none; {MEND}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: expected a whole gzip file, got a damaged one ({error}); {MEND}") from error
    found, expected = hashlib.sha256(payload).hexdigest(), SHA256[path.name]
    if found != expected:
        raise ValueError(f"{path}: expected a payload with SHA-256 {expected}, got {found}; {MEND}")
    return parse_idx(payload, dimensions, path.name)


def parse_idx(payload: bytes, dimensions: int, name: str) -> Tensor:
    """Header (two zero bytes, type 0x08, number of dimensions, sizes as big-endian int32), then the bytes.

    raises: ValueError if the header or the length is not exactly what it should be
    """
    header = 4 + 4 * dimensions
    expected = bytes([0, 0, 0x08, dimensions])
    if len(payload) < header or payload[:4] != expected:
        raise ValueError(f"{name}: expected an IDX header {expected.hex()}, got {payload[:4].hex() or 'an empty file'}")
    shape = struct.unpack(f">{dimensions}i", payload[4:header])
    count = torch.Size(shape).numel()
    if min(shape) < 0 or len(payload) != header + count:
        raise ValueError(
            f"{name}: expected {count} bytes after the header for shape {shape}, got {len(payload) - header}"
        )
    return torch.frombuffer(bytearray(payload[header:]), dtype=torch.uint8).reshape(shape)
