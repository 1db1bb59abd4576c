"""The choice of a temperature, on tables made by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdbook import selection
from kdlib.errors import SettingError


def rows(method, temperature, validation, mean=None, imbalance=20.0):
    """One row per seed."""
    return pd.DataFrame(
        {
            "method": method, "imbalance": imbalance, "temperature": temperature,
            "seed": range(len(validation)), "validation": validation,
            "mean": validation if mean is None else mean,
        }
    )  # fmt: skip


def table(*pieces):
    return pd.concat(pieces, ignore_index=True)


def test_the_highest_mean_over_seeds_wins_and_one_hot_has_no_choice():
    made = table(
        rows("one-hot", np.nan, [99.0, 99.0]),
        rows("distilled", 1.0, [60.0, 90.0]),  # mean 75, although seed 1 likes it best
        rows("distilled", 2.0, [80.0, 80.0]),  # mean 80
        rows("AdaAlpha", 1.0, [70.0, 70.0]),
        rows("AdaAlpha", 2.0, [60.0, 60.0]),
    )
    choice = selection.choose_temperature(made)
    assert choice.to_dict("records") == [
        {"method": "distilled", "imbalance": 20.0, "temperature": 2.0, "score": 80.0},
        {"method": "AdaAlpha", "imbalance": 20.0, "temperature": 1.0, "score": 70.0},
    ]


def test_test_accuracy_does_not_choose():
    made = table(
        rows("distilled", 1.0, [70.0], mean=[10.0]), rows("distilled", 2.0, [60.0], mean=[99.0])
    )
    assert selection.choose_temperature(made)["temperature"].item() == 1.0
    assert selection.choose_temperature(made, by="mean")["temperature"].item() == 2.0


@pytest.mark.parametrize("choose", [selection.choose_temperature, selection.choose_by_seed])
def test_of_equal_ones_the_smaller_temperature_wins_in_any_order_of_rows(choose):
    made = table(rows("distilled", 3.0, [80.0]), rows("distilled", 2.0, [80.0]))
    assert choose(made)["temperature"].item() == 2.0
    assert choose(made.iloc[::-1])["temperature"].item() == 2.0


@pytest.mark.parametrize("choose", [selection.choose_temperature, selection.choose_by_seed])
def test_a_diverged_training_loses(choose):
    made = table(rows("AdaMargin", 1.0, [np.nan]), rows("AdaMargin", 2.0, [5.0]))
    assert choose(made)["temperature"].item() == 2.0
    assert choose(made.iloc[:1])["temperature"].item() == 1.0  # nothing else is there


def test_one_diverged_seed_is_not_averaged_away():
    made = table(rows("AdaMargin", 1.0, [95.0, np.nan]), rows("AdaMargin", 2.0, [5.0, 5.0]))
    assert selection.choose_temperature(made)["temperature"].item() == 2.0


def test_each_ratio_has_its_own_choice():
    made = table(
        rows("distilled", 1.0, [80.0], imbalance=5.0),
        rows("distilled", 2.0, [70.0], imbalance=5.0),
        rows("distilled", 1.0, [10.0]),
        rows("distilled", 2.0, [20.0]),
    )
    choice = selection.choose_temperature(made).set_index("imbalance")["temperature"]
    assert choice.to_dict() == {5.0: 1.0, 20.0: 2.0}


def test_by_seed_each_seed_chooses_for_itself():
    made = table(rows("distilled", 1.0, [60.0, 90.0]), rows("distilled", 2.0, [80.0, 80.0]))
    choice = selection.choose_by_seed(made).set_index("seed")["temperature"]
    assert choice.to_dict() == {0: 2.0, 1: 1.0}


def test_the_chosen_rows_and_those_without_a_temperature_are_kept():
    made = table(
        rows("one-hot", np.nan, [50.0, 50.0]),
        rows("distilled", 1.0, [60.0, 90.0]),
        rows("distilled", 2.0, [80.0, 80.0]),
    )
    kept = selection.at_chosen(made, selection.choose_temperature(made))
    assert kept["validation"].tolist() == [50.0, 50.0, 80.0, 80.0]
    kept = selection.at_chosen(made, selection.choose_by_seed(made))
    assert sorted(kept["validation"]) == [50.0, 50.0, 80.0, 90.0]


def test_peeking_gains_what_test_accuracy_hides_from_validation():
    made = table(
        rows("one-hot", np.nan, [1.0, 1.0], mean=[99.0, 99.0]),
        rows("distilled", 1.0, [70.0, 70.0], mean=[50.0, 60.0]),
        rows("distilled", 2.0, [60.0, 60.0], mean=[53.0, 40.0]),
    )
    found = selection.gap_to_peeking(made, "mean").set_index("seed")
    assert set(found["method"]) == {"distilled"}
    assert found["honest"].to_dict() == {0: 50.0, 1: 60.0}
    assert found["gap"].to_dict() == {0: 3.0, 1: 0.0}


def test_temperatures_with_other_seeds_are_refused():
    made = table(rows("distilled", 1.0, [60.0, 90.0]), rows("distilled", 2.0, [80.0]))
    with pytest.raises(SettingError, match="distilled has other seeds"):
        selection.choose_temperature(made)


@settings(deadline=None)  # a machine may be busy
@given(st.lists(st.lists(st.floats(0, 100), min_size=3, max_size=3), min_size=1, max_size=5))
def test_no_other_temperature_scores_higher(scores):
    made = table(*(rows("distilled", float(t + 1), values) for t, values in enumerate(scores)))
    choice = selection.choose_temperature(made)
    assert choice["score"].item() == pytest.approx(max(np.mean(values) for values in scores))
    by_seed = selection.choose_by_seed(made)["score"]
    np.testing.assert_allclose(by_seed, np.max(scores, axis=0), atol=1e-9)


def cell(method, temperature, on_validation, worst):
    """Two seeds of a cell of the grid of objectives."""
    made = rows(method, temperature, [99.0 - worst, 99.0 - worst])  # the mean says the opposite
    return made.assign(validation_temperature=on_validation, validation_worst=[worst, worst + 1])


def test_both_temperatures_are_chosen_by_the_worst_class_on_validation():
    made = table(
        cell("teacher std", np.nan, np.nan, 5.0),
        cell("std / std-d", 1.0, np.nan, 30.0),
        cell("std / std-d", 3.0, np.nan, 20.0),
        cell("rob / rob-d", 1.0, 0.1, 40.0),
        cell("rob / rob-d", 1.0, 3.0, 50.0),
        cell("rob / rob-d", 5.0, 0.1, 50.0),  # as good: the smaller temperature in training wins
    )
    kept, choice = selection.at_best(made)
    chosen = choice.set_index("method")
    assert chosen["temperature"].to_dict() == {"std / std-d": 1.0, "rob / rob-d": 1.0}
    assert np.isnan(chosen.loc["std / std-d", "validation_temperature"])
    assert chosen.loc["rob / rob-d", "validation_temperature"] == 3.0
    assert chosen.loc["rob / rob-d", "score"] == 50.5
    assert kept.groupby("method")["validation_worst"].min().to_dict() == {
        "teacher std": 5.0, "std / std-d": 30.0, "rob / rob-d": 50.0,
    }  # fmt: skip
    assert kept["temperature"].isna().all()


@pytest.mark.parametrize(
    ("columns", "chooses"),
    [
        (["validation"], "validation"),
        (["validation", "validation_worst"], "validation_worst"),
        (["validation", "select_worst"], "select_worst"),
        (["dev", "mean"], "dev"),
    ],
)
def test_the_column_of_a_table_says_who_chooses(columns, chooses):
    assert selection.criterion(pd.DataFrame(columns=columns)) == chooses


def test_where_nothing_chooses_no_temperature_is_taken():
    made = rows("distilled", 1.0, [60.0]).drop(columns="validation")
    with pytest.raises(SettingError, match="nothing chooses a temperature"):
        selection.choose_temperature(made)
