"""The ImageNet ResNets of He et al. (2016), as torchvision builds them."""

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
    """Which residual network for photographs, and the size at which it sees them.

    Attributes:
        family: tells it from ``ModelSpec``, whose depths overlap.
        depth: layers with weights, 18, 34 or 50; 50 has bottleneck blocks.
        image_size: side in pixels of the crops that it sees, 32 to 1024; He et al. take 224.
    """

    family: Literal["imagenet"] = "imagenet"
    depth: Literal[18, 34, 50]
    image_size: int = Field(default=224, ge=MIN_SIZE, le=MAX_SIZE)


def build_imagenet(spec: ImageNetResNet, num_classes: int, channels: int, seed: int) -> nn.Module:
    """Torchvision's network, at initial weights that ``seed`` decides; see ``kdlib.models.build``.

    Raises:
        SettingError: ``channels`` is not 3.
    """
    if channels != 3:
        raise SettingError(f"channels = {channels} is not allowed: an ImageNet ResNet needs 3")
    networks = torchvision_import.module("torchvision.models")
    with torch.device("meta"):  # no memory and no random numbers yet
        model = getattr(networks, f"resnet{spec.depth}")(num_classes=num_classes)
    model = model.to_empty(device="cpu")
    _initialise(model, generator("init", seed))
    return model


def _initialise(model: nn.Module, stream: torch.Generator) -> None:
    """Torchvision's distributions, in module order: He et al. (2015) by fan-out.

    The linear layer is uniform within 1 / sqrt(fan-in), its bias too.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(
                module.weight, mode="fan_out", nonlinearity="relu", generator=stream
            )
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            for values in (module.weight, module.bias):
                nn.init.uniform_(values, -bound, bound, generator=stream)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
