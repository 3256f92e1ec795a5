"""Sheets of images as WebP, a third of their size: what generators drew on their way, kept for looking at."""

from __future__ import annotations

import io

import torch
from torch import Tensor

QUALITY = 90  # one or two grey levels from what was drawn, on average


def pack(images: Tensor, across: int) -> Tensor:
    """(N, C, S, S) uint8, N a multiple of `across`, C 1 or 3, as the bytes (uint8) of one sheet with so many images a row."""
    from PIL import Image

    count, channels, size = images.shape[:3]
    sheet = images.reshape(-1, across, channels, size, size).permute(0, 3, 1, 4, 2)
    packed = io.BytesIO()
    pixels = sheet.reshape(count // across * size, across * size, channels).expand(-1, -1, 3)
    Image.fromarray(pixels.contiguous().numpy()).save(packed, format="webp", quality=QUALITY, method=6)
    return torch.frombuffer(bytearray(packed.getvalue()), dtype=torch.uint8)


def unpack(sheet: Tensor, channels: int, size: int) -> Tensor:
    """The images (N, channels, size, size) of a sheet, row by row."""
    import numpy as np
    from PIL import Image

    pixels = torch.from_numpy(np.array(Image.open(io.BytesIO(sheet.numpy().tobytes())).convert("RGB")))[..., :channels]
    tiles = pixels.reshape(-1, size, pixels.shape[1] // size, size, channels).permute(0, 2, 4, 1, 3)
    return tiles.reshape(-1, channels, size, size).contiguous()
