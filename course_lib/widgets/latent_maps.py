"""Latent maps: one place in the plane of an autoencoder's codes and in that of a VAE's, and what each decodes there."""

from __future__ import annotations

import ipywidgets as w
import torch
from PIL import Image

from course_lib import data, runtime, zoo
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.maps import map_frame, of_the_zoo
from course_lib.widgets.frames import Picture, guarded
from course_lib.zoo.judging import classify

SIDE, DECODED, GAP = 320, 168, 16  # pixels: a map, a decoded image (28 · 6), the space between the two maps


class LatentMaps(Picture):
    """The maps of ae-fashion-2d and vae-fashion-2d side by side, a cross in each, and under it what is decoded there.

    Bright ground decodes to what lies among photographs, in the classifier's features; dark ground is a hole.
    Parts: .across and .up (the cross, in [−1, 1] of each map), .draw (a button: a code from the prior; for the
    autoencoder, which has none, from the normal with its codes' mean and covariance, so the two crosses part),
    .photograph (a button: the code of a test photograph), .numbers; .codes are the two codes that are shown
    """

    def __init__(self):
        super().__init__(2 * SIDE + GAP, SIDE + DECODED + 8, "course-smooth")
        self.maps, self.images = of_the_zoo()
        self.classifier = zoo.load("classifier-fashion")[0]
        wide = w.Layout(width="24em")
        self.across, self.up = (
            w.FloatSlider(0.0, min=-1, max=1, step=0.02, description=text, layout=wide) for text in ("across", "up")
        )
        self.draw, self.photograph = (
            w.Button(description=text, tooltip=tip, layout=w.Layout(width="max-content"))
            for text, tip in (
                ("draw a code", "from the prior, or from the normal nearest to the autoencoder's codes"),
                ("a photograph's code", "both networks encode the next test photograph"),
            )
        )
        self.numbers = w.HTML()
        self.drawn, self.encoded = 0, -1  # how often each button was pressed
        self.codes = self._at_sliders()
        for part in (self.across, self.up):
            part.observe(self._move, "value")
        self.draw.on_click(self._sample)
        self.photograph.on_click(self._encode)
        half = w.Layout(width=f"{SIDE + GAP}px")
        controls = w.VBox([self.across, self.up, w.HBox([self.draw, self.photograph]), self.numbers])
        self.children = [
            self.style_tag,
            w.HBox([w.HTML(f"<b>{name}</b>, decoded below", layout=half) for name in self.maps]),
            w.HBox([self.image, controls], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._show("the middle of both maps")

    def _at_sliders(self) -> dict[str, torch.Tensor]:
        return {name: found.place(self.across.value, self.up.value) for name, found in self.maps.items()}

    @guarded
    def _move(self):
        self.codes = self._at_sliders()
        self._show(f"across {self.across.value:+.2f}, up {self.up.value:+.2f}")

    @guarded
    def _sample(self):
        self.drawn += 1
        z = torch.randn(1, 2, generator=runtime.keyed_generator("cpu", self.drawn, "maps"))
        codes = self.maps["autoencoder"].codes
        root = torch.linalg.cholesky(torch.cov(codes.T))
        self.codes = {"autoencoder": codes.mean(0) + z @ root.T, "VAE": z}
        self._show(f"draw {self.drawn}")

    @guarded
    def _encode(self):
        self.encoded = (self.encoded + 1) % len(self.images)
        self.codes = {name: found.codes[self.encoded][None] for name, found in self.maps.items()}
        label = self.images.class_names[self.images.labels[self.encoded]]
        self._show(f"photograph {self.encoded}, {label}")

    def _show(self, what: str) -> None:
        width, height = 2 * SIDE + GAP, SIDE + DECODED + 8
        picture = Image.new("RGB", (width, height), (255, 255, 255))
        rows, said = [], []
        for column, (name, found) in enumerate(self.maps.items()):
            code = self.codes[name]
            with torch.inference_mode():
                image = found.network(code.to(next(found.network.parameters()).device)).cpu()
                sure, label = classify(image, self.classifier)[1][0].max(0)
            place = ((code[0] - found.middle) / found.reach).tolist()
            left = column * (SIDE + GAP)
            picture.paste(map_frame(found, *place, SIDE), (left, 0))
            decoded = Image.fromarray(data.to_uint8(image)[0, 0].numpy()).resize(
                (DECODED, DECODED), Image.Resampling.NEAREST
            )
            picture.paste(decoded.convert("RGB"), (left + (SIDE - DECODED) // 2, SIDE + 8))
            verdict = f"{found.class_names[label]}, {sure:.2f}"
            rows.append((name, "({:.2f}, {:.2f})".format(*code[0].tolist()), f"{found.nearest(code):.3f}", verdict))
            said.append(f"{name}: {verdict}")
        self.image.value = png(picture)
        self.numbers.value = table(rows, head=["", "code", "to the nearest code, of half a map", "the classifier says"])
        self.status.value = f"{what}; {'; '.join(said)}"
