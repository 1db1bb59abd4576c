"""Networks for photographs, as torchvision builds them: ResNets and EfficientNetV2."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from kdlib.data import torchvision_import
from kdlib.data.image_files import MAX_SIZE, MIN_SIZE
from kdlib.errors import SettingError
from kdlib.seeds import generator
from kdlib.validated import Frozen


class ImageNetResNet(Frozen):
    """Which residual network of He et al. (2016) for photographs.

    Attributes:
        family: tells it from ``ModelSpec``, whose depths overlap.
        depth: layers with weights, 18, 34 or 50; 50 has bottleneck blocks.
        image_size: side in pixels of the crops that it sees, 32 to 1024; He et al. take 224.
    """

    family: Literal["imagenet"] = "imagenet"
    depth: Literal[18, 34, 50]
    image_size: int = Field(default=224, ge=MIN_SIZE, le=MAX_SIZE)

    @property
    def title(self) -> str:
        """Its name, as papers write it."""
        return f"ImageNet ResNet-{self.depth}"


class EfficientNetV2(Frozen):
    """Which network of Tan & Le (2021), "EfficientNetV2".

    It is trained without dropout and without stochastic depth, so that a run follows from its seed.

    Attributes:
        family: tells it from the others.
        scale: ``s``, ``m`` or ``l``.
        image_size: side in pixels of the crops that it sees, 32 to 1024; the paper's are 128 to
            380.
    """

    family: Literal["efficientnet_v2"] = "efficientnet_v2"
    scale: Literal["s", "m", "l"]
    image_size: int = Field(default=224, ge=MIN_SIZE, le=MAX_SIZE)

    @property
    def title(self) -> str:
        """Its name, as papers write it."""
        return f"EfficientNetV2-{self.scale.upper()}"


PhotoNetwork = ImageNetResNet | EfficientNetV2


def build_imagenet(spec: PhotoNetwork, num_classes: int, channels: int, seed: int) -> nn.Module:
    """Torchvision's network, at initial weights that ``seed`` decides; see ``kdlib.models.build``.

    Raises:
        SettingError: ``channels`` is not 3.
    """
    if channels != 3:
        raise SettingError(f"channels = {channels} is not allowed: {spec.title} needs 3")
    with torch.device("meta"):  # no memory and no random numbers yet
        model = _made(spec, num_classes)
    model = model.to_empty(device="cpu")
    _initialise(model, generator("init", seed), isinstance(spec, EfficientNetV2))
    return model


def _made(spec: PhotoNetwork, num_classes: int) -> nn.Module:
    networks = torchvision_import.module("torchvision.models")
    if isinstance(spec, ImageNetResNet):
        return getattr(networks, f"resnet{spec.depth}")(num_classes=num_classes)
    make = getattr(networks, f"efficientnet_v2_{spec.scale}")
    return make(num_classes=num_classes, dropout=0.0, stochastic_depth_prob=0.0)


def _initialise(model: nn.Module, stream: torch.Generator, efficient: bool) -> None:
    """Torchvision's distributions, in module order: convolutions as He et al. (2015) by fan-out.

    The linear layer of a ResNet is uniform within 1 / sqrt(fan-in), its bias too; that of an
    EfficientNet within 1 / sqrt(fan-out), and its biases are 0.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(
                module.weight, mode="fan_out", nonlinearity="relu", generator=stream
            )
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.out_features if efficient else module.in_features)
            for values in (module.weight, module.bias):
                nn.init.uniform_(values, -bound, bound, generator=stream)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        bias = getattr(module, "bias", None)
        if efficient and bias is not None:
            nn.init.zeros_(bias)
