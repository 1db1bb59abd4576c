"""Titles and first sentences of the robust chapters follow from the numbers, whatever these are."""

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import baselines_and_compression, calibration, teacher_and_student, trade_offs
from kdbook.chapters.baselines_and_compression import findings as of_baselines
from kdbook.chapters.calibration import findings as of_calibration
from kdbook.chapters.multipliers import findings as of_multipliers
from kdbook.chapters.teacher_and_student import findings as of_pairs
from kdbook.chapters.trade_offs import findings as of_trade_offs

ROBUST, STANDARD = "rob / rob-d (teacher labels)", "std / std-d"


def grid(gains):
    """Three seeds of every cell: 50 % and what ``gains`` adds, with a little noise in some."""
    methods = [
        m.method
        for m in teacher_and_student.TeacherAndStudent(
            teacher_and_student.Settings(seeds=1)
        ).members()
    ]
    rows = [
        {"method": name, "imbalance": 20.0, "temperature": np.nan, "seed": seed,
         "mean": 80.0 + seed,
         "worst_1": 50.0 + seed + gains.get(name, 0.0) + 0.1 * (seed % 2) * (place % 3)}
        for place, name in enumerate(methods)
        for seed in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gains", "title", "place"),
    [
        ({ROBUST: 20.0, STANDARD: -10.0}, "both by +30.0", "highest mean of the nine"),
        ({ROBUST: -5.0, STANDARD: 0.0}, "both by -5.0", "is topped by 8 of eight"),
    ],
)
def test_the_grid_says_where_robust_twice_is(gains, title, place):
    chosen = grid(gains)
    assert of_pairs.headline(chosen).endswith(title)
    assert place in of_pairs.in_short(chosen)


def test_the_side_that_matters_more_is_named():
    assert "the teacher matters more" in of_pairs.remembered(grid({"rob / std-d": 9.0}))
    assert "the student matters more" in of_pairs.remembered(
        grid({"std / rob-d (teacher labels)": 9.0})
    )


def changes(**means):
    rows = [{"comparison": k, "measure": "worst class", "mean": m, "holds": abs(m) > 10}
            for k, m in means.items()]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_choice_that_matters_most_is_named():
    title = of_multipliers.headline(changes(a=-74.0, b=2.0, c=12.0), "worst class")
    assert title == "Of 3 changed choices 2 clearly moves the worst class: a, by -74 points"
    assert of_multipliers.headline(changes(a=1.0), "worst class").startswith("None of 1 changed")


def test_the_recorded_trade_offs_have_their_range_in_the_title():
    summary = trade_offs.TradeOffs().recorded_rows()
    frontier = trade_offs.frontier
    cells = frontier.cells(frontier.grid(summary))
    title = of_trade_offs.headline(summary, cells)
    low, high = cells["worst"].min(), cells["worst"].max()
    assert title.endswith(f"{low:.0f} to {high:.0f} % with {len(cells)} trade-offs")


def test_the_best_calibrated_teacher_and_the_best_student_may_differ():
    found = pd.DataFrame({"teacher": ["standard", "robust"], "seed": 0, "error": [0.6, 1.1],
                          "worst": [70.0, 80.0]})  # fmt: skip
    title = of_calibration.headline(found)
    assert title.startswith("The standard teacher is calibrated best (0.60)")
    assert title.endswith("the robust teacher's student has the best worst class (80 %)")
    assert set(of_calibration.WORDS) == {calibration.objective_name(a) for a in (None, 0.0, 1.0)}


def test_a_shift_and_a_robust_student_share_the_title():
    study = baselines_and_compression
    gaps = pd.DataFrame(
        [{"measure": "worst class", "comparison": f"{name} − {study.DISTILLED}", "mean": mean}
         for name, mean in ((study.shift_name(None), 19.7), (study.ROBUST_STUDENT, 20.6))]
    )  # fmt: skip
    assert of_baselines.headline(gaps) == (
        "Worst class: a shift of the teacher's logits +20 points, a robust student +21"
    )
