"""Paths of multipliers: how even they are, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.collapse import collapses, effective_classes, stepper


def path(*moves):
    rows = [
        {"method": "rob", "seed": 0, "step": 4 * (k + 1), "label": y, "multiplier": weight}
        for k, weights in enumerate(moves)
        for y, weight in enumerate(weights)
    ]
    return pd.DataFrame(rows)


def test_a_collapse_is_told_at_the_move_where_it_happens():
    found = collapses(path([0.25] * 4, [0.5, 0.5, 1e-9, 1e-9], [0.97, 0.01, 0.01, 0.01]))
    assert found["step"].tolist() == [4, 8, 12]
    np.testing.assert_allclose(found["effective"][:2], [4, 2], rtol=1e-6)
    assert found["collapsed"].tolist() == [False, False, True]
    np.testing.assert_allclose(found["log_ratio"], [0, np.log(5e8), np.log(97)])


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=20))
def test_effective_classes_lie_between_one_and_all(weights):
    assert 1 - 1e-9 <= effective_classes(weights) <= len(weights) + 1e-9


def test_effective_classes_by_the_entropy():
    weights = [0.5, 0.25, 0.25]
    assert effective_classes(weights) == pytest.approx(2**1.5)  # entropy of 1.5 bits


def test_the_stepper_keeps_all_moves_or_as_many_as_are_wanted_with_the_last():
    rows = pd.DataFrame(
        [
            {"method": name, "seed": seed, "step": 4 * k, "label": y, "multiplier": 0.5, "error": k}
            for name in ("a", "b", "c")
            for seed in range(3)
            for k in range(1, 11)
            for y in range(2)
        ]
    )
    whole = stepper(rows, ["b", "a"], seeds=2, most=40)
    assert list(dict.fromkeys(whole["run"])) == ["b", "a"] and set(whole["seed"]) == {0, 1}
    assert whole["move"].tolist() == (whole["step"] // 4).tolist()
    few = stepper(rows, ["c"], seeds=1, most=4)
    assert few["move"].unique().tolist() == [1, 2, 3, 4]
    assert few["step"].unique().tolist() == [4, 16, 28, 40]
