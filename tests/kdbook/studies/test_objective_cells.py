"""The grid of objectives: how cells are read, printed ones beside ours, and which is best."""

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import teacher_and_student as study
from kdbook.chapters.teacher_and_student import objective_cells as cells
from kdbook.published import published
from kdlib.errors import SettingError
from kdlib.metrics import PERCENT, error_interval

WORST = {"worst_1": "worst class"}


def per_seed(values):
    rows = [
        {"method": method, "temperature": np.nan if "teacher" in method[:7] else 1.0,
         "imbalance": 20.0, "seed": seed, "worst_1": value + seed}
        for method, value in values.items()
        for seed in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


ALL = {m.method: 50.0 for m in study.TeacherAndStudent(study.Settings(seeds=1)).members()}


def test_each_cell_is_read_from_its_name_and_stands_under_its_labels():
    table = cells.cell_means(per_seed(ALL), WORST, "digits")
    assert len(table) == 2 * 12
    assert table.groupby("labels")["student"].value_counts().eq(3).all()
    assert set(table["seeds"]) == {3} and set(table["mean"]) == {51.0}


def test_rivals_are_the_other_eight_cells_that_the_study_trains():
    names = {
        f"{m.method}, T = 1" for m in study.TeacherAndStudent(study.Settings(seeds=1)).members()
    }
    for labels in cells.LABELS:
        pairs = cells.rivals(labels, 1.0)
        assert len({other for _, other in pairs}) == 8
        assert names.issuperset({name for pair in pairs for name in pair})


def test_the_answer_counts_what_stands_after_correction():
    rows = {"labels": "teacher", "measure": "worst class"}
    compared = pd.DataFrame(
        [
            rows | {"mean": -3.0, "holds": True},
            rows | {"mean": 2.0, "holds": True},
            rows | {"mean": -1.0, "holds": False},
        ]
    )
    said = cells.answer(compared, "teacher")
    assert "2 of 3 other cells have a higher mean" in said
    assert "1 are significantly better after correction, 1 worse, and 1 show no clear" in said


def test_rivals_are_named_by_the_other_cell():
    compared = cells.robust_twice(per_seed(ALL), 1.0, WORST)
    rows = cells.against(compared, "one-hot", "worst class")
    assert rows["comparison"].tolist()[:3] == [
        "minus std / std-d",
        "minus std / bal-d",
        "minus std / rob-d",
    ]
    assert len(rows) == 8 and set(rows["mean"]) == {0.0}


def test_printed_cells_have_the_layout_of_ours():
    words = {"worst_1": "worst class", "mean_accuracy": "mean"}
    printed = cells.printed_cells("Supp Table 1", "cifar10_lt", words)
    one = printed[(printed["labels"] == "one-hot") & (printed["measure"] == "worst class")]
    assert len(one) == 12
    robust = one[(one["teacher"] == "rob") & (one["student"] == "rob-d")].iloc[0]
    theirs = error_interval(74.7, 0.19, runs=10, scale=PERCENT)
    assert (robust["mean"], robust["low"], robust["high"]) == (74.7, theirs.low, theirs.high)
    with pytest.raises(SettingError):
        cells.printed_cells("Supp Table 1", "mnist", words)


def test_no_printed_cell_is_lost():
    words = {"worst_1": "worst class"}
    found = published(paper="robust_distillation", table="Supp Table 1", dataset="cifar100_lt")
    asked = found[(found["metric"] == "worst_1") & found["validation_labels"].notna()]
    free = found[(found["metric"] == "worst_1") & found["validation_labels"].isna()]
    assert len(cells.printed_cells("Supp Table 1", "cifar100_lt", words)) == len(asked) + 2 * len(
        free
    )


class Result:
    """A run whose worst class is known on each half."""

    status = "completed"

    def __init__(self, spec):
        from kdlib.runs.build import dataset_for

        self.spec, self.split = spec, dataset_for(spec).validation

    def labels(self, name):
        return self.split.labels.numpy()

    def index(self, name):
        return self.split.index.numpy()

    def logits(self, name):
        from kdlib.data import halves

        logits = np.eye(10)[self.labels(name)]
        wrong = np.isin(self.index(name), halves(self.split)[1].index) & (self.labels(name) == 3)
        logits[wrong] = np.eye(10)[4]
        return logits


def test_the_worst_class_is_told_by_halves():
    spec = study.TeacherAndStudent(study.Settings(seeds=1)).members()[0].spec
    found = cells.worst_on_validation(Result(spec))
    assert found == {"validation_worst": 50, "first_half": 100, "second_half": 0}
    diverged = Result(spec)
    diverged.status = "diverged"
    assert np.isnan(list(cells.worst_on_validation(diverged).values())).all()
