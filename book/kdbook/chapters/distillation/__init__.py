"""What does a teacher tell a student? Equation 1 of Teacher's pet, on real digits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kdbook.settings import Alpha, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdlib.losses import soft_target_loss
from kdlib.metrics import margin


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

    seeds_by_default = 1
    question = "What does a teacher tell a student?"
    Settings = Settings
