"""The loss for a training loop of your own: plain PyTorch, Lightning, Hugging Face's Trainer.

It is a module like ``torch.nn.CrossEntropyLoss``, with one more argument: the teacher's logits. It
never takes over the loop. ``book/practice/use_it.md`` shows all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from kdlib.errors import SettingError
from kdlib.losses import IGNORED, average_margins, soft_target_loss, teacher_probabilities

__all__ = ["SoftTargetLoss", "dev_mix"]


class SoftTargetLoss(nn.Module):
    """Cross-entropy against a mixture of label and teacher; see ``kdlib.losses.soft_target_loss``.

    The vectors are buffers: they move with ``.to(device)``, and a checkpoint keeps them.
    """

    mix: Tensor | float
    log_cost: Tensor | None
    class_weight: Tensor | None

    def __init__(
        self,
        mix: Any = 1.0,
        *,
        temperature: float = 1.0,
        log_cost: Any = None,
        class_weight: Any = None,
    ) -> None:
        """Choose a method.

        Args:
            mix: The teacher's share of the target: one number (0 is one-hot training, 1 plain
                distillation), or a vector ``[L]``, for example of ``dev_mix``.
            temperature: Of the teacher's probabilities.
            log_cost: Vector ``[L]`` that is subtracted from the logits.
            class_weight: Vector ``[L]`` that multiplies the classes' entries of the target.
        """
        super().__init__()
        self.temperature = temperature
        if isinstance(mix, Real):
            self.mix = float(mix)
        else:
            self.register_buffer("mix", torch.as_tensor(mix, dtype=torch.float32))
        for name, values in (("log_cost", log_cost), ("class_weight", class_weight)):
            vector = None if values is None else torch.as_tensor(values, dtype=torch.float32)
            self.register_buffer(name, vector)

    def forward(
        self, logits: Tensor, labels: Tensor, teacher_logits: Tensor | None = None
    ) -> Tensor:
        """The mean loss of a batch.

        Args:
            logits: The student's ``[N, L]``.
            labels: ``[N]``; -100 leaves an example out.
            teacher_logits: The teacher's ``[N, L]``, without which ``mix`` must be 0.

        Raises:
            SettingError: As for ``soft_target_loss``.
        """
        probs = None
        if teacher_logits is not None:
            probs = teacher_probabilities(teacher_logits, self.temperature)
        return soft_target_loss(
            logits,
            labels,
            probs,
            mix=self.mix,
            log_cost=self.log_cost,
            class_weight=self.class_weight,
        )

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        mix = self.mix if isinstance(self.mix, float) else "by class"
        return f"mix={mix}, T={self.temperature:g}"


@torch.no_grad()
def dev_mix(
    teacher: Callable[..., Any], batches: Iterable[Any], temperature: float = 1.0
) -> Tensor:
    """AdaAlpha's share of the teacher for each class, from a loader of dev examples.

    It is ``kdlib.losses.adaptive_mix`` of all batches together. Use examples that the teacher was
    not trained on.

    Args:
        teacher: A network, or any function of a batch's inputs, that gives logits ``[N, L]`` or an
            object with ``logits``. A network answers in eval mode.
        batches: Pairs of inputs and labels, or mappings with ``labels`` beside the arguments of the
            teacher; on the teacher's device.
        temperature: As the student's loss has it.

    Returns:
        ``[L]`` from 0 to 1; 0 for a class without examples.

    Raises:
        SettingError: There is no batch, or one is no such pair.
    """
    sums, counts = None, None
    with _answering(teacher):
        for logits, labels in _answers(teacher, batches):
            probs = teacher_probabilities(logits, temperature)
            size = probs.shape[1]
            here = torch.bincount(labels[labels != IGNORED], minlength=size)
            margins = torch.nan_to_num(average_margins(probs, labels, size)) * here
            sums = margins if sums is None else sums + margins
            counts = here if counts is None else counts + here
    if sums is None or counts is None:
        raise SettingError("batches holds no batch: dev examples are needed")
    return torch.where(counts == 0, 0.0, sums / counts).clamp(0, 1)


def _answers(
    teacher: Callable[..., Any], batches: Iterable[Any]
) -> Iterator[tuple[Tensor, Tensor]]:
    for batch in batches:
        if isinstance(batch, Mapping):
            inputs = {name: value for name, value in batch.items() if name != "labels"}
            found, labels = teacher(**inputs), batch.get("labels")
        else:
            inputs, labels = _pair(batch)
            found = teacher(inputs)
        if labels is None:
            raise SettingError("a batch has no labels: expected a pair, or a mapping with labels")
        yield getattr(found, "logits", found), labels


def _pair(batch: Any) -> tuple[Any, Any]:
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        raise SettingError(
            f"a batch is of type {type(batch).__name__}: expected a pair of inputs and labels"
        )
    return batch[0], batch[1]


@contextmanager
def _answering(teacher: Any) -> Iterator[None]:
    """A network in eval mode; each of its modules is put back after."""
    if not isinstance(teacher, nn.Module):
        yield
        return
    modes = [(module, module.training) for module in teacher.modules()]
    teacher.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
