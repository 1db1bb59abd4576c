"""The objective of a training: two per-class vectors and a temperature (see ``kdlib.losses``)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kdlib.errors import SettingError
from kdlib.losses.in_step import example_losses, soften, weights_by_example


@dataclass(frozen=True, eq=False)
class LossVectors:
    """The numbers that make a method out of the one loss.

    Attributes:
        mix: Trust in the teacher by class, ``[L]``, each in 0..1.
        log_cost: What is taken off each logit in training, ``[L]``, finite.
        temperature: Divides the teacher's logits, above 0; a float or a 0-d tensor.
        weighted: Whether ``kdlib.losses.soft_label_weights`` multiply the teacher's terms.
        class_weight: Multiplies each class's entry of the target, ``[L]``, at least 0; None stands
            for ones.
    """

    mix: Tensor
    log_cost: Tensor
    temperature: float | Tensor = 1.0
    weighted: bool = False
    class_weight: Tensor | None = None

    @classmethod
    def constant(
        cls, num_classes: int, mix: float = 0.0, temperature: float | Tensor = 1.0
    ) -> LossVectors:
        """The same trust ``mix`` for every class and no cost: one-hot at 0, equation (1) above."""
        return cls(torch.full((num_classes,), mix), torch.zeros(num_classes), temperature)

    @property
    def needs_teacher(self) -> bool:
        """Whether any class puts weight on the teacher."""
        return bool((self.mix != 0).any())

    def prepared(self, num_classes: int, device: torch.device | str) -> LossVectors:
        """Check the values and move them to ``device`` as float32.

        Raises:
            SettingError: If a vector has another length or a value outside its range.
        """
        _check_vector("mix", self.mix, num_classes, low=0.0, high=1.0)
        _check_vector("log_cost", self.log_cost, num_classes)
        if not 0 < float(self.temperature) < float("inf"):
            raise SettingError(f"temperature = {float(self.temperature)}: must be above 0")
        if self.class_weight is not None:
            _check_vector("class_weight", self.class_weight, num_classes, low=0.0)
        mix, log_cost, class_weight = (
            None if vector is None else vector.detach().to(device, torch.float32)
            for vector in (self.mix, self.log_cost, self.class_weight)
        )
        assert mix is not None and log_cost is not None
        return LossVectors(mix, log_cost, self.temperature, self.weighted, class_weight)

    @property
    def digest(self) -> str:
        """16 hex digits that differ where the numbers do."""
        sha = hashlib.sha256(f"{float(self.temperature)!r} {self.weighted}".encode())
        for vector in (self.mix, self.log_cost, self.class_weight):
            if vector is not None:
                sha.update(vector.float().cpu().numpy().tobytes())
        return sha.hexdigest()[:16]


def batch_loss(
    logits: Tensor, labels: Tensor, teacher_logits: Tensor | None, vectors: LossVectors
) -> Tensor:
    """The mean loss of a batch, float32.

    Args:
        logits: The student's, ``[N, L]``.
        labels: ``[N]``, int64.
        teacher_logits: ``[N, L]`` on the same views, or ``None`` where mix is 0 everywhere.
        vectors: On the same device.
    """
    probs = weight = None
    if teacher_logits is not None:
        probs = soften(teacher_logits, vectors.temperature)
        weight = weights_by_example(logits, teacher_logits, labels) if vectors.weighted else None
    losses = example_losses(
        logits,
        labels,
        probs,
        mix=vectors.mix,
        log_cost=vectors.log_cost,
        weight=weight,
        class_weight=vectors.class_weight,
    )
    return losses.mean()


def vectors_of_many(vectors: Sequence[LossVectors]) -> LossVectors:
    """The vectors of K students in one: mix and log-cost ``[K, L]``, temperature ``[K]``.

    Raises:
        SettingError: If one has class weights, or only some weigh the teacher's terms.
    """
    if any(one.class_weight is not None for one in vectors):
        raise SettingError("class_weight is not for several students in one step: train in turn")
    if len({one.weighted for one in vectors}) > 1:
        raise SettingError("weighted must be the same for all students of one step")
    mix, log_cost = (torch.stack([getattr(v, n) for v in vectors]) for n in ("mix", "log_cost"))
    temperature = torch.tensor([float(one.temperature) for one in vectors], device=mix.device)
    return LossVectors(mix, log_cost, temperature, vectors[0].weighted)


def losses_of_many(
    logits: Tensor, labels: Tensor, teacher_logits: Tensor | None, vectors: LossVectors
) -> Tensor:
    """``batch_loss`` of K students at once, ``[K]``.

    Args:
        logits: ``[K, N, L]``.
        labels: ``[K, N]``.
        teacher_logits: ``[K, N, L]``, or ``None`` where no student has a teacher.
        vectors: As ``vectors_of_many`` gives them.
    """

    def one(f: Tensor, y: Tensor, p: Tensor | None, mix: Tensor, cost: Tensor, t: Tensor) -> Tensor:
        return batch_loss(f, y, p, LossVectors(mix, cost, t, vectors.weighted))

    values = (vectors.mix, vectors.log_cost, vectors.temperature)
    teacher_dim = None if teacher_logits is None else 0
    by_student = torch.vmap(one, in_dims=(0, 0, teacher_dim, 0, 0, 0))
    return by_student(logits, labels, teacher_logits, *values)  # type: ignore[arg-type]


def _check_vector(
    name: str, vector: Tensor, size: int, low: float = float("-inf"), high: float = float("inf")
) -> None:
    if vector.shape != (size,):
        raise SettingError(
            f"{name} has shape {tuple(vector.shape)}: must be ({size},), one per class"
        )
    good = torch.isfinite(vector) & (vector >= low) & (vector <= high)
    if not good.all():
        bad = vector[~good][0].item()
        raise SettingError(f"{name} holds {bad}: must be finite and from {low} to {high}")
