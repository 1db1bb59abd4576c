"""What ``measure_gpu.py`` measures: trainings on random images of CIFAR-100's shape."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from kdlib.data import Split, num_views
from kdlib.models import ModelSpec, build
from kdlib.training import PRESETS, LossVectors, Recipe, train
from kdlib.training.captured import StaticStep
from kdlib.training.job import StepKind, epoch_plan, prepare
from kdlib.training.many import Student, train_many
from kdlib.training.steps import forget
from kdlib.training.teacher_views import TeacherTable, build_table

GB = 10**9


@dataclass(frozen=True)
class Scale:
    """How large all is; the dry run is the same at the size of a toy, on a CPU."""

    device: str = "cuda"
    precision: str = "bf16"
    classes: int = 100
    image_size: int = 32
    teacher: int = 56
    student: int = 20
    images: int = 50_000
    long_tail: int = 10_847
    large: int = 1024
    small: int = 128
    small_images: int = 12_800
    epochs: int = 4
    students: int = 4
    table_images: int = 500
    copied_bytes: int = 4 * 2**30
    compiled: StepKind = "compiled"


DRY = Scale(
    device="cpu", precision="fp32", classes=4, image_size=8, teacher=8, student=8, images=8,
    long_tail=6, large=4, small=2, small_images=4, epochs=2, students=2, table_images=2,
    copied_bytes=2**20, compiled="captured",
)  # fmt: skip
"""On a CPU nothing is captured, and nothing is compiled: that would take minutes."""


@dataclass(frozen=True)
class Speed:
    """A training: images and seconds per epoch in the median, and what came before the first step.

    ``built`` includes capture and compilation; ``again`` is the same for a second training of the
    shape. Memory is the peak of what torch has taken, in bytes.
    """

    name: str
    images_a_second: float
    epoch: float
    built: float
    again: float
    memory: int


def wait(scale: Scale) -> None:
    """Until the device is done."""
    if scale.device == "cuda":
        torch.cuda.synchronize()


def random_split(scale: Scale, images: int) -> Split:
    """Images that no time depends on."""
    random = torch.Generator().manual_seed(0)
    shape = (images, 3, scale.image_size, scale.image_size)
    pixels = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)
    labels = torch.arange(images) % scale.classes
    return Split("train", pixels, labels, torch.arange(images), scale.classes)


def network(scale: Scale, depth: int, seed: int = 0) -> nn.Module:
    """A CIFAR ResNet at initial weights."""
    shape: dict[str, Any] = {"num_classes": scale.classes, "channels": 3}
    return build(ModelSpec(depth=depth), image_size=scale.image_size, seed=seed, **shape)


def recipe_of(scale: Scale, batch: int, epochs: int) -> Recipe:
    """That of the paper, at another length and precision."""
    values = PRESETS["cifar100_lt_paper"].model_dump()
    values |= {"epochs": epochs, "warmup_epochs": 0, "batch_size": batch}
    return Recipe.parse(**values | {"precision": scale.precision})


def plain_teacher(scale: Scale, images: int) -> nn.Module:
    """It answers by forward passes."""
    return network(scale, scale.teacher)


def table_teacher(scale: Scale, images: int) -> TeacherTable:
    """It looks its answers up, which are random here."""
    views = num_views(4, True)
    logits = torch.randn(images, views, scale.classes, device=scale.device)
    return TeacherTable(logits, scale.device)


Teacher = Callable[[Scale, int], Any]


def speed(
    scale: Scale,
    kind: StepKind,
    *,
    depth: int | None = None,
    batch: int | None = None,
    images: int | None = None,
    teacher: Teacher | None = None,
) -> Speed:
    """Train an epoch, then ``scale.epochs`` of the same shape; the first of these is left out."""
    batch, images = batch or scale.large, images or scale.images
    split = random_split(scale, images)
    source = None if teacher is None else teacher(scale, images)
    model = network(scale, depth or scale.teacher)
    vectors = LossVectors.constant(scale.classes, 0.0 if teacher is None else 0.9, 4.0)
    _forget_memory(scale)

    def training(epochs: int) -> tuple[list[float], float]:
        """Seconds of the epochs, and of all the rest."""
        started = time.perf_counter()
        outcome = train(
            model, split, vectors, recipe_of(scale, batch, epochs), seed=0, device=scale.device,
            teacher=source, step=kind, bar=False,
        )  # fmt: skip
        seconds = [record["seconds"] for record in outcome.history]
        return seconds, time.perf_counter() - started - sum(seconds)

    _, built = training(1)
    seconds, again = training(scale.epochs)
    epoch = statistics.median(seconds[1:])
    seen = images // batch * batch
    memory = torch.cuda.max_memory_allocated() if scale.device == "cuda" else 0
    return Speed(kind, seen / epoch, epoch, built, again, memory)


def _forget_memory(scale: Scale) -> None:
    forget()
    if scale.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def bandwidth(scale: Scale) -> float:
    """Bytes per second that a large copy reads and writes on the device, at its best of five."""
    source = torch.empty(scale.copied_bytes, dtype=torch.uint8, device=scale.device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(6):
        wait(scale)
        started = time.perf_counter()
        target.copy_(source)
        wait(scale)
        best = min(best, time.perf_counter() - started)
    return 2 * scale.copied_bytes / best


def views_a_second(scale: Scale) -> float:
    """How fast a teacher cache is built."""
    split, recipe = random_split(scale, scale.table_images), recipe_of(scale, scale.large, 1)
    teacher = network(scale, scale.teacher)
    times = []
    for _ in range(2):  # the first warms up
        started = time.perf_counter()
        build_table(teacher, split, recipe, dataset_name="cifar100", device=scale.device)
        times.append(time.perf_counter() - started)
    return scale.table_images * num_views(4, True) / times[-1]


def side_by_side(scale: Scale) -> tuple[float, float]:
    """Images per second of several students: one after the other, and at once on a stream each."""
    steps = [_ready_step(scale, seed) for seed in range(scale.students)]
    streams = [torch.cuda.Stream() if scale.device == "cuda" else None for _ in steps]
    each = scale.small_images // scale.small

    def alone() -> None:
        for step in steps:
            for _ in range(each):
                step.run()

    def together() -> None:
        for _ in range(each):
            for step, stream in zip(steps, streams, strict=True):
                with torch.cuda.stream(stream) if stream is not None else nullcontext():
                    step.run()

    shown = len(steps) * each * scale.small
    return shown / _timed(scale, steps, alone), shown / _timed(scale, steps, together)


def stacked(scale: Scale) -> float:
    """Images per second of as many students as one wide network (``train_many``)."""
    vectors, split = LossVectors.constant(scale.classes), random_split(scale, scale.small_images)
    seeds = range(scale.students)
    students = [Student(network(scale, scale.student, s), split, vectors, s) for s in seeds]
    recipe = recipe_of(scale, scale.small, 2)
    outcomes = train_many(students, recipe, device=scale.device, bar=False)
    return outcomes[0].history[-1]["images_per_second"]


def _ready_step(scale: Scale, seed: int) -> StaticStep:
    vectors = LossVectors.constant(scale.classes)
    recipe, split = recipe_of(scale, scale.small, 1), random_split(scale, scale.small_images)
    model = network(scale, scale.student, seed)
    job = prepare(model, split, vectors, recipe, seed=seed, device=scale.device)
    step = StaticStep(job, "captured")
    step.load(job)
    step.begin_epoch(*epoch_plan(job, 0), [0.1] * job.steps)
    return step


def _timed(scale: Scale, steps: Sequence[StaticStep], action: Callable[[], None]) -> float:
    """Seconds of an epoch of all ``steps``, after one that warms up."""
    seconds = 0.0
    for _ in range(2):
        for step in steps:
            step.rewind()
        wait(scale)
        started = time.perf_counter()
        action()
        wait(scale)
        seconds = time.perf_counter() - started
    return seconds


@contextmanager
def longest_tuning() -> Iterator[None]:
    """Let the compiler time its own kernels for convolutions too."""
    import torch._inductor.config as inductor

    with inductor.patch(max_autotune=True):
        yield
