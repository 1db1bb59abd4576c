"""Where the teacher's logits come from while a student trains."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from kdlib.training.folding import answering, answering_dtype
from kdlib.training.fused import fused_for_answering
from kdlib.training.recipe import Precision


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


@runtime_checkable
class CapturableTeacher(TeacherSignal, Protocol):
    """A teacher whose answers are those of another once its tensors are copied into that one."""

    def tensors(self) -> Mapping[str, Tensor]:
        """All that the answers depend on, by name."""
        ...

    def layout(self) -> str:
        """What two teachers must agree in for such a copy."""
        ...


def layout(module: nn.Module) -> str:
    """A text that two networks share if the weights of one can be copied into the other."""
    shapes = [(name, tuple(t.shape), t.dtype) for name, t in module.state_dict().items()]
    return f"{module!r} {shapes}"


class ForwardTeacher:
    """The teacher's forward pass on the very views that the student sees.

    Works on a copy in eval mode, so the caller's module is left as it is. For a bf16 recipe its
    batch norms are folded into its convolutions, and it answers in the faster number format of
    the device; for fp32 it is the network as it is, whose bits results depend on.
    """

    def __init__(
        self, module: nn.Module, device: torch.device | str, precision: Precision = "fp32"
    ) -> None:
        """Copy ``module`` to ``device``, ready for a recipe of that precision."""
        low = precision == "bf16"
        self._dtype = answering_dtype(device) if low else torch.float32
        if low:
            frozen = answering(module, self._dtype)
        else:
            frozen = copy.deepcopy(module).eval().requires_grad_(False)
        self._module = frozen.to(device).to(  # type: ignore[call-overload]
            memory_format=torch.channels_last
        )

    @torch.no_grad()
    def __call__(self, rows: Tensor, views: Tensor, images: Tensor) -> Tensor:
        """Logits ``[N, L]``; see ``TeacherSignal``."""
        lower = self._dtype != torch.float32
        with torch.autocast(images.device.type, torch.bfloat16, lower, cache_enabled=False):
            return self._module(images)

    def fused(self) -> ForwardTeacher:
        """One that answers in float32 on a CPU as this one up to rounding, and faster."""
        other = copy.copy(self)
        other._module = fused_for_answering(self._module).to(  # type: ignore[call-overload]
            memory_format=torch.channels_last
        )
        return other

    def tensors(self) -> Mapping[str, Tensor]:
        """Weights and batch-norm statistics; see ``CapturableTeacher``."""
        return self._module.state_dict()

    def layout(self) -> str:
        """Of the network; see ``CapturableTeacher``."""
        return layout(self._module)
