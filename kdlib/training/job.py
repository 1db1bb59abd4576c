"""A training as the loop sees it, and what one step of it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from kdlib.data import Split
from kdlib.data.split import check_split
from kdlib.data.views import draw_views, epoch_order, to_float
from kdlib.errors import SettingError
from kdlib.training import processes
from kdlib.training.multipliers import ClassMultipliers
from kdlib.training.objective import LossVectors, batch_loss
from kdlib.training.recipe import Recipe, batch_sizes, steps_per_epoch
from kdlib.training.teacher import ForwardTeacher, TeacherSignal

StepKind = Literal["eager", "captured", "compiled", "fused"]
"""How steps are taken (``kdlib.training.steps``)."""


@dataclass(frozen=True, eq=False)
class Job:
    """What stays the same over a training; tensors and networks live on one device."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    split: Split
    vectors: LossVectors
    teacher: TeacherSignal | None
    recipe: Recipe
    seed: int
    dataset_name: str
    device: torch.device
    multipliers: ClassMultipliers | None
    forward: nn.Module
    """What is called in training: ``model``, or that of all processes (``processes.together``)."""
    step_kind: StepKind = "eager"

    @property
    def steps(self) -> int:
        """Steps per epoch."""
        return steps_per_epoch(self.recipe, len(self.split))

    @property
    def batch_sizes(self) -> list[int]:
        """Examples in each of an epoch's steps, ``[steps]``."""
        return batch_sizes(len(self.split), self.steps)

    @property
    def present_vectors(self) -> LossVectors:
        """The objective with the class multipliers as they are now."""
        return self.vectors if self.multipliers is None else self.multipliers.vectors(self.vectors)


@dataclass(frozen=True, eq=False)
class Done:
    """What a step leaves: its mean loss, a scalar, and its logits ``[N, L]`` and labels ``[N]``.

    Where several processes share the batch, ``weight`` is what this one's part counts in the
    average over them; the loss has it already.
    """

    loss: Tensor
    logits: Tensor
    labels: Tensor
    weight: float = 1.0

    @property
    def correct(self) -> Tensor:
        """Share of correct answers, a scalar; by its weight, like the loss."""
        return (self.logits.argmax(1) == self.labels).float().mean() * self.weight


def batch_results(
    job: Job, rows: Tensor, views: Tensor, images: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    """The mean loss of a batch, and the network's logits ``[N, L]``."""
    with autocast(job):
        teacher_logits = None if job.teacher is None else job.teacher(rows, views, images)
        logits = job.forward(images)
    return batch_loss(logits, labels, teacher_logits, job.present_vectors), logits


BatchResults = Callable[[Job, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def one_step(
    job: Job,
    rows: Tensor,
    views: Tensor,
    shown: Tensor,
    results: BatchResults = batch_results,
    weight: float = 1.0,
) -> Done:
    """Train on one batch: forward, loss, backward, update. Nothing is read on the host.

    Args:
        job: the training; its optimizer has the step's rate.
        rows: ``[N]``, rows of the split.
        views: ``[N]``, the view of each.
        shown: uint8 ``[N, C, H, W]``, the images in these views.
        results: ``batch_results``, or what it was compiled to.
        weight: of this process's part of the batch (``processes.weight``).
    """
    images, labels = scaled(job, shown), job.split.labels[rows]
    loss, logits = results(job, rows, views, images, labels)
    loss = loss if weight == 1 else loss * weight
    update(job, loss)
    return Done(loss.detach(), logits.detach(), labels, weight)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let the next step have this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def update(job: Job, loss: Tensor) -> None:
    """Backward pass and one step of the optimizer."""
    job.optimizer.zero_grad()
    loss.backward()
    job.optimizer.step()


def epoch_plan(job: Job, epoch: int) -> tuple[Tensor, Tensor]:
    """Order of the rows and view of each row, ``[N]`` each, on the device."""
    size, recipe = len(job.split), job.recipe
    order = epoch_order(size, job.seed, epoch)
    views = draw_views(job.split.images, job.seed, epoch, recipe.crop_padding, recipe.flip)
    return order.to(job.device), views.to(job.device)


def scaled(job: Job, images: Tensor) -> Tensor:
    """The images as float32 ``[N, C, H, W]``, channels last in memory."""
    scaled = to_float(images, job.recipe.input_scaling, job.dataset_name)
    return scaled.contiguous(memory_format=torch.channels_last)


def autocast(job: Job) -> torch.autocast:
    """The recipe's number format. A step uses each weight once, so no cast is worth keeping."""
    low = job.recipe.precision == "bf16"
    return torch.autocast(job.device.type, torch.bfloat16, enabled=low, cache_enabled=False)


def prepare(
    model: nn.Module,
    split: Split,
    vectors: LossVectors,
    recipe: Recipe,
    *,
    seed: int,
    device: torch.device | str = "cpu",
    teacher: nn.Module | TeacherSignal | None = None,
    multipliers: ClassMultipliers | None = None,
    dataset_name: str = "",
) -> Job:
    """Check what does not fit together, and bring all to the device; see ``loop.train``."""
    if len(split) < 2:
        raise SettingError(f"split {split.name!r} has {len(split)} examples: at least 2 are needed")
    check_split(split)
    processes.check_shares(batch_sizes(len(split), steps_per_epoch(recipe, len(split)))[-1])
    target = _device(device)
    prepared = vectors.prepared(split.num_classes, target)
    if multipliers is not None:
        multipliers.prepare(split.num_classes, target)
    model.to(target).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Job(
        model=model,
        optimizer=sgd(model, recipe, recipe.peak_rate),
        split=split.to(target),
        vectors=prepared,
        teacher=_signal(teacher, target, recipe) if vectors.needs_teacher else None,
        recipe=recipe,
        seed=seed,
        dataset_name=dataset_name,
        device=target,
        multipliers=multipliers,
        forward=processes.together(model),
    )


def _device(device: torch.device | str) -> torch.device:
    target = torch.device(device)
    if target.type == "cuda" and not torch.cuda.is_available():
        raise SettingError(f"device = '{device}' is not there: this torch sees no GPU; use cpu")
    return target


def sgd(
    model: nn.Module, recipe: Recipe, rate: float, fused: bool | None = None
) -> torch.optim.SGD:
    """SGD with L2 on every parameter, as He et al. (2016) train."""
    return torch.optim.SGD(
        model.parameters(),
        lr=rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=fused,
    )


def _signal(
    teacher: nn.Module | TeacherSignal | None, device: torch.device, recipe: Recipe
) -> TeacherSignal:
    if teacher is None:
        raise SettingError("mix is above 0 for some class: a teacher is needed")
    if isinstance(teacher, nn.Module):
        return ForwardTeacher(teacher, device, recipe.precision)
    return teacher
