"""What is measured as it comes: labels left out, tables with an index, masks, broken teachers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdlib.errors import SettingError
from kdlib.metrics import (
    EmptyGroupWarning,
    bucket_means,
    class_calibration_error,
    class_means,
    class_risks,
    crossed_interval,
    cumulative_gain,
    group_accuracy,
    holm,
    log_loss,
    margin,
    mean_accuracy,
    paired_bootstrap,
    per_class_accuracy,
    point_mass,
    sign_test,
    t_interval,
    top_fraction,
)

N, L = 30, 4
inf, nan = np.inf, np.nan
subsets = st.lists(st.booleans(), min_size=N, max_size=N).map(np.array)
same = np.testing.assert_allclose


def sample(seed=0):
    """Logits ``[N, L]``, predictions ``[N]``, values ``[N]`` and labels ``[N]``."""
    random = np.random.default_rng(seed)
    logits = 3 * random.normal(size=(N, L))
    return logits, logits.argmax(1), random.normal(size=N), np.arange(N) % L


# --- labels ---


@given(subsets)
@pytest.mark.filterwarnings("ignore::kdlib.metrics.EmptyGroupWarning")
def test_examples_labelled_minus_100_count_as_if_they_were_not_there(left_out):
    logits, predicted, values, labels = sample()
    marked, kept = np.where(left_out, -100, labels), ~left_out
    padded = np.where(left_out[:, None], nan, logits)
    numbers = np.where(left_out, nan, values)
    same(class_means(numbers, marked, L), class_means(values[kept], labels[kept], L))
    few = (predicted[kept], labels[kept])
    same(per_class_accuracy(predicted, marked, L), per_class_accuracy(*few, L))
    same(mean_accuracy(predicted, marked), mean_accuracy(*few))
    for measure in (log_loss, margin):
        found = measure(padded, marked)
        assert np.isnan(found[left_out]).all()
        same(found[kept], measure(logits[kept], labels[kept]))


def test_rows_may_leave_out_other_examples():
    _, predicted, _, labels = sample()
    rows = np.stack([labels, labels])
    rows[1, :10] = -100
    expected = [mean_accuracy(predicted, labels), mean_accuracy(predicted[10:], labels[10:])]
    same(mean_accuracy(np.stack([predicted, predicted]), rows), expected)


def test_where_no_example_is_left_there_is_no_number():
    with pytest.warns(EmptyGroupWarning, match="N = 0"):
        assert np.isnan(mean_accuracy([1, 2], [-100, -100]))
    with pytest.raises(SettingError, match="no example is left"):
        paired_bootstrap(mean_accuracy, [0, 1], [1, 0], [-100, -100])


def test_the_bootstrap_leaves_them_out_of_n():
    _, predicted, _, labels = sample()
    other = np.roll(predicted, 1)
    few = paired_bootstrap(mean_accuracy, predicted[5:], other[5:], labels[5:], resamples=50)
    marked = np.where(np.arange(N) < 5, -100, labels)
    assert paired_bootstrap(mean_accuracy, predicted, other, marked, resamples=50) == few
    assert few.n == N - 5


@pytest.mark.parametrize("label", [-1, -101, L])
def test_other_labels_out_of_range_are_refused(label):
    logits, predicted, values, labels = sample()
    labels[3] = label
    calls = [
        lambda: log_loss(logits, labels),
        lambda: margin(logits, labels),
        lambda: class_means(values, labels, L),
        lambda: per_class_accuracy(predicted, labels, L),
    ]
    for call in calls:
        with pytest.raises(SettingError, match=f"labels holds class {label}: allowed are 0 to 3"):
            call()


def test_a_negative_class_is_none_also_where_nobody_says_how_many_there_are():
    with pytest.raises(SettingError, match="labels holds class -1: allowed are from 0 on"):
        mean_accuracy([0, 1], [0, -1])
    with pytest.raises(SettingError, match="predictions holds class -100"):
        mean_accuracy([0, -100], [0, 1])


# --- arrays and tables ---


@pytest.mark.parametrize("nothing", [{"a": 1}, None, "text", [[1.0], [1.0, 2.0]], object()])
def test_what_is_no_array_is_named_with_its_type(nothing):
    labels = np.zeros(2, dtype=int)
    calls = [
        lambda: log_loss(nothing, labels),
        lambda: class_means(nothing, labels, 2),
        lambda: t_interval(nothing),
        lambda: holm(nothing),
        lambda: crossed_interval(nothing),
    ]
    for call in calls:
        with pytest.raises(SettingError, match=f"is of type {type(nothing).__name__}: expected"):
            call()


def indexed():
    """The sample as tables, whose rows are named r29, ..., r0."""
    logits, predicted, values, labels = sample()
    rows = [f"r{number}" for number in reversed(range(N))]
    frame = pd.DataFrame(logits, rows, ["cat", "dog", "fox", "hen"])
    return frame, *(pd.Series(part, rows) for part in (predicted, values, labels))


TWO_TABLES = {
    "log_loss": lambda f, p, v, y: log_loss(f, y),
    "margin": lambda f, p, v, y: margin(f, y),
    "class_means": lambda f, p, v, y: class_means(v, y, L),
    "per_class_accuracy": lambda f, p, v, y: per_class_accuracy(p, y, L),
    "mean_accuracy": lambda f, p, v, y: mean_accuracy(p, y),
    "paired_bootstrap": lambda f, p, v, y: paired_bootstrap(mean_accuracy, p, p, y).mean,
    "bucket_means": lambda f, p, v, y: bucket_means(v, y, 3),
    "cumulative_gain": lambda f, p, v, y: cumulative_gain(v, y),
    "sign_test": lambda f, p, v, y: sign_test(p, y),
    "class_risks": lambda f, p, v, y: class_risks(abs(f), abs(f), y),
}


@pytest.mark.parametrize("name", TWO_TABLES)
def test_tables_of_one_index_go_together_and_others_are_refused(name):
    measure, tables = TWO_TABLES[name], indexed()
    same(measure(*tables), measure(*sample()))
    shuffled = [part.sort_index() for part in tables[:3]]
    with pytest.raises(SettingError, match=r"has an index that .* does not share"):
        measure(*shuffled, tables[3])
    with pytest.raises(SettingError, match=r"has an index that .* does not share"):
        measure(*tables[:3], sample()[3])


@pytest.mark.parametrize("name", TWO_TABLES)
def test_an_index_that_only_counts_is_as_good_as_none(name):
    logits, predicted, values, labels = sample()
    series = [pd.Series(part) for part in (predicted, values, labels)]
    same(TWO_TABLES[name](pd.DataFrame(logits), *series), TWO_TABLES[name](*sample()))
    same(TWO_TABLES[name](logits, predicted, values, series[2]), TWO_TABLES[name](*sample()))


def test_classes_of_two_tables_must_be_in_one_order():
    frame = abs(indexed()[0])
    other = frame[["dog", "cat", "fox", "hen"]]
    for measure in (class_risks, class_calibration_error):
        with pytest.raises(SettingError, match="has an index that"):
            measure(frame, other)
    with pytest.raises(SettingError, match="logits has classes in the order 3, 2, 1, 0"):
        log_loss(pd.DataFrame(sample()[0], columns=[3, 2, 1, 0]), sample()[3])


def test_a_column_that_is_there_twice_is_refused():
    frame = pd.DataFrame([[1, True, 0]], columns=["sex", "right", "sex"])
    with pytest.raises(SettingError, match="'sex' is in the frame more than once"):
        group_accuracy(frame, "right", "sex")
    with pytest.raises(SettingError, match="frame is of type dict: expected a pandas DataFrame"):
        group_accuracy({"right": [1]}, "right", "sex")


# --- masked classes and broken numbers ---


def test_a_masked_class_counts_as_if_it_were_not_there():
    logits, _, _, labels = sample()
    masked = np.insert(logits, 2, -inf, axis=1)
    moved = labels + (labels >= 2)
    same(log_loss(masked, moved), log_loss(logits, labels))
    same(margin(masked, moved), margin(logits, labels))


def test_a_label_of_a_masked_class_is_an_infinite_loss_without_a_warning():
    with np.errstate(all="raise"):
        same(log_loss([[0.0, -inf, -inf], [0.0, -inf, 1.0]], [1, 1]), [inf, inf])


@pytest.mark.parametrize("row", [[nan, 0, 0], [inf, 0, 0], [-inf] * 3, [inf, -inf, 0]])
def test_logits_that_say_nothing_are_measured_as_nan(row):
    for measure in (log_loss, margin):
        assert np.isnan(measure([row, [0.0, 1.0, 2.0]], [0, 0])).tolist() == [True, False]


@pytest.mark.parametrize("bad", [nan, inf, -0.5])
def test_broken_probabilities_are_refused(bad):
    good = np.full((3, 2), 0.5)
    broken = good.copy()
    broken[1, 1] = bad
    for first, second in ((good, broken), (broken, good)):
        with pytest.raises(SettingError, match="probabilities are finite and at least 0"):
            class_calibration_error(first, second)
    with pytest.raises(SettingError, match="probs holds"):
        class_risks(broken, good)
    with pytest.raises(SettingError, match="mass"):
        point_mass([0.5, bad], 2)


def test_an_infinite_loss_without_probability_counts_0():
    same(class_risks([[1.0, 0.0], [0.5, 0.5]], [[0.0, inf], [1.0, 1.0]]), [1 / 3, 1])
    assert class_risks([[0.5, 0.5]], [[0.0, inf]])[1] == inf


@pytest.mark.parametrize("value", [True, False, 0, 1.5, -0.1, nan, "half", None])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(SettingError, match="fraction = "):
        top_fraction([0.1, 0.2], value)
    with pytest.raises(SettingError, match="confidence = "):
        t_interval([1.0, 2.0, 3.0], value)


def test_counts_of_other_shapes_are_refused():
    with pytest.raises(SettingError, match=r"gained has shape \(2,\), lost \(1,\)"):
        sign_test([1, 2], [1])
