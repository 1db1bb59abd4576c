import json
import warnings

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from kdlib.data.adult_features import adult_features
from kdlib.errors import SettingError
from kdlib.runs import DamagedRunWarning, Store
from kdlib.runs.forests import (
    StudentTree,
    TeacherForest,
    entry,
    fit_forests,
    fitted,
    mixed_target,
)

TEACHER = TeacherForest(trees=3, depth=4, seed=5)
STUDENT = StudentTree(depth=6, seed=5, alpha=0.9, teacher=TEACHER)
ONE_HOT = StudentTree(depth=6, seed=5)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("forests"))


def direct_scores():
    """Teacher, distilled and one-hot scores by scikit-learn alone."""
    data = adult_features("ordinal", "keep")
    label = data.people.train.label
    teacher = RandomForestClassifier(3, max_depth=4, random_state=5).fit(data.train, label)
    soft = teacher.predict_proba(data.train)[:, 1].astype(np.float32)
    tree = RandomForestRegressor(1, max_depth=6, random_state=5)
    taught = tree.fit(data.train, 0.9 * soft.astype(float) + 0.1 * label).predict(data.test)
    blind = tree.fit(data.train, label).predict(data.test)
    return teacher.predict_proba(data.test)[:, 1], taught, blind


def test_the_scores_are_scikit_learns(shelf):
    for kept, direct in zip(
        fit_forests([TEACHER, STUDENT, ONE_HOT], shelf), direct_scores(), strict=True
    ):
        np.testing.assert_array_equal(kept["test"], direct.astype(np.float32))


def test_nothing_is_fitted_twice(shelf, monkeypatch):
    first = fit_forests([STUDENT, TEACHER, STUDENT], shelf)
    assert all(entry(spec, shelf).exists() for spec in (STUDENT, TEACHER))
    monkeypatch.setattr("kdlib.runs.forests._fit", lambda *_: pytest.fail("fitted again"))
    again = fit_forests([STUDENT, TEACHER, STUDENT], shelf)
    for one, other in zip(first, again, strict=True):
        assert one.keys() == other.keys()
        assert all((one[name] == other[name]).all() for name in one)
    assert set(first[1]) == {"train", "test"} and set(first[0]) == {"test"}


def test_a_student_brings_its_teacher(tmp_path):
    store = Store(tmp_path)
    fit_forests([STUDENT], store)
    assert entry(TEACHER, store).exists()


def test_threads_change_no_bit(shelf, tmp_path):
    specs = [TEACHER.model_copy(update={"seed": seed}) for seed in range(3)]
    one = fit_forests(specs, Store(tmp_path), jobs=1)
    two = fit_forests(specs, shelf, jobs=2)
    assert all((a["train"] == b["train"]).all() for a, b in zip(one, two, strict=True))


def test_alpha_0_is_the_one_hot_target():
    label, score = np.array([0, 1]), np.array([0.25, 0.75])
    np.testing.assert_array_equal(mixed_target(label, score, 0.0), label)
    np.testing.assert_array_equal(mixed_target(label, score, 1.0), score)
    np.testing.assert_allclose(mixed_target(label, score, 0.9), [0.225, 0.775])


def test_teacher_and_students_of_a_seed_grow_on_their_own_bootstrap_sample(shelf):
    """Paired students see the same people: their trees have the same roots' sample sizes."""
    taught, blind = fitted(STUDENT, shelf), fitted(ONE_HOT, shelf)
    assert taught.estimators_[0].random_state == blind.estimators_[0].random_state
    assert (taught.estimators_samples_[0] == blind.estimators_samples_[0]).all()


def test_balanced_weights_give_both_labels_the_same_total(shelf):
    plain, weighted = (
        fitted(ONE_HOT, shelf),
        fitted(ONE_HOT.model_copy(update={"class_weight": "balanced"}), shelf),
    )
    root = [forest.estimators_[0].tree_.value[0].item() for forest in (plain, weighted)]
    assert root[0] == pytest.approx(0.24, abs=0.01)
    assert root[1] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "change",
    [{"seed": 6}, {"depth": 5}, {"encoding": "one-hot"}, {"class_weight": "balanced"},
     {"alpha": 0.5}, {"teacher": TEACHER.model_copy(update={"trees": 4})}],
)  # fmt: skip
def test_every_field_changes_the_id(change):
    assert STUDENT.model_copy(update=change).id != STUDENT.id


def test_a_tree_and_a_forest_with_equal_fields_are_different_entries():
    assert len({TEACHER.id, STUDENT.id, ONE_HOT.id}) == 3


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"alpha": 0.5}, "alpha above 0 needs a teacher"),
        ({"teacher": TEACHER}, "alpha 0 takes none"),
        ({"alpha": 0.5, "teacher": TEACHER, "missing": "drop"}, "the same people"),
        ({"depth": 0}, "integer from 1 to 64"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, complaint):
    with pytest.raises(SettingError, match=complaint):
        StudentTree.parse(**fields)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def empty(path):
    path.write_bytes(b"")


def other_forest(path):
    """Sound scores, but of another specification."""
    with safe_open(path, framework="np") as arrays:
        header, scores = arrays.metadata(), {k: arrays.get_tensor(k) for k in arrays.keys()}  # noqa: SIM118
    save_file(scores, path, metadata=header | {"spec": "{}"})


@pytest.mark.parametrize("damage", [cut, flip, empty, other_forest])
def test_a_damaged_entry_is_named_set_aside_and_fitted_again(tmp_path, damage):
    store = Store(tmp_path)
    (before,) = fit_forests([ONE_HOT], store)
    damage(entry(ONE_HOT, store))
    with pytest.warns(DamagedRunWarning, match=f"forest {ONE_HOT.id} is damaged"):
        (after,) = fit_forests([ONE_HOT], store)
    assert (after["test"] == before["test"]).all()
    assert len(list((tmp_path / "damaged").iterdir())) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_forests([ONE_HOT], store)


def test_an_entry_says_where_it_comes_from(shelf):
    fit_forests([ONE_HOT], shelf)
    with safe_open(entry(ONE_HOT, shelf), framework="np") as arrays:
        header = arrays.metadata()
    assert StudentTree.model_validate_json(header["spec"]) == ONE_HOT
    assert {"scikit-learn", "numpy", "kdlib", "seconds"} <= json.loads(header["environment"]).keys()


def test_nothing_half_written_is_left(shelf):
    fit_forests([ONE_HOT], shelf)
    names = [path.name for path in entry(ONE_HOT, shelf).parent.iterdir()]
    assert all(name.endswith(".safetensors") and not name.startswith(".") for name in names)
