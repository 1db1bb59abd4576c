"""The checks of the loss and its gradient, and the teacher that several checks ask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from kdbook.workshop.verdicts import Check
from kdlib import losses

_COUNTS = (8, 7, 6, 5, 5, 4, 4, 3, 3, 2)
CLASSES = len(_COUNTS)
IMAGE, CLASS = "image", "class"


def _labels() -> Tensor:
    ordered = torch.repeat_interleave(torch.arange(CLASSES), torch.tensor(_COUNTS))
    return ordered[torch.randperm(len(ordered), generator=torch.Generator().manual_seed(0))]


def _teacher_logits(labels: Tensor) -> Tensor:
    """A teacher that is good at class 0 and wrong about class 9, on most images."""
    random = torch.Generator().manual_seed(1)
    noise = torch.randn(len(labels), CLASSES, generator=random)
    strength = torch.linspace(4, -1, CLASSES)[labels]
    return 1.5 * noise + strength[:, None] * one_hot(labels, CLASSES)


LABELS = _labels()
TEACHER = _teacher_logits(LABELS)
STUDENT = torch.randn(len(LABELS), CLASSES, generator=torch.Generator().manual_seed(2))
PROBS = losses.teacher_probabilities(TEACHER, 2.0)


def _log_q(logits: Tensor) -> Tensor:
    return logits.log_softmax(dim=1)


def _target(labels: Tensor, probs: Tensor, mix: Tensor) -> Tensor:
    share = mix[labels][:, None]
    return (1 - share) * one_hot(labels, CLASSES) + share * probs


def _cross_entropy(target: Tensor, log_q: Tensor) -> Tensor:
    return -(target * log_q).sum(dim=1).mean()


def _kl(target: Tensor, log_q: Tensor) -> Tensor:
    return (torch.xlogy(target, target) - target * log_q).sum(dim=1).mean()


def _loss(logits: Tensor, labels: Tensor, probs: Tensor, mix: Tensor) -> Tensor:
    return losses.soft_target_loss(logits, labels, probs, mix=mix)


def _slope(logits: Tensor, labels: Tensor, probs: Tensor, mix: Tensor) -> Tensor:
    """The gradient of the library's loss, by automatic differentiation."""
    moved = logits.clone().requires_grad_()
    return torch.autograd.grad(_loss(moved, labels, probs, mix), moved)[0]


_MIXES = (torch.zeros(CLASSES), torch.full((CLASSES,), 0.3), torch.linspace(1, 0, CLASSES))
_LOSS_EXAMPLES = [(STUDENT, LABELS, PROBS, mix) for mix in _MIXES]

soften = Check(
    name="soften",
    right=losses.teacher_probabilities,
    examples=[(TEACHER, 1.0), (TEACHER, 3.0), (TEACHER, 0.5)],
    axes=(IMAGE, CLASS),
    mistakes={
        "does the temperature divide the logits, or multiply them?":
            lambda f, t: (f * t).softmax(dim=1),
        "do the classes of an image sum to 1, or the images of a class?":
            lambda f, t: (f / t).softmax(dim=0),
        "is it the logits that are divided, before the softmax?": lambda f, t: f.softmax(dim=1) / t,
        "are these probabilities, or their logarithms?": lambda f, t: (f / t).log_softmax(dim=1),
        "where does the temperature come in?": lambda f, t: f.softmax(dim=1),
    },
)  # fmt: skip

soft_target_loss = Check(
    name="soft_target_loss",
    right=_loss,
    examples=_LOSS_EXAMPLES,
    mistakes={
        "does the mix weigh the teacher, or the label?":
            lambda f, y, p, m: _cross_entropy(_target(y, p, 1 - m), _log_q(f)),
        "did you take the mean over the images, or their sum?":
            lambda f, y, p, m: len(f) * _cross_entropy(_target(y, p, m), _log_q(f)),
        "which sign has a cross-entropy?":
            lambda f, y, p, m: -_cross_entropy(_target(y, p, m), _log_q(f)),
        "does each image read the mix of its own label?":
            lambda f, y, p, m: _cross_entropy(_target(y, p, m.mean().expand(CLASSES)), _log_q(f)),
        "is that the cross-entropy, or KL, which is less by the target's entropy? (Their gradients "
        "are equal.)":
            lambda f, y, p, m: _kl(_target(y, p, m), _log_q(f)),
        "did you give log_softmax logits, or probabilities?":
            lambda f, y, p, m: _cross_entropy(_target(y, p, m), _log_q(f.softmax(dim=1))),
        "does the mean go over the images alone, or over the classes too?":
            lambda f, y, p, m: _cross_entropy(_target(y, p, m), _log_q(f)) / CLASSES,
    },
)  # fmt: skip

gradient = Check(
    name="gradient",
    right=_slope,
    examples=_LOSS_EXAMPLES,
    axes=(IMAGE, CLASS),
    mistakes={
        "does the gradient point to a larger loss, or to a smaller one?":
            lambda f, y, p, m: -_slope(f, y, p, m),
        "the loss is a mean: did you divide by the number of images?":
            lambda f, y, p, m: len(f) * _slope(f, y, p, m),
        "where is the teacher in the target?": lambda f, y, p, m: _slope(f, y, p, 0 * m),
        "where is the label in the target?": lambda f, y, p, m: _slope(f, y, p, 0 * m + 1),
    },
)  # fmt: skip
