"""How long would these runs take here? Measured on a few steps of each kind, before any starts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kdlib.data import Split, long_tailed_counts
from kdlib.data.class_subsets import kept_classes
from kdlib.data.image_files import ImageFiles, Images
from kdlib.data.image_folders import PUBLISHED
from kdlib.models import ImageNetResNet, build
from kdlib.runs.execute import threads_for
from kdlib.runs.spec import RunSpec
from kdlib.runs.train_one import torch_threads
from kdlib.training import CosineDecay, LossVectors, Student, train, train_many


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
}
_CPU_BATCH, _CPU_PIXELS = 64, 8 * 224**2


def shape_of(spec: RunSpec) -> Shape:
    """The shape of the spec's data, with the classes that it keeps."""
    data, shape = spec.data, SHAPES[spec.data.name]
    if isinstance(spec.model, ImageNetResNet):
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


def estimated_seconds(stacks: Iterable[Sequence[RunSpec]], *, device: str, jobs: int) -> float:
    """Wall-clock seconds to train ``stacks`` on ``device`` with ``jobs`` processes.

    The runs of a stack share their steps; a stack of one trains alone. Times a few steps of each
    distinct network, data shape, recipe and number of runs in a step; data of that shape are made
    up, so nothing is downloaded. Of images in files it also times reading them. Right to a factor
    of about 1.5 on a quiet machine.
    """
    speeds: dict[tuple[object, ...], float] = {}
    seconds = 0.0
    for stack in stacks:
        kind = (*sorted(map(_kind, stack), key=repr),)
        if kind not in speeds:
            threads = threads_for(stack[0], jobs)
            speeds[kind] = images_per_second(stack, device=device, threads=threads)
        seconds += sum(map(training_images, stack)) / speeds[kind]
    return seconds / jobs


def _kind(spec: RunSpec) -> tuple[object, ...]:
    return spec.model, shape_of(spec), spec.recipe, spec.teacher and spec.teacher.model


def images_per_second(stack: Sequence[RunSpec], *, device: str, threads: int) -> float:
    """Training speed of the runs' networks, teachers and recipe on made-up images, of all in sum.

    For a set whose images lie in files, these are copies of one made-up JPEG, so that reading is
    timed along with the training that it overlaps.
    """
    spec = stack[0]
    batch = spec.recipe.batch_size
    if device != "cuda":
        batch = min(batch, _CPU_BATCH, max(2, _CPU_PIXELS // shape_of(spec).image_size ** 2))
    with torch_threads(threads):
        # The least of several: first calls take longer, and so does one that was disturbed.
        short = min(_seconds(stack, batch, 1, device) for _ in range(3))
        long = min(_seconds(stack, batch, 5, device) for _ in range(2))
    # What comes before the first step drops out, but for making up the images of four steps. The
    # bound is for clocks that are too coarse.
    return len(stack) * 4 * batch / max(long - short, long / 4)


def _seconds(stack: Sequence[RunSpec], batch: int, steps: int, device: str) -> float:
    started = time.perf_counter()
    _train_made_up(stack, batch, steps=steps, device=device)
    return time.perf_counter() - started


def _train_made_up(stack: Sequence[RunSpec], batch: int, *, steps: int, device: str) -> None:
    spec = stack[0]
    short = {"epochs": 1, "warmup_epochs": 0, "stop_after": None, "batch_size": batch}
    recipe = spec.recipe.model_copy(update=short | {"schedule": CosineDecay()})
    how: dict[str, Any] = {"device": device, "dataset_name": spec.data.name, "bar": False}
    with tempfile.TemporaryDirectory() as folder:
        students = [_student(one, batch * steps, Path(folder)) for one in stack]
        if len(students) > 1:
            train_many(students, recipe, **how)
            return
        (one,) = students
        train(one.model, one.split, one.vectors, recipe, seed=0, teacher=one.teacher, **how)


def _student(spec: RunSpec, count: int, folder: Path) -> Student:
    shape = shape_of(spec)
    return Student(
        model=_network(spec, shape),
        split=_made_up(spec, shape, count, folder),
        vectors=_plain_vectors(spec, shape),
        seed=0,
        teacher=_network(spec.teacher, shape) if spec.teacher else None,
    )


def _made_up(spec: RunSpec, shape: Shape, count: int, folder: Path) -> Split:
    labels = torch.arange(count) % shape.num_classes
    images: Images
    if spec.data.name in PUBLISHED:
        write_photograph(folder / "photograph.jpg")
        images = ImageFiles(folder, np.full(count, "photograph.jpg", object), shape.image_size)
    else:
        size = (count, shape.channels, shape.image_size, shape.image_size)
        images = torch.randint(0, 256, size, dtype=torch.uint8)
    return Split("made_up", images, labels, torch.arange(count), shape.num_classes)


def write_photograph(path: Path) -> None:
    """A JPEG of smooth noise, 500 by 375 pixels and about 110 kB, as ImageNet's are on average."""
    from PIL import Image

    coarse = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
    image.save(path, quality=85)


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
