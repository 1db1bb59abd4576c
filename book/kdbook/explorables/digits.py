"""The digits as a small text file that the playground reads in the browser."""

from __future__ import annotations

import json

from torch import Tensor

from kdlib.data import load
from kdlib.data.split import Split

TOP = 16
"""Pixels of scikit-learn's digits are whole numbers from 0 to this."""
FIRST = "a"
"""The letter that stands for 0; the next ones stand for 1, 2 and so on."""
SPLITS = ("train", "validation", "test")


def digits_file() -> str:
    """JSON with the splits of the book: labels as digits, pixels as letters, both in one string.

    ``{"pixelsEach": 64, "top": 16, "first": "a", "train": {"labels": ..., "pixels": ...}, ...}``
    """
    digits = load("digits")
    splits = {name: _as_text(getattr(digits, name)) for name in SPLITS}
    about = {"pixelsEach": 64, "top": TOP, "first": FIRST}
    return json.dumps(about | splits, indent=1) + "\n"


def pixels_of(split: Split) -> Tensor:
    """The digits' images, uint8 ``[N, 8, 8]``."""
    assert isinstance(split.images, Tensor), "digits are kept in memory"
    return split.images[:, 0]


def _as_text(split: Split) -> dict[str, str]:
    levels = (pixels_of(split).flatten() * (TOP / 255)).round().int().tolist()
    return {
        "labels": "".join(map(str, split.labels.tolist())),
        "pixels": "".join(chr(ord(FIRST) + level) for level in levels),
    }
