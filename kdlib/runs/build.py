"""From a spec's rules to what training needs: data, network, and the two per-class vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from kdlib import losses
from kdlib.data import Dataset, Split, load
from kdlib.models import build
from kdlib.runs.spec import AdaptiveMix, ConstantMix, MarginCost, PriorCost, RunSpec
from kdlib.training.objective import LossVectors

if TYPE_CHECKING:
    from kdlib.runs.store import Store


def dataset_for(spec: RunSpec) -> Dataset:
    """The data set that the spec names, with its long tail."""
    data = spec.data
    return load(data.name, imbalance=data.imbalance, subset_seed=data.subset_seed)


def training_split(spec: RunSpec, dataset: Dataset) -> Split:
    """The examples that the run trains on."""
    return dataset.train if spec.data.part == "train" else dataset.train_minus_dev


def model_for(spec: RunSpec, dataset: Dataset | None = None) -> nn.Module:
    """The network at its initial weights: a function of the model, the data's shape, the seed."""
    dataset = dataset or dataset_for(spec)
    return build(
        spec.model,
        num_classes=dataset.num_classes,
        channels=dataset.channels,
        image_size=dataset.image_size,
        seed=spec.seed,
    )


def loss_vectors(spec: RunSpec, dataset: Dataset, store: Store) -> LossVectors:
    """Resolve the objective's rules into mix ``[L]`` and log-cost ``[L]``."""
    return LossVectors(
        mix=_mix(spec, dataset, store),
        log_cost=_log_cost(spec, dataset, store),
        temperature=spec.objective.temperature,
    )


def dev_mix(source: RunSpec, temperature: float, store: Store) -> Tensor:
    """a_y of equation (3), from the dev logits that ``source`` left in the store. Shape ``[L]``."""
    result = store.finished(source)
    logits = torch.from_numpy(result.logits("dev"))
    labels = torch.from_numpy(result.labels("dev"))
    probabilities = losses.teacher_probabilities(logits, temperature)
    return losses.adaptive_mix(probabilities, labels, logits.shape[1])


def _mix(spec: RunSpec, dataset: Dataset, store: Store) -> Tensor:
    rule = spec.objective.mix
    if isinstance(rule, ConstantMix):
        return torch.full((dataset.num_classes,), rule.alpha)
    assert isinstance(rule, AdaptiveMix)
    return dev_mix(rule.estimated_by, spec.objective.temperature, store)


def _log_cost(spec: RunSpec, dataset: Dataset, store: Store) -> Tensor:
    rule = spec.objective.log_cost
    if isinstance(rule, PriorCost):
        counts = training_split(spec, dataset).class_counts.float()
        return -torch.log(counts / counts.sum())
    if isinstance(rule, MarginCost):
        mix = dev_mix(rule.estimated_by, spec.objective.temperature, store)
        return losses.margin_log_cost(mix, rule.offset)
    return torch.zeros(dataset.num_classes)
