"""What the report recommends, rule by rule."""

import numpy as np
import pandas as pd
import pytest
from made_predictions import answers, predictions

import kdlib


@pytest.fixture(scope="module")
def harmed():
    return predictions(size=6000, harmed=2)


def dev(doubted):
    """Dev examples on which the teacher is worse at one class."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 6, 900)
    teacher = answers(rng, labels, 6, 0.95)
    teacher[labels == doubted] = answers(rng, labels[labels == doubted], 6, 0.3)
    return labels, teacher


def test_harm_where_the_teacher_deserves_less_trust_calls_for_adaalpha(harmed):
    (line,) = kdlib.audit(**harmed, dev=dev(2)).advice
    assert line.startswith("Try AdaAlpha") and "Rule: 2 lost" in line


def test_harm_where_it_deserves_trust_calls_for_the_robust_objective(harmed):
    (line,) = kdlib.audit(**harmed, dev=dev(3)).advice
    assert line.startswith("Try the robust objective") and "Rule: 2 lost" in line


def test_harm_without_dev_examples_asks_for_them(harmed):
    (line,) = kdlib.audit(**harmed).advice
    assert "on dev examples (dev)" in line


def test_no_harm_keeps_the_student():
    given = predictions(size=40_000)
    found = kdlib.audit(given["labels"], given["one_hot"], one_hot=given["one_hot"])
    assert found.advice == ["Keep the student: no remedy is called for."]


@pytest.mark.parametrize(("seeds", "words"), [(1, "Four times the test examples"),
                                              (3, "More trainings narrow")])  # fmt: skip
def test_where_nothing_can_be_told_it_says_what_to_measure(seeds, words):
    given = predictions(size=120)
    students = [given["one_hot"]] * seeds
    (line,) = kdlib.audit(given["labels"], students, one_hot=given["one_hot"]).advice
    assert words in line


def test_harm_to_groups_alone_asks_for_classes_of_groups():
    # A tenth of the examples, all in one group and spread over 200 classes, is lost.
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(200), 10)
    old = np.eye(200)[labels]
    member = rng.random(2000) < 0.1
    new = np.where(member[:, None], np.roll(old, 1, axis=1), old)
    found = kdlib.audit(labels, new, baseline=old, groups=pd.DataFrame({"new": member}))
    assert found.finding.endswith("groups: new.")
    assert "but no class did" in found.advice[0]
