"""The same distillation by other loops, so that ratios compare loops and nothing else.

Every rival trains the same student from the same teacher on the same images, in batches of the same
size, with SGD and the loss of Hinton et al. (2015) or kdlib's, on all cores. Each function returns
one that trains a single pass over the images. More rivals: ``repdistiller``, ``torchdistill_loop``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax
from torch.utils.data import DataLoader, Dataset

from kdlib.data import Split, num_views, torchvision_import
from kdlib.models import ModelSpec, build
from kdlib.training import CosineDecay, LossVectors, Recipe, TeacherSignal, train
from kdlib.training.job import StepKind
from kdlib.training.recipe import Precision
from kdlib.training.teacher_views import TeacherTable

Pass = Callable[[], None]

CLASSES = 100
TEMPERATURE = 4.0
ALPHA = 0.9
RATE = 0.05
WORKERS = 2


@dataclass(frozen=True)
class Kind:
    """How kdlib trains: its number format, and how it takes a step (``kdlib.training.train``)."""

    precision: Precision = "fp32"
    step: str = "eager"

    def __str__(self) -> str:
        return self.precision if self.step == "eager" else f"{self.precision} {self.step}"


EAGER, FUSED, BF16 = Kind(), Kind(step="fused"), Kind("bf16")


@dataclass(frozen=True, eq=False)
class Work:
    """What is to be done.

    Attributes:
        images: uint8 ``[N, C, H, W]``.
        labels: ``[N]``.
        num_classes: L.
        teacher: depth of the CIFAR ResNet that teaches.
        student: depth of the one that learns.
        batch_size: images per step; divides N.
    """

    images: Tensor
    labels: Tensor
    num_classes: int
    teacher: int = 56
    student: int = 20
    batch_size: int = 64

    def network(self, depth: int, seed: int = 0) -> nn.Module:
        """A network for these images at initial weights."""
        channels, size = self.images.shape[1], self.images.shape[2]
        return build(
            ModelSpec(depth=depth),
            num_classes=self.num_classes,
            channels=channels,
            image_size=size,
            seed=seed,
        )

    def split(self) -> Split:
        """The images as kdlib takes them."""
        rows = torch.arange(len(self.labels))
        return Split("train", self.images, self.labels, rows, self.num_classes)

    def recipe(self, epochs: int = 1, precision: Precision = "fp32") -> Recipe:
        """SGD as all rivals do it."""
        return Recipe(
            epochs=epochs,
            batch_size=self.batch_size,
            peak_rate=RATE,
            warmup_epochs=0,
            schedule=CosineDecay(),
            weight_decay=5e-4,
            momentum=0.9,
            nesterov=False,
            crop_padding=4,
            flip=True,
            input_scaling="standardise",
            precision=precision,
        )


def random_work(images: int) -> Work:
    """Images of CIFAR-100's size and number of classes; whole batches of 64."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, 32, 32), generator=random, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (images,), generator=random)
    return Work(pixels, labels, CLASSES)


def random_table(work: Work) -> TeacherTable:
    """As large as the cache of all views; no time depends on what it holds."""
    views = num_views(work.recipe().crop_padding, flip=True)
    return TeacherTable(torch.randn(len(work.labels), views, work.num_classes))


class Pictures(Dataset[tuple[Any, ...]]):
    """A data set in the manner of torchvision: a PIL image, transformed, and its label."""

    def __init__(self, work: Work) -> None:
        self.arrays = work.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = work.labels.tolist()
        transforms = torchvision_import.module("torchvision.transforms")
        mean, spread = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(work.images.shape[2], padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(mean, spread),
            ]
        )

    def __len__(self) -> int:
        """How many images."""
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Any, ...]:
        """Row's image in a random view, and its label."""
        return self.transform(Image.fromarray(np.asarray(self.arrays[row]))), self.labels[row]


def with_kdlib(
    work: Work,
    teacher: nn.Module | TeacherSignal | None = None,
    *,
    kind: Kind = EAGER,
    alpha: float = ALPHA,
) -> Pass:
    """Kdlib's loop; the teacher answers by forward passes unless another source is given."""
    student, split = work.network(work.student, seed=1), work.split()
    vectors = LossVectors.constant(work.num_classes, mix=alpha, temperature=TEMPERATURE)
    source = teacher or work.network(work.teacher)

    def one_pass() -> None:
        train(
            student,
            split,
            vectors,
            work.recipe(1, kind.precision),
            seed=0,
            teacher=source,
            dataset_name="cifar100",
            bar=False,
            step=cast(StepKind, kind.step),
        )

    return one_pass


def with_table(work: Work, kind: Kind = EAGER) -> Pass:
    """The same with a teacher cache."""
    return with_kdlib(work, random_table(work), kind=kind)


def with_tutorial(work: Work, workers: int = WORKERS) -> Pass:
    """The loop of PyTorch's tutorial on knowledge distillation: a loss read back at each step."""
    teacher, student = work.network(work.teacher).eval(), work.network(work.student, seed=1)
    optimizer, loader = sgd(student), batches(Pictures(work), work.batch_size, workers)

    def one_pass() -> None:
        student.train()
        running = 0.0
        for images, labels in loader:
            optimizer.zero_grad()
            with torch.no_grad():
                teacher_logits = teacher(images)
            loss = hinton_loss(student(images), teacher_logits, labels)
            loss.backward()
            optimizer.step()
            running += loss.item()

    return one_pass


def hinton_loss(logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with the labels, and T^2 times the divergence from the teacher."""
    soft = softmax(teacher_logits / TEMPERATURE, dim=1)
    divergence = kl_div(log_softmax(logits / TEMPERATURE, dim=1), soft, reduction="batchmean")
    return (1 - ALPHA) * cross_entropy(logits, labels) + ALPHA * TEMPERATURE**2 * divergence


def batches(pictures: Pictures, batch_size: int, workers: int) -> DataLoader[Any]:
    """In random order, fetched by worker processes that stay from pass to pass.

    Epochs of CIFAR-100 are so much longer than passes here that starting workers, which the loops
    do at each epoch, would weigh 30 times too much.
    """
    return DataLoader(
        pictures, batch_size, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )


def sgd(student: nn.Module) -> torch.optim.SGD:
    """As all loops here update a student."""
    return torch.optim.SGD(student.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)
