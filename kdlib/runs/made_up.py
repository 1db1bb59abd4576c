"""Trainings on made-up images of a data set's shape: timed where the set itself may be missing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kdlib.data import Split
from kdlib.data.image_files import ImageFiles, Images
from kdlib.data.image_folders import PUBLISHED
from kdlib.runs.build import model_for
from kdlib.runs.shapes import Shape, shape_of
from kdlib.runs.spec import RunSpec
from kdlib.training import CosineDecay, LossVectors, Student, train, train_many

_CPU_BATCH, _CPU_PIXELS = 64, 8 * 224**2


def timed(stack: Sequence[RunSpec], steps: int, device: str) -> tuple[float, int]:
    """Seconds and images of a training of that many steps with the runs' networks and teachers.

    For a set whose images lie in files, these are copies of one made-up JPEG, so that reading is
    timed along with the training that it overlaps.
    """
    spec = stack[0]
    batch = spec.recipe.batch_size
    if device != "cuda":
        batch = min(batch, _CPU_BATCH, max(2, _CPU_PIXELS // shape_of(spec).image_size ** 2))
    started = time.perf_counter()
    _train_made_up(stack, batch, steps=steps, device=device)
    return time.perf_counter() - started, len(stack) * steps * batch


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
        model=model_for(spec, shape),
        split=_made_up(spec, shape, count, folder),
        vectors=_plain_vectors(spec, shape),
        seed=0,
        teacher=model_for(spec.teacher, shape) if spec.teacher else None,
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


def _plain_vectors(spec: RunSpec, shape: Shape) -> LossVectors:
    mix = torch.full((shape.num_classes,), 1.0 if spec.teacher else 0.0)
    return LossVectors(mix=mix, log_cost=torch.zeros(shape.num_classes), temperature=1.0)
