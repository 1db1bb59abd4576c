"""Several students in one step: they may differ in seed, temperature, mix, log-cost and images.

Tiny networks spend much of a step on calls, not on arithmetic. Here K students are one network of
K times the channels (``kdlib.models.stack``), so that each call and each step of the optimizer
serves all of them. ``benchmarks/measure_training.py --part together`` measures what it gains.

Order, crops, flips, initial weights and updates are those of ``train``; a student learns from its
own batches only. But the processor's convolutions in groups round otherwise than one alone, so
that weights agree with those of ``train`` up to rounding, and not to the bit. A run's bits must
follow from its specification, therefore ``kdlib.runs.execute`` does this only where it is asked to.
A student's bits may also depend on how many share its stack.

Students of one seed see the same order and views, in a stack as alone: differences between their
methods are paired. Students of different seeds see different ones; but seeds that share a teacher,
or an order, are not independent, and an interval over them is too narrow.

``torch.vmap`` over stacked weights, convolutions as matrix products, and a traced step without
autograd's bookkeeping were tried on ResNet-8 at 8x8 pixels; each gained less.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from kdlib.data import Split
from kdlib.errors import SettingError
from kdlib.training import processes
from kdlib.training.job import Job, prepare
from kdlib.training.keeper import Keeper
from kdlib.training.loop import Outcome, Status, first_not_finite, record, weights_are_finite
from kdlib.training.objective import LossVectors
from kdlib.training.progress import EpochRecord, training_bar
from kdlib.training.recipe import Recipe
from kdlib.training.stacked import Stack
from kdlib.training.teacher import TeacherSignal


@dataclass(frozen=True, eq=False)
class Student:
    """What may differ from student to student; the attributes are ``train``'s arguments."""

    model: nn.Module
    split: Split
    vectors: LossVectors
    seed: int
    teacher: nn.Module | TeacherSignal | None = None
    checkpoint: Path | None = None
    fingerprint: str = ""


def train_many(
    students: Sequence[Student],
    recipe: Recipe,
    *,
    device: torch.device | str = "cpu",
    dataset_name: str = "",
    checkpoint_every: int = 10,
    bar: bool | str = True,
) -> list[Outcome]:
    """Train the students' networks in place, in one step for all.

    One that diverges leaves the others as they would be without it. Each saves a checkpoint of its
    own. A stack that was killed goes on where all checkpoints are of one epoch, else it starts
    again.

    Args:
        students: CIFAR ResNets of one shape, with splits of one size; at least one.
        recipe: How to train.
        device: "cpu" or "cuda"; not measured on a GPU.
        dataset_name: As for ``train``.
        checkpoint_every: As for ``train``.
        bar: As for ``train``; it shows the first student.

    Returns:
        How each ended. The seconds of an epoch are a student's share of the stack's.

    Raises:
        SettingError: If the students do not fit together, or an argument does not fit.
        CheckpointError: If a checkpoint is of another training.
    """
    _check_processes()
    jobs = [
        prepare(
            one.model, one.split, one.vectors, recipe, seed=one.seed, device=device,
            teacher=one.teacher, dataset_name=dataset_name,
        )
        for one in students
    ]  # fmt: skip
    companions = [one.fingerprint for one in students]
    keepers = [
        Keeper(job, one.checkpoint, checkpoint_every, f"{number} of {companions}")
        for number, (job, one) in enumerate(zip(jobs, students, strict=True))
    ]
    together = Stack(jobs)
    courses = _resume(together, keepers)
    done = len(courses[0].history)
    with training_bar(bar, total=recipe.last_epoch, done=done) as show:
        for epoch in range(done, recipe.last_epoch):
            _advance(together, courses, epoch)
            going = [course for course in courses if course.outcome is None]
            if not going:
                break
            together.lend_momentum()
            for course in going:
                course.keeper.save(course.history)
            show(going[0].history[-1])
    return [course.end() for course in courses]


@dataclass(eq=False)
class _Course:
    """One student on its way; ``outcome`` is there once it has diverged."""

    job: Job
    keeper: Keeper
    history: list[EpochRecord]
    outcome: Outcome | None = None

    def note(self, epoch: int, losses: Tensor, correct: Tensor, seconds: float) -> None:
        """Take down an epoch, unless the student has diverged before."""
        if self.outcome is not None:
            return
        first = first_not_finite(losses)
        if first is not None:
            self.outcome = self._outcome("diverged", epoch * self.job.steps + first)
        else:
            self.history.append(record(self.job, epoch, losses, correct, seconds))

    def end(self) -> Outcome:
        """How the student ended, after the last epoch."""
        if self.outcome is not None:
            return self.outcome
        if weights_are_finite(self.job.model):
            return self._outcome("completed", None)
        steps = self.job.recipe.last_epoch * self.job.steps
        return self._outcome("diverged", steps)

    def _outcome(self, status: Status, step: int | None) -> Outcome:
        return Outcome(status, step, self.history, step=self.job.step_kind)


def _advance(together: Stack, courses: Sequence[_Course], epoch: int) -> None:
    started = time.perf_counter()
    losses, correct = together.train_epoch(epoch)
    seconds = (time.perf_counter() - started) / len(courses)
    for number, course in enumerate(courses):
        course.note(epoch, losses[number], correct[number], seconds)


def _resume(together: Stack, keepers: Sequence[Keeper]) -> list[_Course]:
    """The students at their checkpoints, if all are of one epoch; else at the start."""
    snapshots = [keeper.load() for keeper in keepers]
    epochs = {None if snapshot is None else snapshot.epoch for snapshot in snapshots}
    histories: list[list[EpochRecord]] = [[] for _ in keepers]
    if len(epochs) == 1:
        pairs = zip(keepers, snapshots, strict=True)
        histories = [[] if shot is None else keeper.restore(shot) for keeper, shot in pairs]
        together.take_momentum()
    parts = zip(together.jobs, keepers, histories, strict=True)
    return [_Course(job, keeper, history) for job, keeper, history in parts]


def _check_processes() -> None:
    if processes.count() > 1:
        raise SettingError("batched training is not for torchrun: train the students one by one")
