"""Small pictures inside charts and tables."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

SIDE = 96
"""Pixels; how wide a picture becomes at least, where its pixels divide that."""


def digit_image(image: Any) -> str:
    """A uint8 image ``[C, H, W]`` with 1 or 3 channels as an enlarged PNG data URI."""
    from PIL import Image

    pixels = np.asarray(image).transpose(1, 2, 0)
    times = max(1, SIDE // pixels.shape[0])
    pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
