"""The report's numbers, against independent computations."""

import numpy as np
import pandas as pd
import pytest
import torch
from made_predictions import answers, predictions
from scipy import stats

import kdlib
from kdlib import losses, metrics
from kdlib.audit import Report
from kdlib.audit.averages import class_variances, worst_gains
from kdlib.audit.measured import Calibration
from kdlib.audit.verdicts import fewest_examples

NAMES = ["ant", "bee", "cat", "dog", "eel", "fox"]


@pytest.fixture(scope="module")
def given():
    return predictions(harmed=2)


@pytest.fixture(scope="module")
def report(given):
    return kdlib.audit(**given, class_names=NAMES)


def test_accuracy_and_gain_are_those_of_the_metrics(given, report):
    table = report.by_class
    for role in ("student", "one_hot", "teacher"):
        right = metrics.per_class_accuracy(given[role].argmax(axis=1), given["labels"], 6)
        assert list(table[role]) == pytest.approx(list(100 * right))
    np.testing.assert_allclose(table["gain"], table["student"] - table["one_hot"])
    assert list(table["examples"]) == list(np.bincount(given["labels"]))


def test_the_harmed_class_alone_is_found(report):
    assert report.by_class.set_index("name")["verdict"].to_dict() == {
        name: "harmed" if name == "cat" else "no clear change" for name in NAMES
    }
    assert report.finding.startswith("HARM FOUND") and "cat" in report.finding


def test_corrected_p_values_are_holms(report):
    table = report.by_class
    np.testing.assert_allclose(table["p_adjusted"], metrics.holm(table["p_value"]))


def test_margins_and_losses_are_those_of_the_metrics(given, report):
    order = report.cumulative["class"].to_numpy()
    scores = np.log(given["student"])
    for name, measure in (("margin", metrics.margin), ("log_loss", metrics.log_loss)):
        by_class = metrics.class_means(measure(scores, given["labels"]), given["labels"], 6)
        shown = report.buckets.query("model == 'student'")[name]
        assert list(shown) == pytest.approx(list(by_class[order]))


@pytest.mark.parametrize(
    ("counts", "given", "words", "first"),
    [
        ((20, 10), {"train_counts": [7, 9]}, "by training examples, fewest first", 0),
        ((20, 10), {}, "by test examples, fewest first", 1),
        ((19, 10), {}, "by the accuracy of one_hot, lowest first", 0),
        ((19, 10), {"teacher": [1, 0]}, "by the teacher's accuracy, lowest first", 1),
    ],
)
def test_classes_are_ordered_by_the_best_that_is_there(counts, given, words, first):
    """The teacher is right in class 0 alone, the baseline in class 1."""
    labels = np.repeat([0, 1], counts)
    if "teacher" in given:
        given = {"teacher": np.tile(given["teacher"], (len(labels), 1))}
    wrong_in_0 = np.tile([0.0, 1.0], (len(labels), 1))
    report = kdlib.audit(labels, np.eye(2)[labels], one_hot=wrong_in_0, **given)
    assert report.order == words
    assert list(report.cumulative["class"]) == [first, 1 - first]


def test_the_spread_of_a_class_borrows_a_degree_of_freedom_from_all():
    labels = np.repeat([0, 1, 2], [1, 4, 7])  # and a class 3 without examples
    differences = np.random.default_rng(0).integers(-1, 2, (3, 12))
    by_class = [differences.mean(axis=0)[labels == label] for label in range(3)]
    squares = [sum((own - own.mean()) ** 2) for own in by_class]
    pooled = sum(squares) / (12 - 3)
    found = class_variances(differences, labels, 4)
    assert found[0] == pytest.approx(pooled) and np.isnan(found[3])
    for own, square, variance in zip(by_class, squares, found, strict=False):
        assert variance == pytest.approx((square + pooled) / len(own) / len(own))


