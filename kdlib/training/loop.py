"""The training loop: one network, one split, one objective, one recipe, one seed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from kdlib.data import Split
from kdlib.training import processes
from kdlib.training.job import Job, StepKind, prepare
from kdlib.training.keeper import Keeper
from kdlib.training.multipliers import ClassMultipliers
from kdlib.training.objective import LossVectors
from kdlib.training.progress import EpochRecord, training_bar
from kdlib.training.recipe import Recipe, learning_rate
from kdlib.training.steps import Steps, steps_of
from kdlib.training.teacher import TeacherSignal

Status = Literal["completed", "diverged"]


@dataclass
class Outcome:
    """How a training ended; the network itself was trained in place.

    Attributes:
        status: "diverged" where a loss was not finite; the network is then left as it is.
        diverged_step: The first step (from 0, over the whole training) with such a loss. It is
            the number of steps done where only the last update broke the weights.
        history: One record for each whole epoch with finite losses.
        multipliers: The path of the class multipliers (``ClassMultipliers.path``), if there are
            any.
        averaged: Mean logits over the moves, by name of the images, where they were asked for.
        step: How steps were taken in the last process that trained it; ``None`` where no training
            was tried.
    """

    status: Status
    diverged_step: int | None = None
    history: list[EpochRecord] = field(default_factory=list)
    multipliers: dict[str, Tensor] | None = None
    averaged: dict[str, Tensor] | None = None
    step: StepKind | None = None


def train(
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
    checkpoint: Path | None = None,
    checkpoint_every: int = 10,
    fingerprint: str = "",
    bar: bool | str = True,
    step: StepKind | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> Outcome:
    """Train ``model`` in place.

    Order, crops and flips are functions of (seed, epoch). So equal calls give the same bits on a
    CPU with the same number of threads, and so does a training that was killed and resumed.
    Processes that have joined (``kdlib.training.processes``) train together, each on its share of
    every batch; that gives what one process does up to rounding.

    Args:
        model: The network, ``[N, C, H, W]`` to ``[N, L]``; it moves to ``device``.
        split: The examples; at least 2.
        vectors: The objective. Where its mix is 0 for every class, ``teacher`` is not used.
        recipe: How to train.
        seed: Of order, crops and flips; the initial weights are the caller's.
        device: "cpu" or "cuda". Images live there as uint8.
        teacher: A network (a copy in eval mode is used) or another source of its logits.
        multipliers: Class multipliers that move with the training, from their present state.
        dataset_name: Whose channel statistics input_scaling "standardise" uses.
        checkpoint: File to save to and to go on from; the caller deletes it.
        checkpoint_every: Epochs between two savings, at least 1.
        fingerprint: Names the training, e.g. by its run's id. A checkpoint with another one is
            refused, as is one with another recipe, seed, split or objective.
        bar: Whether to show a progress bar; a text is its label.
        step: How a step is taken: "eager"; "fused", with layers that read and write memory less
            often (``kdlib.training.fused``), on a CPU in float32; "captured", replayed over static
            buffers (``kdlib.training.captured``), on a GPU as one CUDA graph; "compiled", the same
            after ``torch.compile``. By default what ``KDLIB_STEP`` says if it is for the device,
            else captured on a GPU; and eager where that cannot be (images in files, several
            processes, no compiler).
        on_epoch: Called after each epoch (and after its checkpoint, if any) with its record.

    Returns:
        How it ended. A loss that is not finite ends it as "diverged", without an exception.

    Raises:
        SettingError: If an argument does not fit.
        CheckpointError: If the checkpoint is of another training.
    """
    job = prepare(
        model, split, vectors, recipe, seed=seed, device=device, teacher=teacher,
        multipliers=multipliers, dataset_name=dataset_name,
    )  # fmt: skip
    keeping = (checkpoint, checkpoint_every, fingerprint)
    with steps_of(job, step) as steps:
        return _train(steps, Keeper(steps.job, *keeping), bar, on_epoch)


def _train(
    steps: Steps, keeper: Keeper, bar: bool | str, on_epoch: Callable[[EpochRecord], None] | None
) -> Outcome:
    job, history, recipe = steps.job, keeper.resume(), steps.job.recipe
    bar = bar if processes.is_first() else False
    with training_bar(bar, total=recipe.last_epoch, done=len(history)) as show:
        for epoch in range(len(history), recipe.last_epoch):
            started = time.perf_counter()
            losses, correct = steps.train_epoch(epoch)
            seconds = time.perf_counter() - started
            first = first_not_finite(losses)
            if first is not None:
                return _outcome(job, "diverged", epoch * job.steps + first, history)
            history.append(record(job, epoch, losses, correct, seconds))
            keeper.save(history)
            show(history[-1])
            if on_epoch is not None:
                steps.show()
                on_epoch(history[-1])
    if not weights_are_finite(job.model):
        return _outcome(job, "diverged", recipe.last_epoch * job.steps, history)
    return _outcome(job, "completed", None, history)


def _outcome(job: Job, status: Status, step: int | None, history: list[EpochRecord]) -> Outcome:
    moving = job.multipliers
    if moving is None:
        return Outcome(status, step, history, step=job.step_kind)
    average = moving.average if status == "completed" else None
    averaged = None if average is None else average.mean()
    return Outcome(status, step, history, moving.path(), averaged, job.step_kind)


def record(job: Job, epoch: int, losses: Tensor, correct: Tensor, seconds: float) -> EpochRecord:
    """An epoch (from 0) in numbers, from loss and share of correct answers by step, ``[steps]``."""
    last_step = (epoch + 1) * job.steps - 1
    return EpochRecord(
        epoch=epoch + 1,
        loss=losses.double().mean().item(),
        accuracy=correct.double().mean().item(),
        rate=learning_rate(job.recipe, last_step, job.steps),
        seconds=seconds,
        images_per_second=len(job.split) / seconds,
    )


def first_not_finite(losses: Tensor) -> int | None:
    """The first of the losses ``[steps]`` that is not finite, if any."""
    bad = losses.isfinite().logical_not().nonzero()
    return int(bad[0]) if len(bad) else None


def weights_are_finite(model: nn.Module) -> bool:
    """Whether every weight and buffer is."""
    return all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values())
