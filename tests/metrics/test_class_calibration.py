"""Calibration by class and the bound that rests on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdlib.errors import SettingError
from kdlib.metrics import class_calibration_error, class_risks, point_mass

seeds = st.integers(0, 2**32 - 1)


def rows(seed, points=7, classes=4):
    return np.random.default_rng(seed).dirichlet(np.ones(classes), points)


def test_two_points_by_hand():
    teacher, truth = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]
    # Class 0: |1 - 4/3| and |1 - 2/3|, on average 1/3. Class 1: |1 - 0| and |1 - 2|, on average 1.
    np.testing.assert_allclose(class_calibration_error(teacher, truth), [1 / 3, 1])
    np.testing.assert_allclose(class_calibration_error(teacher, truth, [0, 1]), [0, 0])


@given(seeds)
def test_scale_does_not_matter_and_two_is_the_most(seed):
    truth, scale = rows(seed), np.random.default_rng(seed + 1).uniform(0.1, 3, 4)
    np.testing.assert_allclose(class_calibration_error(truth * scale, truth), 0, atol=1e-12)
    assert (class_calibration_error(rows(seed + 2), truth) <= 2 + 1e-12).all()


@given(seeds, st.floats(0.1, 5))
def test_theorem_two_without_sampling(seed, bound):
    random = np.random.default_rng(seed)
    teacher, truth, mass = rows(seed), rows(seed + 1), random.dirichlet(np.ones(7))
    losses = random.uniform(0, bound, (7, 4))
    gap = abs(class_risks(teacher, losses, mass).max() - class_risks(truth, losses, mass).max())
    # Half of the bound would do: p / pi^t and eta / pi have the same mean.
    assert gap <= bound * class_calibration_error(teacher, truth, mass).max() / 2 + 1e-9


def test_risks_by_hand():
    probs, losses = [[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 1.0]]
    np.testing.assert_allclose(class_risks(probs, losses), [1 / 3, 1])


def test_a_class_without_probability_has_no_error():
    assert np.isnan(class_calibration_error([[1.0, 0.0]], [[0.5, 0.5]])[1])


@pytest.mark.parametrize("mass", [[1.0], [-1.0, 2.0], [0.0, 0.0]])
def test_unfit_weights_are_refused(mass):
    with pytest.raises(SettingError, match="mass"):
        point_mass(mass, 2)


def test_unlike_shapes_are_refused():
    with pytest.raises(SettingError, match="same"):
        class_calibration_error([[0.5, 0.5]], [[0.2, 0.3, 0.5]])
