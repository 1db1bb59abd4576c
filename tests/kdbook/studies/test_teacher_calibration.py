"""Calibration of teachers: exact on made problems, by a plug-in on images."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters import calibration as study
from kdbook.chapters import teacher_and_student
from kdbook.chapters.calibration import theory
from kdlib.runs import Store, execute

seeds = st.integers(0, 2**32 - 1)


# Theory


def test_no_random_problem_breaks_the_bound():
    assert 0 < theory.worst_ratio(200) < 0.5


@given(seeds)
def test_the_hardest_student_takes_half_of_the_bound(seed):
    problem = theory.random_problem(seed)
    hardest = theory.hardest_student(problem)
    assert hardest.gap() == pytest.approx(problem.bound_of_gap() / 2)
    assert problem.gap() <= hardest.gap() + 1e-12


def test_a_teacher_without_any_error_that_never_says_panda():
    curves = theory.calibrated_for_all()
    assert curves[["truth", "teacher"]].min().min() >= 0
    np.testing.assert_allclose(curves.groupby("x")[["truth", "teacher"]].sum(), 1)
    priors = curves.groupby("label")["truth"].mean()
    np.testing.assert_allclose(priors[["cat", "panda", "other"]], [0.5, 0.25, 0.25])
    table = theory.recall_and_error(curves).set_index("label")
    np.testing.assert_allclose(table["error"], 0, atol=1e-12)
    assert table["recall"]["panda"] == 0
    honest = theory.recall_and_error(curves.assign(teacher=curves["truth"])).set_index("label")
    assert honest["recall"]["panda"] > 0.3


@given(st.floats(0.05, 0.5))
def test_a_teacher_that_never_says_panda_is_calibrated_for_it(shrink):
    curves = theory.cat_and_panda(shrink)
    assert curves[["truth", "teacher"]].min().min() >= 0
    sums = curves.groupby("x")[["truth", "teacher"]].sum()
    np.testing.assert_allclose(sums, 1)
    row = theory.recall_and_error(curves).set_index("label").loc["panda"]
    assert row["recall"] == 0 and row["error"] == pytest.approx(0, abs=1e-12)


def test_the_true_panda_is_found():
    curves = theory.cat_and_panda(0.5)
    honest = curves.assign(teacher=curves["truth"])
    assert theory.recall_and_error(honest).set_index("label")["recall"]["panda"] > 0.5


def test_the_printed_factor_of_two_leaves_no_probability_for_the_rest():
    curves = theory.cat_and_panda(0.5, stretch=2.0)
    assert curves["teacher"].min() < 0


@given(seeds, st.integers(1, 30))
def test_proposition_three(seed, rounds):
    random = np.random.default_rng(seed)
    teacher, validation = (random.dirichlet(np.ones(3), n) + 1e-6 for n in (9, 8))
    scores, weights = theory.exact_rounds(teacher, validation, 0.3, rounds)
    softmax = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    expected = weights * teacher
    np.testing.assert_allclose(softmax, expected / expected.sum(1, keepdims=True), rtol=1e-9)


def test_the_first_round_by_hand():
    teacher = np.array([[0.8, 0.2], [0.6, 0.4]])
    _, weights = theory.exact_rounds(teacher, teacher, 1.0, 1)
    # Both answers are by log p - log pi: class 0 for the first point, class 1 for the second.
    errors = np.array([0.6 / 1.4, 0.2 / 0.6])
    multipliers = np.exp(errors) / np.exp(errors).sum()
    np.testing.assert_allclose(weights, multipliers / [0.7, 0.3])


def test_the_guarantee_s_terms():
    terms = theory.guarantee(10, 10, 2.0, 400)
    assert terms["optimisation"] == pytest.approx(80 * math.sqrt(math.log(10) / 400))
    assert terms["step"] == pytest.approx(math.sqrt(math.log(10) / 400) / 40)
    again = theory.guarantee(10, 10, 2.0, round(terms["rounds for 0.1"]))
    assert again["optimisation"] == pytest.approx(0.1, rel=1e-4)


# The plug-in


def test_another_prior_is_bayes_rule():
    balanced = np.array([[0.5, 0.5], [0.9, 0.1]])
    eta, mass = study.under_prior(balanced, np.array([0.8, 0.2]))
    np.testing.assert_allclose(eta, [[0.8, 0.2], [0.72 / 0.74, 0.02 / 0.74]])
    np.testing.assert_allclose(mass, np.array([0.5, 0.74]) / 1.24)


@given(seeds)
def test_classes_are_as_frequent_as_the_prior_says_where_points_were_balanced(seed):
    random = np.random.default_rng(seed)
    # Points with probabilities whose mean is even, as of a balanced set.
    shifted = random.dirichlet(np.ones(3), 6)
    balanced = np.concatenate([np.roll(shifted, k, axis=1) for k in range(3)])
    prior = random.dirichlet(np.ones(3))
    eta, mass = study.under_prior(balanced, prior)
    np.testing.assert_allclose(mass @ eta, prior)


def test_its_teachers_and_students_are_those_of_the_grid():
    grid = {
        m.spec.id
        for m in teacher_and_student.TeacherAndStudent(
            teacher_and_student.Settings(seeds=5)
        ).members()
    }
    assert {m.spec.id for m in study.TeacherCalibration(study.Settings()).members()} <= grid


def test_agreement_is_minus_one_where_calibrated_teachers_teach_best():
    errors = pd.DataFrame(
        {"method": f"teacher {t}", "seed": s, "label": 0, "calibration_error": e}
        for s in range(3)
        for t, e in (("std", 0.1), ("bal", 0.2), ("rob", 0.3))
    )
    taught = pd.DataFrame(
        {"method": f"{t} / rob-d", "seed": s, "worst_1": w}
        for s in range(3)
        for t, w in (("std", 80.0), ("bal", 70.0), ("rob", 60.0))
    )
    assert study.agreement(errors, taught)["mean"] == -1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = study.Settings(seeds=1, epochs=4, ensemble=2)
    store = Store(tmp_path_factory.mktemp("store"))
    return settings, execute(
        study.TeacherCalibration(settings).runs(), store=store, jobs=1, progress=False
    )


def test_each_teacher_has_a_row_a_class(trained):
    table = study.TeacherCalibration(trained[0]).per_seed(*trained[1:])
    assert table["method"].value_counts().to_dict() == {
        "teacher std": 10,
        "teacher bal": 10,
        "teacher rob": 10,
    }
    assert table["calibration_error"].between(0, 2).all()
    assert len(study.TeacherCalibration(trained[0]).students(*trained[1:])) == 3


def test_the_plug_in_is_a_distribution(trained):
    settings, results = trained
    balanced = study.balanced_probabilities(results[-settings.ensemble :])
    np.testing.assert_allclose(balanced.sum(axis=1), 1)
    assert 0 < study.TeacherCalibration(settings).noise_floor(results[-settings.ensemble :]) < 2
