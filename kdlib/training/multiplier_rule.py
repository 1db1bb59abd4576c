"""The settings of class multipliers ("Robust distillation"), as part of a run's specification."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kdlib.losses import ClassError
from kdlib.validated import Frozen


class MultiplierRule(Frozen):
    """How the multipliers move, and how they enter the loss.

    Attributes:
        alpha: 0 keeps them out of the loss (balanced), 1 is robust, between is traded off
            (equation 4).
        placement: ``margin`` shifts the logits, ``outer`` weighs the target.
        step: step size of exponentiated gradient; 0.1 in the paper.
        update_every: training steps between two moves. The paper does not say; 32 in the public
            code of Narasimhan and Menon (2021).
        measured_on: ``held_out`` examples, or the ``training`` batch of the step itself, as Group
            DRO does (Sagawa et al. 2020).
        error: what is measured: the 0-1 error (the paper's choice) or the cross-entropy.
        batch_size: held-out examples measured per move, drawn anew each time; None: all of them. A
            class that is not among them keeps its weight, up to the normalisation.
    """

    alpha: float = Field(default=1.0, ge=0, le=1)
    placement: Literal["margin", "outer"] = "margin"
    step: float = Field(default=0.1, ge=0, le=100)
    update_every: int = Field(default=32, ge=1, le=100_000)
    measured_on: Literal["held_out", "training"] = "held_out"
    error: ClassError = "zero_one"
    batch_size: int | None = Field(default=None, ge=1, le=10_000_000)
