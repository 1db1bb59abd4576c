"""What trainings of one shape share, and what each of them has of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from kdlib.training.job import Job, StepKind, sgd
from kdlib.training.objective import LossVectors
from kdlib.training.teacher import CapturableTeacher, layout


def shape_key(job: Job, kind: StepKind) -> str:
    """All that is fixed in a captured step: trainings that agree in it can share one."""
    left_open = {"epochs", "peak_rate", "warmup_epochs", "schedule", "stop_after"}
    images = job.split.images
    assert isinstance(images, Tensor)
    fixed = (
        kind,
        job.device,
        layout(job.model),
        job.recipe.model_dump(exclude=left_open),
        (images.shape, images.dtype, job.split.num_classes, job.dataset_name),
        None if job.teacher is None else _capturable(job).layout(),
        job.vectors.weighted,
    )
    return repr(fixed)


def own_tensors(job: Job, rate: Tensor) -> Job:
    """A job of the same shape that shares no tensor; the optimizer's momentum is there already."""
    model = copy.deepcopy(job.model).train()
    fused = True if job.device.type == "cuda" else None
    optimizer = sgd(model, job.recipe, job.recipe.peak_rate, fused)
    optimizer.param_groups[0]["lr"] = rate
    if job.recipe.momentum:
        for parameter in model.parameters():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(
                parameter, requires_grad=False
            )
    split = replace(job.split, images=_clone(job.split.images), labels=job.split.labels.clone())
    teacher = copy.deepcopy(job.teacher)
    return replace(
        job, model=model, forward=model, optimizer=optimizer, split=split, teacher=teacher,
        vectors=_own_vectors(job.vectors), multipliers=None,
    )  # fmt: skip


def _clone(images: object) -> Tensor:
    assert isinstance(images, Tensor)
    return images.clone()


def _own_vectors(vectors: LossVectors) -> LossVectors:
    """As tensors all, so that every objective is the same operations."""
    return replace(
        vectors,
        mix=vectors.mix.clone(),
        log_cost=vectors.log_cost.clone(),
        temperature=torch.ones((), device=vectors.mix.device),
        class_weight=torch.ones_like(vectors.mix),
    )


def class_weights(vectors: LossVectors) -> Tensor:
    """The objective's outer weights ``[L]``: ones where it has none."""
    return torch.ones_like(vectors.mix) if vectors.class_weight is None else vectors.class_weight


def teacher_tensors(job: Job) -> Mapping[str, Tensor]:
    """What the teacher answers from, by name; nothing where there is no teacher."""
    return {} if job.teacher is None else _capturable(job).tensors()


def _capturable(job: Job) -> CapturableTeacher:
    assert isinstance(job.teacher, CapturableTeacher)
    return job.teacher
