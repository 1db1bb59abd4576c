"""Groups of several attributes against plain loops; missing combinations stay visible."""

import itertools

import numpy as np
import pandas as pd
import pytest

from kdlib.errors import SettingError
from kdlib.metrics import EmptyGroupWarning, group_accuracy


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "label": rng.integers(2, size=300),
            "sex": rng.choice(["Female", "Male"], 300),
            "race": rng.choice(["A", "B", "C"], 300, p=[0.8, 0.15, 0.05]),
            "correct": rng.random(300) < 0.7,
        }
    )
    absent = (frame.label == 1) & (frame.sex == "Female") & (frame.race == "C")
    return frame[~absent]


def test_three_attributes_against_a_loop(people):
    by = ["label", "sex", "race"]
    table = group_accuracy(people, "correct", by)
    assert list(table.columns) == [*by, "count", "accuracy"]
    assert len(table) == 11  # of 12: one combination does not occur
    assert table["count"].sum() == len(people)
    for row in table.itertuples(index=False):
        members = people[
            (people.label == row.label) & (people.sex == row.sex) & (people.race == row.race)
        ]
        assert row.count == len(members)
        assert row.accuracy == pytest.approx(members.correct.mean())


def test_asked_for_combinations_keep_their_order_and_the_empty_one_is_named(people):
    asked = list(itertools.product([1, 0], ["Male", "Female"], ["C", "A"]))
    with pytest.warns(EmptyGroupWarning, match=r"group \(label=1, sex=Female, race=C\): .* NaN"):
        table = group_accuracy(people, "correct", ["label", "sex", "race"], groups=asked)
    assert list(table[["label", "sex", "race"]].itertuples(index=False, name=None)) == asked
    empty = table[(table.label == 1) & (table.sex == "Female") & (table.race == "C")].iloc[0]
    assert empty["count"] == 0
    assert np.isnan(empty["accuracy"])
    observed = group_accuracy(people, "correct", ["label", "sex", "race"])
    shared = table.merge(observed, on=["label", "sex", "race"])
    assert len(shared) == 7
    np.testing.assert_allclose(shared.accuracy_x, shared.accuracy_y)


def test_one_column_takes_a_name_and_bare_values(people):
    whole = group_accuracy(people, "correct", "sex")
    asked = group_accuracy(people, "correct", "sex", groups=["Female", "Male"])
    pd.testing.assert_frame_equal(asked, whole, check_dtype=False)


def test_missing_attribute_values_are_a_group():
    frame = pd.DataFrame({"sex": ["f", None, np.nan], "right": [1, 0, 1]})
    table = group_accuracy(frame, "right", "sex")
    assert list(table["count"]) == [1, 2]
    assert list(group_accuracy(frame, "right", "sex", groups=[None]).accuracy) == [0.5]


def test_unused_categories_do_not_appear_unless_asked_for():
    frame = pd.DataFrame({"sex": pd.Categorical(["f"], categories=["f", "m"]), "right": [True]})
    assert len(group_accuracy(frame, "right", "sex")) == 1
    with pytest.warns(EmptyGroupWarning, match="sex=m"):
        group_accuracy(frame, "right", "sex", groups=list(frame.sex.cat.categories))


def test_an_empty_frame_has_no_groups(people):
    assert len(group_accuracy(people[:0], "correct", "sex")) == 0


def test_the_frame_is_left_as_it_was(people):
    before = people.copy()
    group_accuracy(people, "correct", ["label", "sex"])
    pd.testing.assert_frame_equal(people, before)


@pytest.mark.parametrize(
    ("correct", "by", "groups", "words"),
    [
        ("hit", ["sex"], None, "column 'hit' is not in the frame: it has label, sex"),
        ("correct", ["age"], None, "column 'age' is not in the frame"),
        ("correct", [], None, "by = "),
        ("correct", ["sex", "sex"], None, "different columns"),
        ("race", ["sex"], None, "column 'race' must hold True or False"),
        ("correct", ["label", "sex"], [(1,)], "does not fit: expected values of label, sex"),
    ],
)
def test_what_does_not_fit_is_refused(people, correct, by, groups, words):
    with pytest.raises(SettingError) as refusal:
        group_accuracy(people, correct, by, groups)
    assert words in str(refusal.value)


def test_unknown_outcomes_are_refused():
    frame = pd.DataFrame({"sex": ["f", "m"], "right": [1.0, np.nan]})
    with pytest.raises(SettingError, match="nothing missing"):
        group_accuracy(frame, "right", "sex")
