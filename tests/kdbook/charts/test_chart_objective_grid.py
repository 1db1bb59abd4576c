"""The heat map of objectives: what it asks for and what it says."""

import pandas as pd
import pytest

from kdbook.chapters.teacher_and_student.charts import effective_class_lines, objective_grid
from kdlib.errors import SettingError

CELLS = pd.DataFrame(
    [
        {"data": "digits", "labels": labels, "teacher": teacher, "student": student,
         "measure": "worst class", "mean": 50.0, "low": 40.0, "high": 60.0}
        for labels in ("teacher", "one-hot")
        for teacher in ("std", "bal", "rob")
        for student in ("none", "std-d", "bal-d", "rob-d")
    ]
)  # fmt: skip


def test_it_has_three_controls_and_an_alt_text():
    chart = objective_grid(CELLS).to_dict()
    assert [param["name"] for param in chart["params"]] == ["data", "measure", "labels"]
    assert "teacher objective by student objective" in chart["description"]


def test_an_unknown_data_set_and_a_missing_column_are_refused():
    with pytest.raises(SettingError, match="choose one of digits"):
        objective_grid(CELLS, data="mnist")
    with pytest.raises(SettingError, match="lacks the column mean"):
        objective_grid(CELLS.drop(columns="mean"))


def test_lines_run_from_one_class_to_all():
    swings = pd.DataFrame({"method": "a", "step": [4, 8], "effective": [9.0, 1.2]})
    chart = effective_class_lines(swings, num_classes=10).to_dict()
    assert chart["encoding"]["y"]["scale"]["domain"] == [1, 10]
    assert "lowest point is 1.2" in chart["description"]
