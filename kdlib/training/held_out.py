"""Examples on which the errors of the classes are measured while a network trains."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from kdlib.data.image_files import Images
from kdlib.data.split import check_images
from kdlib.data.views import to_float
from kdlib.errors import SettingError
from kdlib.training.predict import passes
from kdlib.training.recipe import InputScaling


class UnseenClassWarning(UserWarning):
    """Held-out examples lack a class, so that nothing tells how large its error is."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Examples on which the errors are measured, unaugmented.

    Attributes:
        images: uint8 ``[N, C, H, W]``, or files in their place.
        targets: ``[N, L]``: one-hot labels, or the teacher's probabilities.
        scaling: as in the recipe that trains the network.
        dataset_name: whose channel statistics "standardise" uses.
    """

    images: Images
    targets: Tensor
    scaling: InputScaling
    dataset_name: str

    def to(self, device: torch.device | str) -> HeldOut:
        """The same examples on ``device``, targets in float32."""
        images, targets = self.images.to(device), self.targets.to(device, torch.float32)
        return replace(self, images=images, targets=targets)


def check_held_out(held_out: HeldOut) -> None:
    """Refuse what ``HeldOut`` does not describe; warn of a class without an example."""
    check_images("held_out", held_out.images)
    if len(held_out.images) != len(held_out.targets):
        raise SettingError(
            f"held_out has {len(held_out.images)} images and {len(held_out.targets)} targets: "
            "must be one of each per example"
        )
    unseen = (held_out.targets.sum(0) == 0).nonzero()[:, 0].tolist()
    if unseen:
        named = ", ".join(map(str, unseen[:5])) + (", ..." if len(unseen) > 5 else "")
        warnings.warn(
            f"held_out has no example of {len(unseen)} of the {held_out.targets.shape[1]} classes "
            f"({named}): their multipliers stay where they are",
            UnseenClassWarning,
            stacklevel=3,
        )


@torch.no_grad()
def logits_of(model: nn.Module, held_out: HeldOut, rows: Tensor) -> Tensor:
    """Logits ``[N, L]`` of those rows in evaluation mode, on their device."""
    model.eval()
    sizes = passes(len(rows), held_out.images, rows.device)
    parts = [
        model(to_float(held_out.images[part], held_out.scaling, held_out.dataset_name)).float()
        for part in rows.split(sizes)
    ]
    model.train()
    return torch.cat(parts)
