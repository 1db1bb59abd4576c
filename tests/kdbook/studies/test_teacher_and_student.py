"""The grid of objectives: its cells, its paths of multipliers, and how a collapse is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook import collapse as multiplier_paths
from kdbook.chapters import teacher_and_student as study
from kdlib.runs import Store, execute


def test_each_seed_has_three_teachers_and_twelve_students():
    members = study.TeacherAndStudent(study.Settings(seeds=2)).members()
    assert len(members) == 2 * 15
    methods = [m.method for m in members if m.seed == 0]
    assert len(set(methods)) == 15
    assert methods[0] == "teacher std" and "bal / rob-d (one-hot labels)" in methods


def test_quick_takes_fewer_seeds_unless_told():
    assert {m.seed for m in study.TeacherAndStudent(study.Settings()).members()} == set(range(4))
    assert {m.seed for m in study.TeacherAndStudent(study.Settings(seeds=7)).members()} == set(
        range(7)
    )


def test_every_temperature_is_trained():
    members = study.TeacherAndStudent(study.Settings(seeds=1, temperatures=(1.0, 3.0))).members()
    heats = [m.temperature for m in members if not m.method.startswith("teacher")]
    assert sorted(set(heats)) == [1.0, 3.0] and len(heats) == 24


def test_a_second_temperature_is_told_where_there_is_a_choice_of_it():
    one = study.TeacherAndStudent(study.Settings(seeds=1, validation_temperatures=(3.0,))).members()
    assert all(m.place == () for m in one)
    asked = [m.spec.objective.log_cost for m in one if "(teacher labels)" in m.method]
    assert {cost.validation_temperature for cost in asked} == {3.0}
    two = study.TeacherAndStudent(
        study.Settings(seeds=1, validation_temperatures=(1.0, 3.0))
    ).members()
    assert len(two) == 15 + 3  # each teacher's robust student with teacher labels once more
    assert {name for m in two for name, _ in m.place} == {"validation_temperature"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = study.Settings(seeds=1, epochs=4)
    store = Store(tmp_path_factory.mktemp("store"))
    return settings, execute(
        study.TeacherAndStudent(settings).runs(), store=store, jobs=1, progress=False
    )


def test_paths_belong_to_robust_runs_and_stay_on_the_simplex(trained):
    paths = study.TeacherAndStudent(trained[0]).multiplier_paths(*trained[1:])
    robust = {
        m.method
        for m in study.TeacherAndStudent(trained[0]).members()
        if m.method.endswith(("rob", "labels)"))
    }
    assert set(paths["method"]) == robust
    sums = paths.groupby(["method", "step"])["multiplier"].sum()
    np.testing.assert_allclose(sums, 1, rtol=1e-4)
    assert paths["error"].between(0, 100.001).all()


def test_tables_have_a_row_a_run(trained):
    table = study.TeacherAndStudent(trained[0]).per_seed(*trained[1:])
    assert len(table) == 15 and table["status"].eq("completed").all()
    worst = [100 * result.accuracy("validation").min() for result in trained[1]]
    np.testing.assert_allclose(table["validation_worst"], worst, rtol=1e-6)
    between = table[["first_half", "second_half"]]
    assert (between.min(axis=1) <= worst).all()
    assert len(study.TeacherAndStudent(trained[0]).per_class(*trained[1:])) == 150


@given(st.integers(2, 50))
def test_even_weights_are_shared_by_all_classes(classes):
    assert multiplier_paths.effective_classes(np.ones(classes)) == pytest.approx(classes)


def test_a_collapse_is_one_class():
    assert multiplier_paths.effective_classes([1.0, 0.0, 0.0]) == pytest.approx(1.0)
    assert multiplier_paths.effective_classes([0.5, 0.5, 0.0, 0.0]) == pytest.approx(2.0)
