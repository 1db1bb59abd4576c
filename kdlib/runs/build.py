"""What a spec trains, and on what: its network at the start, and its data."""

from __future__ import annotations

from torch import nn

from kdlib.data import Dataset, Split, load
from kdlib.models import PhotoNetwork, build
from kdlib.runs.shapes import Shape
from kdlib.runs.spec import RunSpec


def dataset_for(spec: RunSpec) -> Dataset:
    """The data set that the spec names, with its long tail."""
    data = spec.data
    return load(
        data.name,
        imbalance=data.imbalance,
        subset_seed=data.subset_seed,
        class_share=data.class_share,
        class_seed=data.class_seed,
        image_size=spec.model.image_size if isinstance(spec.model, PhotoNetwork) else None,
    )


def training_split(spec: RunSpec, dataset: Dataset) -> Split:
    """The examples that the run trains on."""
    return dataset.train if spec.data.part == "train" else dataset.train_minus_dev


def model_for(spec: RunSpec, data: Dataset | Shape | None = None) -> nn.Module:
    """The network at its initial weights: a function of the model, the data's shape, the seed."""
    shape = data or dataset_for(spec)
    return build(
        spec.model,
        num_classes=shape.num_classes,
        channels=shape.channels,
        image_size=shape.image_size,
        seed=spec.seed,
    )
