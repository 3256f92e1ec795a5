"""How the zoo keeps weights: as they are, in float16, or in 8 bits with scales.

In 8 bits a matrix or kernel is whole numbers from −127 to 127 and, for each entry of its first axis, one factor: the
largest absolute weight there over 127. Rounding moves a weight by half a factor at most. Everything else (biases,
BatchNorm's vectors) is few numbers and goes to float16. Metrics on a card are of the network with the weights as kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib import runtime

KINDS = ("float32", "float16", "int8")
SCALE = ".scale"


def reduced(tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    """Tensors by name as they are kept; whole numbers stay as they are.

    kind:   one of `KINDS`
    raises: ValueError for another kind
    """
    if runtime.known("weights", kind, KINDS) == "float32":
        return tensors
    kept = {}
    for name, tensor in tensors.items():
        if kind == "int8" and tensor.is_floating_point() and tensor.ndim > 1:
            scale = tensor.abs().flatten(1).amax(1).float() / 127
            scale = torch.where(scale > 0, scale, 1.0)
            kept[name] = (tensor / _beside(scale, tensor)).round().to(torch.int8)
            kept[name + SCALE] = scale
        else:
            kept[name] = tensor.half() if tensor.is_floating_point() else tensor
    return kept


def restored(kept: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `reduced` kept, for `load_state_dict`, which copies float16 into float32 by itself."""
    return {
        name: tensor * _beside(kept[name + SCALE], tensor) if name + SCALE in kept else tensor
        for name, tensor in kept.items()
        if not name.endswith(SCALE)
    }


def _beside(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (tensor.ndim - 1))
