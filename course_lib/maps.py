"""Maps of a latent space with two dimensions: where the photographs lie in it, and what the places between decode to."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from course_lib import canvas, data, figures, metrics, zoo
from course_lib.models.vae import AutoEncoder
from course_lib.zoo.autoencoders import encoded
from course_lib.zoo.judging import classify

CLASSES = (  # one colour a class, told apart by most readers; the names stand in the map as well
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233),
    (213, 94, 0), (110, 90, 200), (120, 120, 120), (170, 120, 40), (150, 190, 40),
)  # fmt: skip
DARKEST = 0.35  # brightness of a place whose decoded image is far from every photograph
PANEL, POINTS = 5.2, 7.5  # inches a map, and the size of the names on it
K = 5  # neighbours of `realism`


@dataclass(frozen=True)
class LatentMap:
    """A square part of the plane of codes.

    network: AutoEncoder or VAE with latent_dim 2
    codes:   (N, 2), of a VAE the means of q;  labels: (N,);  class_names: what the labels mean
    middle:  (2,) of the square;  reach: half its side
    realism: (n, n) of what the places decode to, row 0 at the top: 1 or more lies among the photographs' features
    """

    network: AutoEncoder
    codes: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    middle: Tensor
    reach: float
    realism: Tensor

    def place(self, across: float, up: float) -> Tensor:
        """The code at a place of the square, each coordinate in [−1, 1]. → (1, 2)"""
        return (self.middle + self.reach * torch.tensor([across, up]))[None]

    def middles(self) -> Tensor:
        """The median code of each class, where its name belongs: (classes, 2)"""
        return torch.stack(
            [self.codes[self.labels == label].median(0).values for label in range(len(self.class_names))]
        )

    def nearest(self, code: Tensor) -> float:
        """Distance from a code (1, 2) to the nearest photograph's, in units of the square's half side."""
        return (self.codes - code).norm(dim=1).min().item() / self.reach


@torch.inference_mode()
def survey(network: AutoEncoder, images: data.Images, grid: int = 40) -> LatentMap:
    """The map of a network with two latent dimensions: all but the outermost codes, and what a grid of places decodes to.

    images: photographs whose codes are shown; the decoded images are compared with them, in the features of the
            course's classifier, by `metrics.realism` with k = 5
    raises: ValueError for another number of latent dimensions
    """
    if network.latent_dim != 2:
        raise ValueError(f"network: expected latent_dim 2 for a map, got {network.latent_dim}")
    codes = encoded(network, images.pixels)
    low, high = (codes.quantile(share, 0) for share in (0.002, 0.998))
    middle, reach = (low + high) / 2, 0.55 * (high - low).max().item()
    line = torch.linspace(-reach, reach, grid)
    places = middle + torch.cartesian_prod(line, line)[:, [1, 0]]  # across runs fastest
    device = next(network.parameters()).device
    decoded = torch.cat([network(part.to(device)).cpu() for part in places.split(500)])
    realism = metrics.realism(real=classify(images.pixels)[0], fake=classify(decoded)[0], k=K)
    return LatentMap(
        network, codes, images.labels, images.class_names, middle, reach, realism.reshape(grid, grid).flip(0)
    )


@functools.lru_cache(maxsize=1)
def of_the_zoo(count: int = 2000) -> tuple[dict[str, LatentMap], data.Images]:
    """The maps of the zoo's autoencoder and VAE with two latent dimensions, and the test photographs in them; made once."""
    images = data.load("fashion-mnist", "test").subset(slice(count))
    entries = {"autoencoder": "ae-fashion-2d", "VAE": "vae-fashion-2d"}
    return {name: survey(zoo.load(entry)[0], images) for name, entry in entries.items()}, images


