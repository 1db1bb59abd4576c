"""The averaged iterate of "Robust distillation", Algorithm 1: f(x) = (1/K) sum_k f^k(x).

A mean of networks is not a network. What can be kept are its logits on images that are named before
the training: the sum grows by one network at each move of the multipliers.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from kdlib.data.image_files import Images
from kdlib.errors import SettingError
from kdlib.training.predict import predict_logits
from kdlib.training.recipe import InputScaling


class AveragedLogits:
    """The running sum of a network's logits on fixed images, in float64 on the CPU.

    Args:
        images: by name; uint8 ``[N, C, H, W]``, or files in their place.
        scaling: as in the recipe that trains the network.
        dataset_name: whose channel statistics "standardise" uses.
    """

    def __init__(
        self, images: Mapping[str, Images], scaling: InputScaling, dataset_name: str
    ) -> None:
        self._images, self._scaling, self._dataset_name = dict(images), scaling, dataset_name
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, model: nn.Module) -> None:
        """Add the network as it is, in evaluation mode and float32; it keeps its own mode."""
        device = next(model.parameters()).device.type
        with torch.autocast(device, enabled=False):
            for name, images in self._images.items():
                logits = predict_logits(
                    model, images, scaling=self._scaling, dataset_name=self._dataset_name
                ).double()
                self._sums[name] = self._sums[name] + logits if self._count else logits
        self._count += 1

    def mean(self) -> dict[str, Tensor]:
        """Mean logits ``[N, L]`` by name, float32.

        Raises:
            SettingError: no network was added.
        """
        if not self._count:
            raise SettingError("no network was added: there is nothing to average")
        return {name: (total / self._count).float() for name, total in self._sums.items()}

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps: ``count`` and the sums by name."""
        return {"count": torch.tensor(self._count), **self._sums}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a ``state``."""
        self._count = int(state["count"])
        self._sums = {name: state[name] for name in self._images if name in state}