def test_logits_give_the_report_of_their_probabilities(given, report):
    roles = ("student", "one_hot", "teacher")
    logits = {role: np.log(given[role]) + 3.0 for role in roles}
    other = kdlib.audit(given["labels"], class_names=NAMES, **logits)
    pd.testing.assert_frame_equal(report.by_class, other.by_class)
    pd.testing.assert_frame_equal(report.buckets, other.buckets)


def test_tensors_give_the_report_of_arrays(given, report):
    other = kdlib.audit(**{name: torch.tensor(value) for name, value in given.items()})
    assert list(other.by_class["p_value"]) == list(report.by_class["p_value"])


def test_tables_that_share_an_index_go_together(given, report):
    names = [f"row {place}" for place in range(len(given["labels"]))]
    tables = {role: pd.DataFrame(given[role], index=names)
              for role in ("student", "one_hot", "teacher")}  # fmt: skip
    labels = pd.Series(given["labels"], index=names)
    groups = pd.DataFrame({"odd": given["labels"] % 2 == 1}, index=names)
    found = kdlib.audit(labels, **tables, groups=groups, class_names=NAMES)
    pd.testing.assert_frame_equal(found.by_class, report.by_class)
    assert found.by_group["examples"][0] == (given["labels"] % 2 == 1).sum()


def test_cumulative_gain_is_that_of_the_metrics(report):
    table = report.by_class
    expected = metrics.cumulative_gain(table["student"], table["one_hot"], table["teacher"])
    assert list(report.cumulative["gain"]) == pytest.approx(list(expected))
    balanced = report.overall.set_index("measure").loc["balanced", "gain"]
    assert balanced == pytest.approx(expected[-1])


def test_the_order_follows_training_examples_where_they_are_known(given):
    found = kdlib.audit(**given, train_counts=[5, 1, 4, 2, 9, 3])
    assert list(found.cumulative["class"]) == [1, 3, 5, 2, 0, 4]


def test_weights_are_adaptive_mix_of_the_dev_examples(given):
    dev = predictions(seed=9)
    report = kdlib.audit(**given, dev=(dev["labels"], dev["teacher"]))
    expected = losses.adaptive_mix(torch.tensor(dev["teacher"]), torch.tensor(dev["labels"]), 6)
    assert list(report.weights) == pytest.approx(expected.tolist(), abs=1e-6)
    assert "mix = torch.tensor([" in report.text()


def test_examples_to_ignore_are_left_out(given, report):
    more = {name: np.concatenate([value, value[:7]]) for name, value in given.items()}
    more["labels"][-7:] = -100
    found = kdlib.audit(**more, class_names=NAMES)
    pd.testing.assert_frame_equal(found.by_class, report.by_class)
    assert any("7 examples labelled -100" in note for note in found.notes)


def test_a_class_without_examples_is_named(given):
    kept = given["labels"] != 4
    few = {name: value[kept] for name, value in given.items()}
    found = kdlib.audit(**few, class_names=NAMES)
    assert found.by_class["verdict"][4] == "no examples"
    assert any("no test example: eel" in note for note in found.notes)
    assert found.gate("worst-class:-50").status != "fine"


def test_a_class_that_is_too_small_is_named(given):
    rare = np.flatnonzero(given["labels"] == 4)[:5]
    kept = np.sort(np.r_[np.flatnonzero(given["labels"] != 4), rare])
    found = kdlib.audit(**{name: value[kept] for name, value in given.items()}, class_names=NAMES)
    assert found.by_class["verdict"][4] == "too few examples"
    assert np.isnan(found.by_class["p_adjusted"][4])
    assert any("too few test examples to say anything: eel" in note for note in found.notes)


