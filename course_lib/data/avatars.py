"""Cartoon avatars, 64×64 in colour, whose attributes are known exactly: drawn here from named parts.

Parts: Pablo Stanley's Avataaars ("free for personal and commercial use"), as python-avatars (MIT) packs them; only the
original ones. Any number can be drawn, from any distribution over attributes. 2,500 are part of the repository, so
that chapters start at once; the full set of 30,000 is drawn once (minutes) and kept in the cache.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.files import cache_dir, write_atomically
from course_lib.runtime import keyed_generator, known, progress_bar

SIZE, BACKGROUND = 64, "#dfe6ec"
COUNTS = {"train": 20_000, "test": 10_000}
SMALL = {"train": 2_000, "test": 500}
ACROSS = 50  # avatars in a row of a sheet
FOLDER = Path(__file__).with_name("avatars")
SHA256 = {  # of the pixels in a sheet, in order
    "train": "a463e4933ce4fd57d7f9420374f31d09d07049d186469784e189a35c74430b4f",
    "test": "9bec2bb5159e2441dca28e51ce2af066630fcb4da69c6f91abb1b3d800393864",
}
MEND = "mend it with: git checkout -- course_lib/data/avatars"
VERSION = 1  # of what is drawn; part of the cached file's name

ATTRIBUTES: dict[str, tuple[str, ...]] = {  # names of python-avatars' parts, in lower case
    "skin": ("tanned", "yellow", "pale", "light", "brown", "dark_brown", "black"),
    "hair": (
        *("none", "big_hair", "bob", "bun", "curly", "curvy", "dreads", "frida", "fro", "fro_band"),
        *("long_not_too_long", "mia_wallace", "shaved_sides", "straight_1", "straight_2", "straight_strand"),
        *("short_dreads_1", "short_dreads_2", "frizzle", "shaggy_mullet", "short_curly", "short_flat", "short_round"),
        *("short_waved", "sides", "caesar", "caesar_side_part"),
    ),
    "hair_color": (
        *("auburn", "black", "blonde", "blonde_golden", "brown", "brown_dark", "pastel_pink", "platinum", "red"),
        "silver_gray",
    ),
    "eyes": (
        *("closed", "cry", "default", "eye_roll", "happy", "heart", "side", "squint", "surprised", "wink_wacky"),
        *("wink", "x_dizzy"),
    ),
    "mouth": (
        *("concerned", "default", "disbelief", "eating", "grimace", "sad", "scream_open", "serious", "smile"),
        *("tongue", "twinkle", "vomit"),
    ),
    "beard": ("none", "beard_light", "beard_magestic", "beard_medium", "moustache_fancy", "moustache_magnum"),
    "glasses": ("none", "kurt", "prescription_1", "prescription_2", "round", "sunglasses", "wayfarers"),
    "clothes": (
        *("blazer_shirt", "blazer_sweater", "collar_sweater", "hoodie", "overall", "shirt_crew_neck"),
        *("shirt_scoop_neck", "shirt_v_neck"),
    ),
    "clothes_color": (
        *("black", "blue_01", "blue_02", "blue_03", "gray_01", "gray_02", "heather", "pastel_blue", "pastel_green"),
        *("pastel_orange", "pastel_yellow", "pink", "red", "white"),
    ),
}
MOSTLY_NONE = {"beard": 0.6, "glasses": 0.5}  # chance of "none"; everything else is equally likely


def attributes(count: int, seed: object = 0, chances: Mapping[str, Mapping[str, float]] | None = None) -> Tensor:
    """Attributes of `count` avatars: (count, 9) int64, columns as in ATTRIBUTES, drawn independently of each other.

    chances: for some attributes, how likely values are: {"skin": {"pale": 3, "black": 1}}; what is not named is
             not drawn, weights need not sum to 1. The other attributes keep the course's distribution
    raises:  ValueError for an unknown attribute or value (with the nearest right name) or weights that cannot be
    """
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"count: expected a whole number from 0 up, got {count!r}")
    wanted = {known("chances", name, ATTRIBUTES): value for name, value in (chances or {}).items()}
    columns = []
    for name, values in ATTRIBUTES.items():
        weights = torch.ones(len(values), dtype=torch.float64)
        if name in MOSTLY_NONE:
            weights[0] = MOSTLY_NONE[name] / (1 - MOSTLY_NONE[name]) * (len(values) - 1)
        if name in wanted:
            weights = torch.zeros(len(values), dtype=torch.float64)
            for value, weight in wanted[name].items():
                weights[values.index(known(name, value, values))] = weight
            if not (torch.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
                raise ValueError(f"chances: expected weights of at least 0, not all 0, for {name}, got {wanted[name]}")
        uniform = torch.rand(count, generator=keyed_generator("cpu", "avatars", seed, name), dtype=torch.float64)
        columns.append(
            torch.searchsorted((weights / weights.sum()).cumsum(0), uniform, right=True).clamp(max=len(values) - 1)
        )
    return torch.stack(columns, 1)


def named(row: Tensor) -> dict[str, str]:
    """The attributes of one avatar in words. row: (9,) int64"""
    return {name: values[index] for (name, values), index in zip(ATTRIBUTES.items(), row.tolist())}


def render(table: Tensor, size: int = SIZE, workers: int | None = None) -> Tensor:
    """Draw avatars: (N, 9) attributes → (N, 3, size, size) uint8. Some 50 a second and core.

    workers: processes; None is one a core, 1 draws in this one
    raises:  ValueError for other shapes or indices beyond a value; ImportError naming what to install
    """
    limits = torch.tensor([len(values) for values in ATTRIBUTES.values()])
    if table.ndim != 2 or table.shape[1] != len(limits) or not ((table >= 0) & (table < limits)).all():
        raise ValueError(f"table: expected (N, {len(limits)}) indices into ATTRIBUTES, got {tuple(table.shape)}")
    rows = [named(row) for row in table]
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(rows) < 200:
        drawn = [_draw(row, size) for row in rows]
    else:
        with ProcessPoolExecutor(workers) as pool:
            found = pool.map(_draw, rows, [size] * len(rows), chunksize=50)
            drawn = list(progress_bar(found, total=len(rows), unit="avatar", leave=False))
    pixels = np.stack(drawn) if drawn else np.zeros((0, size, size, 3), np.uint8)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def _draw(row: dict[str, str], size: int) -> np.ndarray:
    """One avatar, (size, size, 3) uint8."""
    try:
        import python_avatars as parts
        import resvg_py
    except ImportError as error:
        raise ImportError(
            f"drawing avatars needs python-avatars and resvg-py ({error}); pip install python-avatars resvg-py"
        ) from error
    from PIL import Image

    hair = parts.HairColor[row["hair_color"].upper()]
    avatar = parts.Avatar(
        style=parts.AvatarStyle.TRANSPARENT,
        skin_color=parts.SkinColor[row["skin"].upper()],
        top=parts.HairType[row["hair"].upper()],
        hair_color=hair,
        facial_hair=parts.FacialHairType[row["beard"].upper()],
        facial_hair_color=hair,
        eyes=parts.EyeType[row["eyes"].upper()],
        eyebrows=parts.EyebrowType.DEFAULT,
        mouth=parts.MouthType[row["mouth"].upper()],
        accessory=parts.AccessoryType[row["glasses"].upper()],
        clothing=parts.ClothingType[row["clothes"].upper()],
        clothing_color=parts.ClothingColor[row["clothes_color"].upper()],
    )
    png = resvg_py.svg_to_bytes(svg_string=avatar.render(), width=size, background=BACKGROUND, skip_system_fonts=True)
    image = Image.open(io.BytesIO(bytes(png))).convert("RGB")  # a little higher than wide: the chest is cut off
    return np.asarray(image)[:size]


def read(split: str) -> tuple[Tensor, Tensor, tuple[str, ...], Tensor]:
    """(pixels (N, 3, 64, 64) uint8, labels (N,): the hair, its names, attributes (N, 9)) of 20,000 or 10,000 avatars.

    Drawn on first use, which takes minutes, and kept in the cache.
    """
    table = attributes(COUNTS[split], split)
    path = cache_dir() / f"avatars-{VERSION}-{SIZE}-{split}.npz"
    if path.exists():
        with np.load(path) as stored:
            pixels = torch.from_numpy(stored["pixels"])
        if pixels.shape != (len(table), 3, SIZE, SIZE):
            raise ValueError(
                f"{path}: expected {len(table)} avatars, got {tuple(pixels.shape)}; delete it and try again"
            )
    else:
        pixels = render(table)
        packed = io.BytesIO()
        np.savez_compressed(packed, pixels=pixels.numpy())
        write_atomically(path, packed.getvalue())
    return _with_labels(pixels, table)


def read_small(split: str, folder: Path = FOLDER) -> tuple[Tensor, Tensor, tuple[str, ...], Tensor]:
    """The same of the first 2,000 or 500, from sheets that are part of the repository."""
    from PIL import Image

    path = folder / f"{split}.webp"
    try:
        sheet = np.asarray(Image.open(path).convert("RGB"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected a sheet of avatars, found none; {MEND}") from None
    except OSError as error:
        raise ValueError(f"{path}: expected a whole WebP, got a damaged one ({error}); {MEND}") from error
    pixels = from_sheet(torch.from_numpy(sheet.copy()))
    found = hashlib.sha256(pixels.numpy().tobytes()).hexdigest()
    if found != SHA256[split]:
        raise ValueError(f"{path}: expected pixels with SHA-256 {SHA256[split]}, got {found}; {MEND}")
    return _with_labels(pixels, attributes(SMALL[split], split))


def halved(read: Callable[[str], tuple]) -> Callable[[str], tuple]:
    """A reader of the same avatars at 32×32: means over squares of four pixels, rounded."""

    def read_halved(split: str) -> tuple[Tensor, Tensor, tuple[str, ...], Tensor]:
        pixels, *rest = read(split)
        return torch.cat([F.avg_pool2d(part.float(), 2).round().to(torch.uint8) for part in pixels.split(1000)]), *rest

    return read_halved


def to_sheet(pixels: Tensor) -> Tensor:
    """(N, 3, S, S), N a multiple of ACROSS → (N/ACROSS·S, ACROSS·S, 3)"""
    count, channels, size, _ = pixels.shape
    tiles = pixels.reshape(count // ACROSS, ACROSS, channels, size, size).permute(0, 3, 1, 4, 2)
    return tiles.reshape(count // ACROSS * size, ACROSS * size, channels)


def from_sheet(sheet: Tensor) -> Tensor:
    """The inverse of `to_sheet`."""
    size = sheet.shape[1] // ACROSS
    tiles = sheet.reshape(-1, size, ACROSS, size, sheet.shape[2]).permute(0, 2, 4, 1, 3)
    return tiles.reshape(-1, sheet.shape[2], size, size).contiguous()


def _with_labels(pixels: Tensor, table: Tensor) -> tuple[Tensor, Tensor, tuple[str, ...], Tensor]:
    hair = list(ATTRIBUTES).index("hair")
    return pixels, table[:, hair], ATTRIBUTES["hair"], table
