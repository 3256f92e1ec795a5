"""The fidelity-diversity curve of a generator: precision and recall at each threshold of its latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_lib.latent import truncated_normal
from course_lib.metrics.neighbours import neighbour_radii
from course_lib.metrics.precision_recall import PrecisionRecall, precision_recall


def trade_off(
    generator: nn.Module,
    extract: Callable[[Tensor], Tensor],
    thresholds: Sequence[float | None],
    *,
    real: Tensor,
    count: int,
    k: int = 3,
    draw: torch.Generator | None = None,
) -> list[PrecisionRecall]:
    """Precision and recall of `count` samples from latents truncated at each threshold, in the order given.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991v3, section 4) draw such curves. The real side stays the same.

    generator:  latents (N, latent_dim) → images; asked in eval mode and left in the mode it was in
    extract:    images → features (N, d);  thresholds: ≥ 0.01, None for the whole normal distribution
    real:       (M, d) features of real images;  draw: a CPU generator for the latents
    raises:     ValueError if there is no threshold, or one is too small
    """
    if len(thresholds) == 0:
        raise ValueError("thresholds: expected at least one, got none")
    radii, shape, was_training = neighbour_radii(real, k), (count, generator.latent_dim), generator.training
    curve, device = [], next((each.device for each in generator.parameters()), torch.device("cpu"))
    generator.eval()  # in train mode BatchNorm would stretch the narrower latents' activations back
    try:
        for threshold in thresholds:
            z = torch.randn(shape, generator=draw) if threshold is None else truncated_normal(shape, threshold, draw)
            with torch.inference_mode():
                fake = extract(generator(z.to(device)))
            curve.append(precision_recall(real=real, fake=fake, k=k, real_radii=radii))
    finally:
        generator.train(was_training)
    return curve
