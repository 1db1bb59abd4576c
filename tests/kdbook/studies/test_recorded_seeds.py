"""Recorded rows beside trained ones: only the very runs that the settings name get in."""

import pandas as pd
import pytest
from hand_records import record

from kdbook import compare, records
from kdbook.chapters import baselines_and_compression, trade_offs
from kdbook.chapters import teacher_and_student as study
from kdbook.records import write_record

SETTINGS = study.Settings(seeds=1)


def table(settings, kind=study.TeacherAndStudent, worst=50.0, **columns):
    members = kind(settings).row_members()
    rows = [m.key() | {"worst_1": worst, "run": m.spec.id} | columns for m in members]
    return pd.DataFrame(rows)


def wrote(folder, rows, name="teacher_and_student", **about):
    rows = rows.assign(status="completed")
    write_record(folder, record(rows, study=name, profile="quick", **about))


def test_rows_of_other_runs_do_not_get_in(tmp_path):
    mixed = table(study.Settings(seeds=2))
    mixed.loc[mixed["seed"] == 1, "run"] = "0123456789abcdef"
    wrote(tmp_path, mixed)
    found = records.recorded_rows(study.TeacherAndStudent(), folder=tmp_path)
    assert set(found["seed"]) == {0} and len(found) == 15
    other = study.Settings(step=0.2)
    changed = records.recorded_rows(study.TeacherAndStudent(other), folder=tmp_path)
    assert set(changed["method"]) == {"teacher std", "std / std-d"}  # no multipliers, no step


def test_a_run_under_another_name_is_another_row(tmp_path):
    rows = table(SETTINGS).replace({"method": {"std / std-d": "renamed"}})
    wrote(tmp_path, rows)
    found = records.recorded_rows(study.TeacherAndStudent(SETTINGS), folder=tmp_path)
    assert len(found) == 14


def test_trained_rows_come_before_recorded_ones_of_their_seed(tmp_path):
    wrote(tmp_path, table(study.Settings(seeds=3), worst=1.0))
    here = table(SETTINGS, worst=99.0)
    both = records.with_recorded(study.TeacherAndStudent(), here, tmp_path)
    assert both.groupby("seed")["worst_1"].unique().map(list).to_dict() == {0: [99], 1: [1], 2: [1]}
    assert compare.seeds_told(both).startswith(
        "3 seeds: of 1 there are the runs, and of 2 the record"
    )


@pytest.mark.parametrize("changed", [{"seeds": 1}, {"temperatures": (1.0, 3.0)}])
def test_who_names_seeds_or_temperatures_gets_what_is_trained(tmp_path, changed):
    wrote(tmp_path, table(study.Settings(seeds=3)))
    asked = study.TeacherAndStudent.parse(**changed)
    both = records.with_recorded(asked, table(SETTINGS), tmp_path)
    assert both["trained"].eq("here").all() and len(both) == 15
    assert compare.seeds_told(both) == "1 seed, with all its runs."


def test_a_record_without_the_needed_column_is_passed_over(tmp_path):
    wrote(tmp_path, table(SETTINGS))
    needs = ["first_half"]
    found = records.recorded_rows(study.TeacherAndStudent(SETTINGS), needs, tmp_path)
    assert found.empty and set(needs) <= set(found)


def test_several_rows_of_one_run_all_get_in(tmp_path):
    settings = baselines_and_compression.Settings(seeds=1, compression_seeds=1)
    kind = baselines_and_compression.RobustBaselines
    wrote(tmp_path, table(settings, kind), "robust_baselines")
    found = records.recorded_rows(kind(settings), folder=tmp_path)
    assert len(found) == 23 + 3 and found["method"].str.startswith("post shift").sum() == 3


def test_the_book_holds_further_seeds_of_the_grid_of_trade_offs():
    """The chapter trains two seeds. Without the record its intervals would mean nothing."""
    found = records.recorded_rows(trade_offs.TradeOffs())
    assert found.groupby("seed").size().eq(32).all() and found["seed"].nunique() > 2
