"""What the papers claim, a claim per row: the printed effect, and what of ours speaks to it.

Data only: the effects are read from the published numbers. A claim on data that are not available
names the study that shows whether its mechanism is at work on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kdbook.reproduction.mapping import METHODS, METRICS, SETTINGS, Measure
from kdbook.reproduction.settings import Setting

Row = dict[str, str]
"""Columns of ``kdbook.published`` and their values, which one row has."""


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        text: in a line.
        paper: as ``kdbook.published`` names it.
        printed: the published number.
        less: the number that it is taken from; ``None`` where it is printed as a difference.
        studies: whose records speak to it, the preferred one first.
        method: ours.
        baseline: what it is compared with.
        measure: in our records.
        setting: the paper's; ``None`` where the data set is not available.
        network: the paper's student, as our records name it.
        subgroup: as printed.
        only: columns of a record and the value that they must have, where it holds more.
    """

    text: str
    paper: str
    printed: Row
    less: Row | None
    studies: tuple[str, ...]
    method: str
    baseline: str
    measure: Measure
    setting: Setting | None
    network: str = "ResNet-56"
    subgroup: str = ""
    only: Mapping[str, str] = field(default_factory=dict)


_WORST, _TENTH, _MEAN = Measure("worst", 0.01), Measure("worst", 0.1), Measure("mean")
_FIFTH = Measure("worst", 0.2)
_MEASURES = {"mean_accuracy": _MEAN, "worst_1": _WORST, "worst_10": _TENTH}
_FORESTS = "a tree taught by 500 trees, all of depth 20"


def _image(text: str, table: str, dataset: str, metric: str, methods: tuple[str, str]) -> Claim:
    """A claim of "Teacher's pet" on CIFAR: one method less another in one table."""
    method, baseline = methods
    where = {"table": table, "dataset": dataset, "metric": metric}
    return Claim(
        text, "teachers_pet", where | {"method": method}, where | {"method": baseline},
        METHODS[method].studies, METHODS[method].method, METHODS[baseline].method,
        _MEASURES[metric], SETTINGS[dataset],
    )  # fmt: skip


_HARM = {"dataset": "imagenet", "method": "distillation", "metric": "delta_worst_10"}


def _on_imagenet(
    text: str, teacher: str, student: str, method: str, study: str, only: Mapping[str, str]
) -> Claim:
    printed = _HARM | {"table": "Table 2", "teacher": teacher, "student": student}
    return Claim(
        text, "teachers_pet", printed, None, (study,), method, "one-hot", _TENTH, None, only=only
    )


def _on_adult(text: str, subgroup: str, metric: str) -> Claim:
    printed = {"table": "Table 1", "dataset": "adult", "metric": metric}
    measure = METRICS["subgroup_accuracy" if subgroup else "balanced_accuracy"]
    assert measure is not None
    return Claim(
        text, "teachers_pet", printed, None, ("groups_that_are_not_classes",), "distilled",
        "one-hot", measure, SETTINGS["adult"], _FORESTS, subgroup,
    )  # fmt: skip


_ONCE = ("distillation", "one_hot")
_INATURALIST = {"table": "Table 6", "dataset": "inaturalist2018", "metric": "worst_20"}
CLAIMS = (
    _on_imagenet(
        "Self-distillation harms the ten worst classes (ImageNet, early-stopped teacher)",
        "resnet34", "resnet34", "distilled (stopped)", "gains_are_not_uniform", {},
    ),
    _on_imagenet(
        "So does a teacher that is larger than the student",
        "resnet50", "resnet18", "distilled", "architectures",
        {"teacher": "large", "student": "small"},
    ),
    _image(
        "Few classes and balanced: the mean gains", "Table 3", "cifar100", "mean_accuracy", _ONCE
    ),
    _image(
        "Few classes and balanced: the worst class gains", "Table 3", "cifar100", "worst_1", _ONCE
    ),
    _image("With a long tail the mean gains", "Table 3", "cifar100_lt", "mean_accuracy", _ONCE),
    _image(
        "With a long tail the ten worst classes lose", "Table 3", "cifar100_lt", "worst_10", _ONCE
    ),
    _on_adult("Distilled trees gain in balanced accuracy", "", "delta_mean_accuracy"),
    _on_adult(
        "A group of people pays for it: Asian-Pacific men of low income",
        "race=Asian-Pac-Islander,sex=Male,label=0", "delta_subgroup_accuracy",
    ),
    _image(
        "AdaAlpha raises the mean over distillation",
        "Table 3", "cifar100_lt", "mean_accuracy", ("ada_alpha", "distillation"),
    ),
    _image(
        "AdaAlpha raises the ten worst classes over distillation",
        "Table 3", "cifar100_lt", "worst_10", ("ada_alpha", "distillation"),
    ),
    _image(
        "AdaMargin raises the worst class over distillation, on balanced data",
        "Table 3", "cifar100", "worst_1", ("ada_margin", "distillation"),
    ),
    _image(
        "AdaMargin diverges on a long tail",
        "Table 3", "cifar100_lt", "mean_accuracy", ("ada_margin", "distillation"),
    ),
    _image(
        "It matters which class is trusted: shuffled, the weights do worse",
        "Table 4", "cifar100", "worst_10", ("shuffle_alpha", "ada_alpha"),
    ),
    _image(
        "To silence the teacher on the hardest classes is not enough",
        "Table 4", "cifar100", "worst_10", ("remove_hardest_10", "ada_alpha"),
    ),
    Claim(
        "On a natural long tail AdaAlpha raises the worst classes over one-hot",
        "teachers_pet",
        _INATURALIST | {"method": "ada_alpha"}, _INATURALIST | {"method": "one_hot"},
        ("natural_long_tails",), "AdaAlpha", "one-hot", _FIFTH, None, "",
    ),
    replace(
        _image(
            "Distilled three times, the ten worst classes lose more than once distilled",
            "Table 9", "cifar100_lt", "worst_10", ("distillation_3x", "distillation"),
        ),
        baseline="distilled 1×",
    ),
)  # fmt: skip
"""Of "Teacher's pet", in the order of its sections."""
