"""Settings, data, and the students trained and audited on them: plain loops, no store."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

import kdlib
from kdbook.settings import FromText, Temperature
from kdbook.settings import Settings as BaseSettings
from kdlib import losses
from kdlib.audit.report import Report
from kdlib.data import Dataset, load
from kdlib.drop_in import SoftTargetLoss
from kdlib.errors import DataError

Limit = Annotated[float, Field(ge=-100, le=100), FromText]


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        seeds: trainings of teacher and students, 1 to 1000.
        epochs: passes over the training images, 2 to 10,000; more of them over few images.
        temperature: of the teacher's probabilities, 0.05 to 100.
        limit: points that a class may lose before the gate calls it harm, -100 to 100.
    """

    temperature: Temperature = 3.0
    limit: Limit = -5.0


DEBIANS = "/usr/share/datasets/fashion-mnist"
"""Where Debian's package ``dataset-fashion-mnist`` puts the files."""


def images_that_are_here() -> Dataset:
    """Long-tailed Fashion-MNIST where its files are, else long-tailed digits. Downloads nothing."""
    for root in (None, DEBIANS):
        try:
            return load("fashion_mnist", imbalance=50, download=False, root=root)
        except DataError:
            continue
    return load("digits", imbalance=20)


AfterEpoch = Callable[[nn.Module, SoftTargetLoss], None]
_TEACHER, _STUDENT = 256, 32
"""Hidden units: a student has an eighth of its teacher's."""
STEP = 0.5


class Bench:
    """A teacher, students of three kinds beside the one-hot ones, and what the audit says of each.

    Everything is trained when it is first asked for.

    Args:
        settings: the chapter's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data = images_that_are_here()
        self.images, self.labels = pixels(self.data.train), self.data.train.labels
        self.classes = self.data.num_classes
        shortest = settings.epochs or 2
        self.passes = max(shortest, shortest * 10_000 // len(self.labels))

    def network(self, seed: int, width: int = _STUDENT) -> nn.Sequential:
        """One hidden layer, with initial weights that depend on the seed alone."""
        torch.manual_seed(seed)
        inputs = self.images.shape[1]
        return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, self.classes))

    def students(
        self, theirs: Tensor | None = None, after_epoch: AfterEpoch | None = None, **loss: Any
    ) -> list[Tensor]:
        """Logits ``[N, L]`` on the test images, one tensor a seed.

        Args:
            theirs: the teacher's logits on the training images, or none.
            after_epoch: called with the model and its loss after each pass.
            loss: settings of ``SoftTargetLoss``.
        """
        seeds = range(1, 1 + (self.settings.seeds or 1))
        models = [self._trained(s, SoftTargetLoss(**loss), theirs, after_epoch) for s in seeds]
        return [model(pixels(self.data.test)) for model in models]

    @cached_property
    def teacher(self) -> nn.Module:
        """Trained on the labels alone."""
        return self._trained(0, SoftTargetLoss(mix=0.0), width=_TEACHER)

    @cached_property
    def theirs(self) -> Tensor:
        """The teacher's logits on the training images."""
        logits: Tensor = self.teacher(self.images)
        return logits

    @cached_property
    def one_hot(self) -> list[Tensor]:
        """Students of the labels alone."""
        return self.students(mix=0.0)

    @cached_property
    def distilled(self) -> list[Tensor]:
        """Students of the teacher alone."""
        return self.students(self.theirs, temperature=self.settings.temperature)

    @cached_property
    def known(self) -> dict[str, Any]:
        """What the audit is told beside the students: all of it but ``one_hot`` is optional."""
        return {
            "one_hot": self.one_hot,
            "teacher": self.teacher(pixels(self.data.test)),
            "class_names": self.data.class_names,
            "train_counts": self.data.train.class_counts,
            "dev": (self.data.dev.labels, self.teacher(pixels(self.data.dev))),
        }

    @cached_property
    def reports(self) -> dict[str, Report]:
        """The audit of the distilled students, and of both remedies."""
        first = self._audit(self.distilled)
        warm = self.settings.temperature
        adaptive = self.students(self.theirs, temperature=warm, mix=first.weights)
        even = torch.ones(self.classes)
        robust = self.students(self.theirs, self.reweigh, temperature=warm, class_weight=even)
        remedies = {"AdaAlpha": adaptive, "robust": robust}
        return {"distilled": first, **{name: self._audit(one) for name, one in remedies.items()}}

    def reweigh(self, model: nn.Module, soft: SoftTargetLoss) -> None:
        """Weigh the classes by the model's errors on dev: a step of Robust distillation's rule."""
        truth = nn.functional.one_hot(self.data.dev.labels, self.classes).float()
        with torch.no_grad():
            errors = losses.class_errors(model(pixels(self.data.dev)), truth, truth.mean(dim=0))
        before = torch.as_tensor(soft.class_weight).div(self.classes).log()
        soft.class_weight = self.classes * losses.exponentiated_gradient(before, errors, STEP).exp()

    def _audit(self, students: list[Tensor]) -> Report:
        return kdlib.audit(self.data.test.labels, students, **self.known)

    def _trained(
        self,
        seed: int,
        soft: SoftTargetLoss,
        theirs: Tensor | None = None,
        after_epoch: AfterEpoch | None = None,
        width: int = _STUDENT,
    ) -> nn.Module:
        model = self.network(seed, width)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        for _ in range(self.passes):
            for rows in torch.randperm(len(self.labels)).split(64):
                teacher = None if theirs is None else theirs[rows]
                loss = soft(model(self.images[rows]), self.labels[rows], teacher)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if after_epoch is not None:
                after_epoch(model, soft)
        return model.requires_grad_(False)


def pixels(part: Any) -> Tensor:
    """The images of a split as rows of numbers from 0 to 1."""
    rows: Tensor = part.images.flatten(1).float() / 255
    return rows
