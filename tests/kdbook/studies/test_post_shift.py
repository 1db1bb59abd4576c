"""Post-shift: never worse where chosen, indifferent to constants, near the best threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdbook.chapters import baselines_and_compression
from kdbook.chapters.baselines_and_compression import post_shift
from kdbook.chapters.baselines_and_compression.post_shift import (
    fit_log_gamma,
    optimism,
    recalls,
    shifted,
)
from kdlib.errors import SettingError
from kdlib.runs import Store, execute


@st.composite
def scored(draw):
    classes = draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.concatenate(
        [np.arange(classes), rng.integers(classes, size=draw(st.integers(1, 40)))]
    )
    return rng.normal(scale=2, size=(len(labels), classes)), labels


def test_recalls_by_hand():
    logits = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]])
    np.testing.assert_array_equal(recalls(logits, np.array([0, 1, 1])), [1.0, 0.5, np.nan])


@settings(max_examples=40, deadline=None)
@given(scored())
def test_never_worse_than_no_shift_where_it_was_chosen(data):
    logits, labels = data
    shift = fit_log_gamma(logits, labels, moves=60)
    assert recalls(logits + shift, labels).min() >= recalls(logits, labels).min()
    assert shift.mean() == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(scored(), st.integers(-8, 8))
def test_a_constant_on_an_examples_logits_changes_nothing(data, constant):
    logits, labels = data
    logits = np.round(logits * 1024) / 1024  # so that adding an integer is exact
    moved = logits + constant * np.arange(len(labels))[:, None]
    np.testing.assert_allclose(
        fit_log_gamma(logits, labels, step=0.125, moves=30),
        fit_log_gamma(moved, labels, step=0.125, moves=30),
        atol=1e-9,
    )


def test_two_classes_come_near_the_best_threshold():
    """By brute force: with two classes only one number counts, gamma_1 / gamma_0."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [300, 60])
    score = rng.normal(loc=np.where(labels == 1, 0.5, -2.5), scale=1.5)
    logits = np.stack([np.zeros_like(score), score], 1)
    best = max(recalls(logits + np.array([0.0, t]), labels).min() for t in np.linspace(-6, 6, 2401))
    found = recalls(logits + fit_log_gamma(logits, labels, step=0.02, moves=2000), labels).min()
    assert recalls(logits, labels).min() + 0.1 < found
    assert best - found <= 2 / 60


def test_shifted_posteriors_undo_a_prior():
    """Posteriors of the wrong prior: the best gamma divides it out, so log gamma falls with it."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 2000)
    likelihood = rng.normal(size=(6000, 3)) + 1.5 * np.eye(3)[labels]
    log_prior = np.log([0.8, 0.15, 0.05])
    shift = fit_log_gamma(1.5 * likelihood + log_prior, labels, step=0.05, moves=1000)
    np.testing.assert_allclose(shift, -(log_prior - log_prior.mean()), atol=0.25)


def test_an_absent_class_keeps_its_gamma():
    logits = np.array([[1.0, 0.0, 0.0], [1.0, 0.5, 0.0]])
    shift = fit_log_gamma(logits, np.array([0, 1]), moves=50)
    assert np.isfinite(shift).all()
    assert recalls(logits + shift, np.array([0, 1]))[:2].min() == 1


@pytest.mark.parametrize(
    "changes",
    [{"labels": np.array([0])}, {"step": 0.0}, {"moves": -1}, {"logits": np.zeros(2)}],
)
def test_what_does_not_fit_is_refused(changes):
    values = {"logits": np.zeros((2, 2)), "labels": np.array([0, 1])} | changes
    logits, labels = values.pop("logits"), values.pop("labels")
    with pytest.raises(SettingError):
        fit_log_gamma(logits, labels, **values)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    settings = baselines_and_compression.Settings(seeds=1, epochs=2)
    member = baselines_and_compression.RobustBaselines(settings).members()[0]
    store = Store(tmp_path_factory.mktemp("store"))
    return member, execute([member.spec], store=store, jobs=1, progress=False)[0]


def test_a_shifted_run_is_measured_on_its_shifted_logits(teacher):
    _, result = teacher
    post = shifted(result)
    guesses = (result.logits("test") + post.log_gamma).argmax(1)
    labels = result.labels("test")
    by_hand = [np.mean(guesses[labels == y] == y) for y in range(10)]
    np.testing.assert_allclose(post.accuracy("test"), by_hand)
    assert post.accuracy("validation").min() >= result.accuracy("validation").min()


def test_without_a_shift_optimism_is_the_runs_own_gap(teacher):
    member, result = teacher
    rows = optimism([member], [result]).set_index(["protocol", "shift"])
    own = 100 * (result.accuracy("validation").min() - result.accuracy("test").min())
    assert rows.loc[("test", "none"), "gap"] == pytest.approx(own)
    assert rows.loc[("halves", "none"), "gap"] == pytest.approx(0)  # both ways: it cancels
    fitted = rows.xs(post_shift.SHIFT, level="shift")["seen"]
    assert (fitted >= rows.xs("none", level="shift")["seen"]).all()
