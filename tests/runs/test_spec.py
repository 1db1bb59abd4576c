import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_runs import ablation, ada_alpha, ada_margin, distilled, one_hot

from kdlib.errors import SettingError
from kdlib.runs import RESULTS_VERSION, ConstantMix, DataSpec, Objective, RunSpec, method_name


def test_equal_specs_have_equal_ids_and_hashes():
    assert one_hot(3) == one_hot(3)
    assert one_hot(3).id == one_hot(3).id
    assert hash(one_hot(3)) == hash(one_hot(3))


def test_the_id_is_the_hash_of_the_canonical_json():
    import hashlib

    spec = ada_alpha()
    text = json.dumps(json.loads(spec.canonical_json()), sort_keys=True, separators=(",", ":"))
    assert spec.id == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_changed_copy_has_an_id_of_its_own():
    spec = distilled()
    before = spec.id
    copy = spec.model_copy(update={"seed": spec.seed + 1})
    assert copy.id != before
    assert copy.id == RunSpec.model_validate_json(copy.canonical_json()).id


def test_ids_do_not_move_by_accident():
    # Recorded results are found by these ids: a change here orphans all of them. Change it only
    # together with RESULTS_VERSION, or when a field is added on purpose.
    plain = RunSpec.parse(
        data=DataSpec(name="digits", imbalance=20), model={"depth": 8}, recipe=one_hot().recipe
    )
    assert (RESULTS_VERSION, plain.id) == (2, "4f53df7dd4809470")


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_ids_differ_exactly_when_seeds_differ(first, second):
    assert (one_hot(first).id == one_hot(second).id) == (first == second)


@pytest.mark.parametrize("make", [one_hot, distilled, ada_alpha, ada_margin])
def test_a_spec_survives_json(make):
    assert RunSpec.model_validate_json(make().canonical_json()) == make()


def test_a_teachers_change_changes_its_students_id():
    other = distilled().model_copy(update={"teacher": one_hot(101)})
    assert other.id != distilled().id


def test_a_new_results_version_changes_the_id():
    assert one_hot().model_copy(update={"version": RESULTS_VERSION + 1}).id != one_hot().id


def test_parents_are_the_teacher_and_the_estimator_each_once():
    assert [p.seed for p in ada_alpha().parents()] == [100, 200]
    assert one_hot().parents() == ()


def test_names_say_the_method():
    assert method_name(one_hot()) == "one-hot"
    assert method_name(distilled(temperature=2.5)) == "distilled T=2.5 alpha=1"
    assert method_name(ada_alpha()) == "AdaAlpha T=3"
    assert method_name(ada_margin()).startswith("AdaMargin")
    assert method_name(ablation("shuffled")) == "shuffled AdaAlpha T=3"
    assert method_name(ablation("weighted")) == "weighted distilled T=1 alpha=0.5"
    assert method_name(ablation("hardest removed")).endswith("without the hardest 30%")
    assert one_hot(7).label() == "digits 1:20 ResNet-8 one-hot s7"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"seed": -1}, "seed = -1 is not allowed: integer from 0 to 2147483647"),
        (
            {"sed": 1},
            r"unknown parameter 'sed': did you mean seed\? Allowed are data",
        ),
        ({"objective": Objective(mix=ConstantMix(alpha=0.5))}, "listens to a teacher"),
        ({"teacher": one_hot(1)}, "the mix is 0 for every class"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused_in_one_line(changes, complaint):
    plain = one_hot()
    values = {"data": plain.data, "model": plain.model, "recipe": plain.recipe} | changes
    with pytest.raises(SettingError, match=complaint) as error:
        RunSpec.parse(**values)
    assert "\n" not in str(error.value)


def test_trust_must_come_from_a_run_that_has_not_seen_the_dev_examples():
    spec = ada_alpha()
    seen_it = spec.objective.mix.model_copy(update={"estimated_by": one_hot(200)})
    with pytest.raises(SettingError, match="train_minus_dev"):
        RunSpec.parse(
            data=spec.data,
            model=spec.model,
            recipe=spec.recipe,
            objective=Objective(mix=seen_it),
            teacher=spec.teacher,
        )


def with_classes(spec, share, seed=0):
    data = spec.data.model_copy(update={"class_share": share, "class_seed": seed})
    return spec.model_copy(update={"data": data})


def test_a_student_of_other_classes_than_its_teachers_is_refused():
    student = with_classes(distilled(), 0.5)
    for teacher in (student.teacher, with_classes(student.teacher, 0.5, seed=1)):
        with pytest.raises(SettingError, match="same classes"):
            RunSpec.parse(**dict(student) | {"teacher": teacher})
    fitting = with_classes(student.teacher, 0.5)
    assert "50% of the classes" in RunSpec.parse(**dict(student) | {"teacher": fitting}).label()


def test_weighted_soft_labels_need_a_teacher():
    plain = one_hot()
    with pytest.raises(SettingError, match="weighted_soft_labels needs a teacher"):
        RunSpec.parse(**dict(plain) | {"objective": Objective(weighted_soft_labels=True)})


def test_teacher_and_student_need_the_same_classes():
    spec = distilled()
    with pytest.raises(SettingError, match="same classes"):
        RunSpec.parse(
            data=DataSpec(name="cifar100"),
            model=spec.model,
            recipe=spec.recipe,
            objective=spec.objective,
            teacher=spec.teacher,
        )
