"""Which of our records answers which published number of "Teacher's pet".

Data only. What is not in here is refused loudly, so that a new row cannot go without an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from kdbook.reproduction import settings

UNAVAILABLE = {
    "imagenet": "ImageNet",
    "imagenet_lt": "ImageNet-LT",
    "imagenet100": "ImageNet-100",
    "inaturalist2018": "iNaturalist 2018",
}
"""Data sets of the paper that this book has no access to."""


SETTINGS = {
    "cifar100": settings.teachers_pet(1.0, "cifar100_paper"),
    "cifar100_lt": settings.teachers_pet(100.0, "cifar100_lt_paper"),
    "adult": settings.ADULT,
}
"""A balanced set is compared at ratio 1, a long-tailed one at the ratio of the record's own."""

NETWORKS = {
    "resnet56": "ResNet-56",
    "random_forest_1": "a tree taught by 500 trees, all of depth 20",
    "none": "a tree taught by 500 trees, all of depth 20",  # the forest itself
}
"""The students of the available data sets, as records name them."""


@dataclass(frozen=True)
class Answer:
    """Where a method of the paper is found in our records.

    Attributes:
        studies: whose records hold it, the preferred one first; empty if no study has it yet.
        method: its name there. Of several temperatures the one counts that the paper's protocol
            chooses.
    """

    studies: tuple[str, ...]
    method: str


BLOCKS = "evidence"
"""Stands for the blocks of ``kdbook.evidence``, as ``kdbook.reproduction.blocks`` reads them."""

_COMPARED = (BLOCKS, "results", "trusting_the_teacher_less", "rare_classes")
_SWEPT = (BLOCKS, "rare_classes", "results", "trusting_the_teacher_less")
ADULT = "groups_that_are_not_classes"

METHODS = {
    "one_hot": Answer(_COMPARED, "one-hot"),
    "distillation": Answer(_COMPARED, "distilled"),
    "ada_alpha": Answer((BLOCKS, "results", "trusting_the_teacher_less"), "AdaAlpha"),
    "ada_margin": Answer((BLOCKS, "results", "where_the_teacher_errs"), "AdaMargin"),
    "remove_hardest_10": Answer(("ablations",), "hardest removed"),
    "shuffle_alpha": Answer(("ablations",), "shuffled"),
    "weighted_soft_labels": Answer(("ablations",), "weighted labels 1"),
    "distillation_2x": Answer(("repeated_distillation",), "distilled 2×"),
    "distillation_3x": Answer(("repeated_distillation",), "distilled 3×"),
    "teacher_only": Answer((), "teacher"),
}

TABLES = {
    "Table 1": _SWEPT,
    "Figure 1 caption": _SWEPT,
}
"""Tables whose numbers other studies than the method's own answer first."""

BASELINES = {
    ("Table 4", "ada_alpha"): ("Table 3", "one_hot"),
    ("Table 4", "remove_hardest_10"): ("Table 4", "ada_alpha"),
    ("Table 4", "shuffle_alpha"): ("Table 4", "ada_alpha"),
    ("Table 4", "weighted_soft_labels"): ("Table 4", "ada_alpha"),
}
"""The number that a method's accuracy is taken the difference from: table and method.

Elsewhere it is the one-hot row of the same table, data set and metric. Table 4 prints none: there
the ablations stand beside AdaAlpha, and AdaAlpha beside the one-hot row of Table 3.
"""

WITHOUT_TEACHER = ("one_hot",)
"""Compared by value, for they are what differences are taken from."""


@dataclass(frozen=True)
class Measure:
    """A column of our tables, perhaps less another one.

    Attributes:
        column: its name, or ``worst`` for the mean of the ``share`` worst classes.
        share: of the classes, for ``worst``.
        less_worst: whether the mean of the ``share`` worst classes is taken off it.
    """

    column: str
    share: float = 0.0
    less_worst: bool = False


METRICS: dict[str, Measure | None] = {
    "mean_accuracy": Measure("mean"),
    "worst_1": Measure("worst", 0.01),
    "worst_10": Measure("worst", 0.1),
    "top_10pct": Measure("best_tenth"),
    "delta_10": Measure("mean", 0.1, less_worst=True),
    "balanced_accuracy": Measure("balanced"),
    "subgroup_accuracy": Measure("group"),
    "worst_20": None,
    "worst_100": None,
    "worst_k": None,
    "top_20pct": None,
    "delta_20": None,
}
"""The paper's k counts of 100 classes: on other data the same share of the classes, at least one.

``None``: printed for data sets that are not available only.
"""

DIFFERENCES = ("delta_mean_accuracy", "delta_worst_1", "delta_worst_10", "delta_worst_k",
               "delta_subgroup_accuracy")  # fmt: skip
"""Metrics that are printed as differences, distilled minus one-hot."""
