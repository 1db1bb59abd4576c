"""Which of our records answers which published number of "Robust distillation".

Data only. What is not in here is refused loudly, so that a new row cannot go without an answer.
"""

from __future__ import annotations

from kdbook.reproduction.mapping import BLOCKS, Answer, Measure
from kdbook.reproduction.settings import robust

UNAVAILABLE = {
    "imagenet": "ImageNet",
    "tinyimagenet": "TinyImageNet",
    "tinyimagenet_lt": "TinyImageNet-LT",
}
"""Data sets of the paper that this book has no access to."""

SETTINGS = {
    "cifar10": robust("cifar10", 1.0, "cifar10_robust_paper"),
    "cifar100": robust("cifar100", 1.0, "cifar100_robust_paper"),
    "cifar10_lt": robust("cifar10", 100.0, "cifar10_lt_robust_paper"),
    "cifar100_lt": robust("cifar100", 100.0, "cifar100_lt_robust_paper"),
}
"""A balanced set is compared at ratio 1, a long-tailed one at the ratio of the record's own."""

NETWORKS = {"resnet56": "ResNet-56", "resnet32": "ResNet-32"}
"""The networks of the available data sets, as records name them."""

GRID, TRADED, OTHERS = "teacher_and_student", "trade_offs", "robust_baselines"
STANDARD = "std / std-d"
"""A standard student of a standard teacher: what students are compared with."""
STANDARD_OF_OTHERS = "distilled"
"""The same, as the study of the baselines calls it."""
STANDARD_TEACHER = "teacher std"
"""What teachers are compared with."""

LABELS = {"onehot": " (one-hot labels)", "teacher": " (teacher labels)"}
"""By whose labels a robust student's errors are measured on validation images.

Main Table 1 does not say. Its long-tailed cells are those of supplementary Table 1 with the
teacher's labels, so these stand for it.
"""

METHODS = {
    "distillation": Answer((BLOCKS, GRID, TRADED), STANDARD),
    "robust_student": Answer((BLOCKS, GRID), f"std / rob-d{LABELS['onehot']}"),
    "balanced_student": Answer((BLOCKS, GRID), "std / bal-d"),
    "post_shift": Answer((OTHERS,), "post shift, {teacher} teacher"),
    "ada_alpha": Answer((BLOCKS, OTHERS), "AdaAlpha, {teacher} teacher"),
    "ada_margin": Answer((OTHERS,), "AdaMargin, {teacher} teacher"),
    "group_dro": Answer((OTHERS,), "Group DRO, validation"),
    "group_dro_with_vali": Answer((OTHERS,), "Group DRO, validation"),
    "group_dro_no_vali": Answer((OTHERS,), "Group DRO, training"),
}
"""Methods by name. Cells of the grids are named by their objectives or trade-offs."""

BALANCED_IS_STANDARD = (0.0, 0.0)
"""The trade-offs of a point that is the standard student itself, on a balanced set.

There the standard and the balanced objective are one (the paper, after equation 2). Supplementary
Figure 1 draws this point at the very place of its standard distillation. At other points a 0 stays
balanced here: a student's class shares are its teacher's probabilities, so they are not quite even.
"""

CELLS = ("objective_pair", "teacher_only", "traded_off")
"""Methods that are named by what stands in other columns."""

UNANSWERABLE = {"selected_alphas": "the paper does not print which trade-offs it selected"}
"""Methods whose numbers cannot be asked for, and why."""

COMPRESSED = "resnet32"
"""The student of the tables on compression, whose teacher is larger."""
COMPRESSED_METHODS = ("objective_pair", "distillation", "robust_student")
"""What is trained with a smaller student here."""

ELSEWHERE = {"Supp Table 4": "Table 2", "Supp Table 5": "Table 2"}
"""Tables that print no standard student, and the one whose standard student is taken."""

ONE_TEACHER = {"Table 1": True, "Supp Table 1": True, "Supp Table 3": False}
"""Whether all students of a table learn from one teacher. Elsewhere protocols are mixed."""

METRICS: dict[str, Measure | None] = {
    "mean_accuracy": Measure("mean"),
    "balanced_accuracy": Measure("mean"),  # the test sets are balanced
    "worst_1": Measure("worst", 0.01),
    "worst_10": None,
    "worst_50": None,
    "worst_100": None,
}
"""The worst of 10 and of 100 classes are compared with our single worst class.

``None``: printed for data sets that are not available only.
"""
