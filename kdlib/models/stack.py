"""Several CIFAR ResNets of one shape as one wide network: K times the channels, in K groups.

One call then serves K students, which pays where a network is so small that calls cost more than
arithmetic. Group k of every layer is student k, and no number passes from one to another. In exact
arithmetic that is what K networks do; the processor's kernels for groups round otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad

from kdlib.errors import SettingError
from kdlib.models.cifar import CifarResNet, SubsampleAndPad


def stack(models: Sequence[nn.Module]) -> nn.Module:
    """The wide network of ``models``: images ``[N, K * C, H, W]`` to logits ``[N, K, L]``.

    The channels of student k's images are ``k * C`` to ``(k + 1) * C``. From now on the weights and
    buffers of ``models`` are views of the wide network's, so that training it trains them.

    Args:
        models: CIFAR ResNets of one shape, on one device; at least one.

    Raises:
        SettingError: no model, another kind of network, or models of several shapes.
    """
    if not models or not all(isinstance(model, CifarResNet) for model in models):
        raise SettingError("a stack needs CIFAR ResNets, at least one")
    if len({repr(model) for model in models}) > 1:
        raise SettingError("the networks of a stack must have one shape")
    wide = _widened(copy.deepcopy(models[0]), len(models))
    wide.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for name, tensor in wide.state_dict().items():
        _share(tensor, [_Slot(model, name) for model in models])
    return wide


class _Slot:
    """Where a network keeps the weight or buffer of that name."""

    def __init__(self, model: nn.Module, name: str) -> None:
        owner, _, self._leaf = name.rpartition(".")
        self._module = model.get_submodule(owner)

    @property
    def tensor(self) -> Tensor:
        return getattr(self._module, self._leaf).detach()

    @tensor.setter
    def tensor(self, value: Tensor) -> None:
        if self._leaf in self._module._parameters:
            getattr(self._module, self._leaf).data = value
        else:
            setattr(self._module, self._leaf, value)


def _share(tensor: Tensor, slots: Sequence[_Slot]) -> None:
    """Copy the students' values into the wide ``tensor``, and make them views of it."""
    if tensor.ndim == 0:  # the number of batches seen: one for all
        parts = [tensor] * len(slots)
        tensor.copy_(slots[0].tensor)
    else:
        tensor.copy_(torch.cat([slot.tensor for slot in slots]))
        parts = list(tensor.chunk(len(slots)))
    for slot, part in zip(slots, parts, strict=True):
        slot.tensor = part


def _widened(module: nn.Module, count: int) -> nn.Module:
    """``module`` with every layer replaced by its grouped form; values come later."""
    if isinstance(module, nn.Conv2d):
        return _convolution(module, count)
    if isinstance(module, nn.BatchNorm2d):
        return nn.BatchNorm2d(count * module.num_features, module.eps, module.momentum).to(
            module.weight.device
        )
    if isinstance(module, nn.Linear):
        return _Linears(module, count)
    if isinstance(module, SubsampleAndPad):
        return _SubsampleAndPads(module.extra_channels, count)
    for name, child in module.named_children():
        setattr(module, name, _widened(child, count))
    return module


def _convolution(one: nn.Conv2d, count: int) -> nn.Conv2d:
    return nn.Conv2d(
        count * one.in_channels, count * one.out_channels, one.kernel_size,  # type: ignore[arg-type]
        stride=one.stride, padding=one.padding, groups=count,  # type: ignore[arg-type]
        bias=one.bias is not None, device=one.weight.device,
    )  # fmt: skip


class _Linears(nn.Module):
    """K linear layers: ``[N, K * C]`` to ``[N, K, L]``."""

    def __init__(self, one: nn.Linear, count: int) -> None:
        super().__init__()
        device = one.weight.device
        self.count = count
        self.weight = nn.Parameter(
            torch.empty(count * one.out_features, one.in_features, device=device)
        )
        self.bias = nn.Parameter(torch.empty(count * one.out_features, device=device))

    def forward(self, hidden: Tensor) -> Tensor:
        by_student = hidden.unflatten(1, (self.count, -1)).transpose(0, 1)
        weight = self.weight.unflatten(0, (self.count, -1)).transpose(1, 2)
        bias = self.bias.unflatten(0, (self.count, 1, -1))
        return torch.baddbmm(bias, by_student, weight).transpose(0, 1)


class _SubsampleAndPads(nn.Module):
    """``SubsampleAndPad`` for each student; channels stay last in memory."""

    def __init__(self, extra_channels: int, count: int) -> None:
        super().__init__()
        self.extra_channels, self.count = extra_channels, count

    def forward(self, images: Tensor) -> Tensor:
        pixels = avg_pool2d(images, 1, 2).permute(0, 2, 3, 1)
        by_student = pixels.unflatten(3, (self.count, -1))
        return pad(by_student, (0, self.extra_channels)).flatten(3).permute(0, 3, 1, 2)
