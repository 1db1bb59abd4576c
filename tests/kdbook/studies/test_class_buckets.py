"""Orders, buckets and their means, against small tables and an independent computation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdbook.chapters.where_the_teacher_errs import bucket_words, class_buckets
from kdbook.compare import bucket_of
from kdlib.errors import SettingError
from kdlib.metrics import bucket_means, holm, paired_p_value

NAN = float("nan")
COUNTS = [90, 40, 40, 5]


def by_class(method, accuracies, *, seed=0, split="test", counts=COUNTS):
    return pd.DataFrame(
        {"method": method, "temperature": NAN, "seed": seed, "split": split,
         "label": range(len(accuracies)), "train_count": counts, "accuracy": accuracies,
         "log_loss": [a / 10 for a in accuracies], "margin": [a / 100 for a in accuracies]}
    )  # fmt: skip


TEACHER = by_class("teacher", [70.0, 90.0, 70.0, 95.0])


def places_of(table, order):
    places = class_buckets.class_places(table, order)
    return places.sort_values("label")["place"].tolist()


def test_the_best_class_of_the_teacher_comes_first_and_ties_go_to_the_frequent_one():
    assert places_of(TEACHER, "test") == [2, 1, 3, 0]


def test_frequency_looks_at_no_image():
    assert places_of(TEACHER, "frequency") == [0, 1, 2, 3]


def test_validation_orders_by_its_own_accuracies():
    other = by_class("teacher", [10.0, 20.0, 30.0, 40.0], split="validation")
    assert places_of(pd.concat([TEACHER, other]), "validation") == [3, 2, 1, 0]


def test_each_seed_has_an_order_of_its_own():
    reverse = by_class("teacher", [4.0, 3.0, 2.0, 1.0], seed=1)
    places = class_buckets.class_places(pd.concat([TEACHER, reverse]), "test")
    assert places[places["seed"] == 1].sort_values("label")["place"].tolist() == [0, 1, 2, 3]


def test_an_unknown_order_is_refused():
    with pytest.raises(SettingError, match="'size' is not known"):
        class_buckets.class_places(TEACHER, "size")


@pytest.mark.parametrize(("buckets", "expected"), [(1, [1] * 5), (2, [1, 1, 1, 2, 2])])
def test_sizes_of_buckets(buckets, expected):
    assert bucket_of(5, buckets).tolist() == expected


@pytest.mark.parametrize("buckets", [0, 6])
def test_no_bucket_is_empty(buckets):
    with pytest.raises(SettingError, match="1 to 5"):
        bucket_of(5, buckets)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=12, unique=True), st.data())
@settings(max_examples=40, deadline=None)
def test_bucket_means_agree_with_the_metric(accuracies, data):
    buckets = data.draw(st.integers(1, len(accuracies)))
    values = [a / 100 for a in accuracies]
    table = by_class("teacher", values, counts=[1] * len(values))
    student = by_class("one-hot", values[::-1], counts=[1] * len(values))
    places = class_buckets.class_places(table, "test")
    found = class_buckets.bucket_statistics(student, places, buckets)
    ours = found[found["statistic"] == "accuracy"].sort_values("bucket")["value"]
    expected = bucket_means(values[::-1], [-v for v in values], buckets)
    np.testing.assert_allclose(ours, expected)


def test_the_tail_is_the_last_bucket_and_splits_again():
    tail = class_buckets.tail_places(class_buckets.class_places(TEACHER, "test"), 2)
    assert sorted(tail["label"]) == [0, 2]
    split = class_buckets.bucket_statistics(TEACHER, tail, 2)
    assert split[split["statistic"] == "margin"]["value"].tolist() == [0.7, 0.7]


def test_a_tail_whose_classes_differ_by_seed_fills_all_its_buckets():
    falling, rising = [40.0, 30.0, 20.0, 10.0], [10.0, 20.0, 30.0, 40.0]
    teachers = [by_class("teacher", falling), by_class("teacher", rising, seed=1)]
    table = pd.concat(teachers)
    tail = class_buckets.tail_places(class_buckets.class_places(table, "test"), 2)
    assert tail.groupby("seed")["label"].apply(sorted).tolist() == [[2, 3], [0, 1]]
    split = class_buckets.bucket_statistics(table, tail, 2)
    rows = split[split["statistic"] == "accuracy"].sort_values(["seed", "bucket"])
    assert rows["value"].tolist() == [20.0, 10.0, 20.0, 10.0]


def test_differences_are_paired_and_corrected_over_the_buckets():
    seeds = [[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 5.0, 4.5], [1.5, 2.5, 4.0, 9.0]]
    teachers = [by_class("teacher", [40.0, 30.0, 20.0, 10.0], seed=s) for s in range(3)]
    students = [by_class("distilled", gain, seed=s) for s, gain in enumerate(seeds)]
    table = pd.concat([*teachers, *students])
    places = class_buckets.class_places(table, "test")
    found = class_buckets.bucket_differences(
        class_buckets.bucket_statistics(table, places, 4), [("distilled", "teacher")]
    )
    rows = found[found["statistic"] == "accuracy"].sort_values("bucket")
    gaps = np.array(seeds) - [40.0, 30.0, 20.0, 10.0]
    np.testing.assert_allclose(rows["mean"], gaps.mean(axis=0))
    np.testing.assert_allclose(rows["holm"], holm([paired_p_value(gap) for gap in gaps.T]))
    assert set(rows["comparison"]) == {"distilled − teacher"}


def test_ranges_of_buckets():
    buckets = class_buckets.bucket_statistics(
        TEACHER, class_buckets.class_places(TEACHER, "test"), 2
    )
    ranges = class_buckets.bucket_ranges(buckets).set_index("statistic")["value"]
    assert ranges["accuracy"] == 92.5 - 70.0


def test_a_diverged_run_has_no_range():
    lost = by_class("AdaMargin", [NAN] * 4)
    places = class_buckets.class_places(TEACHER, "test")
    buckets = class_buckets.bucket_statistics(pd.concat([TEACHER, lost]), places, 2)
    ranges = class_buckets.bucket_ranges(buckets)
    assert ranges[ranges["method"] == "AdaMargin"]["value"].isna().all()


def test_the_explorer_has_every_order_and_no_more_buckets_than_classes():
    both = pd.concat([TEACHER, by_class("teacher", [1.0, 2.0, 3.0, 4.0], split="validation")])
    frame = class_buckets.explorer_frame(TEACHER, both, (2, 10))
    assert set(frame["buckets"]) == {2, 4}
    assert set(frame["order"]) == set(class_buckets.ORDERS.values())
    assert len(frame) == 3 * (2 + 4) * 3


def differences(*rows):
    columns = ["comparison", "statistic", "mean", "low", "high", "holm"]
    return pd.DataFrame(rows, columns=columns)


def test_directions_follow_the_corrected_p_values():
    table = differences(
        ("a − b", "margin", 0.2, 0.1, 0.3, 0.01),
        ("a − b", "margin", -0.2, -0.3, -0.1, 0.01),
        ("a − b", "margin", 0.2, 0.01, 0.4, 0.06),
    )
    said = "up in 1, down in 1, undecided in 1"
    assert bucket_words.in_words(table) == said


def test_negative_buckets_are_counted():
    table = pd.DataFrame({"mean": [0.2, -0.1, -0.4], "high": [0.3, 0.1, -0.2]})
    assert bucket_words.below_zero(table) == "below zero in 2 of 3 buckets (clearly so in 1)"


def test_cells_have_the_digits_of_their_statistic():
    table = differences(
        ("a − b", "accuracy", 1.25, 0.5, 2.0, 0.01),
        ("a − b", "log_loss", -0.125, NAN, NAN, NAN),
        ("a − b", "margin", NAN, NAN, NAN, NAN),
    )
    row = bucket_words.cells(table).loc["a − b"]
    assert row["accuracy"] == "+1.2 (+0.5 to +2.0) *"
    assert (row["log_loss"], row["margin"]) == ("-0.12", "a training diverged")
