"""A few real and generated points in the plane, whose faults are known because they were put there."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.data import mixtures
from course_lib.runtime import keyed_generator

MODES, RADIUS, STD, HOME = 6, 1.6, 0.22, 1.6  # HOME: where on the x axis the point that can be moved belongs


def ring_pair(
    count: int = 36,
    *,
    dropped: int = 0,
    spread: float = 1.0,
    outlier_at: float = HOME,
    outlier: str = "real",
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """(real, fake), each (count, 2): a ring of MODES humps, and what a faulty generator makes of it.

    dropped:    humps that the fakes leave out, 0 to MODES − 1; their points go to the humps that are left
    spread:     the fakes' width, as a multiple of the humps' own
    outlier_at: x coordinate, at y = 0, of the first point of the set named by `outlier` ("real" or "fake")
    raises:     ValueError if `dropped` or `outlier` is out of range
    """
    if not 0 <= dropped < MODES:
        raise ValueError(f"dropped: expected 0 to {MODES - 1}, got {dropped}")
    if outlier not in ("real", "fake"):
        raise ValueError(f"outlier: expected 'real' or 'fake', got {outlier!r}")
    means = mixtures.ring(MODES, RADIUS, STD).means.float()
    kept = means[: MODES - dropped]
    noise = [torch.randn(count, 2, generator=keyed_generator("cpu", seed, kind)) for kind in ("real", "fake")]
    turn = torch.arange(count)
    real = means[turn % MODES] + STD * noise[0]
    fake = kept[turn % len(kept)] + spread * STD * noise[1]
    (real if outlier == "real" else fake)[0] = torch.tensor([outlier_at, 0.0])
    return real, fake