def map_frame(found: LatentMap, across: float, up: float, size: int = 300, dots: int = 1500) -> Image.Image:
    """The map from above, with a cross at a place: bright where places decode to what lies among the photographs."""
    picture = Image.fromarray(_ground(found.realism.numpy())).resize((size, size), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(picture)

    def spot(codes: Tensor) -> list[tuple[float, float]]:
        scaled = (codes - found.middle) / found.reach
        return [((1 + x) * size / 2, (1 - y) * size / 2) for x, y in scaled.tolist()]

    for (x, y), label in zip(spot(found.codes[:dots]), found.labels[:dots].tolist()):
        pen.rectangle((x - 1, y - 1, x + 1, y + 1), fill=CLASSES[label])
    look = {"anchor": "mm", "font_size": size // 25, "stroke_width": 2}
    boxes = [pen.textbbox((0, 0), name, **look) for name in found.class_names]
    places = apart(spot(found.middles()), [(right - left, low - top) for left, top, right, low in boxes], size)
    for place, name in zip(places, found.class_names):
        pen.text(place, name, fill=canvas.INK, stroke_fill=(255, 255, 255), **look)
    x, y = (1 + across) * size / 2, (1 - up) * size / 2
    pen.line((x, 0, x, size), fill=canvas.INK)
    pen.line((0, y, size, y), fill=canvas.INK)
    pen.ellipse((x - 6, y - 6, x + 6, y + 6), outline=canvas.FAKE, width=3)
    return picture


def apart(centres: Sequence[Sequence[float]], sizes: Sequence[Sequence[float]], side: float) -> list[list[float]]:
    """Centres of boxes, pushed apart until none covers another, inside a square from 0 to `side`.

    Two that overlap are pushed apart along the direction in which they overlap less, each by half of that.

    centres: (x, y) of each;  sizes: its width and height, together few enough to find room
    """
    at, half = np.array(centres, dtype=float), np.array(sizes, dtype=float) / 2
    for _ in range(500):
        still = True
        for one in range(len(at)):
            for other in range(one):
                away = at[one] - at[other]
                overlap = half[one] + half[other] - np.abs(away)
                if (overlap > 1e-9).all():
                    axis = int(overlap.argmin())
                    push = overlap[axis] / 2 * (1 if away[axis] >= 0 else -1)
                    at[one, axis] += push
                    at[other, axis] -= push
                    still = False
        at = np.clip(at, half, side - half)
        if still:
            break
    return at.tolist()


def _ground(realism: np.ndarray) -> np.ndarray:
    bright = DARKEST + (1 - DARKEST) * np.clip(realism, 0, 1) ** 2
    return np.repeat(np.rint(255 * bright).astype(np.uint8)[..., None], 3, 2)


def latent_maps(maps: Mapping[str, LatentMap], *, title: str, alt: str, dots: int = 2500) -> figures.Figure:
    """Maps side by side, each with its title: codes coloured by class on a ground that is dark where places decode to no photograph's like."""

    def draw(theme):
        figure, axes = figures.axes_grid(1, len(maps), size=(PANEL * len(maps), 5.6))
        for axis, (name, found) in zip(axes[0], maps.items()):
            (x, y), r = found.middle.tolist(), found.reach
            axis.imshow(_ground(found.realism.numpy()), extent=(x - r, x + r, y - r, y + r), interpolation="bilinear")
            shown = found.labels[:dots]
            colours = np.array(CLASSES)[shown.numpy()] / 255
            axis.scatter(*found.codes[:dots].T, s=4, c=colours, linewidths=0)
            letter = POINTS * 2 * r / (0.85 * 72 * PANEL)  # the height of type on the plane; axes take 0.85 of a panel
            sizes = [(letter * (0.55 * len(word) + 0.6), letter * 1.7) for word in found.class_names]
            corner = found.middle - r
            places = corner + torch.tensor(apart((found.middles() - corner).tolist(), sizes, 2 * r))
            for word, place in zip(found.class_names, places.tolist()):
                axis.annotate(
                    word, place, ha="center", va="center", fontsize=POINTS, color="black",
                    bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75},
                )  # fmt: skip
            axis.set(xlim=(x - r, x + r), ylim=(y - r, y + r), xlabel="z₁", ylabel="z₂")
            axis.grid(visible=False)
            axis.set_title(textwrap.fill(name, 52), fontweight="normal", fontsize=10)
        figure.suptitle(textwrap.fill(title, 52 * len(maps)), x=0.01, ha="left", fontweight="bold", fontsize=11)
        return figure

    return figures.Figure(draw, alt)
