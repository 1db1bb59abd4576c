"""Families: what is shared between the runs of one seed, and what sets them apart."""

import pytest

from kdbook.families import Family, families
from kdbook.profiles import PROFILES
from kdlib.models import ModelSpec
from kdlib.runs import MarginCost

QUICK = PROFILES["quick"]


def students(family):
    return [
        family.one_hot(), family.distilled(2.0), family.ada_alpha(2.0), family.ada_margin(2.0),
        family.logit_adjusted(), family.logit_adjusted(2.0), family.hardest_removed(2.0),
        family.shuffled(2.0), family.weighted_soft_labels(2.0),
    ]  # fmt: skip


def test_students_differ_in_their_objective_only():
    family = Family(QUICK, 20.0, 3)
    runs = students(family)
    assert len({run.id for run in runs}) == len(runs)
    for run in runs:
        assert (run.data, run.model, run.recipe, run.seed) == (
            family.data(), QUICK.model, QUICK.recipe, 3,
        )  # fmt: skip
        assert run.teacher in (None, family.teacher())


def test_a_constant_trust_of_zero_is_one_hot():
    family = Family(QUICK, 20.0, 0)
    assert family.distilled(3.0, alpha=0) == family.one_hot()


def test_teachers_and_students_may_differ_in_their_network():
    small, large = ModelSpec(depth=8), ModelSpec(depth=14)
    run = Family(QUICK, 20.0, 0, model=small, teacher_model=large).ada_margin(2.0)
    assert run.model == small and run.teacher.model == large
    assert isinstance(run.objective.log_cost, MarginCost)
    assert run.objective.log_cost.estimated_by.model == large


def test_an_early_stopped_teacher_keeps_its_schedule():
    run = Family(QUICK, 20.0, 0, teacher_stops_after=10).distilled()
    assert run.teacher.recipe.last_epoch == 10
    assert run.teacher.recipe.epochs == QUICK.teachers_recipe.epochs
    assert run.recipe == QUICK.recipe


def test_a_share_of_the_classes_holds_for_all_runs_of_the_family():
    run = Family(QUICK, 1.0, 0, class_share=0.5, class_seed=7).distilled()
    assert run.data == run.teacher.data
    assert (run.data.class_share, run.data.class_seed) == (0.5, 7)


def test_repeated_distillation_nests_teachers():
    family = Family(QUICK, 20.0, 4)
    thrice = family.distilled_again(3, 2.0)
    assert family.distilled_again(1, 2.0) == family.distilled(2.0)
    assert thrice.teacher == family.distilled_again(2, 2.0)
    assert thrice.teacher.teacher.teacher == family.teacher()
    chain = [thrice, thrice.teacher, thrice.teacher.teacher, family.teacher()]
    assert len({run.seed for run in chain}) == 4


@pytest.mark.parametrize("ratio", [None, 5.0])
def test_as_many_families_as_the_profile_says(ratio):
    expected = QUICK.seeds if ratio is None else QUICK.sweep_seeds
    assert [family.seed for family in families(QUICK, ratio)] == list(range(expected))
