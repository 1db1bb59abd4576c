"""How large data sets are, told without reading them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kdlib.data import long_tailed_counts
from kdlib.data.class_subsets import kept_classes
from kdlib.data.image_folders import PUBLISHED
from kdlib.models import PhotoNetwork
from kdlib.runs.spec import RunSpec


@dataclass(frozen=True)
class Shape:
    """What a data set's size is known to be without reading it.

    Attributes:
        num_classes: L.
        head: training examples of the smallest class, which is the largest of a long tail.
        channels: of an image.
        image_size: side in pixels.
        examples: training examples of all classes, where these differ in size.
    """

    num_classes: int
    head: int
    channels: int
    image_size: int
    examples: int | None = None

    def training_examples(self, imbalance: float) -> int:
        """Training examples at that imbalance."""
        if imbalance == 1 and self.examples is not None:
            return self.examples
        return sum(long_tailed_counts(self.head, self.num_classes, imbalance))

    def with_classes(self, count: int) -> Shape:
        """The shape with ``count`` of the classes, taken to be of average size."""
        examples = self.examples and round(self.examples * count / self.num_classes)
        return replace(self, num_classes=count, examples=examples)


SHAPES = {
    "digits": Shape(10, 90, 1, 8),
    "fashion_mnist": Shape(10, 6000, 1, 28),
    "cifar10": Shape(10, 5000, 3, 32),
    "cifar100": Shape(100, 500, 3, 32),
    "imagenet": Shape(1000, 732, 3, 224, examples=PUBLISHED["imagenet"][1]),
    "imagenet_lt": Shape(1000, 5, 3, 224, examples=PUBLISHED["imagenet_lt"][1]),
    "inaturalist2018": Shape(8142, 2, 3, 224, examples=PUBLISHED["inaturalist2018"][1]),
    "tinyimagenet": Shape(200, 500, 3, 224),
}


def shape_of(spec: RunSpec) -> Shape:
    """The shape of the spec's data, with the classes that it keeps."""
    data, shape = spec.data, SHAPES[spec.data.name]
    if isinstance(spec.model, PhotoNetwork):
        shape = replace(shape, image_size=spec.model.image_size)
    if data.class_share == 1:
        return shape
    kept = kept_classes(data.name, shape.num_classes, data.class_share, data.class_seed)
    return shape.with_classes(len(kept))


def training_images(spec: RunSpec) -> int:
    """Images that the whole training passes through the network, counted from the spec alone.

    The dev examples of a ``train_minus_dev`` run are counted in, so it is an upper bound there.
    """
    examples = shape_of(spec).training_examples(spec.data.imbalance)
    return spec.recipe.last_epoch * examples
