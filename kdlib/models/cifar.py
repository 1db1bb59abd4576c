"""The CIFAR ResNets of He et al. (2016), for any channel count and image size from 8x8."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad, relu

from kdlib.seeds import generator
from kdlib.validated import Frozen

MIN_DEPTH, MAX_DEPTH = 8, 1202


class ModelSpec(Frozen):
    """Which residual network: depth 6n + 2 means n blocks of two convolutions in three stages.

    Attributes:
        depth: layers with weights, 8, 14, 20, ..., 1202.
        shortcut: where a block halves the image and doubles the channels, ``"A"`` subsamples and
            fills the new channels with zeros (no parameters, He et al. on CIFAR), ``"B"`` learns a
            1x1 convolution.
        width: channels of the first stage, 1 to 256; the stages have 1, 2 and 4 times as many.
    """

    depth: int
    shortcut: Literal["A", "B"] = "A"
    width: int = Field(default=16, ge=1, le=256)

    @property
    def title(self) -> str:
        """Its name, as papers write it."""
        return f"ResNet-{self.depth}"

    @field_validator("depth")
    @classmethod
    def _is_a_depth(cls, depth: int) -> int:
        if MIN_DEPTH <= depth <= MAX_DEPTH and depth % 6 == 2:
            return depth
        below = min(max((depth - 2) // 6 * 6 + 2, MIN_DEPTH), MAX_DEPTH)
        above = min(max(below + 6, MIN_DEPTH), MAX_DEPTH) if depth > below else below
        nearest = " and ".join(str(value) for value in sorted({below, above}))
        raise ValueError(
            f"should be 6n + 2 from {MIN_DEPTH} to {MAX_DEPTH}, the nearest being {nearest}"
        )


def build_cifar(spec: ModelSpec, num_classes: int, channels: int, seed: int) -> nn.Module:
    """The network at initial weights that ``seed`` decides; see ``kdlib.models.build``."""
    with torch.device("meta"):  # no memory and no random numbers yet
        model = CifarResNet(spec, num_classes, channels)
    _initialise(model.to_empty(device="cpu"), generator("init", seed))
    return model


class CifarResNet(nn.Module):
    """A 3x3 convolution, three stages of residual blocks, global average pool, linear layer."""

    def __init__(self, spec: ModelSpec, num_classes: int, channels: int) -> None:
        super().__init__()
        self.stem = _convolution(channels, spec.width)
        self.stem_norm = nn.BatchNorm2d(spec.width)
        self.stages = nn.Sequential(*(_stage(spec, number) for number in range(3)))
        self.classifier = nn.Linear(4 * spec.width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Float images ``[N, C, H, W]`` to logits ``[N, L]``."""
        hidden = relu(self.stem_norm(self.stem(images)), inplace=True)
        return self.classifier(self.stages(hidden).mean(dim=(2, 3)))


def _stage(spec: ModelSpec, number: int) -> nn.Sequential:
    """Stage 0, 1 or 2; the later ones halve the image in their first block."""
    outputs = spec.width * 2**number
    first = _Block(outputs // 2 if number else outputs, outputs, spec.shortcut)
    others = (_Block(outputs, outputs, spec.shortcut) for _ in range((spec.depth - 2) // 6 - 1))
    return nn.Sequential(first, *others)


class _Block(nn.Module):
    """Two 3x3 convolutions, added to the shortcut.

    What a batch norm gives is changed in place: its gradient does not need it, and memory is what
    these small networks wait for.
    """

    def __init__(self, inputs: int, outputs: int, shortcut: str) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first = _convolution(inputs, outputs, stride)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = _convolution(outputs, outputs)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = _shortcut(inputs, outputs, shortcut)

    def forward(self, images: Tensor) -> Tensor:
        hidden = relu(self.first_norm(self.first(images)), inplace=True)
        hidden = self.second_norm(self.second(hidden))
        hidden += self.shortcut(images)
        return relu(hidden, inplace=True)


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


def _shortcut(inputs: int, outputs: int, kind: str) -> nn.Module:
    if inputs == outputs:
        return nn.Identity()
    if kind == "A":
        return SubsampleAndPad(outputs - inputs)
    projection = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
    return nn.Sequential(projection, nn.BatchNorm2d(outputs))


class SubsampleAndPad(nn.Module):
    """Option A: every second pixel, then zero channels after the others.

    Pooling of single pixels gives the values and gradients of ``images[:, :, ::2, ::2]``. But its
    gradient stays channels last; that of a slice does not, and what follows slows down.
    """

    def __init__(self, extra_channels: int) -> None:
        super().__init__()
        self.extra_channels = extra_channels

    def forward(self, images: Tensor) -> Tensor:
        """``[N, C, H, W]`` to ``[N, C + extra, H / 2, W / 2]``, rounded up."""
        return pad(avg_pool2d(images, 1, 2), (0, 0, 0, 0, 0, self.extra_channels))


def _initialise(model: nn.Module, stream: torch.Generator) -> None:
    """Normal weights of variance 2 / fan-in (He et al. 2015), in module order.

    The linear layer has no ReLU after it and gets 1 / fan-in; its bias starts at 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=stream)
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear", generator=stream)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
