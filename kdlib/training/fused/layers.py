"""Layers that do in one what a network asks of two or three."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import relu

from kdlib.training.fused.library import library

LANES = 16
"""Channels come in multiples of this (``norm_relu.cpp``)."""


class NormRelu(nn.Module):
    """Batch norm in training, an optional shortcut added, and a ReLU.

    In place of keeping its input ``[N, C, H, W]`` the gradient overwrites it: the input must be
    what a convolution has just made, with no other use, and one gradient only can be asked for.
    What the compiled code does not take (another number format or layout, eval mode) goes through
    the layers as they are.

    Args:
        norm: with weight, bias and running statistics, which move as they always do.
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, images: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """``relu(norm(images) + shortcut)``, of the shape of ``images``."""
        norm = self.norm
        if not (
            norm.training and _fits(images, norm) and (shortcut is None or _like(shortcut, images))
        ):
            hidden = norm(images)
            return relu(hidden if shortcut is None else hidden + shortcut)
        assert norm.num_batches_tracked is not None
        norm.num_batches_tracked.add_(1)
        return _NormRelu.apply(images, shortcut, norm.weight, norm.bias, norm)


def fusible(norm: nn.Module) -> bool:
    """Whether ``NormRelu`` can stand for it."""
    return (
        type(norm) is nn.BatchNorm2d
        and norm.num_features % LANES == 0
        and norm.affine
        and norm.track_running_stats
        and norm.momentum is not None
    )


def _fits(images: Tensor, norm: nn.BatchNorm2d) -> bool:
    return (
        images.ndim == 4
        and images.shape[1] == norm.num_features
        and images.dtype == torch.float32
        and images.device.type == "cpu"
        and images.is_contiguous(memory_format=torch.channels_last)
        and images.numel() > images.shape[1]
    )


def _like(shortcut: Tensor, images: Tensor) -> bool:
    return (
        shortcut.shape == images.shape
        and shortcut.dtype == images.dtype
        and shortcut.device == images.device
    )


class _NormRelu(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        shortcut: Tensor | None,
        weight: Tensor,
        bias: Tensor,
        norm: nn.BatchNorm2d,
    ) -> Tensor:
        channels = images.shape[1]
        answer, saved = torch.empty_like(images), images.new_empty(4, channels)
        if shortcut is not None:
            shortcut = shortcut.contiguous(memory_format=torch.channels_last)
        library().norm_relu(
            *map(_place, (images, shortcut, weight, bias, norm.running_mean, norm.running_var)),
            norm.momentum, norm.eps, images.numel() // channels, channels,
            torch.get_num_threads(), _place(answer), _place(saved),
        )  # fmt: skip
        ctx.save_for_backward(images, saved, *([] if shortcut is None else [answer]))
        return answer

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        images, saved, *answer = ctx.saved_tensors
        channels = images.shape[1]
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_images, of_shortcut = images.detach(), torch.empty_like(images) if answer else None
        of_weight, of_bias = saved.new_empty(2, channels)
        library().norm_relu_gradient(
            *map(_place, (gradient, answer[0] if answer else None, images, saved)),
            images.numel() // channels, channels, torch.get_num_threads(),
            *map(_place, (of_shortcut, of_images, of_weight, of_bias)),
        )  # fmt: skip
        torch.autograd.graph.increment_version(images)  # a second backward pass is an error
        return of_images, of_shortcut, of_weight, of_bias, None


def _place(tensor: Tensor | None) -> int | None:
    """Where it lies in memory."""
    return None if tensor is None else tensor.data_ptr()


class ConvRelu(nn.Module):
    """A convolution, an optional shortcut added, and a ReLU, by oneDNN in one; no gradients.

    Args:
        layer: zeros are its padding.
        over_shortcut: whether the answer may overwrite the shortcut, which nothing else needs.
    """

    def __init__(self, layer: nn.Conv2d, over_shortcut: bool = False) -> None:
        super().__init__()
        self.layer, self.over_shortcut = layer, over_shortcut

    def forward(self, images: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """``relu(layer(images) + shortcut)``."""
        layer, ops = self.layer, torch.ops.mkldnn
        shape = layer.padding, layer.stride, layer.dilation, layer.groups
        if shortcut is None:
            return ops._convolution_pointwise(
                images, layer.weight, layer.bias, *shape, "relu", [], ""
            )
        if shortcut.dtype != images.dtype or shortcut.shape != _shape(layer, images):
            return relu(layer(images) + shortcut)
        shortcut = shortcut.contiguous(memory_format=torch.channels_last)
        how: tuple[Any, ...] = (layer.weight, layer.bias, *shape, "add", 1.0, "relu", [], "")
        if self.over_shortcut:
            return ops._convolution_pointwise_.binary(shortcut, images, *how)
        return ops._convolution_pointwise.binary(images, shortcut, *how)


def _shape(layer: nn.Conv2d, images: Tensor) -> tuple[int, ...]:
    """Of the layer's answer."""
    pads = [int(pad) for pad in layer.padding]
    steps = zip(pads, layer.dilation, layer.kernel_size, layer.stride, strict=True)
    sides = [
        (size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        for size, (pad, dilation, kernel, stride) in zip(images.shape[2:], steps, strict=True)
    ]
    return (len(images), layer.out_channels, *sides)


def has_conv_relu() -> bool:
    """Whether torch has what ``ConvRelu`` calls, which is not of its public interface."""
    if not torch.backends.mkldnn.is_available():
        return False
    layer, images = nn.Conv2d(LANES, LANES, 1), torch.linspace(-1, 1, 4 * LANES)
    images = images.reshape(1, LANES, 2, 2).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = [relu(layer(images) + more) for more in (0, 1, 1)]
        try:
            found = [ConvRelu(layer)(images)]
            found += [ConvRelu(layer, o)(images, torch.ones_like(images)) for o in (False, True)]
        except Exception:  # whatever another version raises
            return False
    return all(torch.allclose(*both, atol=1e-5) for both in zip(found, expected, strict=True))
