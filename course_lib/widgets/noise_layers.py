"""Noise layers: which layer's noise changes what, as one draw beside the deviation over several."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import plots, runtime
from course_lib.canvas import png
from course_lib.widgets.frames import Picture, guarded

DRAWS = 8


class NoiseLayers(Picture):
    """One latent: without noise, with a draw of it in the chosen layers, and the deviation of each pixel over 8 draws.

    generator: a StyleGAN generator at full resolution, in eval mode
    Parts: .seed (of z), .draw (of the noise), .gain (of the map of deviations), .layers (a checkbox a layer), .all,
    .none (buttons); .deviation is the (R, R) map, its mean over colours
    """

    def __init__(self, generator: torch.nn.Module, size: int = 224):
        super().__init__(3 * size, size)
        self.generator = generator.eval()
        self.depth = generator.synthesis.depth
        wide = w.Layout(width="22em")
        self.seed = w.IntSlider(0, min=0, max=100, description="seed", layout=wide)
        self.draw = w.IntSlider(0, min=0, max=DRAWS - 1, description="draw", layout=wide)
        self.gain = w.FloatSlider(4.0, min=1.0, max=20.0, step=1.0, description="map ×", layout=wide)
        self.layers = [
            w.Checkbox(
                True,
                description=f"{layer}: {4 * 2 ** (layer // 2)}×{4 * 2 ** (layer // 2)}",
                indent=False,
                layout=w.Layout(width="8em"),
            )
            for layer in range(self.depth)
        ]
        self.all, self.none = w.Button(description="all layers"), w.Button(description="no layer")
        for button, value in ((self.all, True), (self.none, False)):
            button.on_click(lambda _, value=value: self._set_all(value))
        self.frames: dict[tuple, tuple] = {}
        for part in (self.seed, self.draw, self.gain, *self.layers):
            part.observe(self._draw, "value")
        third = w.Layout(width=f"{size}px")
        heads = ("without noise", "one draw", f"deviation over {DRAWS} draws")
        self.children = [
            self.style_tag,
            w.HBox([w.HTML(f"<b>{head}</b>", layout=third) for head in heads]),
            self.image,
            w.HBox(
                [
                    w.VBox([self.seed, self.draw, self.gain, w.HBox([self.all, self.none])]),
                    w.GridBox(self.layers, layout=w.Layout(grid_template_columns="repeat(2, 9em)")),
                ],
                layout=w.Layout(flex_flow="row wrap"),
            ),
            self.status,
        ]
        self._draw()

    def _set_all(self, value: bool) -> None:
        with self.lock:
            self.held = True
            for box in self.layers:
                box.value = value
            self.held = False
        self._draw()

    held = False  # while many boxes change at once

    def _images(self) -> torch.Tensor:
        """(1 + DRAWS, 3, R, R): without noise, then each draw in the chosen layers. Kept for the last few choices."""
        chosen = tuple(layer for layer, box in enumerate(self.layers) if box.value)
        key = (self.seed.value, chosen)
        if key not in self.frames:
            synthesis, seed = self.generator.synthesis, self.seed.value
            z = torch.randn(
                1, self.generator.latent_dim, generator=runtime.keyed_generator("cpu", seed, "noise layers")
            )
            styles = self.generator.mapping(z.to(synthesis.constant.device))[:, None].expand(-1, self.depth, -1)
            noise = [
                torch.cat([torch.zeros_like(each[:1]), each * (layer in chosen)])
                for layer, each in enumerate(synthesis.noise(DRAWS, torch.Generator(z.device).manual_seed(1)))
            ]
            first = min(chosen, default=self.depth)  # up to there all nine are the same
            maps = synthesis.through(synthesis.constant, styles, [each[:1] for each in noise], 0, first)
            if first < self.depth:
                maps = synthesis.through(
                    maps.expand(1 + DRAWS, -1, -1, -1), styles.expand(1 + DRAWS, -1, -1), noise, first, self.depth
                )
            images = synthesis.to_rgb[-1](maps).clamp(-1, 1).float().cpu().expand(1 + DRAWS, -1, -1, -1)
            self.frames = dict(list(self.frames.items())[-60:]) | {key: images}
        return self.frames[key]

    @guarded
    @torch.inference_mode()
    def _draw(self):
        if self.held:
            return
        images = self._images()
        self.deviation = images[1:].std(0).mean(0)
        grey = (self.gain.value * self.deviation - 1).clamp(-1, 1).expand(3, -1, -1)
        shown = torch.stack([images[0], images[1 + self.draw.value], grey])
        self.image.value = png(plots.tile(shown, 3))
        on = [str(layer) for layer, box in enumerate(self.layers) if box.value]
        self.status.value = (
            f"noise in layers {', '.join(on) or 'none'}: a pixel's deviation is {self.deviation.mean():.4f} on average, "
            f"{self.deviation.max():.3f} at most (the range of colours is 2); draw {self.draw.value}, map × {self.gain.value:g}"
        )
