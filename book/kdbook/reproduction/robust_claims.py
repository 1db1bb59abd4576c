"""What "Robust distillation" claims, a claim per row; see ``kdbook.reproduction.claims``.

Effects are those of the long tail of CIFAR-10, or of CIFAR-10 itself where the claim is about
balanced data. Supplementary Table 3 has a teacher for each student, as most of our records do.
"""

from __future__ import annotations

from dataclasses import replace

from kdbook.reproduction.claims import Claim, Row
from kdbook.reproduction.mapping import BLOCKS, Measure
from kdbook.reproduction.ours import SMALLER
from kdbook.reproduction.robust_mapping import GRID, LABELS, OTHERS, SETTINGS, TRADED

_WORST, _MEAN = Measure("worst", 0.01), Measure("mean")
_TAIL, _BALANCED = "cifar10_lt", "cifar10"
_COLUMNS = ("teacher_objective", "student_objective", "validation_labels")


def _cell(teacher: str, student: str, labels: str = "") -> Row:
    values = (teacher, student, labels)
    return {name: value for name, value in zip(_COLUMNS, values, strict=True) if value}


def _name(cell: Row) -> str:
    teacher, student = cell["teacher_objective"], cell["student_objective"]
    if student == "none":
        return f"teacher {teacher}"
    return f"{teacher} / {student}{LABELS.get(cell.get('validation_labels', ''), '')}"


def _cells(
    text: str, cell: Row, base: Row, dataset: str = _TAIL, table: str = "Supp Table 3"
) -> Claim:
    """The worst class of one cell of the grid less that of another."""
    where = {"table": table, "dataset": dataset, "metric": "worst_1"}
    return Claim(
        text, "robust_distillation", where | cell, where | base, (BLOCKS, GRID), _name(cell),
        _name(base), _WORST, SETTINGS[dataset],
    )  # fmt: skip


def _smaller(claim: Claim) -> Claim:
    """The same of a student that is smaller than its teacher."""
    return replace(
        claim,
        studies=(OTHERS,),
        method=f"{SMALLER}{claim.method}",
        baseline=f"{SMALLER}{claim.baseline}",
        network="ResNet-32 taught by ResNet-56",
    )


def _baseline(text: str, table: str, row: Row, base: Row, method: str, less: str) -> Claim:
    where = {"table": table, "dataset": _TAIL, "metric": "worst_1"}
    return Claim(
        text, "robust_distillation", where | row, where | base, (BLOCKS, OTHERS), method, less,
        _WORST, SETTINGS[_TAIL],
    )  # fmt: skip


def _point(text: str, alphas: tuple[str, str], base: tuple[str, str]) -> Claim:
    """The average of one point of the grid of trade-offs less that of another."""
    where = {"table": "Supp Figure 1", "dataset": _TAIL, "metric": "mean_accuracy"}
    one, other = (where | {"alpha_t": t, "alpha_s": s} for t, s in (alphas, base))
    return Claim(
        text, "robust_distillation", one, other, (TRADED,), " / ".join(alphas), " / ".join(base),
        _MEAN, SETTINGS[_TAIL],
    )  # fmt: skip


_STANDARD = _cell("std", "std-d")
ROBUST_CLAIMS = (
    _cells(
        "A robust student raises the worst class (teacher labels on validation)",
        _cell("std", "rob-d", "teacher"), _STANDARD,
    ),
    _cells(
        "So it does on balanced data",
        _cell("std", "rob-d", "teacher"), _STANDARD, _BALANCED,
    ),
    _cells(
        "A robust teacher alone raises its standard student's worst class",
        _cell("rob", "std-d"), _STANDARD,
    ),
    _cells(
        "Robust twice is not best: a balanced teacher gives a better robust student",
        _cell("rob", "rob-d", "teacher"), _cell("bal", "rob-d", "teacher"),
    ),
    _cells(
        "Robust twice is not best on balanced data: a standard teacher is better",
        _cell("rob", "rob-d", "teacher"), _cell("std", "rob-d", "teacher"), _BALANCED,
    ),
    _cells(
        "A robust teacher itself has the better worst class",
        _cell("rob", "none"), _cell("std", "none"), table="Supp Table 1",
    ),
    _cells("A balanced student raises the worst class", _cell("std", "bal-d"), _STANDARD),
    _cells(
        "With a standard teacher, true labels on validation beat the teacher's",
        _cell("std", "rob-d", "onehot"), _cell("std", "rob-d", "teacher"),
    ),
    _point("A more robust student costs average accuracy", ("0", "1"), ("0", "0")),
    _baseline(
        "Post shift raises the worst class, without training", "Table 2",
        {"method": "post_shift"}, {"method": "distillation"},
        "post shift, std teacher", "distilled",
    ),
    _baseline(
        "AdaMargin profits from a robust teacher", "Supp Table 4",
        {"method": "ada_margin", "teacher_objective": "rob"},
        {"method": "ada_margin", "teacher_objective": "std"},
        "AdaMargin, rob teacher", "AdaMargin, std teacher",
    ),
    _smaller(
        _cells(
            "Smaller students too profit from a robust teacher",
            _cell("rob", "std-d"), _STANDARD, table="Supp Table 2",
        )
    ),
)  # fmt: skip
"""Of "Robust distillation"."""
