"""The study of the multipliers: what each variant changes, its pairs, and where the paths end."""

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import multipliers as study
from kdbook.chapters import teacher_and_student
from kdlib.errors import SettingError
from kdlib.runs import Store, execute

SETTINGS = study.Settings(seeds=1)


def specs(settings=SETTINGS):
    return {member.method: member.spec for member in study.ClassMultipliers(settings).members()}


def differing(first, second):
    """Names of the fields in which two specs differ, nested ones by their path."""
    found = set()
    for name in first:
        a, b = first[name], second[name]
        if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
            found |= {f"{name}.{inner}" for inner in differing(a, b)}
        elif a != b:
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (study.ONE_HOT, {"objective.log_cost.validation_labels"}),
        (study.AVERAGED, {"objective.log_cost.kind"}),
        ("a move every 16", {"objective.log_cost.rule.update_every"}),
        ("step 1", {"objective.log_cost.rule.step"}),
        (study.BASE_RATE, {"objective.log_cost.base_rate"}),
        ("validation T = 3", {"objective.log_cost.validation_temperature"}),
        ("2 times the epochs", {"recipe.epochs"}),
    ],
)
def test_each_variant_changes_one_choice(variant, expected):
    default, changed = specs()[study.DEFAULT], specs()[variant]
    assert differing(default.model_dump(), changed.model_dump()) == expected


def test_all_variants_are_trained_and_named():
    names = [study.STANDARD, study.DEFAULT, *study.ClassMultipliers(SETTINGS).choices()]
    assert list(specs()) == ["teacher", *names]
    ids = {spec.id for spec in specs().values()}
    assert len(ids) == len(names) + 1


def test_the_common_runs_are_those_of_the_grid_of_objectives():
    grid = {
        spec.id
        for spec in teacher_and_student.TeacherAndStudent(
            teacher_and_student.Settings(seeds=1)
        ).runs()
    }
    shared = [name for name, spec in specs().items() if spec.id in grid]
    assert shared == ["teacher", study.STANDARD, study.DEFAULT, study.ONE_HOT]


def test_quick_trains_five_seeds_and_fifty_runs_beside_a_grid_of_as_many():
    grid = {
        spec.id
        for spec in teacher_and_student.TeacherAndStudent(
            teacher_and_student.Settings(seeds=5)
        ).runs()
    }
    own = {spec.id for spec in study.ClassMultipliers(study.Settings()).runs()} - grid
    assert {m.seed for m in study.ClassMultipliers(study.Settings()).members()} == set(range(5))
    assert len(own) == 50


def test_the_default_is_not_among_the_other_updates():
    assert study.ClassMultipliers(study.Settings(updates=(4, 8, 8))).other_updates() == [8]
    assert study.ClassMultipliers(study.Settings(profile="standard")).other_updates() == [8, 128]
    assert "a move every 8" in specs(study.Settings(seeds=1, updates=(8,)))


@pytest.mark.parametrize("wrong", [{"updates": (0,)}, {"temperature": 0}, {"step": -1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        study.Settings.parse(**wrong)


def test_differences_are_within_seeds_and_against_the_right_baseline():
    names = [study.DEFAULT, *study.ClassMultipliers(SETTINGS).choices()]
    rows = [
        {
            "method": name,
            "temperature": 1.0,
            "imbalance": 20.0,
            "seed": seed,
            "mean": 10.0 * seed + i,
        }
        for i, name in enumerate(names)
        for seed in range(3)
    ]
    found = study.ClassMultipliers(SETTINGS).differences(pd.DataFrame(rows), {"mean": "mean"})
    by_name = found.set_index("comparison")["mean"]
    assert list(by_name.index) == names[1:]
    expected = {name: float(i) for i, name in enumerate(names)}
    expected[study.AVERAGED_ONE_HOT] -= expected[study.ONE_HOT]
    for name in names[1:]:
        assert by_name[name] == pytest.approx(expected[name])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = study.Settings(seeds=1, epochs=4, updates=(8,))
    wanted = {study.STANDARD, "teacher", study.DEFAULT, study.AVERAGED}
    members = [m for m in study.ClassMultipliers(settings).members() if m.method in wanted]
    store = Store(tmp_path_factory.mktemp("store"))
    specs_ = [m.spec for m in members]
    return members, execute(specs_, store=store, jobs=1, progress=False)


def test_endings_are_those_of_the_stored_paths(trained):
    from kdbook.collapse import effective_classes, paths

    members, results = trained
    found = study.endings(paths(members, results)).set_index("method")
    assert set(found.index) == {study.DEFAULT, study.AVERAGED}
    path = results[[m.method for m in members].index(study.DEFAULT)].multipliers
    row = found.loc[study.DEFAULT]
    assert row["moves"] == len(path["steps"])
    last = path["log_multipliers"][-1].astype(float)
    assert row["effective"] == pytest.approx(effective_classes(np.exp(last)))
    assert row["log_ratio"] == pytest.approx(last.max() - last.min(), rel=1e-4)
    assert row["log_ratio"] <= 0.1 * row["moves"] + 1e-6  # no error is above 1


def test_measures_of_the_chapter_are_there(trained):
    from kdbook import compare, tables

    table = tables.per_seed(*trained)
    assert set(compare.measures(10)) <= set(table.columns)
