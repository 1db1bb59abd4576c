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
        batch_size: Images a forward pass, at least 1; by default 1024, and 128 from files, since
            those are large.

    Raises:
        SettingError: If ``batch_size`` is below 1 or there are no images.
    """
    if batch_size is None:
        batch_size = _FROM_FILES if isinstance(images, ImageFiles) else _IN_MEMORY
    if batch_size < 1 or len(images) < 1:
        raise SettingError(f"batch_size = {batch_size}, images = {len(images)}: at least 1 each")
    device = next(model.parameters()).device
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
