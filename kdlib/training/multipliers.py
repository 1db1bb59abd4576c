"""Class multipliers that move while a network trains ("Robust distillation", Algorithms 1 and 2).

Every few steps the error of each class is measured, and the classes with large errors gain weight
by exponentiated gradient. The weights enter the loss as a log-cost on the logits (the margin loss,
equation 9) or as outer weights of the target (equations 2, 3, 6 and 7).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from kdlib.errors import SettingError
from kdlib.losses import (
    ClassError,
    class_errors,
    exponentiated_gradient,
    traded_off_log_weights,
)
from kdlib.seeds import generator
from kdlib.training.averaged import AveragedLogits
from kdlib.training.held_out import HeldOut, check_held_out, logits_of
from kdlib.training.objective import LossVectors
from kdlib.validated import Frozen

_SMALLEST_RATE = 1e-12


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


class ClassMultipliers:
    """The state: logarithms of weights that sum to 1, and the path that they have taken.

    Args:
        rule: how they move.
        base_rate: ``[L]``, each class's share of the training targets: the class prior, or the
            mean of the teacher's probabilities.
        held_out: where errors are measured; None where ``rule.measured_on`` is "training".
        seed: of the draws of held-out examples.
        average: takes in the network at each move, where the averaged iterate is asked for.

    Raises:
        SettingError: the held-out examples are missing, of other classes, or no images as
            ``HeldOut`` describes them.

    Warns:
        UnseenClassWarning: a class has no held-out example. Its multiplier stays where it is, as
            that of a class that a draw of held-out examples happens to miss.
    """

    def __init__(
        self,
        rule: MultiplierRule,
        base_rate: Tensor,
        held_out: HeldOut | None = None,
        seed: int = 0,
        average: AveragedLogits | None = None,
    ) -> None:
        if held_out is None and rule.measured_on == "held_out":
            raise SettingError("multipliers measured on held-out examples need held_out")
        if held_out is not None and held_out.targets.shape[1:] != base_rate.shape:
            raise SettingError(
                f"held_out.targets has {tuple(held_out.targets.shape)[1:]} classes: "
                f"expected {tuple(base_rate.shape)}"
            )
        if held_out is not None:
            check_held_out(held_out)
        self.rule, self.seed, self.average = rule, seed, average
        self._held_out = held_out
        self._log_rate = base_rate.detach().float().clamp(min=_SMALLEST_RATE).log()
        self.log_multipliers = torch.full_like(self._log_rate, 1 / len(base_rate)).log()
        self._steps: list[int] = []
        self._errors: list[Tensor] = []
        self._path: list[Tensor] = []

    def prepare(self, num_classes: int, device: torch.device | str) -> None:
        """Move everything to ``device``.

        Raises:
            SettingError: there is not one multiplier per class.
        """
        if len(self._log_rate) != num_classes:
            raise SettingError(f"{len(self._log_rate)} multipliers for {num_classes} classes")
        self._log_rate = self._log_rate.to(device)
        self.log_multipliers = self.log_multipliers.to(device)
        if self._held_out is not None:
            self._held_out = self._held_out.to(device)

    def vectors(self, plain: LossVectors) -> LossVectors:
        """``plain`` with the present multipliers in it; ``plain`` itself stays as it is."""
        log_weights = traded_off_log_weights(self.log_multipliers, self.rule.alpha) - self._log_rate
        if self.rule.placement == "outer":
            return replace(plain, class_weight=log_weights.exp())
        return replace(plain, log_cost=plain.log_cost + log_weights)

    def after_step(self, done: int, model: nn.Module, logits: Tensor, labels: Tensor) -> bool:
        """Move the multipliers if a move is due after ``done`` steps of the training.

        Args:
            done: steps done, from 1.
            model: the network in training mode; it is in training mode again afterwards.
            logits: of the step's batch, ``[N, L]``.
            labels: of the step's batch, ``[N]``.

        Returns:
            Whether they moved.
        """
        if done % self.rule.update_every or self.rule.alpha == 0:
            return False
        step = self.rule.alpha * self.rule.step
        errors = self._measure(done, model, logits.detach(), labels, step)
        self.log_multipliers = exponentiated_gradient(self.log_multipliers, errors, step)
        self._steps.append(done)
        self._errors.append(errors)
        self._path.append(self.log_multipliers)
        if self.average is not None:
            self.average.add(model)
        return True

    def path(self) -> dict[str, Tensor]:
        """What the store records: all moves, oldest first.

        ``steps`` ``[K]``, ``errors`` ``[K, L]`` and ``log_multipliers`` ``[K, L]`` after each move.
        """
        shape = (0, len(self._log_rate))
        return {
            "steps": torch.tensor(self._steps, dtype=torch.int64),
            "errors": torch.stack(self._errors).cpu() if self._errors else torch.zeros(shape),
            "log_multipliers": torch.stack(self._path).cpu() if self._path else torch.zeros(shape),
        }

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps: the path, and the sum of the average if there is one."""
        sums = {} if self.average is None else self.average.state()
        return self.path() | {f"average.{name}": tensor for name, tensor in sums.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a ``state``."""
        if self.average is not None:
            kept = {name.removeprefix("average."): tensor for name, tensor in state.items()}
            self.average.load_state(kept)
        device = self.log_multipliers.device
        self._steps = state["steps"].tolist()
        self._errors = list(state["errors"].to(device))
        self._path = list(state["log_multipliers"].to(device))
        if self._path:
            self.log_multipliers = self._path[-1]

    @property
    def digest(self) -> str:
        """16 hex digits that differ where rule, base rates, seed or held-out targets do.

        Also with and without an average.
        """
        averaged = "" if self.average is None else " averaged"
        sha = hashlib.sha256(f"{self.rule.canonical_json()} {self.seed}{averaged}".encode())
        sha.update(self._log_rate.cpu().numpy().tobytes())
        if self._held_out is not None:
            sha.update(self._held_out.targets.float().cpu().numpy().tobytes())
        return sha.hexdigest()[:16]

    def _measure(
        self, done: int, model: nn.Module, logits: Tensor, labels: Tensor, step: float
    ) -> Tensor:
        if self.rule.measured_on == "training":
            targets = nn.functional.one_hot(labels, logits.shape[1]).float()
            return _errors(logits.float(), targets, self.rule.error)
        assert self._held_out is not None
        rows = self._rows(done, len(self._held_out.targets))
        targets = self._held_out.targets[rows]
        errors = _errors(logits_of(model, self._held_out, rows), targets, self.rule.error)
        return _unmoved(self.log_multipliers, errors, targets.sum(0) == 0, step)

    def _rows(self, done: int, size: int) -> Tensor:
        """The held-out examples of one move: a function of seed and step."""
        device = self.log_multipliers.device
        if self.rule.batch_size is None or self.rule.batch_size >= size:
            return torch.arange(size, device=device)
        order = torch.randperm(size, generator=generator("held-out", self.seed, done))
        return order[: self.rule.batch_size].to(device)


def _errors(logits: Tensor, targets: Tensor, error: ClassError) -> Tensor:
    """Mean error of each class over these examples; 0 for a class that none of them has."""
    return class_errors(logits, targets, targets.mean(0), error)


def _unmoved(log_multipliers: Tensor, errors: Tensor, unseen: Tensor, step: float) -> Tensor:
    """The errors, with one for ``unseen`` classes that leaves their multipliers where they are.

    No example is no evidence of no error: with 0 such a class would lose its weight to the others.

    Args:
        log_multipliers: ``[L]``.
        errors: ``[L]``.
        unseen: bool ``[L]``.
        step: of the move.
    """
    if step == 0:
        return errors
    seen = log_multipliers.masked_fill(unseen, -torch.inf)
    growth = torch.logsumexp(seen + step * errors, 0) - torch.logsumexp(seen, 0)
    return torch.where(unseen, growth / step, errors)
