"""The simulation against scikit-learn and the closed forms; the study's tables and settings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from kdbook.chapters import provable_harm as study
from kdbook.chapters.provable_harm import ridge
from kdlib.errors import SettingError

WORLDS = [
    {},
    {"sigma": 0},
    {"alpha": 0.4, "rounds": 3, "ridge_lambda": 6, "n_majority": 50, "n_minority": 2},
    {"cosine": -0.7, "n_majority": 40, "sigma": 1},
    {"cosine": 0.9, "n_majority": 40, "alpha": 0.5, "rounds": 2, "beta": 2},
]


RNG = np.random.default_rng(0)


def value(table, **where):
    keep = np.logical_and.reduce([table[name] == wanted for name, wanted in where.items()])
    return table.loc[keep, "value"].item()


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_fit_is_scikit_learns(seed, ridge_lambda):
    rng = np.random.default_rng(seed)
    inputs, targets = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    theirs = Ridge(ridge_lambda, fit_intercept=False).fit(inputs, targets).coef_.T
    np.testing.assert_allclose(study.fit(inputs, targets, ridge_lambda), theirs, rtol=1e-7)


def test_distillation_fits_a_mix_of_labels_and_predictions():
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(12, 4)), rng.normal(size=(12, 1))
    teacher = Ridge(2.0, fit_intercept=False).fit(inputs, labels[:, 0])
    targets = 0.7 * labels[:, 0] + 0.3 * teacher.predict(inputs)
    student = Ridge(2.0, fit_intercept=False).fit(inputs, targets)
    ours = study.distil(inputs, labels, 2.0, alpha=0.3, rounds=1)[:, 0]
    np.testing.assert_allclose(ours, student.coef_, rtol=1e-9)


@pytest.mark.parametrize("world", WORLDS)
def test_simulation_and_closed_form_agree(world):
    settings = study.Settings(seeds=40, **world)
    both = study.ProvableHarm(settings).beside(study.ProvableHarm(settings).compute())
    assert len(both) == 18
    assert both["p"].min() > 0.001
    off = (both["mean"] - both["formula"]).abs()
    reach = ((both["high"] - both["mean"]) / 2).fillna(0)  # without noise all seeds are equal
    assert (off <= 4 * reach + 1e-12).all()


def test_a_wrong_formula_is_found_out(monkeypatch):
    settings = study.Settings(seeds=40)
    wrong = study.ProvableHarm(settings.model_copy(update={"n_minority": 6})).closed_form()
    monkeypatch.setattr(study.ProvableHarm, "closed_form", lambda _: wrong)
    assert (
        study.ProvableHarm(settings).beside(study.ProvableHarm(settings).compute())["p"].min()
        < 1e-6
    )


def test_sentences_follow_the_numbers():
    rows = study.ProvableHarm(study.Settings()).closed_form().rename(columns={"value": "formula"})
    both = rows.assign(mean=rows["formula"], low=-1.0, high=1.0, seeds=7, p=0.3)
    assert study.agreement(both).startswith("The simulation agrees")
    assert "p-value is 0.3 after Holm's correction (7 seeds)" in study.agreement(both)
    assert "disagrees" in study.agreement(both.assign(p=[0.01, *[1.0] * 17]))
    assert "no intervals" in study.agreement(both.assign(p=np.nan, seeds=1))
    unclear = study.who_is_harmed(both)
    assert [line.split(":")[0] for line in unclear] == [
        "The majority neither clearly gains nor loses",
        "The minority neither clearly gains nor loses",
    ]
    harmed = study.who_is_harmed(both.assign(low=0.001))
    assert harmed[1].startswith("The minority is harmed: its excess risk changes by +0.055 (+0.001")
    assert "gains" in study.who_is_harmed(both.assign(high=-0.001))[0]
    for line in study.who_is_harmed(both.assign(low=np.nan, high=np.nan)):
        assert "neither clearly gains nor loses" in line and line.endswith("(no interval).")


def test_the_closed_form_has_the_numbers_of_the_notes():
    exact = study.ProvableHarm(study.Settings(sigma=0)).closed_form()
    added = {"method": "distilled − one-hot", "measure": "bias squared"}
    assert value(exact, group="minority", **added) == pytest.approx(85 / 1296)
    assert value(exact, group="majority", **added) == pytest.approx(1e-5, rel=0.2)


def test_one_seed_is_reproducible_and_seeds_differ():
    settings = study.Settings(seeds=2, draws=10)
    first, again = study.ProvableHarm(settings).compute(), study.ProvableHarm(settings).compute()
    pd.testing.assert_frame_equal(first, again)
    one, two = (first[first["seed"] == seed]["value"].to_numpy() for seed in (0, 1))
    assert (one != two).all()


@given(st.floats(-0.99, 0.99), st.integers(0, 100))
def test_directions_have_the_angle_asked_for(cosine, seed):
    units = study.directions(cosine, np.random.default_rng(seed))
    np.testing.assert_allclose(units @ units.T, [[1, cosine], [cosine, 1]], atol=1e-12)


def test_by_cosine_passes_through_the_orthogonal_case():
    settings = study.Settings()
    rows = study.ProvableHarm(settings).by_cosine(np.array([-1e-9, 0.0, 1e-9]))
    sizes = np.array(settings.sizes)
    expected = np.tile(ridge.added_risk(sizes, 1.0, 1.0, 0.5), 3)
    np.testing.assert_allclose(rows["added"], expected, rtol=1e-5)


@given(
    st.floats(-0.95, 0.95), st.integers(1, 500), st.integers(1, 500), st.floats(0.1, 50),
    st.floats(0.05, 1),
)  # fmt: skip
def test_without_noise_groups_at_an_angle_are_harmed_as_proved(cosine, some, more, lam, alpha):
    """The majority always; the minority if the one-hot student predicts its sign or 0."""
    sizes, units = (max(some, more), min(some, more)), study.directions(cosine, RNG)
    old, new = (
        ridge.risk_of_groups(sizes, units, [1, 1], lam, 0, alpha=alpha, rounds=k).excess
        for k in (0, 1)
    )
    assert new[0] > old[0]
    # An excess risk of at most 1 is a prediction from 0 to 2, and none is above 1.
    assert new[1] > old[1] or old[1] > 1
    assert old[1] < 1 or cosine < 0


def test_the_best_lambda_of_the_one_hot_student_is_lambda_star():
    settings = study.Settings(sigma=2, beta=0.5)
    assert study.ProvableHarm(settings).best_lambda(rounds=0) == pytest.approx(16, rel=0.01)


def test_the_best_lambda_of_a_distilled_student_of_equal_groups_by_hand():
    # 2 x + x^2 / n = lambda* with n = 4 and lambda* = 9: x^2 + 8 x - 36 = 0.
    settings = study.Settings(n_majority=4, n_minority=4, sigma=3)
    assert study.ProvableHarm(settings).best_lambda(rounds=1) == pytest.approx(
        np.sqrt(52) - 4, rel=0.01
    )


@pytest.mark.parametrize(
    ("name", "wrong", "allowed"),
    [
        ("n_minority", 0, "integer from 1 to 10000"),
        ("ridge_lambda", 0, "number from 0.001 to 10000"),
        ("cosine", 1, "number from -0.99 to 0.99"),
        ("sigma", -1, "number from 0 to 100"),
        ("rounds", 1.5, "integer from 1 to 50"),
    ],
)
def test_wrong_settings_are_one_line(name, wrong, allowed):
    with pytest.raises(SettingError) as complaint:
        study.Settings.from_chapter(**{name: wrong})
    assert str(complaint.value) == f"{name} = {wrong!r} is not allowed: {allowed}"
