"""What does a teacher tell a student? Equation 1 of Teacher's pet, on real digits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kdbook.families import Family, families
from kdbook.profiles import profile_of
from kdbook.settings import Alpha, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.losses import soft_target_loss
from kdlib.metrics import margin
from kdlib.runs import RunSpec


class Settings(BaseSettings):
    """What the chapter lets a reader set; ``seeds`` is 1 where it is not given.

    Attributes:
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
    """

    temperature: Temperature = 3.0
    alpha: Alpha = 0.5


def telling_examples(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Positions of up to six examples: three mistakes, two unsure, one sure.

    The mistakes are the teacher's most confident ones, each in another class.

    Args:
        logits: the teacher's, ``[N, L]``.
        labels: ``[N]``.
    """
    sureness = margin(logits, labels)
    order = np.argsort(sureness, kind="stable")
    wrong = order[sureness[order] < 0]
    _, first_of_class = np.unique(labels[wrong], return_index=True)
    mistakes = wrong[np.sort(first_of_class)[:3]]
    unsure = np.argsort(np.abs(sureness), kind="stable")[:2]
    return np.array(list(dict.fromkeys([*mistakes, *unsure, order[-1]])))


def loss_gradient(logits: Tensor, labels: Tensor, teacher_probs: Tensor, *, alpha: float) -> Tensor:
    """The gradient ``[N, L]`` of each example's loss with respect to its logits, by autograd."""
    scores = logits.detach().double().requires_grad_()
    loss = soft_target_loss(scores, labels, teacher_probs.double(), mix=alpha, reduction="sum")
    return torch.autograd.grad(loss, scores)[0]


class FirstPrinciples(Study[Settings]):
    """Its runs and their tables."""

    question = "What does a teacher tell a student?"
    Settings = Settings

    def members(self) -> list[Member]:
        """A teacher, a one-hot student and a distilled student for each seed."""
        profile = profile_of(self.settings.model_copy(update={"seeds": self.settings.seeds or 1}))
        return [m for family in families(profile) for m in self._family_members(family)]

    def _family_members(self, family: Family) -> list[Member]:
        temperature, blind = self.settings.temperature, float("nan")
        named: list[tuple[str, float, RunSpec]] = [
            ("teacher", blind, family.teacher()),
            ("one-hot", blind, family.one_hot()),
            ("distilled", temperature, family.distilled(temperature, self.settings.alpha)),
        ]
        return [Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in named]
