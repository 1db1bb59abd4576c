"""Objectives of teacher and student as runs: what each is made of, and what they share."""

import pytest

from kdbook.profiles import multiplier_rule, robust_profile
from kdbook.robust_families import RobustFamily, objective_name, robust_families
from kdbook.settings import PAPER, SMALLER, RobustSettings, TaughtSettings, teaching
from kdlib.errors import SettingError
from kdlib.runs import NoCost, RobustCost
from kdlib.training import PRESETS

SETTINGS = RobustSettings()


def test_the_nine_cells_are_nine_students_of_three_teachers():
    family = RobustFamily(SETTINGS, 4)
    cells = [family.student(t, s) for t in (None, 0.0, 1.0) for s in (None, 0.0, 1.0)]
    assert len({run.id for run in cells}) == 9
    assert len({run.teacher.id for run in cells}) == 3
    assert {run.seed for run in cells} == {4}
    assert len({run.data for run in cells}) == 1


def test_a_standard_objective_weighs_no_class():
    run = RobustFamily(SETTINGS, 0).student(None, None)
    assert isinstance(run.objective.log_cost, NoCost)
    assert isinstance(run.teacher.objective.log_cost, NoCost)


def test_a_student_is_weighed_by_its_teacher_and_a_teacher_by_the_labels():
    run = RobustFamily(SETTINGS, 0).student(1.0, 0.5, temperature=3.0, validation_temperature=0.1)
    cost, teachers = run.objective.log_cost, run.teacher.objective.log_cost
    assert isinstance(cost, RobustCost) and isinstance(teachers, RobustCost)
    assert (cost.base_rate, cost.validation_labels) == ("teacher", "teacher")
    assert (cost.validation_temperature, run.objective.temperature) == (0.1, 3.0)
    assert (teachers.base_rate, teachers.validation_labels) == ("labels", "one_hot")
    assert (cost.rule.alpha, teachers.rule.alpha) == (0.5, 1.0)


def test_a_balanced_student_is_one_run_whatever_its_validation_labels():
    family = RobustFamily(SETTINGS, 0)
    first = family.student(None, 0.0, validation_labels="one_hot")
    assert first == family.student(None, 0.0, validation_labels="teacher", validation_temperature=5)


def test_students_of_a_fixed_teacher_share_it_and_its_tail():
    first, second = (RobustFamily(SETTINGS, seed, True).student(None, 1.0) for seed in (0, 1))
    assert first.teacher == second.teacher and first.data == second.data and first != second
    own = [RobustFamily(SETTINGS, seed).student(None, 1.0).teacher for seed in (0, 1)]
    assert own[0] != own[1]


def test_group_dro_has_no_teacher_and_outer_weights():
    family = RobustFamily(SETTINGS, 0)
    for held_out in (True, False):
        rule = family.group_dro(held_out=held_out).objective.log_cost.rule
        assert rule.placement == "outer"
        assert rule.measured_on == ("held_out" if held_out else "training")


@pytest.mark.parametrize(
    ("values", "preset"),
    [
        ({"dataset": "cifar10"}, "cifar10_lt_robust_paper"),
        ({"dataset": "cifar10", "imbalance": 1}, "cifar10_robust_paper"),
        ({"dataset": "cifar100"}, "cifar100_lt_robust_paper"),
        ({"dataset": "cifar100", "imbalance": 1}, "cifar100_robust_paper"),
    ],
)
def test_the_papers_recipe_follows_data_and_tail(values, preset):
    profile = robust_profile(RobustSettings(profile="paper", **values))
    assert profile.recipe == PRESETS[preset]
    assert profile.model.depth == 56
    assert profile.dataset == values["dataset"]


def test_what_the_settings_name_wins_over_the_profiles_teaching():
    assert teaching(TaughtSettings()) == SMALLER
    assert teaching(TaughtSettings(profile="standard")) == SMALLER
    assert teaching(TaughtSettings(profile="paper")) == PAPER
    assert teaching(TaughtSettings(profile="paper", dataset="digits")) == SMALLER
    named = TaughtSettings(
        profile="paper", fixed_teacher=False, temperatures="[3, 1, 3]", validation_temperatures=[2]
    )
    how = teaching(named)
    assert (how.fixed_teacher, how.temperatures, how.validation_temperatures) == (
        False,
        (3, 1),
        (2,),
    )
    assert how.more_teachers


def test_digits_keep_their_scale_at_every_profile():
    scales = [RobustSettings(profile=p, dataset="digits") for p in ("quick", "standard", "paper")]
    assert len({robust_profile(settings) for settings in scales}) == 1


def test_settings_reach_the_rule_and_the_runs():
    settings = RobustSettings(step=0.3, update_every=7, validation_part="first_half", epochs=3)
    cost = RobustFamily(settings, 0).student(None, 1.0).objective.log_cost
    assert (cost.rule.step, cost.rule.update_every) == (0.3, 7)
    assert cost.validation_part == "first_half"
    assert RobustFamily(settings, 0).one_hot().recipe.epochs == 3
    assert multiplier_rule(RobustSettings(profile="standard")).update_every == 32


def test_as_many_families_as_seeds():
    assert [f.seed for f in robust_families(RobustSettings(seeds=3))] == [0, 1, 2]


def test_names_are_the_papers():
    names = [objective_name(a, distilled=True) for a in (None, 0.0, 0.5, 1.0)]
    assert names == ["std-d", "bal-d", "tdf-d", "rob-d"]
    assert objective_name(None) == "std"


@pytest.mark.parametrize("values", [{"dataset": "mnist"}, {"imbalance": 0}, {"update_every": 0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingError, match=next(iter(values))):
        RobustSettings.parse(**values)


def test_a_depth_is_that_of_teacher_and_student():
    run = RobustFamily(RobustSettings.parse(depth="14"), 0).student(None, 1.0)
    assert (run.model.depth, run.teacher.model.depth) == (14, 14)
    with pytest.raises(SettingError, match="6n \\+ 2"):
        robust_profile(RobustSettings(depth=9))
