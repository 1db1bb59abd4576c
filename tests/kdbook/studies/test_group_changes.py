import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdbook.chapters.groups_that_are_not_classes import changes
from kdbook.chapters.groups_that_are_not_classes.changes import Scored
from kdlib.metrics import POINTS, crossed_interval, holm, t_interval

PEOPLE = pd.DataFrame(
    {
        "label": [0, 0, 0, 1, 1, 1],
        "sex": ["Male", "Male", "Female", "Male", "Female", "Female"],
        "race": ["White", "Black", "White", "White", "White", "Black"],
    }
)
ONE_HOT = np.float32(
    [[0.1, 0.6, 0.2, 0.9, 0.8, 0.1], [0.6, 0.1, 0.1, 0.7, 0.2, 0.3], [0.1, 0.1, 0.1, 0.1, 0.9, 0.9]]
)
DISTILLED = np.float32(
    [
        [0.6, 0.2, 0.3, 0.9, 0.4, 0.55],
        [0.2, 0.1, 0.7, 0.8, 0.9, 0.2],
        [0.1, 0.1, 0.1, 0.9, 0.9, 0.2],
    ]
)
SCORED = Scored(PEOPLE, {"one-hot": ONE_HOT, "distilled": DISTILLED})
JUDGED = SCORED.judged(0.5)


def test_a_score_at_the_threshold_is_a_1_also_where_float32_cuts_it():
    scores = np.float32([[0.7, 0.69, 0.7, 0.7, 0.71, 0.0]])
    right = Scored(PEOPLE, {"one-hot": scores}).judged(0.7).right["one-hot"]
    assert right.tolist() == [[False, True, False, True, True, False]]


def test_accuracies_by_hand():
    table = changes.accuracies(JUDGED).set_index(["method", "group", "seed"])["value"]
    assert table["one-hot", "label 0", 0] == pytest.approx(200 / 3)
    assert table["one-hot", "label 1", 0] == pytest.approx(200 / 3)
    assert table["one-hot", "balanced", 1] == pytest.approx((200 / 3 + 100 / 3) / 2)
    assert table["distilled", "Female, label 1", 1] == 50
    assert table["distilled", "Black, Female, label 1", 0] == 100
    assert np.allclose(JUDGED.by_label("one-hot"), [[2 / 3, 2 / 3], [2 / 3, 1 / 3], [1, 2 / 3]])


def test_changes_by_hand():
    found = changes.changes(JUDGED, ("label", "sex")).set_index("group")
    women = found.loc["Female, label 1"]
    gain = np.array([[-1, 1], [1, 0], [0, -1]])
    both = crossed_interval(100 * gain, scale=POINTS)
    seeds = t_interval(100 * gain.mean(axis=1), scale=POINTS)
    assert (women["people"], women["seeds"], women["mean"]) == (2, 3, 0)
    assert (women["fewest"], women["most"]) == (-1, 1)
    assert (women["low"], women["high"]) == (both.low, both.high)
    assert (women["seeds_low"], women["seeds_high"]) == (seeds.low, seeds.high)
    assert found["people"].sum() == len(PEOPLE)
    p_values = found["p"].fillna(1.0)
    assert found["holm"].to_numpy() == pytest.approx(holm(p_values))


def test_a_group_that_nobody_changed_in_is_no_discovery():
    same = Scored(PEOPLE, {"one-hot": ONE_HOT, "distilled": ONE_HOT}).judged(0.5)
    found = changes.changes(same, ("label",))
    assert (found["mean"] == 0).all() and (found["holm"] == 1).all()
    assert found[["low", "high", "p"]].isna().all().all()


def test_one_seed_counts_who_gained_and_who_lost():
    found = changes.one_seed(JUDGED, ("label",)).set_index("group")
    assert found.loc["label 0", ["gained", "lost"]].tolist() == [1, 1]
    assert found.loc["label 1", ["gained", "lost"]].tolist() == [1, 1]
    other = changes.one_seed(JUDGED, ("label",), seed=1).set_index("group")
    assert other.loc["label 1", ["gained", "lost", "p"]].tolist() == [1, 0, 1.0]
    assert other.loc["label 1", "mean"] == pytest.approx(100 / 3)


def test_groups_share_out_everybody():
    for by in (changes.LABELS, changes.SEXES, changes.RACES):
        masks = [inside for _, inside in changes.groups_of(PEOPLE, by)]
        assert (np.sum(masks, axis=0) == 1).all()


@given(
    arrays(np.float32, (3, 6), elements=st.floats(0, 1, width=16), unique=True),
    arrays(np.float32, (3, 6), elements=st.floats(0, 1, width=16), unique=True),
    st.sampled_from([0.25, 0.5, 0.75]),
)
def test_at_equal_rates_each_seed_predicts_as_many_1s(one_hot, distilled, threshold):
    found = Scored(PEOPLE, {"one-hot": one_hot, "distilled": distilled})
    right = found.judged_at_equal_rates(threshold).right
    truth = PEOPLE["label"].to_numpy() == 1
    ones = {name: np.where(rows, truth, ~truth) for name, rows in right.items()}
    assert (ones["one-hot"] == (one_hot >= np.float32(threshold))).all()
    assert (ones["distilled"].sum(axis=1) == ones["one-hot"].sum(axis=1)).all()
    for scores, chosen in zip(distilled, ones["distilled"], strict=True):
        if chosen.any() and not chosen.all():
            assert scores[chosen].min() > scores[~chosen].max()


def test_positive_rates():
    assert SCORED.positive_rate("one-hot", 0.5).tolist() == pytest.approx([0.5, 2 / 6, 2 / 6])
