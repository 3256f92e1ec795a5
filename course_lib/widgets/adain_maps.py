"""AdaIN's maps: one layer's maps as they come in and as the style hands them on."""

from __future__ import annotations

import ipywidgets as w
import torch
import torch.nn.functional as F

from course_lib import latent, plots, runtime
from course_lib.canvas import png
from course_lib.exercises.cards import table
from course_lib.widgets.frames import Picture, guarded

SHOWN, COLUMNS, TILE, GAP = 16, 4, 32, 12


class AdaINMaps(Picture):
    """Sixteen maps of one layer before (left) and after AdaIN (right), in one range of grey; 0 is the middle one.

    generator: a StyleGAN generator at full resolution, with its `w_mean`
    Parts: .seed (of z), .layer, .strength (of the style: 0 is the mean one, 1 this latent's), .numbers; the maps that
    are shown: .before and .after, (16, side, side)
    """

    def __init__(self, generator: torch.nn.Module, size: int = 280):
        super().__init__(2 * size + 2 * GAP, size)
        self.generator = generator.eval()
        depth = generator.synthesis.depth
        wide = w.Layout(width="24em")
        self.seed = w.IntSlider(0, min=0, max=50, description="seed", layout=wide)
        self.layer = w.IntSlider(2, min=0, max=depth - 1, description="layer", layout=wide)
        self.strength = w.FloatSlider(1.0, min=0.0, max=2.0, step=0.1, description="style ×", layout=wide)
        self.numbers = w.HTML()
        for part in (self.seed, self.layer, self.strength):
            part.observe(self._draw, "value")
        half = w.Layout(width=f"{size + GAP}px")
        self.children = [
            self.style_tag,
            w.HBox([w.HTML(f"<b>{word}</b> AdaIN", layout=half) for word in ("before", "after")]),
            self.image,
            w.HBox(
                [w.VBox([self.seed, self.layer, self.strength]), self.numbers], layout=w.Layout(flex_flow="row wrap")
            ),
            self.status,
        ]
        self._draw()

    @guarded
    @torch.inference_mode()
    def _draw(self):
        synthesis, chosen = self.generator.synthesis, self.layer.value
        device = synthesis.constant.device
        z = torch.randn(1, self.generator.latent_dim, generator=runtime.keyed_generator("cpu", self.seed.value, "maps"))
        style = latent.truncate(self.generator.mapping(z.to(device)), self.generator.w_mean, self.strength.value)
        seen = []
        adain = synthesis.layers[chosen].adain
        hook = adain.register_forward_hook(lambda _, given, out: seen.extend((given[0], out)))
        try:
            synthesis(style)
        finally:
            hook.remove()
        self.before, self.after = (each[0, :SHOWN].float().cpu() for each in seen)
        scale, shift = adain.style(style)[0].float().cpu().chunk(2)
        reach = torch.cat([self.before.flatten(), self.after.flatten()]).abs().quantile(0.98).clamp(min=1e-6)
        sheets = []
        for maps in (self.before, self.after):
            tiles = F.interpolate((maps / reach).clamp(-1, 1)[:, None], TILE, mode="nearest")
            sheets.append(torch.from_numpy(plots.tile(tiles, COLUMNS)))
        white = torch.full((len(sheets[0]), GAP, 3), 255, dtype=torch.uint8)
        self.image.value = png(torch.cat([sheets[0], white, sheets[1]], 1).numpy())

        def both(maps):
            mean, deviation = maps.mean((1, 2)), maps.std((1, 2), correction=0)
            return f"{mean.min():.2f} to {mean.max():.2f}", f"{deviation.min():.2f} to {deviation.max():.2f}"

        size = scale[:SHOWN].abs()
        rows = [
            ("before", *both(self.before)),
            ("after", *both(self.after)),
            (
                "the style",
                f"shift {shift[:SHOWN].min():.2f} to {shift[:SHOWN].max():.2f}",
                f"size of scale {size.min():.2f} to {size.max():.2f}",
            ),
        ]
        self.numbers.value = table(rows, head=["maps", "means", "deviations"])
        side = self.before.shape[-1]
        self.status.value = (
            f"layer {chosen} ({side}×{side}), seed {self.seed.value}, style × {self.strength.value:.1f}; "
            f"{len(self.before)} of {seen[0].shape[1]} maps"
        )
