"""What shifts the logits or weighs the classes, as part of a run's specification."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kdlib.training.multipliers import MultiplierRule
from kdlib.validated import Frozen


class NoCost(Frozen):
    """Plain cross-entropy: the logits are not shifted."""

    kind: Literal["none"] = "none"


class PriorCost(Frozen):
    """Logit adjustment (Menon et al. 2020): log-cost -log pi_y, pi the training prior."""

    kind: Literal["prior"] = "prior"


class RobustCost(Frozen):
    """Weights of the classes that move with their errors ("Robust distillation", eq. 2 to 9).

    With the rule's ``alpha`` at 0 nothing moves: that is the balanced objective.

    Attributes:
        rule: how the multipliers move and enter the loss.
        base_rate: what the multipliers are divided by: the class prior of the training labels (for
            a teacher) or the mean of the teacher's probabilities on the training images, at the
            objective's temperature (for a student).
        validation_labels: whose labels the errors on validation images are measured with.
        validation_temperature: of the teacher's probabilities there.
        validation_part: all validation images, or one half of each class, so that the other half
            can select hyper-parameters.
    """

    kind: Literal["robust"] = "robust"
    rule: MultiplierRule = MultiplierRule()
    base_rate: Literal["labels", "teacher"] = "labels"
    validation_labels: Literal["one_hot", "teacher"] = "one_hot"
    validation_temperature: Annotated[float, Field(ge=0.05, le=100)] = 1.0
    validation_part: Literal["all", "first_half"] = "all"

    @property
    def uses_teacher(self) -> bool:
        """Whether a teacher is needed to weigh the classes."""
        return "teacher" in (self.base_rate, self.validation_labels)

    @property
    def moves_on_validation(self) -> bool:
        """Whether errors on validation images move the multipliers."""
        return self.rule.alpha > 0 and self.rule.measured_on == "held_out"


class AveragedRobustCost(RobustCost):
    """As ``RobustCost``, but the run keeps the averaged iterate: Algorithm 1, (1/K) sum_k f^k(x).

    f^k is the network at the k-th move. The training and its last network are those of
    ``RobustCost`` to the bit; the logits and accuracies in the store are of the average, which is
    no network and cannot teach. A kind of its own, so that ids of other runs stay as they are.
    """

    kind: Literal["averaged_robust"] = "averaged_robust"  # type: ignore[assignment]

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.rule.alpha == 0:
            raise ValueError("alpha = 0 moves nothing: there are no iterates to average")
        return self
