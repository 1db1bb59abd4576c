"""Wrong input: one clear line that names the field, the row and what is allowed."""

import numpy as np
import pandas as pd
import pytest
from made_predictions import predictions

import kdlib
from kdlib.errors import KdlibError


def given(**other):
    return {**predictions(size=300), **other}


def with_value(role, place, value):
    table = predictions(size=300)[role].copy()
    table[place] = value
    return {role: table}


def seeds(number):
    return [predictions(size=300)["student"]] * number


WRONG = {
    "other length": (
        {"student": predictions(size=299)["student"]},
        "one_hot has shape (300, 6), student (299, 6): expected the same [N, L]",
    ),
    "other classes": (
        {"teacher": np.ones((300, 5)) / 5},
        "teacher has shape (300, 5), student (300, 6): expected the same [N, L]",
    ),
    "nameless class": (
        {"class_names": ["a", "b", " ", "d", "e", "f"]},
        "class_names, class 2 has an empty name",
    ),
    "few labels": ({"labels": np.zeros(299, int)}, "labels has shape (299,): expected (300,)"),
    "not a number": (
        with_value("student", (7, 2), np.nan),
        "student, row 7, class 2: nan is no finite number",
    ),
    "infinite": (
        with_value("one_hot", (250, 0), -np.inf),
        "one_hot, row 250, class 0: -inf is no finite number",
    ),
    "sum": (
        with_value("teacher", 11, 0.25),
        "teacher, row 11 sums to 1.5: a row of probabilities is 0 or more and sums to 1",
    ),
    "negative": (
        with_value("teacher", (12, 3), -0.5),
        "teacher, row 12 holds -0.5: a row of probabilities is 0 or more and sums to 1",
    ),
    "neither": (
        {"student": np.full((300, 6), 0.5)},
        "student, row 0 sums to 3: a row of probabilities is 0 or more and sums to 1, "
        "to within 0.01; for logits, set scores to logits",
    ),
    "percentages": (
        {"student": 100 * predictions(size=300)["student"]},
        "student, row 0 sums to 100: a row of probabilities is 0 or more and sums to 1",
    ),
    "label too large": (
        with_value("labels", 5, 6),
        "labels, row 5: label 6 is out of range: allowed are 0 to 5, and -100",
    ),
    "label negative": (with_value("labels", 6, -1), "labels, row 6: label -1 is out of range"),
    "label huge": (
        {"labels": np.full(300, 2**64 - 1, np.uint64)},
        "labels, row 0: label 9223372036854775807 is out of range",
    ),
    "label in between": (
        {"labels": np.full(300, 0.5)},
        "labels, row 0: 0.5 is no class: expected whole numbers",
    ),
    "label missing": ({"labels": np.full(300, np.nan)}, "labels, row 0: nan is no class"),
    "label text": ({"labels": ["1"] * 300}, "labels has type <U1: expected whole numbers"),
    "label word": (
        {"labels": ["1"] * 7 + ["cat"] * 293},
        "labels, row 7: 'cat' is no number: expected whole numbers",
    ),
    "all ignored": ({"labels": [-100] * 300}, "labels leaves every example out"),
    "text": ({"student": np.full((300, 6), "x")}, "student has type <U1: expected numbers"),
    "complex": ({"student": np.ones((300, 6)) * 1j}, "student has type complex128"),
    "objects": (
        {"student": np.full((300, 6), None)},
        "student has type object: expected numbers, the scores of the classes",
    ),
    "flat": ({"student": np.zeros(300)}, "student has shape (300,): expected [N, L]"),
    "four axes": ({"student": np.zeros((1, 1, 2, 2))}, "student has shape (1, 1, 2, 2): expected"),
    "one class": ({"student": np.zeros((300, 1))}, "2 classes or more"),
    "no rows": ({"student": np.zeros((0, 6))}, "expected examples"),
    "ragged": ({"student": [[1, 2], [3]]}, "scores have rows of different lengths"),
    "two seeds": ({"student": seeds(2)}, "student has 2 seeds: allowed are 1, or 3 and more"),
    "other seeds": (
        {"student": seeds(3), "one_hot": seeds(4)},
        "one_hot has 4 seeds: expected 1 or 3, as the student",
    ),
    "few names": ({"class_names": ["a"]}, "class_names has 1 names: expected 6, one per class"),
    "same names": ({"class_names": list("abcabc")}, "class_names names two classes 'a'"),
    "few counts": ({"train_counts": [1, 2]}, "train_counts has shape (2,)"),
    "negative count": (
        {"train_counts": [1, 2, 3, -4, 5, 6]},
        "train_counts, class 3: -4 is no number of examples",
    ),
    "short groups": (
        {"groups": pd.DataFrame({"a": [1, 2]})},
        "groups has 2 rows: expected 300, as there are labels",
    ),
    "other index": (
        {"groups": pd.DataFrame({"a": range(300)}, index=range(299, -1, -1))},
        "groups has an index that labels does not share",
    ),
    "other order": (
        {"student": pd.DataFrame(predictions(size=300)["student"]).sample(frac=1, random_state=0)},
        "student has an index that labels does not share",
    ),
    "other classes first": (
        {"student": pd.DataFrame(predictions(size=300)["student"])[[1, 0, 2, 3, 4, 5]]},
        "student has classes in the order 1, 0, 2, 3, 4: expected 0, 1, 2",
    ),
    "same columns": (
        {"groups": pd.DataFrame([[1, 2]] * 300, columns=["a", "a"])},
        "groups has the column 'a' more than once",
    ),
    "seeds with other classes first": (
        {"student": [pd.DataFrame(seeds(1)[0])[[1, 0, 2, 3, 4, 5]]] * 3},
        "student, seed 0 has classes in the order 1, 0, 2, 3, 4: expected 0, 1, 2",
    ),
    "lists as groups": (
        {"groups": pd.DataFrame({"a": [[1, 2]] * 300})},
        "groups, column 'a' holds list: expected one value per row, text or a number",
    ),
    "mixed column": (
        {"groups": pd.DataFrame({"a": ["x"] * 299 + [3]}, dtype=object)},
        "groups, column 'a', row 299: 3 is a number, before it is text",
    ),
    "no groups": (
        {"groups": pd.DataFrame({"a": np.arange(300) * 0.37 % 1})},
        None,  # 300 groups are allowed
    ),
    "cross unknown": (
        {"groups": pd.DataFrame({"sex": ["F"] * 300}), "cross": [("sex", "agee")]},
        "cross names 'agee': allowed are sex",
    ),
    "cross one": (
        {"groups": pd.DataFrame({"sex": ["F"] * 300}), "cross": [("sex",)]},
        "two or more different columns",
    ),
    "cross nothing": ({"cross": [("a", "b")]}, "needs groups: there are none"),
    "scores": ({"scores": "logit"}, "scores = 'logit' is not allowed"),
    "confidence": ({"confidence": 95}, "confidence = 95 is not allowed"),
    "tolerance": ({"tolerance": -1}, "tolerance = -1 is not allowed"),
    "seed": ({"seed": "a"}, "seed = 'a' is not allowed: whole numbers, 0 or more"),
    "one list to cross": (
        {"groups": {"a": [0, 1] * 150, "b": [0, 0, 1] * 100}, "cross": ("a", "b")},
        "cross = ('a', 'b') is not allowed: lists of columns",
    ),
    "dev": ({"dev": np.zeros(3)}, "dev is not allowed: expected (labels, the teacher's scores)"),
    "dev classes": (
        {"dev": ([0], np.ones((1, 5)) / 5)},
        "dev_teacher has shape (1, 5): expected [N, 6], one seed",
    ),
    "dev labels": (
        {"dev": ([9], np.ones((1, 6)) / 6)},
        "dev_labels, row 0: label 9 is out of range",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_is_refused_in_one_line(what):
    other, words = WRONG[what]
    if words is None:
        assert len(kdlib.audit(**given(**other)).by_group) > 100
        return
    with pytest.raises(KdlibError) as caught:
        kdlib.audit(**given(**other))
    line = str(caught.value)
    assert words in line and "\n" not in line


def test_a_column_of_numbers_is_no_grouping():
    many = predictions(size=1500)
    frame = pd.DataFrame({"age": np.arange(1500)})
    with pytest.raises(KdlibError, match="'age' has 1,500 different values: allowed are 1,000"):
        kdlib.audit(**many, groups=frame)


def test_there_must_be_something_to_compare_with():
    with pytest.raises(KdlibError, match="give one_hot, teacher or baseline"):
        kdlib.audit([0, 1], np.eye(2))


def test_logits_between_0_and_1_pass_where_they_are_named():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 3, 50), rng.random((50, 3))
    report = kdlib.audit(labels, scores, baseline=scores, scores="logits")
    assert report.examples == 50


@pytest.mark.parametrize("kind", ["f2", "f4", ">f8", "i4", "u1"])
def test_scores_of_any_type_of_numbers_are_read(kind):
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 3, 50), rng.integers(2, 200, (50, 3)).astype(kind)
    report = kdlib.audit(labels, scores, baseline=scores)
    expected = 100 * (scores.argmax(axis=1) == labels).mean()
    assert report.overall["student"][0] == pytest.approx(expected)


@pytest.mark.parametrize(("whole", "kind"), [(100, "i8"), (100, "f8"), (255, "u1")])
def test_shares_in_whole_numbers_are_refused(whole, kind):
    rounded = np.rint(whole * predictions(size=300)["student"]).astype(kind)
    assert len(set(rounded.sum(axis=1).tolist())) > 1
    with pytest.raises(KdlibError, match=r"student, row 0 sums to .*; for logits, set scores to"):
        kdlib.audit(**given(student=rounded))


def test_answers_between_classes_of_the_same_score_are_named():
    made = given(student=np.zeros((300, 6)))
    (note,) = [n for n in kdlib.audit(**made, scores="logits").notes if "share the largest" in n]
    assert note.startswith("student: classes share the largest score in 100 % of the answers")


@pytest.mark.filterwarnings("error")
def test_scores_may_be_as_large_as_numbers_are():
    made = predictions(size=300)
    largest = np.where(made["student"] > 0.2, 1.0, -1.0) * np.finfo(float).max
    found = kdlib.audit(**given(student=largest))
    right = largest.argmax(axis=1) == made["labels"]
    assert found.overall["student"][0] == pytest.approx(100 * right.mean())
