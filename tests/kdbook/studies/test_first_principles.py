"""The first chapter's study: its runs, its examples, its gradient."""

import numpy as np
import pytest
import torch

from kdbook.chapters import measuring
from kdbook.chapters.distillation import FirstPrinciples, Settings, loss_gradient, telling_examples
from kdlib.losses import teacher_probabilities


def test_one_seed_needs_three_runs():
    assert [member.method for member in FirstPrinciples(Settings()).members()] == [
        "teacher",
        "one-hot",
        "distilled",
    ]


def test_the_settings_reach_the_student():
    objective = FirstPrinciples(Settings(temperature=2.0, alpha=0.25)).runs()[2].objective
    assert (objective.temperature, objective.mix.alpha) == (2.0, 0.25)


def test_the_foundation_chapters_share_their_teacher_and_one_hot_student():
    assert (
        FirstPrinciples(Settings()).runs()[:2]
        == measuring.Measuring(measuring.Settings()).runs()[:2]
    )


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_gradient_is_softmax_minus_target(alpha):
    rng = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 6, 4, generator=rng, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    p = teacher_probabilities(teacher, 2.0)
    target = (1 - alpha) * torch.eye(4, dtype=torch.float64)[labels] + alpha * p
    got = loss_gradient(student, labels, p, alpha=alpha)
    torch.testing.assert_close(got, student.softmax(dim=1) - target)


def test_telling_examples_are_the_wrong_the_unsure_and_the_sure():
    logits = np.array([[9.0, 0], [0, 9.0], [0, 8.0], [0, 7.0], [0.1, 0], [0.2, 0], [3.0, 0]])
    assert list(telling_examples(logits, np.zeros(7, dtype=int))) == [1, 4, 5, 0]


def test_mistakes_come_from_different_classes():
    logits = np.array(
        [[0, 9.0, 0, 0], [0, 8.0, 0, 0], [0, 7.0, 0, 0], [0, 0, 6.0, 0], [9, 0, 0, 5]]
    )
    labels = np.array([0, 0, 2, 3, 0])
    assert list(telling_examples(logits, labels))[:3] == [0, 2, 3]


def test_a_small_test_set_gives_each_example_once():
    rows = telling_examples(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0, 0]))
    assert sorted(rows) == [0, 1]
