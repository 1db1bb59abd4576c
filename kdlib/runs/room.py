"""How much room finished runs will take, told before they are trained."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kdlib.models import AnyModel, build
from kdlib.runs.shapes import Shape, shape_of
from kdlib.runs.spec import RunSpec

HELD_OUT = {
    "digits": 897, "fashion_mnist": 10_000, "cifar10": 10_000, "cifar100": 10_000,
    "imagenet": 50_000, "imagenet_lt": 50_000, "inaturalist2018": 24_426,
    "tinyimagenet": 10_000,
}  # fmt: skip
"""Validation and test images together, by data set: the official test set."""
_DEV_SHARE = 0.2
_TEXTS = 10_000
"""Bytes of the tables and JSON of a small run."""


def room(specs: Iterable[RunSpec]) -> int:
    """Bytes of the finished runs: weights, logits with labels and indices, and a few tables."""
    return sum(_room(spec) for spec in specs)


def _room(spec: RunSpec) -> int:
    shape = shape_of(spec)
    dev = _DEV_SHARE * shape.training_examples(spec.data.imbalance)
    images = HELD_OUT[spec.data.name] + round(dev)
    return 4 * _weights(spec.model, shape) + images * (4 * shape.num_classes + 16) + _TEXTS


@cache
def _weights(model: AnyModel, shape: Shape) -> int:
    network = build(
        model, num_classes=shape.num_classes, channels=shape.channels,
        image_size=shape.image_size, seed=0,
    )  # fmt: skip
    return sum(array.numel() for array in network.state_dict().values())
