"""The same distillation by other loops, so that ratios compare loops and nothing else.

Every rival trains the same student from the same teacher on the same images, in batches of the same
size, with SGD and the loss of Hinton et al. (2015) or kdlib's, on all cores. Each function returns
one that trains a single pass over the images.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax
from torch.utils.data import DataLoader, Dataset

from kdlib.data import Split, torchvision_import
from kdlib.models import ModelSpec, build
from kdlib.training import CosineDecay, LossVectors, Recipe, TeacherSignal, train
from kdlib.training.recipe import Precision

Pass = Callable[[], None]

TEMPERATURE = 4.0
ALPHA = 0.9
RATE = 0.05
WORKERS = 2
REPDISTILLER_WORKERS = 8


@dataclass(frozen=True, eq=False)
class Work:
    """What is to be done.

    Attributes:
        images: uint8 ``[N, C, H, W]``.
        labels: ``[N]``.
        num_classes: L.
        teacher: depth of the CIFAR ResNet that teaches.
        student: depth of the one that learns.
        batch_size: images a step; divides N.
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


class Pictures(Dataset[tuple[Any, int]]):
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

    def __getitem__(self, row: int) -> tuple[Any, int]:
        """Row's image in a random view, and its label."""
        return self.transform(Image.fromarray(np.asarray(self.arrays[row]))), self.labels[row]


def with_kdlib(
    work: Work,
    teacher: nn.Module | TeacherSignal | None = None,
    *,
    precision: Precision = "fp32",
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
            work.recipe(1, precision),
            seed=0,
            teacher=source,
            dataset_name="cifar100",
            bar=False,
        )

    return one_pass


def with_tutorial(work: Work, workers: int = WORKERS) -> Pass:
    """The loop of PyTorch's tutorial on knowledge distillation: a loss read back at each step."""
    teacher, student = work.network(work.teacher).eval(), work.network(work.student, seed=1)
    optimizer, loader = _sgd(student), _loader(work, workers)

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


def with_repdistiller_shape(work: Work) -> Pass:
    """A loop of the shape of RepDistiller's: eight workers, and at each step loss, top-1 and top-5.

    RepDistiller is no package that can be installed; this is written after the structure of its
    ``train_distill`` for ``--distill kd``, on the same networks as the other rivals.
    """
    teacher, student = work.network(work.teacher).eval(), work.network(work.student, seed=1)
    optimizer, loader = _sgd(student), _loader(work, REPDISTILLER_WORKERS)

    def one_pass() -> None:
        student.train()
        seen: list[float] = []
        for images, labels in loader:
            logits = student(images.float())
            with torch.no_grad():
                teacher_logits = teacher(images.float())
            loss = hinton_loss(logits, teacher_logits, labels)
            seen += [*top_accuracies(logits, labels), loss.item()]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return one_pass


def with_torchdistill(work: Work) -> Pass:
    """Torchdistill's box and the steps of its example of image classification.

    Raises:
        ImportError: torchdistill is not installed.
    """
    torchvision_import.datasets()
    from torchdistill.core.distillation import DistillationBox

    logging.getLogger("torchdistill").setLevel(logging.ERROR)
    device = torch.device("cpu")
    networks = work.network(work.teacher), work.network(work.student, seed=1)
    box = DistillationBox(
        *networks, {"train": Pictures(work)}, _torchdistill_config(work), device, None, False, 1
    )

    def one_pass() -> None:
        box.pre_epoch_process(epoch=0)
        for images, labels, extra in box.train_data_loader:
            loss = box.forward_process(images.to(device), labels.to(device), extra)
            box.post_forward_process(loss=loss)
            if not np.isfinite(loss.item()):
                raise ValueError("the training loop was broken: the loss is not finite")

    return one_pass


def hinton_loss(logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy with the labels, and T^2 times the divergence from the teacher."""
    soft = softmax(teacher_logits / TEMPERATURE, dim=1)
    divergence = kl_div(log_softmax(logits / TEMPERATURE, dim=1), soft, reduction="batchmean")
    return (1 - ALPHA) * cross_entropy(logits, labels) + ALPHA * TEMPERATURE**2 * divergence


def top_accuracies(logits: Tensor, labels: Tensor) -> list[float]:
    """Top-1 and top-5 accuracy in percent, read back to the host."""
    found = logits.topk(5, dim=1).indices == labels[:, None]
    return [100 * found[:, :k].any(1).float().mean().item() for k in (1, 5)]


def _loader(work: Work, workers: int) -> DataLoader[Any]:
    return DataLoader(Pictures(work), batch_size=work.batch_size, shuffle=True, num_workers=workers)


def _sgd(student: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(student.parameters(), lr=RATE, momentum=0.9, weight_decay=5e-4)


def _torchdistill_config(work: Work) -> dict[str, Any]:
    """What torchdistill's YAML files say for plain knowledge distillation."""
    logits = {"student_module_path": ".", "student_module_io": "output"}
    logits |= {"teacher_module_path": ".", "teacher_module_io": "output"}
    weights = {"temperature": TEMPERATURE, "alpha": 1 - ALPHA}
    loss = {"key": "KDLoss", "kwargs": {**logits, **weights}}
    return {
        "num_epochs": 1,
        "train_data_loader": {
            "dataset_id": "train",
            "sampler": {"class_or_func": torch.utils.data.RandomSampler, "kwargs": {}},
            "kwargs": {"batch_size": work.batch_size, "num_workers": WORKERS},
        },
        "teacher": {"requires_grad": False, "forward_proc": "forward_batch_only"},
        "student": {"requires_grad": True, "forward_proc": "forward_batch_only"},
        "optimizer": {
            "key": "SGD",
            "kwargs": {"lr": RATE, "momentum": 0.9, "weight_decay": 5e-4},
        },
        "criterion": {
            "key": "WeightedSumLoss",
            "kwargs": {"sub_terms": {"kd": {"criterion": loss, "weight": 1.0}}},
        },
    }
