"""A run: one training as a frozen value, whose id is a hash of its whole specification.

The specification decides the result up to rounding, which the machine does: see ``RunSpec``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kdlib.data.image_folders import PUBLISHED
from kdlib.data.sources import DatasetName as DatasetName
from kdlib.models import AnyModel, PhotoNetwork
from kdlib.runs.costs import AveragedRobustCost, NoCost, PriorCost, RobustCost
from kdlib.runs.data_spec import DataSpec, Seed, data_label, drawn_classes
from kdlib.training.recipe import Recipe
from kdlib.validated import Frozen

RESULTS_VERSION = 2
"""Raise this by one when a change of the library changes what a spec trains to.

It is part of every spec, so all ids change with it and no stale result is read.
"""

ID_DIGITS = 16


class ConstantMix(Frozen):
    """The same trust in the teacher for every class: alpha of equation (1), Teacher's pet."""

    kind: Literal["constant"] = "constant"
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.0


class AdaptiveMix(Frozen):
    """AdaAlpha: trust by class, equations (2) and (3), Teacher's pet.

    Estimated on the dev examples, which the run ``estimated_by`` has not trained on.
    """

    kind: Literal["adaptive"] = "adaptive"
    estimated_by: RunSpec


class HardestRemovedMix(Frozen):
    """One trust for all classes but the hardest, which get none: Table 4, Teacher's pet.

    The hardest ``share`` of the classes (at least one) are those with the smallest average dev
    margin, equation (3) before it is cut at 0, of the run ``estimated_by``.
    """

    kind: Literal["hardest_removed"] = "hardest_removed"
    alpha: Annotated[float, Field(gt=0, le=1)] = 1.0
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    estimated_by: RunSpec


class ShuffledMix(Frozen):
    """AdaAlpha's weights, dealt out to the classes at random: Table 4, Teacher's pet."""

    kind: Literal["shuffled"] = "shuffled"
    shuffle_seed: Seed = 0
    estimated_by: RunSpec


class MarginCost(Frozen):
    """AdaMargin: log-cost -log max(a_y, offset), equation (4) and Lemma 1, Teacher's pet."""

    kind: Literal["margin"] = "margin"
    offset: Annotated[float, Field(gt=0, le=1)]
    estimated_by: RunSpec


EstimatedMix = AdaptiveMix | HardestRemovedMix | ShuffledMix
Mix = Annotated[ConstantMix | EstimatedMix, Field(discriminator="kind")]
Cost = Annotated[
    NoCost | PriorCost | MarginCost | RobustCost | AveragedRobustCost, Field(discriminator="kind")
]


class Objective(Frozen):
    """The two per-class vectors of the one loss, as rules, and the teacher's temperature.

    ``weighted_soft_labels`` multiplies each example's teacher term by 1 - exp(-CE_student /
    CE_teacher), both cross-entropies at temperature 1 and without gradient (Zhou et al. 2021).
    """

    mix: Mix = ConstantMix()
    log_cost: Cost = NoCost()
    temperature: Annotated[float, Field(ge=0.05, le=100)] = 1.0
    weighted_soft_labels: bool = False

    @property
    def uses_teacher(self) -> bool:
        """Whether any class listens to the teacher, or is weighed by it."""
        listens = not (isinstance(self.mix, ConstantMix) and self.mix.alpha == 0)
        return listens or (isinstance(self.log_cost, RobustCost) and self.log_cost.uses_teacher)


