"""Your own images: a flat folder, or one sub-folder per class as torchvision's ImageFolder reads it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from course_lib.data import Images
from course_lib.runtime import progress_bar

Skipped = list[tuple[Path, str]]


def from_folder(path: Path | str, size: int, channels: int = 3) -> tuple[Images, Skipped]:
    """Every readable image below `path` as one uint8 tensor, and what was skipped, with the reason.

    With sub-folders, each is a class and files beside them are skipped; without, all files are one class. The
    order is ImageFolder's: by class, then folder, then file name. Names that begin with a dot are not looked at.
    What was skipped is also printed, in one sentence. Of the colours: alpha is laid over white, 16 bits lose their
    lower 8, CMYK is converted without its profile; of an animation the first frame counts.

    size:     height and width, after a crop to the central square and antialiased (Lanczos) scaling, which
              enlarges what is smaller
    channels: 3 for RGB, 1 for grey (ITU-R 601 luma)
    returns:  Images with pixels (N, channels, size, size); [(file or folder, reason)]
    raises:   FileNotFoundError or NotADirectoryError for `path`; ValueError for `size` or `channels`, or if no
              image can be read
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path: expected a folder of images, found nothing at {path}")
    if not path.is_dir():
        raise NotADirectoryError(f"path: expected a folder of images, got the file {path}")
    if size < 1:
        raise ValueError(f"size: expected at least 1 pixel, got {size}")
    if channels not in (1, 3):
        raise ValueError(f"channels: expected 3 (RGB) or 1 (grey), got {channels}")

    entries = sorted((entry for entry in path.iterdir() if not entry.name.startswith(".")), key=lambda e: e.name)
    folders = [entry for entry in entries if entry.is_dir()]
    found = [(file, folder.name) for folder in folders or [path] for file in _files(folder)]
    skipped = [(entry, "beside the class folders") for entry in entries if folders and not entry.is_dir()]
    pixels = torch.empty(len(found), channels, size, size, dtype=torch.uint8)
    kept: list[str] = []  # each image's class
    for file, name in progress_bar(found, unit="image", leave=False):
        try:
            pixels[len(kept)] = _read(file, size, channels)
        except UnidentifiedImageError:
            skipped.append((file, "not an image that Pillow knows"))
        except Exception as error:  # on damaged files Pillow's decoders raise nearly anything
            skipped.append((file, str(error) or type(error).__name__))
        else:
            kept.append(name)
    class_names = sorted(set(kept))
    skipped += [(folder, "no readable image in it") for folder in folders if folder.name not in class_names]
    summary = "; ".join(f"{entry.name} ({reason})" for entry, reason in skipped[:3])
    summary += f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    if not kept:
        raise ValueError(f"path: expected at least one readable image in {path}, got {summary or 'an empty folder'}")
    if skipped:
        print(f"{len(kept)} images from {path}; {len(skipped)} skipped: {summary}")
    labels = torch.tensor([class_names.index(name) for name in kept])
    return Images(pixels[: len(kept)], labels, tuple(class_names)), skipped


def _files(folder: Path) -> list[Path]:
    """All files below a folder in ImageFolder's order, without hidden ones."""
    return [
        Path(root, name)
        for root, _, names in sorted(os.walk(folder, followlinks=True))
        for name in sorted(names)
        if not any(part.startswith(".") for part in Path(root, name).relative_to(folder).parts)
    ]


def _read(file: Path, size: int, channels: int) -> Tensor:
    """One image as (channels, size, size) uint8, turned upright as its EXIF data says."""
    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
    if image.mode == "F":
        raise ValueError("floating-point pixels have no agreed range")
    if image.mode.startswith("I"):  # Pillow's own conversion would clip: everything above 255 turns white
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("32-bit pixels have no agreed range")
        image = Image.fromarray((values >> 8).astype(np.uint8))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    image = image.convert("RGB")
    if channels == 1:
        image = image.convert("L")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image)).reshape(size, size, channels).permute(2, 0, 1)
