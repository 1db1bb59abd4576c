import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdlib.errors import SettingError
from kdlib.metrics import sign_test


@given(st.integers(0, 400), st.integers(0, 400))
def test_it_is_the_exact_binomial_test(gained, lost):
    n = gained + lost
    expected = stats.binomtest(gained, n).pvalue if n else 1.0
    assert sign_test(gained, lost) == pytest.approx(expected, rel=1e-9)
    assert sign_test(gained, lost) == sign_test(lost, gained)


def test_it_takes_arrays():
    found = sign_test([0, 3, 10], [0, 0, 0])
    np.testing.assert_allclose(found, [1, 2 / 2**3, 2 / 2**10])


@pytest.mark.parametrize("wrong", [-1, 0.5])
def test_only_counts_are_allowed(wrong):
    with pytest.raises(SettingError, match="whole numbers from 0"):
        sign_test([1, wrong], [1, 1])
