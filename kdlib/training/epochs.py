"""An epoch of a training: step by step, or a static step that is replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from kdlib.data.image_files import ImageFiles, one_ahead
from kdlib.data.views import apply_views
from kdlib.training import processes
from kdlib.training.captured import StaticStep
from kdlib.training.job import Done, Job, autocast, epoch_plan, one_step, set_rate
from kdlib.training.recipe import learning_rate


class Steps(Protocol):
    """The steps of one training, whatever takes them."""

    job: Job
    """The training; its network and optimizer are those that the steps move."""

    def train_epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Train one epoch; loss and share of correct answers by step, ``[steps]``, on the CPU.

        Nothing is read back from the device before the epoch's end.
        """

    def show(self) -> None:
        """Bring the caller's network to what is trained by now."""


class PlainSteps:
    """One step after the other, in this process or in several; layers may be fused."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def train_epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """As ``Steps`` says."""
        job = self.job
        order, views = epoch_plan(job, epoch)
        losses, correct = torch.empty(2, job.steps, device=job.device)
        job.model.train()
        job.forward.train()
        wholes = order.split(job.batch_sizes)
        for step, (rows, shown) in enumerate(_batches(job, wholes, views)):
            done = epoch * job.steps + step
            set_rate(job.optimizer, learning_rate(job.recipe, done, job.steps))
            part = processes.weight(rows, wholes[step])
            result = one_step(job, rows, views[rows], shown, weight=part)
            losses[step], correct[step] = result.loss, result.correct
            _move_multipliers(job, done + 1, result)
        return processes.average(losses).cpu(), processes.average(correct).cpu()

    def show(self) -> None:
        """Nothing to do: the caller's network is what is trained."""


class ReplayedSteps:
    """One step over static buffers, replayed. Only multipliers that move do more than that."""

    def __init__(self, job: Job, static: StaticStep) -> None:
        self.job, self.static = job, static

    def train_epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """As ``Steps`` says."""
        job, static = self.job, self.static
        order, views = epoch_plan(job, epoch)
        done = range(epoch * job.steps, (epoch + 1) * job.steps)
        rates = [learning_rate(job.recipe, step, job.steps) for step in done]
        static.set_vectors(job.present_vectors)
        static.begin_epoch(order, views, rates)
        for step in done:
            if _move_multipliers(job, step + 1, static.run()):
                static.set_vectors(job.present_vectors)
        return static.losses.cpu(), static.correct.cpu()

    def show(self) -> None:
        """Copy the weights to the caller's network."""
        self.static.give_back()


def _move_multipliers(job: Job, done: int, result: Done) -> bool:
    """Let the class multipliers, if any, see a step; ``done`` counts from 1. Whether they moved."""
    if job.multipliers is None:
        return False
    with autocast(job):
        whole = processes.gathered(result.logits), processes.gathered(result.labels)
        return job.multipliers.after_step(done, job.model, *whole)


def _batches(job: Job, wholes: Sequence[Tensor], views: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each step its rows, and their images in their views as uint8 ``[B, C, H, W]``.

    Files are read one batch ahead, so that a GPU need not wait for them.
    """
    recipe, images = job.recipe, job.split.images

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = processes.share(wholes[step])
        return rows, apply_views(images[rows], views[rows], recipe.crop_padding, recipe.flip)

    if isinstance(images, ImageFiles):
        return one_ahead(batch, job.steps)
    return map(batch, range(job.steps))
