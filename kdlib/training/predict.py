"""A trained network's logits on unaugmented images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from kdlib.data.image_files import ImageFiles, Images
from kdlib.data.views import to_float
from kdlib.errors import SettingError
from kdlib.training.recipe import InputScaling

_IN_MEMORY, _FROM_FILES = 1024, 128
_PIXELS_IN_CACHE = 128 * 32**2
"""Of the images of a forward pass whose hidden layers a processor core's cache still holds."""


def images_a_pass(images: Images, device: torch.device | str) -> int:
    """How many images a forward pass without gradients should take on ``device``.

    1024; on a CPU fewer where they are larger than 11x11 pixels: 128 of 32x32. From files 128.
    """
    if isinstance(images, ImageFiles):
        return _FROM_FILES
    if torch.device(device).type != "cpu":
        return _IN_MEMORY
    pixels = images.shape[-2] * images.shape[-1]
    return max(1, min(_IN_MEMORY, _PIXELS_IN_CACHE // pixels))


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
        batch_size: Images a forward pass, at least 1; by default ``images_a_pass``.

    Raises:
        SettingError: If ``batch_size`` is below 1 or there are no images.
    """
    device = next(model.parameters()).device
    if batch_size is None:
        batch_size = images_a_pass(images, device)
    if batch_size < 1 or len(images) < 1:
        raise SettingError(f"batch_size = {batch_size}, images = {len(images)}: at least 1 each")
    with _evaluating(model):
        parts = [
            model(to_float(part.to(device), scaling, dataset_name)).float().cpu()
            for part in images.split(batch_size)
        ]
    return torch.cat(parts)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
