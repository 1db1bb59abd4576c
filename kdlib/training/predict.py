"""A trained network's logits on unaugmented images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kdlib.data.image_files import ImageFiles, Images
from kdlib.data.views import to_float
from kdlib.errors import SettingError
from kdlib.training.recipe import InputScaling

_IN_MEMORY, _FROM_FILES = 1024, 128
_MOST_PIXELS, _FEWEST = 128 * 32**2, 16
"""Of a pass on a CPU. Where hidden layers are larger, glibc gives their memory back to the system
and maps it anew, layer by layer, which takes long."""
_SMALL = 8


def passes(count: int, images: Images, device: torch.device | str) -> list[int]:
    """How many images each forward pass without gradients takes, so that all ``count`` are seen.

    1024 per pass; on a CPU fewer where they are larger than 11x11 pixels: 128 of 32x32, and at
    least 16. From files 128. A remainder below 8 goes with the pass before: kernels may round one
    or two images otherwise than many.

    Args:
        count: at least 0.
        images: whose shape counts.
        device: where the passes are made.
    """
    most = _images_a_pass(images, device)
    whole, rest = divmod(count, most)
    if whole and 0 < rest < _SMALL:
        return [most] * (whole - 1) + [most + rest]
    return [most] * whole + [rest] * (rest > 0)


def _images_a_pass(images: Images, device: torch.device | str) -> int:
    if isinstance(images, ImageFiles):
        return _FROM_FILES
    if torch.device(device).type != "cpu":
        return _IN_MEMORY
    pixels = images.shape[-2] * images.shape[-1]
    return max(_FEWEST, min(_IN_MEMORY, _MOST_PIXELS // pixels))


@torch.no_grad()
def predict_logits(
    model: nn.Module,
    images: Images,
    *,
    scaling: InputScaling,
    dataset_name: str,
    batch_size: int | None = None,
) -> Tensor:
    """Logits in eval mode at float32, as a float32 tensor ``[N, L]`` on the CPU.

    The network stays on its device and gets back the mode (train or eval) that it came in. The
    batch size changes results by rounding only.

    Args:
        model: The network.
        images: uint8 ``[N, C, H, W]``, N at least 1, on any device; or files in their place.
        scaling: As in the recipe that the network was trained with.
        dataset_name: Whose channel statistics "standardise" uses.
        batch_size: Images a forward pass, at least 1; by default as ``passes``.

    Raises:
        SettingError: If ``batch_size`` is below 1 or there are no images.
    """
    device = next(model.parameters()).device
    if (batch_size is not None and batch_size < 1) or len(images) < 1:
        raise SettingError(f"batch_size = {batch_size}, images = {len(images)}: at least 1 each")
    with _evaluating(model):
        parts = [
            model(to_float(part.to(device), scaling, dataset_name)).float().cpu()
            for part in _parts(images, batch_size, device)
        ]
    return torch.cat(parts)


def _parts(images: Images, batch_size: int | None, device: torch.device) -> Iterable[Images]:
    if isinstance(images, ImageFiles):
        return images.split(batch_size or _FROM_FILES)
    return images.split(batch_size or passes(len(images), images, device))


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
