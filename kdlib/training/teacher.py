"""Where the teacher's logits come from while a student trains."""

from __future__ import annotations

import copy
from typing import Protocol

import torch
from torch import Tensor, nn


class TeacherSignal(Protocol):
    """Gives the teacher's logits for a batch, without gradient.

    A forward pass needs only ``images``; a table of logits over all views needs only ``rows`` and
    ``views``.
    """

    def __call__(self, rows: Tensor, views: Tensor, images: Tensor) -> Tensor:
        """Return logits ``[N, L]``.

        Args:
            rows: ``[N]``, which examples of the training split.
            views: ``[N]``, which crop and flip of each (``kdlib.data.views``).
            images: ``[N, C, H, W]``, these views, scaled to floats.
        """
        ...


class ForwardTeacher:
    """The teacher's forward pass on the very views that the student sees.

    Works on a copy in eval mode, so the caller's module is left as it is. Under the training
    loop's autocast it runs at the student's precision.
    """

    def __init__(self, module: nn.Module, device: torch.device | str) -> None:
        """Copy ``module`` to ``device``."""
        frozen = copy.deepcopy(module).eval().requires_grad_(False)
        self._module = frozen.to(device).to(  # type: ignore[call-overload]
            memory_format=torch.channels_last
        )

    @torch.no_grad()
    def __call__(self, rows: Tensor, views: Tensor, images: Tensor) -> Tensor:
        """Logits ``[N, L]``; see ``TeacherSignal``."""
        return self._module(images)
