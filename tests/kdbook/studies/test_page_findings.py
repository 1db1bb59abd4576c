"""What the pages on groups, sizes, natural tails and ridge say follows from numbers by rule."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kdbook.chapters import architectures, provable_harm
from kdbook.chapters.architectures.findings import Findings as Sizes
from kdbook.chapters.groups_that_are_not_classes.findings import EQUAL
from kdbook.chapters.groups_that_are_not_classes.findings import Findings as Groups
from kdbook.chapters.natural_long_tails import printed
from kdbook.chapters.provable_harm import findings as harm
from kdlib.metrics import sign_test


def groups(at_low, at_high, equal):
    """Groups whose label 0 changes so at two thresholds and at equal rates; label 1 gains."""
    rows = [
        {"group": group, "setting": setting, "mean": mean, "low": mean - 0.5, "high": mean + 0.5}
        for setting, first in (
            ("threshold 0.3", at_low),
            ("threshold 0.5", at_high),
            (EQUAL, equal),
        )
        for group, mean in (("label 0", first), ("label 1", 2.0))
    ]
    one = Groups(None)
    one.__dict__["by_label"] = pd.DataFrame(rows)
    return one


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ((-2.0, 2.0, 1.0), "The threshold decides which label pays; at equal rates neither does"),
        (
            (-2.0, 0.0, -1.0),
            "No label changes sides with the threshold; at equal rates label 0 does",
        ),
    ],
)
def test_the_groups_headline_says_who_pays_where(means, said):
    assert groups(*means).headline() == said


@pytest.mark.parametrize(
    ("mean", "words"),
    [(7.0, "rarest fifth less"), (-7.0, "rarest fifth more"), (0.5, "no clearly other harm")],
)
def test_the_sizes_headline_follows_the_interval_of_the_rarest_fifth(mean, words):
    one = Sizes(SimpleNamespace(sizes=lambda: architectures.SIZES))
    row = {"measure": "rarest fifth", "weaker": "small", "stronger": "large", "mean": mean,
           "low": mean - 3, "high": mean + 3}  # fmt: skip
    other = row | {"stronger": "medium", "mean": 99.0, "low": 98.0, "high": 100.0}
    one.__dict__["effects"] = pd.DataFrame([other, row])
    assert words in one.headline()
    assert f"{mean:+.1f} points" in one.headline()


def test_table_6_is_whole_numbers_of_300_images_down_to_the_last_digit():
    right, table = printed.right_answers(), printed.table_6()
    exact = 100 * (right["mean"] / 300 - right["worst 20"] / 60)
    np.testing.assert_array_equal(exact.round(2), table["Δ20"])
    assert {name: counts[0] for name, counts in printed.smallest_counts().items()} == printed.IMAGES


def test_the_best_case_of_five_images_more_is_the_sign_test_with_nobody_lost():
    rows = printed.best_cases()
    assert rows.loc["AdaAlpha", "gained"] == 5
    assert rows.loc["AdaAlpha", "least p"] == pytest.approx(2 * 0.5**5)
    assert rows.loc["distilled", "least p"] == pytest.approx(sign_test(0, 1))


def test_equal_species_have_the_printed_mean_and_a_worst_fifth_below_it():
    drawn = printed.equal_species(draws=500)
    assert drawn["mean"].mean() == pytest.approx(53.0, abs=0.5)
    assert (drawn["worst 20"] < drawn["mean"]).all()
    np.testing.assert_allclose(drawn["Δ20"], drawn["mean"] - drawn["worst 20"])


def test_the_harm_headline_pays_or_gains_by_the_formula():
    quiet = provable_harm.ProvableHarm(provable_harm.Settings(sigma=0))
    assert harm.headline(quiet).count("pays") == 2
    noisy = provable_harm.ProvableHarm(provable_harm.Settings(sigma=5, ridge_lambda=0.1))
    assert harm.headline(noisy).count("gains") == 2


def test_costs_are_the_added_risk_at_ten():
    rows = harm.costs([("two rounds", {"rounds": 2}), ("noise", {"sigma": 3.0})])
    assert list(rows["series"].unique()) == ["two rounds", "noise"]
    first = rows[rows["series"] == "noise"].iloc[0]
    phi, s = (1 / 11) ** 2, 1 / 11  # a group of one at lambda 10, with and without distillation
    added = (1 - phi) ** 2 + 9 * phi**2 - (1 - s) ** 2 - 9 * s**2
    assert first["added"] == pytest.approx(added)
