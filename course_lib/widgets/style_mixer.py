"""Style mixer: rows of one parent, columns of another, and a crossover between their layers."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import latent, plots, runtime
from course_lib.canvas import png
from course_lib.widgets.frames import Picture, guarded


class StyleMixer(Picture):
    """The images of `rows` first parents (left) and `columns` second ones (top), and each pair's mix.

    Layers below the crossover take the row's style, the others the column's.

    generator: a StyleGAN generator at full resolution, in eval mode
    Parts: .row_seed, .column_seed, .crossover (0 … layers), .image; .mixed holds the (rows · columns, 3, R, R) images
    """

    def __init__(self, generator: torch.nn.Module, rows: int = 2, columns: int = 4, tile: int = 88):
        super().__init__((columns + 1) * tile, (rows + 1) * tile)
        self.generator, self.rows, self.columns = generator.eval(), rows, columns
        self.depth = generator.synthesis.depth
        wide = w.Layout(width="25em")
        self.crossover = w.IntSlider(self.depth // 2, min=0, max=self.depth, description="crossover", layout=wide)
        self.row_seed = w.IntSlider(0, min=0, max=200, description="rows, seed", layout=wide)
        self.column_seed = w.IntSlider(100, min=0, max=200, description="columns, seed", layout=wide)
        self.frames: dict[tuple, bytes] = {}
        self.parents: dict[tuple, tuple] = {}
        for part in (self.crossover, self.row_seed, self.column_seed):
            part.observe(self._draw, "value")
        self.children = [
            self.style_tag,
            w.HTML("<b>left</b>: first parents, layers below the crossover; <b>top</b>: second parents, from it on"),
            w.HBox(
                [self.image, w.VBox([self.crossover, self.row_seed, self.column_seed])],
                layout=w.Layout(flex_flow="row wrap"),
            ),
            self.status,
        ]
        self._draw()

    def _styles(self, seed: int, count: int) -> torch.Tensor:
        z = [
            torch.randn(self.generator.latent_dim, generator=runtime.keyed_generator("cpu", seed + number, "mixer"))
            for number in range(count)
        ]
        return self.generator.mapping(torch.stack(z).to(self.generator.w_mean.device))

    def _prepared(self) -> tuple:
        """Both parents' styles and images, and the rows' maps after each layer, which the mixes begin with."""
        key = (self.row_seed.value, self.column_seed.value)
        if key not in self.parents:
            synthesis = self.generator.synthesis
            rows, columns = self._styles(key[0], self.rows), self._styles(key[1], self.columns)
            noise = synthesis.noise(1, torch.Generator(rows.device).manual_seed(0))
            maps = [synthesis.constant.expand(self.rows, -1, -1, -1)]
            styles = rows[:, None].expand(-1, self.depth, -1)
            for layer in range(self.depth):
                maps.append(synthesis.through(maps[-1], styles, noise, layer, layer + 1))
            self.parents = {key: (rows, columns, noise, maps, synthesis(columns))}
        return self.parents[key]

    @guarded
    @torch.inference_mode()
    def _draw(self):
        cut, synthesis = self.crossover.value, self.generator.synthesis
        key = (cut, self.row_seed.value, self.column_seed.value)
        if key not in self.frames:
            rows, columns, noise, maps, tops = self._prepared()
            pairs = rows.repeat_interleave(self.columns, 0), columns.repeat(self.rows, 1)
            styles = latent.mix_styles(*pairs, cut, self.depth)
            begun = maps[cut].repeat_interleave(self.columns, 0)
            self.mixed = self._colours(synthesis.through(begun, styles, noise, cut, self.depth)).float().cpu()
            lefts = self._colours(maps[-1]).float().cpu()
            blank = torch.full_like(lefts[:1], 0.8)
            cells = [blank, tops.clamp(-1, 1).float().cpu()]
            for row in range(self.rows):
                cells += [lefts[row : row + 1], self.mixed[row * self.columns : (row + 1) * self.columns]]
            self.frames[key] = png(plots.tile(torch.cat(cells), self.columns + 1)), self.mixed
        self.image.value, self.mixed = self.frames[key]
        side = 4 * 2 ** (min(cut, self.depth - 1) // 2)
        told = {0: "all layers of the column", self.depth: "all layers of the row"}.get(
            cut, f"layers 0 to {cut - 1} of the row, from layer {cut} ({side}×{side}) on of the column"
        )
        self.status.value = f"crossover {cut} of {self.depth}: {told}"

    def _colours(self, maps: torch.Tensor) -> torch.Tensor:
        return self.generator.synthesis.to_rgb[-1](maps).clamp(-1, 1)