@pytest.mark.parametrize(
    ("counts", "fewest"), [([100], 6), ([100] * 10, 9), ([5] * 1000 + [50], 6), ([1], 6)]
)
def test_the_fewest_examples_are_those_that_could_show_a_change(counts, fewest):
    found = fewest_examples(np.array(counts), 0.05)
    tests = max(1, sum(count >= found for count in counts))
    assert found == fewest
    assert 2.0 ** (1 - found) * tests <= 0.05


def test_identical_models_show_no_change_and_no_harm():
    same = predictions(size=30_000)
    found = kdlib.audit(same["labels"], same["one_hot"], one_hot=same["one_hot"])
    assert (found.by_class["gain"] == 0).all() and (found.by_class["p_value"] == 1).all()
    assert found.finding.startswith("NO HARM beyond 1 point: ")


def test_no_interval_is_a_point():
    same = predictions(size=600)
    table = kdlib.audit(same["labels"], same["one_hot"], one_hot=same["one_hot"]).overall
    mean, balanced, worst = (table.loc[place, ["low", "high"]] for place in (0, 1, 2))
    # Classes are about equally large here, so that both averages are about the same.
    assert list(balanced) == pytest.approx(list(mean), rel=0.05)
    assert (
        worst.isna().all()
        and "no interval"
        in kdlib.audit(same["labels"], same["one_hot"], one_hot=same["one_hot"]).text()
    )


def test_few_examples_cannot_tell():
    few = predictions(size=100)
    found = kdlib.audit(few["labels"], few["one_hot"], one_hot=few["one_hot"])
    assert found.finding.startswith("CANNOT TELL")


def test_two_models_are_enough(given):
    found = kdlib.audit(given["labels"], given["student"], baseline=given["one_hot"])
    assert found.baseline == "baseline" and "baseline" in found.by_class
    assert isinstance(found, Report)


# Groups


def test_groups_are_columns_marks_and_crossings(given):
    size = len(given["labels"])
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"sex": rng.choice(["F", "M"], size), "age": rng.choice([1, 2], size)})
    frame["left"], frame["tall"] = rng.random(size) < 0.3, rng.random(size) < 0.6
    frame.loc[:4, "sex"] = None
    found = kdlib.audit(**given, groups=frame, cross=[("sex", "age")]).by_group.set_index("name")
    right = given["student"].argmax(axis=1) == given["labels"]
    members = {
        "sex=F": frame["sex"] == "F",
        "sex=(missing)": frame["sex"].isna(),
        "age=2": frame["age"] == 2,
        "left": frame["left"],
        "tall": frame["tall"],
        "sex=M & age=1": (frame["sex"] == "M") & (frame["age"] == 1),
    }
    for name, chosen in members.items():
        assert found.loc[name, "examples"] == chosen.sum()
        assert found.loc[name, "student"] == pytest.approx(100 * right[chosen].mean())


# Seeds


def test_several_seeds_widen_what_one_seed_hides():
    one = predictions(size=3000)
    rng = np.random.default_rng(5)
    students = [answers(rng, one["labels"], 6, share) for share in (0.75, 0.85, 0.95)]
    found = kdlib.audit(one["labels"], students, one_hot=one["one_hot"])
    alone = kdlib.audit(one["labels"], students[1], one_hot=one["one_hot"])
    assert found.seeds == 3
    width, narrow = (float(r.mean.high[0] - r.mean.low[0]) for r in (found, alone))
    assert width > 3 * narrow
    stacked = kdlib.audit(one["labels"], np.stack(students), one_hot=one["one_hot"])
    pd.testing.assert_frame_equal(stacked.by_class, found.by_class)


# The teacher


def calibration_of(probs, labels):
    found = Calibration(probs.shape[1])
    for part in np.array_split(np.arange(len(labels)), 3):
        found.add(probs[part], labels[part])
    return found


def test_a_calibrated_teacher_shows_no_more_than_chance():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet([1, 1, 1, 1], 50_000)
    labels = (probs.cumsum(axis=1) > rng.random((50_000, 1))).argmax(axis=1)
    found = calibration_of(probs, labels)
    assert found.error() == pytest.approx(found.chance(), rel=0.5)
    assert found.error().max() < 0.03


