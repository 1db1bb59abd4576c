"""The functions behind the panels against closed forms and the loss's own gradient."""

import numpy as np
import pytest
import torch

from kdbook.chapters.distillation import loss_gradient
from kdbook.chapters.distillation.charts import soft_label_bars
from kdbook.widgets import (
    adaptive_mix_at,
    soft_label_table,
    spread_accuracies,
    worst_class_frame,
)

TEACHER, STUDENT = np.array([2.0, 0.0, -1.0]), np.array([0.5, 1.5, 0.0])


def table(**settings):
    return soft_label_table(TEACHER, STUDENT, 1, ["a", "b", "c"], **settings)


def test_the_gradient_is_the_losss():
    soft = torch.softmax(torch.from_numpy(TEACHER) / 3, dim=0)[None]
    exact = loss_gradient(torch.from_numpy(STUDENT)[None], torch.tensor([1]), soft, alpha=0.4)
    got = table(temperature=3.0, alpha=0.4)
    np.testing.assert_allclose(got["gradient"], exact[0], atol=1e-12)
    assert got["gradient"].sum() == pytest.approx(0)


def test_without_trust_the_target_is_the_label():
    assert list(table(temperature=2.0, alpha=0.0)["target"]) == [0, 1, 0]


def test_the_table_can_be_drawn():
    soft_label_bars(table(temperature=2.0, alpha=0.5)).to_dict()


def test_a_perfect_teacher_is_trusted_and_a_hot_one_is_not():
    logits, labels = 50 * np.eye(3), np.arange(3)
    np.testing.assert_allclose(adaptive_mix_at(logits, labels, 1.0)["mean"], 1, atol=1e-9)
    np.testing.assert_allclose(adaptive_mix_at(logits, labels, 1e9)["mean"], 0, atol=1e-6)


def test_spread_runs_from_the_best_to_the_worst():
    np.testing.assert_allclose(spread_accuracies(3, 90, 20), [90, 80, 70])
    assert spread_accuracies(5, 20, 60).min() == 0
    assert list(spread_accuracies(1, 90, 20)) == [90]


def test_simulated_and_exact_agree():
    frame = worst_class_frame([90.0] * 10, 20)
    wide = frame.pivot(index="estimate", columns="source", values="probability").fillna(0)
    assert np.abs(wide["exact"] - wide["simulated"]).max() < 0.03
    assert wide["exact"].sum() == pytest.approx(1, abs=0.002)
