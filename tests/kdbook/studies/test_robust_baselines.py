"""The baselines of robust distillation: which runs they are, who shares them, their tables."""

import pytest

from kdbook.chapters import baselines_and_compression as study
from kdbook.chapters import teacher_and_student
from kdbook.families import Family
from kdbook.robust_families import RobustFamily
from kdlib.errors import SettingError
from kdlib.runs import Store, execute

SETTINGS = study.Settings()
FAMILY = RobustFamily(SETTINGS, 3)


def methods(settings, seed=0):
    return [m.method for m in study.RobustBaselines(settings).members() if m.seed == seed]


def test_under_a_standard_teacher_the_adaptive_students_are_those_of_teachers_pet():
    other = Family(FAMILY.profile, FAMILY.profile.imbalance, 3)
    assert FAMILY.ada_alpha(None, temperature=2.0) == other.ada_alpha(2.0)
    assert FAMILY.ada_margin(None, offset=0.1) == other.ada_margin(offset=0.1)


def test_adaptive_students_ask_an_initial_teacher_of_the_teachers_objective():
    run = FAMILY.ada_alpha(1.0)
    initial = run.objective.mix.estimated_by
    assert initial.objective == run.teacher.objective
    assert initial.data.part == "train_minus_dev" and run.teacher.data.part != initial.data.part
    assert initial.seed != run.teacher.seed != run.seed


def test_grid_and_baselines_share_their_runs():
    grid = set(teacher_and_student.TeacherAndStudent(teacher_and_student.Settings()).runs())
    ours = {m.method: m.spec for m in study.RobustBaselines(SETTINGS).members() if m.seed == 0}
    shared = ("teacher std", "teacher bal", "teacher rob", "distilled")
    assert all(ours[name] in grid for name in (*shared, "robust student", "balanced student"))


def test_seeds_and_cells():
    assert {m.seed for m in study.RobustBaselines(SETTINGS).members()} == set(range(5))
    assert [len(methods(SETTINGS, seed)) for seed in range(5)] == [15 + 8, 15 + 8, 15, 3, 3]
    assert len(set(methods(SETTINGS))) == 23
    few = study.Settings(seeds=2)
    assert len(study.RobustBaselines(few).runs()) == 2 * 23
    assert (
        len(study.RobustBaselines(study.Settings(seeds=4, compression_seeds=1)).runs())
        == 4 * 15 + 8
    )


def test_beyond_the_seeds_of_the_baselines_there_are_teachers_alone():
    assert methods(SETTINGS, 4) == ["teacher std", "teacher bal", "teacher rob"]
    grid = {m.spec for m in study.RobustBaselines(study.Settings(seeds=5)).members() if m.seed == 4}
    assert {m.spec for m in study.RobustBaselines(SETTINGS).members() if m.seed == 4} <= grid


def test_a_compressed_robust_student_comes_with_either_kind_of_labels():
    specs = {m.method: m.spec for m in study.RobustBaselines(SETTINGS).members() if m.seed == 0}
    for teacher in ("std", "rob"):
        pair = (specs[f"14 to 8: {teacher} / rob-d{end}"] for end in ("", " (teacher labels)"))
        one_hot, taught = (spec.objective.log_cost.validation_labels for spec in pair)
        assert (one_hot, taught) == ("one_hot", "teacher")


def test_depths_follow_the_papers_ratio():
    assert study.RobustBaselines(SETTINGS).depths() == (14, 8)
    assert study.RobustBaselines(study.Settings(profile="paper")).depths() == (56, 32)
    assert study.RobustBaselines(study.Settings(teacher_depth=20, student_depth=8)).depths() == (
        20,
        8,
    )
    student = next(
        m.spec
        for m in study.RobustBaselines(SETTINGS).members()
        if m.method.startswith("14 to 8: rob /")
    )
    assert (student.model.depth, student.teacher.model.depth) == (8, 14)


@pytest.mark.parametrize("values", [{"offset": 0}, {"temperatures": [0]}, {"compression_seeds": 0}])
def test_settings_out_of_range_are_refused(values):
    name = next(iter(values))
    with pytest.raises(SettingError, match=f"^{name}.* is not allowed"):
        study.Settings.parse(**values)


def test_a_depth_that_no_resnet_has_is_refused():
    with pytest.raises(SettingError, match="6n"):
        study.RobustBaselines(study.Settings(student_depth=9)).runs()


@pytest.mark.slow
def test_a_row_for_each_run_and_each_post_shifted_teacher(tmp_path):
    settings = study.Settings(seeds=1, epochs=2)
    store = Store(tmp_path)
    results = execute(study.RobustBaselines(settings).runs(), store=store, jobs=1, progress=False)
    table = study.RobustBaselines(settings).per_seed(results).set_index("method")
    assert len(table) == 23 + 3
    assert {m.method for m in study.RobustBaselines(settings).row_members()} == set(table.index)
    assert set(study.baselines()) <= set(table.index)
    for name in ("std", "bal", "rob"):
        assert (
            table.loc[f"post shift, {name} teacher", "run"] == table.loc[f"teacher {name}", "run"]
        )
    assert [m.method for m in study.RobustBaselines(settings).teachers(results)[0]] == [
        "teacher std", "teacher bal", "teacher rob",
    ]  # fmt: skip


def test_unfinished_runs_have_no_rows():
    results = [None] * len(study.RobustBaselines(SETTINGS).runs())
    assert study.RobustBaselines(SETTINGS).per_seed(results).empty
