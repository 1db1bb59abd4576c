"""The record of the images that changed sides says what the studies' records and the data say."""

import json

import numpy as np
import pytest

from kdbook.chapters.where_the_teacher_errs import WhereTheTeacherErrs, changed_sides
from kdbook.explorables.changed_sides import METHODS, sides_file
from kdbook.records import book_record
from kdlib.data import load
from kdlib.runs import Store, execute

RECORDED = {"3": "where_the_teacher_errs", "1": "trusting_the_teacher_less"}


@pytest.fixture(scope="module")
def record():
    return json.loads(changed_sides.read_file())


@pytest.mark.parametrize("temperature", sorted(RECORDED))
def test_accuracies_are_those_of_the_recorded_runs(record, temperature):
    table = book_record(RECORDED[temperature], "quick").table
    rows = table[table["temperature"].isna() | (table["temperature"] == float(temperature))]
    rows = rows[rows["imbalance"] == record["imbalance"]].set_index(["method", "seed"])
    by_class = [changed_sides.sides(record, label, temperature) for label in range(10)]
    for method in METHODS:
        right = np.array([100 * one.right(method).mean(axis=1) for one in by_class])
        for name, found in (("mean", right.mean(axis=0)), ("worst_1", right.min(axis=0))):
            expected = rows.loc[method].loc[record["seeds"], name]
            np.testing.assert_allclose(found, expected, atol=1e-3)


def test_guesses_are_those_of_the_runs(tmp_path):
    study = WhereTheTeacherErrs.parse(seeds=1, epochs=2)
    results = execute(study.runs(), store=Store(tmp_path), jobs=1, progress=False)
    made = json.loads(sides_file(zip(study.members(), results, strict=True)))
    for member, result in zip(study.members(), results, strict=True):
        if member.method not in METHODS:
            continue
        found = [
            changed_sides.sides(made, label, "3").right(member.method).mean() for label in range(10)
        ]
        np.testing.assert_allclose(found, result.accuracy("test"))
    teacher = results[0].logits("test").astype(float)
    sure = 1 / np.exp(teacher - teacher.max(axis=1, keepdims=True)).sum(axis=1)
    said = [int(made["sure"][0][2 * i : 2 * i + 2]) for i in range(len(sure))]
    np.testing.assert_allclose(said, np.minimum(100 * sure, 99), atol=1)


def test_the_images_that_are_kept_are_those_that_trained_the_seed(record):
    pool = load("digits").train
    for seed, rows in zip(record["seeds"], record["kept"], strict=True):
        trained = load("digits", imbalance=record["imbalance"], subset_seed=seed).train
        for label, kept in enumerate(rows):
            expected = {one.numpy().tobytes() for one in trained.images[trained.labels == label]}
            assert {pool.images[row].numpy().tobytes() for row in kept} == expected
            assert (pool.labels[kept] == label).all()


def test_the_first_state_says_its_counts(record):
    shown = changed_sides.first_state(record)
    change = shown.right("distilled").sum() - shown.right("one-hot").sum()
    assert shown.gained.sum() - shown.lost.sum() == change
    assert f"loses {shown.lost.sum()} right answers" in changed_sides.headline(shown)
    assert shown.won_back.sum() <= shown.lost.sum()
