"""Latent explorer: walk through a generator's latent space with sliders."""

from __future__ import annotations

import ipywidgets as w
import torch

from course_lib import latent, plots, runtime
from course_lib.canvas import png
from course_lib.widgets.frames import Picture, guarded


class LatentExplorer(Picture):
    """One generated image, and what moves it.

    generator:  latents (N, latent_dim) → images in [−1, 1]; used in eval mode
    directions: number of sliders; each adds its multiple of a principal direction of the generator's first layer
    seed:       of the first latent;  .seed_a, .seed_b, .between, .along (list of sliders), .resample and .image
                are the parts, and setting their values does what a hand would do
    """

    def __init__(self, generator: torch.nn.Module, directions: int = 6, seed: int = 0, size: int = 320):
        super().__init__(size, size)
        self.generator = generator.eval()
        self.device = next(generator.parameters()).device
        self.axes = latent.principal_directions(generator, directions).to("cpu")
        wide = w.Layout(width="26em")
        self.seed_a = w.BoundedIntText(seed, 0, 10**6, description="seed A", layout=w.Layout(width="11em"))
        self.seed_b = w.BoundedIntText(seed + 1, 0, 10**6, description="seed B", layout=w.Layout(width="11em"))
        self.between = w.FloatSlider(0.0, min=0, max=1, step=0.02, description="A → B", layout=wide)
        self.along = [
            w.FloatSlider(0.0, min=-4, max=4, step=0.1, description=f"direction {number}", layout=wide)
            for number in range(1, directions + 1)
        ]
        self.resample = w.Button(description="resample", tooltip="two new seeds, all directions back to 0")
        self.resample.on_click(self._resample)
        for part in (self.seed_a, self.seed_b, self.between, *self.along):
            part.observe(self._draw, "value")
        controls = w.VBox([w.HBox([self.seed_a, self.seed_b]), self.between, *self.along, self.resample])
        self.children = [
            self.style_tag,
            w.HBox([self.image, controls], layout=w.Layout(flex_flow="row wrap")),
            self.status,
        ]
        self._draw()

    @property
    def z(self) -> torch.Tensor:
        """The latent that is shown, (1, latent_dim): slerp from A to B, then the directions added."""
        a, b = (
            torch.randn(1, self.generator.latent_dim, generator=runtime.keyed_generator("cpu", part.value, "explorer"))
            for part in (self.seed_a, self.seed_b)
        )
        weights = torch.tensor([[slider.value for slider in self.along]])
        return latent.slerp(a, b, self.between.value) + weights @ self.axes

    @guarded
    def _draw(self):
        z = self.z
        with torch.inference_mode():
            image = self.generator(z.to(self.device)).float().cpu()
        self.image.value = png(plots.tile(image, 1))
        moved = ", ".join(
            f"{number}: {slider.value:+.1f}" for number, slider in enumerate(self.along, 1) if slider.value
        )
        self.status.value = (
            f"seed {self.seed_a.value} → {self.seed_b.value} at {self.between.value:.2f}, "
            f"norm of z {z.norm():.1f}" + (f"; directions {moved}" if moved else "")
        )

    def _resample(self, _=None):
        with self.hold_trait_notifications():
            self.seed_a.value, self.seed_b.value = self.seed_b.value + 1, self.seed_b.value + 2
            self.between.value = 0.0
            for slider in self.along:
                slider.value = 0.0