class RunSpec(Frozen):
    """One training, complete: on which data, which network, how, towards what, with which seed.

    Promised is this: on the same kind of machine (processor, or GPU), with the same number of
    threads and the same versions, two equal specs give the same bits. Elsewhere they round
    otherwise, and a training makes points of accuracy of it, as another seed would. So
    ``environment.json`` keeps processor and threads, and runs that mix them give a warning.

    Raises:
        pydantic.ValidationError: a value out of range, a student without a teacher, or per-class
            estimates from a run that has seen the dev examples (``RunSpec.parse`` gives one line).
    """

    data: DataSpec
    model: AnyModel
    recipe: Recipe
    objective: Objective = Field(default_factory=lambda: Objective())
    seed: Seed = 0
    teacher: RunSpec | None = None
    version: Annotated[int, Field(ge=1)] = RESULTS_VERSION

    @model_validator(mode="after")
    def _teacher_fits(self) -> Self:
        if self.objective.uses_teacher and self.teacher is None:
            raise ValueError("this objective listens to a teacher: name one in `teacher`")
        if self.teacher is not None and not self.objective.uses_teacher:
            raise ValueError(
                "`teacher` is given but the mix is 0 for every class, and no cost asks"
            )
        if self.objective.weighted_soft_labels and self.teacher is None:
            raise ValueError("weighted_soft_labels needs a teacher: name one in `teacher`")
        if any(isinstance(p.objective.log_cost, AveragedRobustCost) for p in self.parents()):
            raise ValueError("an averaged iterate is no network: it cannot teach")
        for parent in self.parents():
            if drawn_classes(parent.data) != drawn_classes(self.data):
                raise ValueError(
                    f"teacher and student need the same classes: the teacher was trained on "
                    f"{data_label(parent.data)}, the student on {data_label(self.data)}"
                )
        return self

    @model_validator(mode="after")
    def _network_fits_the_images(self) -> Self:
        in_files = self.data.name in PUBLISHED
        if in_files != isinstance(self.model, PhotoNetwork):
            wanted = "an ImageNet ResNet or EfficientNetV2" if in_files else "a CIFAR ResNet"
            raise ValueError(f"{self.data.name} needs {wanted}, not {self.model.title}")
        if in_files and self.recipe.crop_padding:
            raise ValueError(
                f"crop_padding = {self.recipe.crop_padding}: must be 0 for {self.data.name}, whose "
                "images are cropped at random and resized"
            )
        if any(_image_size(parent) != _image_size(self) for parent in self.parents()):
            raise ValueError("teacher and student see the same images: give both one image_size")
        return self

    @model_validator(mode="after")
    def _dev_was_held_out(self) -> Self:
        for source in self._estimators():
            if source.data.part != "train_minus_dev" or not source.data.same_examples(self.data):
                raise ValueError(
                    "`estimated_by` must have trained on the `train_minus_dev` part of the same "
                    f"examples: it trained on {source.data}"
                )
        return self

    @property
    def id(self) -> str:
        """16 hexadecimal digits: a hash of the canonical JSON, nested teachers included."""
        # Not cached: ``model_copy(update=...)`` would hand the old id to a changed spec.
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:ID_DIGITS]

    def parents(self) -> tuple[RunSpec, ...]:
        """The runs that must be there first, each once: the teacher and the dev estimators."""
        named = ([self.teacher] if self.teacher else []) + self._estimators()
        return tuple(dict.fromkeys(named))

    @property
    def saw_validation(self) -> bool:
        """Whether validation images moved its multipliers, or those of a run that it builds on."""
        cost = self.objective.log_cost
        moved = isinstance(cost, RobustCost) and cost.moves_on_validation
        return moved or any(parent.saw_validation for parent in self.parents())

    def label(self) -> str:
        """A short text for people: data, model, objective, seed."""
        return f"{data_label(self.data)} {self.model.title} {method_name(self)} s{self.seed}"

    def _estimators(self) -> list[RunSpec]:
        rules = (self.objective.mix, self.objective.log_cost)
        return [rule.estimated_by for rule in rules if isinstance(rule, EstimatedMix | MarginCost)]


def method_name(spec: RunSpec) -> str:
    """The objective in the papers' words, e.g. ``AdaAlpha T=3``."""
    objective = spec.objective
    cost = _cost_name(objective.log_cost)
    if not objective.uses_teacher:
        return f"{cost}one-hot"
    weighted = "weighted " if objective.weighted_soft_labels else ""
    return f"{cost}{weighted}{_taught_name(objective)}"


def _cost_name(cost: Cost) -> str:
    if isinstance(cost, RobustCost):
        named = {0.0: "balanced", 1.0: "robust"}
        averaged = "averaged " if isinstance(cost, AveragedRobustCost) else ""
        return averaged + named.get(cost.rule.alpha, f"traded-off {cost.rule.alpha:g}") + " "
    return {"prior": "logit-adjusted ", "margin": "AdaMargin ", "none": ""}[cost.kind]


def _taught_name(objective: Objective) -> str:
    mix, at = objective.mix, f"T={objective.temperature:g}"
    if isinstance(mix, ConstantMix):
        return f"distilled {at} alpha={mix.alpha:g}"
    if isinstance(mix, HardestRemovedMix):
        return f"distilled {at} alpha={mix.alpha:g} without the hardest {mix.share:.0%}"
    return f"{'AdaAlpha' if isinstance(mix, AdaptiveMix) else 'shuffled AdaAlpha'} {at}"


def with_parents(specs: Iterable[RunSpec]) -> list[RunSpec]:
    """The runs and all that they build on, each once."""
    found: dict[RunSpec, None] = {}
    waiting = [*specs]
    while waiting:
        spec = waiting.pop()
        if spec not in found:
            found[spec] = None
            waiting += spec.parents()
    return list(found)


def _image_size(spec: RunSpec) -> int | None:
    return spec.model.image_size if isinstance(spec.model, PhotoNetwork) else None


for _model in (AdaptiveMix, HardestRemovedMix, ShuffledMix, MarginCost, Objective, RunSpec):
    _model.model_rebuild()
