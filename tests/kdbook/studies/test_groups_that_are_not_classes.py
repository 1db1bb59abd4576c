import numpy as np
import pytest

from kdbook.chapters import groups_that_are_not_classes as study
from kdbook.records import RecordError
from kdlib.errors import SettingError
from kdlib.runs import Store

SMALL = study.Settings(seeds=2, trees=2, teacher_depth=4, depth=5)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("forests"))


def test_students_of_a_seed_are_paired_and_share_its_teacher():
    one, other = (
        study.GroupsThatAreNotClasses(SMALL).student(1, alpha=alpha) for alpha in (0.0, 0.9)
    )
    assert one.teacher is None and other.teacher == study.GroupsThatAreNotClasses(SMALL).teacher(1)
    assert (one.seed, one.depth) == (other.seed, other.depth) == (1, 5)


def test_the_paper_profile_has_the_papers_forests():
    settings = study.Settings(profile="paper")
    teacher, student = (
        study.GroupsThatAreNotClasses(settings).teacher(0),
        study.GroupsThatAreNotClasses(settings).student(0, alpha=0.9),
    )
    assert (teacher.trees, teacher.depth, student.depth, student.alpha) == (500, 20, 20, 0.9)


@pytest.mark.parametrize(
    ("weight", "teacher", "student"),
    [("none", "none", "none"), ("teacher", "balanced", "none"), ("both", "balanced", "balanced")],
)
def test_class_weights_go_where_they_are_asked_for(weight, teacher, student):
    settings = study.Settings(class_weight=weight)
    assert study.GroupsThatAreNotClasses(settings).teacher(0).class_weight == teacher
    assert study.GroupsThatAreNotClasses(settings).student(0, alpha=0.9).class_weight == student


def test_the_table_holds_percents_of_every_method_group_and_threshold(shelf):
    table = study.GroupsThatAreNotClasses(SMALL).compute(shelf)
    assert list(table.columns) == ["method", "threshold", "group", "seed", "value"]
    assert table["value"].between(0, 100).all()
    assert not table.duplicated(["method", "threshold", "group", "seed"]).any()
    assert len(table) == 3 * 2 * 2 * (1 + 2 + 4 + 20)
    wide = table.pivot_table(index=["method", "threshold", "seed"], columns="group", values="value")
    by_label = wide[["label 0", "label 1"]].mean(axis=1)
    np.testing.assert_allclose(wide["balanced"], by_label)


def test_alpha_0_changes_nobody(shelf):
    found = study.GroupsThatAreNotClasses(SMALL.model_copy(update={"alpha": 0.0})).scored(shelf)
    assert (found.scores["distilled"] == found.scores["one-hot"]).all()


def test_recipes_compare_every_choice_at_every_threshold(shelf):
    table = study.GroupsThatAreNotClasses(SMALL).recipes(shelf)
    assert len(table) == 7 * 2 * 2
    plain = table[(table["encoding"] == "ordinal") & (table["missing"] == "keep")]
    plain = plain[(plain["class_weight"] == "none") & (plain["threshold"] == 0.3)]
    judged = study.GroupsThatAreNotClasses(SMALL).scored(shelf).judged(0.3)
    np.testing.assert_allclose(plain["distilled"], judged.balanced("distilled"))
    change = table["distilled"] - table["one-hot"]
    np.testing.assert_allclose(change, table[["label 0", "label 1"]].mean(axis=1), atol=1e-9)


@pytest.mark.slow
def test_the_grid_holds_every_combination_and_agrees_with_the_study(shelf):
    from kdbook.chapters.groups_that_are_not_classes.changes import changes

    table = study.GroupsThatAreNotClasses(SMALL).grid(shelf)
    depths, alphas = {*study.GRID_DEPTHS, 5}, set(study.GRID_ALPHAS)
    assert set(table["depth"]) == depths and set(table["alpha"]) == alphas
    assert len(table) == len(depths) * len(alphas) * len(study.GRID_THRESHOLDS) * 4
    own = table[(table["depth"] == 5) & (table["alpha"] == 0.9) & (table["threshold"] == 0.5)]
    direct = changes(
        study.GroupsThatAreNotClasses(SMALL).scored(shelf).judged(0.5), ("label", "sex")
    )
    np.testing.assert_allclose(own["mean"], direct["mean"])
    np.testing.assert_allclose(own["low"], direct["low"])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"alpha": 1.5}, "number from 0 to 1"),
        ({"depth": 0}, "integer from 1 to 64"),
        ({"trees": 0}, "integer from 1 to 5000"),
        ({"thresholds": [0.3, 1.0]}, "thresholds"),
        ({"thresholds": []}, "thresholds"),
        ({"encoding": "hashed"}, "ordinal, one-hot"),
        ({"class_weight": "students"}, "none, teacher, both"),
        ({"missing": "impute"}, "keep, drop"),
    ],
)
def test_values_out_of_range_are_refused_in_one_line(wrong, complaint):
    with pytest.raises(SettingError, match=complaint) as error:
        study.Settings.parse(**wrong)
    assert "\n" not in str(error.value)


def test_papermills_texts_are_understood():
    settings = study.Settings.parse(trees="null", thresholds="[0.4]", seeds=3)
    assert (settings.trees, settings.thresholds) == (None, (0.4,))
    assert study.GroupsThatAreNotClasses(settings).scale_of().seeds == 3


def test_what_is_recorded_is_read_as_paired_changes(shelf, tmp_path, monkeypatch):
    from kdbook.records import record, write_record

    assert "kdlib study record groups_that_are_not_classes" in study.changes.recorded(tmp_path)
    monkeypatch.setattr(study, "Store", lambda *_: shelf)
    monkeypatch.setattr("kdlib.runs.forests.Store", lambda *_: shelf)
    made = record(study.GroupsThatAreNotClasses(SMALL))
    path = write_record(tmp_path, made)
    for half in (path, path.with_suffix(".json")):
        half.rename(tmp_path / f"groups_that_are_not_classes-paper{half.suffix}")
    found = study.changes._recorded_changes(made.table)
    change = made.table.pivot_table(
        index=["group", "threshold", "seed"], columns="method", values="value"
    )
    mean = (change["distilled"] - change["one-hot"]).groupby(["group", "threshold"]).mean()
    assert len(found) == 7 and set(found["seeds"]) == {2}
    for (group, threshold), value in mean.items():
        if group in found.index:
            assert found.loc[group, threshold].startswith(f"{value:+.1f}")
    with pytest.raises(RecordError, match="its name must be"):
        study.changes.recorded(tmp_path)
