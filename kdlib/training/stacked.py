"""A stack: K trainings whose networks are one wide network, and what one step of it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from kdlib.data import Split
from kdlib.data.views import apply_views
from kdlib.errors import SettingError
from kdlib.models.stack import stack
from kdlib.training.job import Job, autocast, epoch_plan, scaled, set_rate, sgd
from kdlib.training.objective import losses_of_many, vectors_of_many
from kdlib.training.recipe import learning_rate


class Stack:
    """The students as one training. Their networks are views of ``wide``."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        _check(jobs)
        self.jobs, self._first = jobs, jobs[0]
        self.wide = stack([job.model for job in jobs])
        self.optimizer = sgd(self.wide, self._first.recipe, self._first.recipe.peak_rate)
        self.vectors = vectors_of_many([job.vectors for job in jobs])
        self._taught = any(job.teacher is not None for job in jobs)
        splits = {job.split.digest: job.split for job in jobs}  # each is kept once
        places = {digest: place for place, digest in enumerate(splits)}
        starts = [places[job.split.digest] * len(job.split) for job in jobs]
        self._starts = torch.tensor(starts, device=self._first.device)[:, None]
        self._images = torch.cat([_pixels(split) for split in splits.values()])
        self._labels = torch.cat([split.labels for split in splits.values()])

    def train_epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Loss and share of correct answers by student and step, ``[K, steps]``, on the CPU."""
        first = self._first
        plans = [epoch_plan(job, epoch) for job in self.jobs]
        order, views = (torch.stack(parts) for parts in zip(*plans, strict=True))
        losses, correct = torch.empty(2, first.steps, len(self.jobs), device=first.device)
        self.wide.train()
        for step, rows in enumerate(order.split(first.batch_sizes, dim=1)):
            rate = learning_rate(first.recipe, epoch * first.steps + step, first.steps)
            set_rate(self.optimizer, rate)
            losses[step], correct[step] = self._step(rows, views.gather(1, rows))
        return losses.T.cpu(), correct.T.cpu()

    def _step(self, rows: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
        """One step on rows ``[K, B]`` in those views: losses and shares of correct answers."""
        images, labels = self._batch(rows, views)
        with autocast(self._first):
            teacher_logits = self._teach(rows, views, images)
            logits = self.wide(_side_by_side(images)).transpose(0, 1)
        losses = losses_of_many(logits, labels, teacher_logits, self.vectors)
        self.optimizer.zero_grad()
        losses.sum().backward()
        self.optimizer.step()
        return losses.detach(), (logits.detach().argmax(2) == labels).float().mean(1)

    def _batch(self, rows: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled images ``[K, B, C, H, W]``, channels last, and labels ``[K, B]``."""
        recipe, places = self._first.recipe, rows + self._starts
        plain = self._images[places.flatten()]
        shown = apply_views(plain, views.flatten(), recipe.crop_padding, recipe.flip)
        return scaled(self._first, shown).unflatten(0, rows.shape), self._labels[places]

    def _teach(self, rows: Tensor, views: Tensor, images: Tensor) -> Tensor | None:
        """The teachers' logits ``[K, B, L]``; zeros for a student that does not listen."""
        if not self._taught:
            return None
        nothing = torch.zeros(*rows.shape[1:], self._first.split.num_classes, device=rows.device)
        answers = (
            nothing if job.teacher is None else job.teacher(*batch).float()
            for job, batch in zip(self.jobs, zip(rows, views, images, strict=True), strict=True)
        )
        return torch.stack(list(answers))

    def lend_momentum(self) -> None:
        """Let the students' optimizers show their parts of the momentum, for checkpoints."""
        for name, weight in self.wide.named_parameters():
            buffer = self.optimizer.state[weight].get("momentum_buffer")
            if buffer is None:
                continue
            for job, part in zip(self.jobs, buffer.chunk(len(self.jobs)), strict=True):
                own = job.model.get_parameter(name)
                job.optimizer.state[own]["momentum_buffer"] = part

    def take_momentum(self) -> None:
        """Go on with the momentum in the students' optimizers, where there is any."""
        for name, weight in self.wide.named_parameters():
            owners = [(job.optimizer, job.model.get_parameter(name)) for job in self.jobs]
            parts = [optimizer.state[own].get("momentum_buffer") for optimizer, own in owners]
            if all(part is not None for part in parts):
                buffer = torch.empty_like(weight, requires_grad=False)
                self.optimizer.state[weight]["momentum_buffer"] = buffer.copy_(torch.cat(parts))


def _side_by_side(images: Tensor) -> Tensor:
    """``[K, B, C, H, W]`` to ``[B, K * C, H, W]``, channels last."""
    return images.permute(1, 3, 4, 0, 2).flatten(3).permute(0, 3, 1, 2)


def _check(jobs: Sequence[Job]) -> None:
    if not jobs:
        raise SettingError("no students: at least one is needed")
    sizes = {(len(job.split), tuple(_pixels(job.split).shape[1:])) for job in jobs}
    if len(sizes) > 1:
        raise SettingError(f"students of one step need splits of one size, not {sorted(sizes)}")


def _pixels(split: Split) -> Tensor:
    if isinstance(split.images, Tensor):
        return split.images
    raise SettingError(
        "batched training is not for images in files: train these students one by one"
    )
