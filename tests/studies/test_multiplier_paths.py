"""Paths of multipliers: how even they are, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdlib.studies.multiplier_paths import collapses, effective_classes


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
