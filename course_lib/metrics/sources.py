"""Where images come from: a folder, an npz file, a data set or a trained generator, as uint8."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from course_lib.data import DATASETS
from course_lib.data import load as load_data
from course_lib.metrics import features
from course_lib.runtime import known, progress_bar


def open_images(source: str | Path, count: int = 10_000) -> tuple[Tensor, list[str]]:
    """(uint8 (N, C, H, W), what to know about them) from a folder, an npz file, a data set or a trained network.

    a folder          every image below it at its own size, as Pillow's convert("RGB") gives it, the way the tools read
                      folders (one channel if all are grey, in whatever mode they were saved); those that cannot be
                      read are listed and left out, and an alpha channel is told
    file.npz          one array, named "images" or the only one, uint8, (N, H, W, C) or (N, C, H, W)
    fashion-mnist     a data set's test images; fashion-mnist:train its training images
    dcgan-fashion     a generator of the zoo: `count` samples (seed 0), less the border that its training put on

    raises: ValueError for mixed sizes, no readable image, an ambiguous array, a path that is none or an unknown name
    """
    path = Path(source)
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".npz":
        return _npz(path), []
    name, _, split = str(source).partition(":")
    if name in DATASETS:
        return load_data(name, split or "test").pixels, []
    from course_lib import zoo  # stands above metrics, so it is asked for when it is needed

    if path.is_file():
        raise ValueError(f"source: expected a folder of images or an .npz file, got {source}")
    if path.suffix or len(path.parts) > 1:
        raise ValueError(f"source: expected a folder of images or an .npz file, and there is nothing at {source}")
    known("source", str(source), [*DATASETS, *(f"{one}:train" for one in DATASETS), *zoo.names()])
    network, card = zoo.load(str(source))
    if not hasattr(network, "latent_dim"):
        raise ValueError(f"source: expected a generator, a folder, an npz file or a data set, got {source}")
    drawn = features.as_uint8(zoo.sample(network, count), "source")
    size = load_data(card["data"]["name"], "test").pixels.shape[-1]
    border = drawn.shape[-1] - size
    notes = [f"{count} samples of {source}, seed 0"]
    if border > 0:
        notes[0] += f", without the border of {border} pixels that its training put on"
        drawn = features.RESIZES["centre"](drawn, size)
    return drawn, notes


def _folder(folder: Path) -> tuple[Tensor, list[str]]:
    from PIL import Image

    read: list[np.ndarray] = []
    skipped, transparent = [], 0
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    for file in progress_bar(files, desc=folder.name, unit="image", leave=False):
        try:
            with Image.open(file) as image:
                if image.mode.startswith(("I", "F")):
                    raise ValueError("more than 8 bits a channel, which the tools would clip to white")
                transparent += image.has_transparency_data
                read.append(np.asarray(image.convert("RGB")))
        except Exception as error:  # on damaged files Pillow's decoders raise nearly anything
            skipped.append(f"{file.relative_to(folder)} ({error or type(error).__name__})")
    notes = [f"{len(skipped)} of {len(files)} files in {folder} left out: {'; '.join(skipped)}"] if skipped else []
    if transparent:
        notes.append(f"{transparent} images in {folder} have an alpha channel, which is ignored, as the tools do")
    if not read:
        raise ValueError(
            f"{folder}: expected at least one readable image, got {notes[0] if notes else 'an empty folder'}"
        )
    sizes = Counter(image.shape[:2] for image in read)
    if len(sizes) > 1:
        seen = ", ".join(f"{n} of {height}×{width}" for (height, width), n in sizes.most_common(4))
        raise ValueError(
            f"{folder}: expected images of one size, got {len(sizes)} sizes ({seen}); resize them first, all alike"
        )
    pixels = torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2)
    grey = bool((pixels[:, :1] == pixels).all())
    return (pixels[:, :1] if grey else pixels).contiguous(), notes


def _npz(path: Path) -> Tensor:
    with np.load(path, allow_pickle=False) as file:
        names = file.files
        if "images" not in names and len(names) != 1:
            raise ValueError(f'{path}: expected one array, or one named "images", got {", ".join(names) or "none"}')
        array = file["images" if "images" in names else names[0]]
    if array.dtype != np.uint8 or array.ndim != 4:
        raise ValueError(f"{path}: expected uint8 (N, H, W, C) or (N, C, H, W), got {array.dtype} {array.shape}")
    last, first = array.shape[3] in (1, 3), array.shape[1] in (1, 3)
    if last == first:
        raise ValueError(f"{path}: expected 1 or 3 channels in second or in last place, got {array.shape}")
    return torch.from_numpy(np.moveaxis(array, 3, 1) if last else array).contiguous()
