"""What a training run wrote down as it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

COLUMNS = (
    "step",
    "d_loss",
    "g_loss",
    "real_logit",
    "fake_logit",
    "d_gradient_norm",
    "g_gradient_norm",
    "images_per_second",
)


@dataclass
class History:
    """One row per logged step, each the value *at* that step (no averaging; a plot may smooth).

    rows:      dicts with the keys of COLUMNS. d_loss is the sum of both terms; logits are batch means;
               gradient norms are over all of a network's parameters; images_per_second counts batch_size real images
               a step since the row before, however many updates of D a step has. d_loss and the real logits are of its last
    averaged:  the generator with averaged weights in eval mode (None if averaging is off): sample from it
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    averaged: nn.Module | None = field(default=None, repr=False)

    def __getitem__(self, column: str) -> list[float]:
        return [row[column] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)
