"""How long would these runs take here? Measured on a few steps of each kind, before any starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from kdlib.data import Split, long_tailed_counts
from kdlib.data.class_subsets import kept_classes
from kdlib.models import build
from kdlib.runs.execute import threads_for
from kdlib.runs.spec import RunSpec
from kdlib.runs.train_one import torch_threads
from kdlib.training import CosineDecay, LossVectors, steps_per_epoch, train


@dataclass(frozen=True)
class Shape:
    """What a data set's size is known to be without reading it."""

    num_classes: int
    head: int
    channels: int
    image_size: int


SHAPES = {
    "digits": Shape(10, 90, 1, 8),
    "fashion_mnist": Shape(10, 6000, 1, 28),
    "cifar10": Shape(10, 5000, 3, 32),
    "cifar100": Shape(100, 500, 3, 32),
}
_CPU_BATCH = 64


def shape_of(spec: RunSpec) -> Shape:
    """The shape of the spec's data, with the classes that it keeps."""
    shape = SHAPES[spec.data.name]
    if spec.data.class_share == 1:
        return shape
    kept = kept_classes(
        spec.data.name, shape.num_classes, spec.data.class_share, spec.data.class_seed
    )
    return replace(shape, num_classes=len(kept))


def training_images(spec: RunSpec) -> int:
    """Images that the whole training passes through the network, counted from the spec alone.

    The dev examples of a ``train_minus_dev`` run are counted in, so it is an upper bound there.
    """
    shape = shape_of(spec)
    examples = sum(long_tailed_counts(shape.head, shape.num_classes, spec.data.imbalance))
    steps = steps_per_epoch(spec.recipe, examples)
    return spec.recipe.last_epoch * steps * min(spec.recipe.batch_size, examples)


def estimated_seconds(specs: Sequence[RunSpec], *, device: str, jobs: int) -> float:
    """Wall-clock seconds to train ``specs`` on ``device`` with ``jobs`` processes.

    Times a few steps of each distinct network, data shape and recipe; data of that shape are made
    up, so nothing is downloaded. Right to a factor of about 1.5 on a quiet machine.
    """
    speeds: dict[tuple[object, ...], float] = {}
    seconds = 0.0
    for spec in specs:
        kind = (spec.model, shape_of(spec), spec.recipe, spec.teacher and spec.teacher.model)
        if kind not in speeds:
            speeds[kind] = images_per_second(spec, device=device, threads=threads_for(spec, jobs))
        seconds += training_images(spec) / speeds[kind]
    return seconds / jobs


def images_per_second(spec: RunSpec, *, device: str, threads: int) -> float:
    """Training speed of the spec's network, teacher and recipe on made-up images."""
    batch = spec.recipe.batch_size if device == "cuda" else min(spec.recipe.batch_size, _CPU_BATCH)
    with torch_threads(threads):
        _train_made_up(spec, batch, steps=2, device=device)
        started = time.perf_counter()
        _train_made_up(spec, batch, steps=4, device=device)
        return 4 * batch / (time.perf_counter() - started)


def _train_made_up(spec: RunSpec, batch: int, *, steps: int, device: str) -> None:
    shape = shape_of(spec)
    size = (batch * steps, shape.channels, shape.image_size, shape.image_size)
    images = torch.randint(0, 256, size, dtype=torch.uint8)
    labels = torch.arange(len(images)) % shape.num_classes
    split = Split("made_up", images, labels, torch.arange(len(images)), shape.num_classes)
    short = {"epochs": 1, "warmup_epochs": 0, "stop_after": None, "batch_size": batch}
    recipe = spec.recipe.model_copy(update=short | {"schedule": CosineDecay()})
    train(
        _network(spec, shape),
        split,
        _plain_vectors(spec, shape),
        recipe,
        seed=0,
        device=device,
        teacher=_network(spec.teacher, shape) if spec.teacher else None,
        dataset_name=spec.data.name,
        bar=False,
    )


def _network(spec: RunSpec, shape: Shape) -> torch.nn.Module:
    return build(
        spec.model,
        num_classes=shape.num_classes,
        channels=shape.channels,
        image_size=shape.image_size,
        seed=0,
    )


def _plain_vectors(spec: RunSpec, shape: Shape) -> LossVectors:
    mix = torch.full((shape.num_classes,), 1.0 if spec.teacher else 0.0)
    return LossVectors(mix=mix, log_cost=torch.zeros(shape.num_classes), temperature=1.0)