def test_the_calibration_error_of_two_points_is_the_theorems():
    # Two points, each half of the mass, whose probabilities lie in different bins.
    probs = np.repeat([[0.9, 0.1], [0.25, 0.75]], 1000, axis=0)
    truth = np.repeat([[0.6, 0.4], [0.3, 0.7]], 1000, axis=0)
    labels = np.repeat([0, 1, 0, 1], [600, 400, 300, 700])
    expected = metrics.class_calibration_error(probs, truth)
    assert calibration_of(probs, labels).error() == pytest.approx(expected)


def test_confident_errors_name_what_a_class_is_taken_for():
    labels = np.repeat([0, 1], 10)
    teacher = np.tile([0.8, 0.1, 0.1], (20, 1))
    teacher[10:13] = [0.05, 0.05, 0.9]
    teacher[13:15] = [0.45, 0.1, 0.45]  # wrong, but of two minds
    found = kdlib.audit(labels, teacher, teacher=teacher, class_names=["a", "b", "c"])
    rows = found.confident_errors[["name", "taken_for", "examples"]]
    assert rows.to_numpy().tolist() == [["b", "a", 5], ["b", "c", 3]]
    assert list(found.confident_errors["share"]) == [50, 30]


def test_one_student_against_several_baselines_uses_them_all():
    made, rng = predictions(harmed=2), np.random.default_rng(1)
    labels = made["labels"]
    olds = [answers(rng, labels, 6, 0.85) for _ in range(3)]
    found = kdlib.audit(labels, made["student"], baseline=olds)
    lowest = [metrics.per_class_accuracy(o.argmax(axis=1), labels, 6).min() for o in olds]
    new = metrics.per_class_accuracy(made["student"].argmax(axis=1), labels, 6).min()
    expected = metrics.t_interval(new - np.array(lowest), 0.95)
    row = found.overall.set_index("measure").loc["worst_1"]
    assert row["gain"] == pytest.approx(100 * (new - np.mean(lowest)))
    assert row["low"] < 100 * expected.low and row["high"] > 100 * expected.high
    assert any("3 trainings of baseline; of student there is one" in n for n in found.notes)


def test_the_worst_class_of_equal_trainings_has_the_error_of_its_examples():
    labels = np.repeat([0, 1], [50, 150])
    new = np.ones((3, 200), np.int8)
    new[:, :10] = 0
    ((one, two, low, high),) = worst_gains(new, np.ones_like(new), labels, [1], 0.95, 0)
    assert (one, two) == pytest.approx((0.8, 1.0))
    squares = 50 * 0.8 * 0.2
    pooled = squares / (200 - 2)
    error = np.sqrt((squares + pooled) / 50**2 + pooled / 150**2)
    half = stats.t.ppf(0.975, 2) * error
    assert (low, high) == pytest.approx((-0.2 - half, -0.2 + half))


def test_intervals_of_the_worst_class_cover_where_trainings_share_hard_examples():
    rng, labels = np.random.default_rng(3), np.repeat(np.arange(5), 60)
    before, after = (np.where(labels == 0, at, 8.0) for at in (2.0, -1.0))
    truth = np.diff(stats.norm.cdf(np.array([2.0, -1.0]) / np.sqrt(10)))[0]
    covered = []
    for _ in range(200):
        hard = rng.normal(0, 3, len(labels))
        old, new = (_answered(hard + at, rng) for at in (before, after))
        ((*_, low, high),) = worst_gains(new, old, labels, [1], 0.95, 0)
        covered.append(low <= truth <= high)
    assert np.mean(covered) >= 0.9


def _answered(ease, rng):
    """Three trainings of a model, which share what is easy."""
    return (ease + rng.normal(size=(3, len(ease))) > 0).astype(np.int8)
