"""Gains by order, differences by class, and the runs behind them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kdbook.chapters import gains_are_not_uniform as study
from kdbook.chapters import rare_classes
from kdbook.chapters.gains_are_not_uniform import orders
from kdbook.profiles import PROFILES
from kdlib.errors import SettingError

CLASSES = 4


def table(**by_method):
    """One row per method, split, seed and class, from ``method_split=[[accuracies of a seed]]``."""
    rows = [
        {"method": key.rsplit("_", 1)[0].replace("_", "-"), "split": key.rsplit("_", 1)[1],
         "seed": seed, "label": label, "accuracy": float(value)}
        for key, seeds in by_method.items()
        for seed, values in enumerate(seeds)
        for label, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def small():
    """Two seeds and four classes; every order differs from the others."""
    return table(
        one_hot_test=[[90, 50, 70, 80], [80, 60, 90, 70]],
        one_hot_validation=[[40, 80, 60, 70], [90, 70, 80, 60]],
        teacher_test=[[60, 90, 80, 70], [10, 20, 30, 40]],
        teacher_validation=[[90, 80, 70, 60], [40, 30, 20, 10]],
        distilled_test=[[80, 60, 70, 90], [80, 50, 90, 60]],
        distilled_validation=[[0, 0, 0, 0], [0, 0, 0, 0]],
    )


def curve(gains, order, seed=0, candidate="distilled"):
    chosen = gains[
        (gains["order"] == order) & (gains["seed"] == seed) & (gains["candidate"] == candidate)
    ]
    return chosen.sort_values("k")


@pytest.mark.parametrize(
    ("order", "labels"),
    [
        ("one-hot, test", [1, 2, 3, 0]),
        ("one-hot, validation", [0, 2, 3, 1]),
        ("teacher, test", [0, 3, 2, 1]),
        ("teacher, validation", [3, 2, 1, 0]),
        ("other seeds, validation", [3, 1, 2, 0]),
    ],
)
def test_an_order_is_its_own_and_the_gain_is_always_of_test(order, labels):
    found = curve(orders.gains(small()), order)
    assert list(found["label"]) == labels
    # Distilled minus one-hot on test: -10, +10, 0, +10 of the classes 0 to 3.
    gained = np.array([-10, 10, 0, 10])[labels]
    np.testing.assert_allclose(found["gain"], np.cumsum(gained) / np.arange(1, 5))


def test_of_classes_that_tie_the_rarer_comes_first():
    flat = small().assign(accuracy=50.0)
    assert list(curve(orders.gains(flat), "one-hot, test")["label"]) == [3, 2, 1, 0]


def test_one_seed_has_no_other_seeds():
    single = small()
    found = orders.gains(single[single["seed"] == 0])
    assert set(found["order"]) == set(orders.ORDERS) - {"other seeds, validation"}


def test_a_diverged_training_leaves_no_gain_but_does_not_vanish():
    lost = small()
    lost.loc[(lost["method"] == "distilled") & (lost["seed"] == 1), "accuracy"] = np.nan
    found = orders.gains(lost)
    assert curve(found, "one-hot, test", seed=1)["gain"].isna().all()
    assert np.isfinite(curve(found, "one-hot, test", seed=0)["gain"]).all()


def test_all_orders_end_at_the_gain_in_the_mean():
    last = orders.gains(small())
    last = last[last["k"] == CLASSES]
    assert last.groupby(["candidate", "seed"])["gain"].nunique().max() == 1


def test_orders_are_compared_within_seeds():
    found = orders.between_orders(orders.gains(small()), "one-hot, test", "one-hot, validation")
    first = found[(found["candidate"] == "distilled") & (found["k"] == 1)].iloc[0]
    # Seed 0: +10 for class 1 against -10 for class 0. Seed 1: -10 for class 1, -10 for class 3.
    assert (first["mean"], first["seeds"]) == (10.0, 2)


def luck(seed, classes=10, images=40, seeds=200):
    """Two equal students and a teacher, all of true accuracy 0.8, measured on fresh images."""
    rng = np.random.default_rng(seed)

    def measured():
        return 100 * rng.binomial(images, 0.8, size=(seeds, classes)) / images

    names = ("one_hot", "teacher", "distilled")
    return table(**{f"{n}_{split}": measured() for n in names for split in ("test", "validation")})


def test_an_order_by_the_baselines_test_images_favours_a_student_that_is_no_better():
    found = orders.gains(luck(0))
    at_one = found[(found["candidate"] == "distilled") & (found["k"] == 1)]
    means = at_one.groupby("order")["gain"].mean()
    # E[min of 10 binomials(40, 0.8) / 40], by summing its exact survival function.
    lowest = stats.binom.sf(np.arange(40), 40, 0.8) ** 10
    assert means["one-hot, test"] == pytest.approx(80 - 100 * lowest.sum() / 40, abs=1.5)
    assert abs(means["one-hot, validation"]) < 2.0
    assert abs(means["teacher, test"]) < 2.0  # here its luck is its own: images are not shared


class Guesses:
    """A run that is right on each test image with a chance of 0.8."""

    status = "done"

    def __init__(self, seed, images=40, classes=10):
        self.truth = np.repeat(np.arange(classes), images)
        right = np.random.default_rng(seed).random(len(self.truth)) < 0.8
        guess = np.where(right, self.truth, (self.truth + 1) % classes)
        self.scores = np.eye(classes)[guess]

    def labels(self, split):
        return self.truth

    def logits(self, split):
        return self.scores

    def accuracy(self, split):
        return np.array(
            [
                (self.scores.argmax(1) == c)[self.truth == c].mean()
                for c in range(self.truth[-1] + 1)
            ]
        )


def test_halves_find_the_bias_of_a_choice_among_equals():
    settings = study.Settings(seeds=30, stop_share=1)
    results = [Guesses(seed) for seed in range(len(study.GainsAreNotUniform(settings).members()))]
    found = orders.chosen_by_halves(
        study.GainsAreNotUniform(settings).by_method_and_seed(results), draws=20
    )
    at_one = found[(found["candidate"] == "distilled") & (found["k"] == 1)]
    lowest = stats.binom.sf(np.arange(20), 20, 0.8) ** 10  # halves of 20 images
    assert at_one["same"].mean() == pytest.approx(80 - 100 * lowest.sum() / 20, abs=2)
    assert abs(at_one["other"].mean()) < 2
    np.testing.assert_allclose(found["bias"], found["same"] - found["other"])
    assert found[found["k"] == 10].groupby("candidate")["bias"].mean().abs().max() < 1


def test_a_half_takes_half_of_each_class():
    labels = np.array([0] * 7 + [1] * 4)
    half = orders._half_of_each_class(labels, np.random.default_rng(0))
    assert list(np.bincount(labels[half])) == [3, 2]


def test_differences_by_class_are_paired_t_tests_with_holms_correction():
    rng = np.random.default_rng(1)
    plain, new = (rng.normal(70, 5, size=(6, 3)) for _ in range(2))
    new[:, 2] += 30
    both = {"one_hot_test": plain, "distilled_test": new}
    found = orders.by_class(table(**both)).set_index("label")
    p = stats.ttest_rel(new, plain).pvalue
    np.testing.assert_allclose(found["p"], p)
    np.testing.assert_allclose(found["mean"], (new - plain).mean(axis=0))
    assert found.loc[2, "holm"] == pytest.approx(3 * p[2])
    assert (found["holm"] >= found["p"]).all()
    np.testing.assert_allclose(found["one_hot"], plain.mean(axis=0))
    np.testing.assert_allclose(found["accuracy"], new.mean(axis=0))


def test_the_stopped_teacher_is_the_full_one_stopped():
    settings = study.Settings(seeds=1)
    specs = {member.method: member.spec for member in study.GainsAreNotUniform(settings).members()}
    early, full = specs["teacher (stopped)"], specs["teacher"]
    assert early.recipe.stop_after == full.recipe.epochs // 2
    assert early.model_copy(update={"recipe": full.recipe}) == full
    assert specs["distilled (stopped)"].teacher == early
    assert specs["distilled (stopped)"].recipe == specs["one-hot"].recipe


@pytest.mark.parametrize("profile", PROFILES)
def test_without_early_stopping_the_runs_are_those_of_the_skew_sweep(profile):
    settings = study.Settings(profile=profile, stop_share=1)
    ratio = (PROFILES[profile].imbalance,)
    others = rare_classes.Settings(profile=profile, imbalances=ratio)
    assert set(study.GainsAreNotUniform(settings).runs()) == set(
        rare_classes.RareClasses(others).runs()
    )


def test_a_short_recipe_is_stopped_at_its_own_half():
    settings = study.Settings(profile="standard", epochs=12, seeds=1)
    (early,) = (
        m.spec
        for m in study.GainsAreNotUniform(settings).members()
        if m.method == "teacher (stopped)"
    )
    assert (early.recipe.epochs, early.recipe.stop_after) == (12, 6)


@pytest.mark.parametrize("share", [0, 1.5, "half"])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(SettingError, match=r"number from 0.05 to 1"):
        study.Settings.parse(stop_share=share)


def test_accuracies_are_those_of_the_runs():
    class Result:
        def accuracy(self, split):
            return np.array([0.25, 1.0]) if split == "test" else np.array([0.5, 0.75])

    settings = study.Settings(seeds=1)
    found = study.GainsAreNotUniform(settings).accuracies(
        [Result()] * len(study.GainsAreNotUniform(settings).members())
    )
    one = found[(found["method"] == "distilled") & (found["split"] == "test")]
    assert list(one["accuracy"]) == [25.0, 100.0]
    assert set(found["split"]) == {"validation", "test"}


def test_the_papers_baselines_are_shown_as_printed_and_contradict_each_other():
    rows = study.printed().set_index(["where", "network"])
    assert rows.loc[("Table 1", "resnet34")].to_list() == [0.39, -0.43]
    assert rows.loc[("Table 2", "resnet50")].to_list() == [0.39, -0.43]
    assert rows.loc[("Table 2", "resnet34")].to_list() == [0.42, -2.60]
    assert rows.loc[("Table 3", "resnet50")].to_list() == [-0.03, -1.62]
    caption = rows.loc[("Figure 1 caption", "resnet50")]
    assert np.isnan(caption["mean"]) and caption["worst_10"] == -3
    assert len(rows) == 6
