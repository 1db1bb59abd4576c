"""Repeated mistakes, counted by hand; fitted temperatures against a known answer."""

import numpy as np
import pytest

from kdbook.chapters.where_the_teacher_errs import mistakes
from kdlib.metrics import log_loss

TEACHER = np.log([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
LABELS = np.array([0, 1, 1, 1])  # wrong on the second, surely, and on the third


def shared(student, labels=LABELS):
    return mistakes.shared_mistakes(TEACHER, np.log(student), labels)


def test_mistakes_by_hand():
    found = shared([[0.2, 0.8], [0.7, 0.3], [0.4, 0.6], [0.5, 0.5]])
    assert (found["mistakes"], found["confident"]) == (2, 1)
    assert found["repeated"] == 50.0 and found["repeated_confident"] == 100.0
    assert found["corrected"] == 50.0
    assert found["belief"] == pytest.approx(100 * (0.7 + 0.4) / 2)
    margins = [0.8, -0.8, -0.2, 0.4], [-0.6, -0.4, 0.2, 0.0]
    assert found["correlation"] == pytest.approx(np.corrcoef(*margins)[0, 1])


def test_the_teacher_shares_all_of_its_mistakes():
    found = shared(np.exp(TEACHER))
    assert found["repeated"] == 100.0 and found["corrected"] == 0.0
    assert found["correlation"] == pytest.approx(1.0)


def test_a_teacher_without_mistakes_has_none_to_pass_on():
    right = np.exp(TEACHER).argmax(axis=1)
    found = shared(np.exp(TEACHER), labels=right)
    assert found["mistakes"] == 0 and np.isnan(found["repeated"])


class Result:
    """A run's logits and labels, as ``RunResult`` hands them out."""

    status = "completed"

    def __init__(self, logits):
        self._logits = logits

    def logits(self, split):
        return self._logits

    def labels(self, split):
        return LABELS


def test_the_most_confident_mistake_comes_first():
    assert mistakes.most_confident(Result(TEACHER), 9).tolist() == [1, 2]
    assert mistakes.most_confident(Result(TEACHER), 1).tolist() == [1]


def test_answers_in_words():
    table = mistakes.answers({"teacher": Result(TEACHER)}, np.array([1]), ["a", "b"])
    assert table.iloc[0].tolist() == ["b", "a (90%)"]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2 * temperature, size=(40_000, 3))
    noise = rng.gumbel(size=logits.shape)
    labels = (logits / temperature + noise).argmax(axis=1)
    assert mistakes.fitted_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_does_better():
    rng = np.random.default_rng(1)
    labels = rng.integers(4, size=50)
    logits = rng.normal(size=(50, 4)) + np.eye(4)[labels]
    best = mistakes.fitted_temperature(logits, labels)
    losses = [log_loss(logits / t, labels).mean() for t in (best, 0.9 * best, 1.1 * best)]
    assert losses[0] == min(losses)
