import numpy as np
import pytest

from kdbook.chapters.groups_that_are_not_classes.printed_groups import (
    OVERALL,
    TABLES,
    fits_whole_people,
    printed_changes,
    printed_overall,
)
from kdlib.data.adult import load_adult


def test_the_text_of_c3():
    assert printed_overall().to_dict() == {
        "teacher": 81.8, "one-hot": 76.2, "distilled": 79.3, "label 0": -1.2, "label 1": 7.4,
    }  # fmt: skip
    assert tuple(printed_overall().index) == OVERALL


@pytest.mark.parametrize("table", TABLES)
def test_every_printed_change_is_a_whole_number_of_the_official_test_people(table):
    found = printed_changes(table)
    assert fits_whole_people(found).all()
    assert found["people"].sum() == 16281


def test_without_the_people_with_unknown_values_most_of_them_are_not():
    complete = load_adult().test.complete()
    assert not fits_whole_people(printed_changes("Table 7", complete)).any()
    assert fits_whole_people(printed_changes("Table 8", complete)).mean() < 0.4


def test_table_8_adds_up_to_table_7_and_to_the_text():
    by_sex, by_race = printed_changes("Table 7"), printed_changes("Table 8")
    added = by_race.groupby(["label", "sex"])["moved"].sum()
    assert added.to_dict() == by_sex.set_index(["label", "sex"])["moved"].to_dict()
    labels = by_sex.groupby("label")[["moved", "people"]].sum()
    share = 100 * labels["moved"] / labels["people"]
    assert share.to_numpy() == pytest.approx([-1.2, 7.4], abs=0.07)
    gain = printed_overall()["distilled"] - printed_overall()["one-hot"]
    assert share.mean() == pytest.approx(gain, abs=0.1)


def test_the_least_p_is_that_of_everyone_moving_the_same_way():
    found = printed_changes("Table 8").set_index("group")
    assert found.loc["Amer-Indian-Eskimo, Female, label 1", "moved"] == -2
    assert found.loc["Amer-Indian-Eskimo, Female, label 1", "least_p"] == 0.5
    assert found.loc["Black, Female, label 1", "least_p"] == 1
    moved = found["moved"].abs().to_numpy()
    np.testing.assert_allclose(found["least_p"], np.minimum(1, 2 * 0.5**moved))
