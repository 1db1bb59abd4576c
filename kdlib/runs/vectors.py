"""From a spec's rules to what training minimises: the two per-class vectors, the multipliers."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn

from kdlib import losses
from kdlib.data import Dataset, Split, halves
from kdlib.errors import SettingError
from kdlib.runs.build import training_split
from kdlib.runs.result import EVALUATED_SPLITS
from kdlib.runs.spec import (
    AdaptiveMix,
    AveragedRobustCost,
    ConstantMix,
    HardestRemovedMix,
    MarginCost,
    PriorCost,
    RobustCost,
    RunSpec,
)
from kdlib.runs.store import Store
from kdlib.seeds import generator
from kdlib.training import (
    AveragedLogits,
    ClassMultipliers,
    HeldOut,
    predict_logits,
    steps_per_epoch,
)
from kdlib.training.objective import LossVectors


def loss_vectors(spec: RunSpec, dataset: Dataset, store: Store) -> LossVectors:
    """Resolve the objective's rules into mix ``[L]`` and log-cost ``[L]``."""
    return LossVectors(
        mix=_mix(spec, dataset, store),
        log_cost=_log_cost(spec, dataset, store),
        temperature=spec.objective.temperature,
        weighted=spec.objective.weighted_soft_labels,
    )


def multipliers_for(
    spec: RunSpec, dataset: Dataset, store: Store, device: str = "cpu"
) -> ClassMultipliers | None:
    """The class multipliers at their start, or None where the objective has none.

    Args:
        spec: the run.
        dataset: its data.
        store: holds the teacher, whose probabilities may be asked for.
        device: where the teacher judges the images.

    Raises:
        SettingError: an averaged iterate is asked for, and the training ends before the first move.
    """
    cost = spec.objective.log_cost
    if not isinstance(cost, RobustCost):
        return None
    asks = _TeachersView(spec, dataset, store, device)
    base_rate = class_prior(training_split(spec, dataset))
    if cost.base_rate == "teacher":
        base_rate = asks(training_split(spec, dataset), spec.objective.temperature).mean(0)
    held_out = _held_out(cost, dataset, asks) if cost.rule.measured_on == "held_out" else None
    average = _average(spec, dataset) if isinstance(cost, AveragedRobustCost) else None
    return ClassMultipliers(cost.rule, base_rate, held_out, spec.seed, average)


def _average(spec: RunSpec, dataset: Dataset) -> AveragedLogits:
    """Of the splits that the store evaluates."""
    assert isinstance(spec.objective.log_cost, AveragedRobustCost)
    a_pass = steps_per_epoch(spec.recipe, len(training_split(spec, dataset)))
    steps, every = spec.recipe.last_epoch * a_pass, spec.objective.log_cost.rule.update_every
    if steps < every:
        raise SettingError(f"update_every = {every}: the training ends after {steps} steps")
    images = {name: getattr(dataset, name).images for name in EVALUATED_SPLITS}
    return AveragedLogits(images, spec.recipe.input_scaling, spec.data.name)


class _TeachersView:
    """The teacher's probabilities on unaugmented images; its weights are read once, when asked."""

    def __init__(self, spec: RunSpec, dataset: Dataset, store: Store, device: str) -> None:
        self.spec, self._store, self._device = spec, store, device

    @cached_property
    def _model(self) -> nn.Module:
        assert self.spec.teacher is not None
        return self._store.finished(self.spec.teacher).model().to(self._device)

    def __call__(self, split: Split, temperature: float) -> Tensor:
        scaling, name = self.spec.recipe.input_scaling, self.spec.data.name
        logits = predict_logits(self._model, split.images, scaling=scaling, dataset_name=name)
        return losses.teacher_probabilities(logits, temperature)


def _held_out(cost: RobustCost, dataset: Dataset, asks: _TeachersView) -> HeldOut:
    split = dataset.validation
    if cost.validation_part == "first_half":
        split = halves(split)[0]
    if cost.validation_labels == "teacher":
        targets = asks(split, cost.validation_temperature)
    else:
        targets = nn.functional.one_hot(split.labels, dataset.num_classes).float()
    return HeldOut(split.images, targets, asks.spec.recipe.input_scaling, asks.spec.data.name)


def class_prior(split: Split) -> Tensor:
    """Each class's share of the examples, ``[L]``."""
    counts = split.class_counts.float()
    return counts / counts.sum()


def dev_mix(source: RunSpec, temperature: float, store: Store) -> Tensor:
    """a_y of equation (3), from the dev logits that ``source`` left in the store. Shape ``[L]``."""
    return losses.adaptive_mix(*_dev_probabilities(source, temperature, store))


def dev_margins(source: RunSpec, temperature: float, store: Store) -> Tensor:
    """Mean of gamma_avg by class on dev, equation (3) before it is cut at 0. Shape ``[L]``.

    NaN for a class without a dev example.
    """
    return losses.average_margins(*_dev_probabilities(source, temperature, store))


def _dev_probabilities(
    source: RunSpec, temperature: float, store: Store
) -> tuple[Tensor, Tensor, int]:
    """Probabilities ``[N, L]`` and labels ``[N]`` on dev, and L."""
    result = store.finished(source)
    logits = torch.from_numpy(result.logits("dev"))
    labels = torch.from_numpy(result.labels("dev"))
    return losses.teacher_probabilities(logits, temperature), labels, logits.shape[1]


def hardest_removed(margins: Tensor, alpha: float, share: float) -> Tensor:
    """``alpha`` for every class, but 0 for the ``share`` (at least one) of smallest margin.

    A class without an estimate (NaN) counts as hardest. Of equal ones the later goes first: at a
    long tail it is the rarer.
    """
    order = margins.nan_to_num(-2.0).flip(0).sort(stable=True).indices
    mix = torch.full_like(margins, alpha)
    mix[len(margins) - 1 - order[: max(1, round(share * len(margins)))]] = 0.0
    return mix


def _mix(spec: RunSpec, dataset: Dataset, store: Store) -> Tensor:
    rule = spec.objective.mix
    if isinstance(rule, ConstantMix):
        return torch.full((dataset.num_classes,), rule.alpha)
    if isinstance(rule, HardestRemovedMix):
        margins = dev_margins(rule.estimated_by, spec.objective.temperature, store)
        return hardest_removed(margins, rule.alpha, rule.share)
    mix = dev_mix(rule.estimated_by, spec.objective.temperature, store)
    if isinstance(rule, AdaptiveMix):
        return mix
    return mix[torch.randperm(len(mix), generator=generator("shuffled mix", rule.shuffle_seed))]


def _log_cost(spec: RunSpec, dataset: Dataset, store: Store) -> Tensor:
    rule = spec.objective.log_cost
    if isinstance(rule, PriorCost):
        return -torch.log(class_prior(training_split(spec, dataset)))
    if isinstance(rule, MarginCost):
        mix = dev_mix(rule.estimated_by, spec.objective.temperature, store)
        return losses.margin_log_cost(mix, rule.offset)
    return torch.zeros(dataset.num_classes)
