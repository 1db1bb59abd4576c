"""Networks: the CIFAR ResNets of He et al. (2016); for photographs torchvision's networks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag
from torch import nn

from kdlib.models.cifar import CifarResNet, ModelSpec, build_cifar
from kdlib.models.imagenet import EfficientNetV2, ImageNetResNet, PhotoNetwork, build_imagenet
from kdlib.validated import Frozen

__all__ = [
    "ImageNetResNet",
    "ModelSpec",
    "build",
]


def _family(value: Any) -> str:
    named = value.get("family") if isinstance(value, dict) else getattr(value, "family", None)
    if named is None:
        return "cifar"
    return "efficientnet" if named == "efficientnet_v2" else "imagenet"


AnyModel = Annotated[
    Annotated[ModelSpec, Tag("cifar")]
    | Annotated[ImageNetResNet, Tag("imagenet")]
    | Annotated[EfficientNetV2, Tag("efficientnet")],
    Discriminator(_family),
]
"""Any network: what has no ``family`` is a ``ModelSpec``."""


class _Shape(Frozen):
    """What the data ask of a model."""

    num_classes: int = Field(ge=2)
    channels: int = Field(ge=1)
    image_size: int = Field(ge=8)
    seed: int = Field(ge=0)


def build(
    spec: AnyModel, *, num_classes: int, channels: int, image_size: int, seed: int
) -> nn.Module:
    """A freshly initialised network on the CPU: images ``[N, C, H, W]`` to logits ``[N, L]``.

    The same seed gives the same weights; torch's global random state is neither used nor changed.

    Args:
        spec: which network.
        num_classes: logits L, at least 2.
        channels: channels C of an image, at least 1; 3 for photographs.
        image_size: height and width in pixels, at least 8: the last stage of a CIFAR ResNet sees a
            quarter of it, that of the others a 32nd.
        seed: seed of the initial weights, at least 0.

    Raises:
        SettingError: when a value is out of its range.
    """
    shape = _Shape.parse(
        num_classes=num_classes, channels=channels, image_size=image_size, seed=seed
    )
    if isinstance(spec, PhotoNetwork):
        return build_imagenet(spec, shape.num_classes, shape.channels, shape.seed)
    return build_cifar(spec, shape.num_classes, shape.channels, shape.seed)


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
