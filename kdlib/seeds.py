"""Random streams named by what they are for, so that order and initialisation are reproducible."""

from __future__ import annotations

import hashlib

import torch


def stream_seed(*parts: object) -> int:
    """A 63-bit seed that depends on every part, e.g. ``stream_seed("order", seed, epoch)``."""
    text = "/".join(repr(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(*parts: object) -> torch.Generator:
    """A CPU generator for the stream named by ``parts``; the same on every device and machine."""
    return torch.Generator().manual_seed(stream_seed(*parts))
