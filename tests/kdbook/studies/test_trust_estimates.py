"""The luck in a trust against exact distributions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from kdbook.chapters import trusting_the_teacher_less
from kdbook.chapters.trusting_the_teacher_less import estimates
from kdlib.errors import SettingError
from kdlib.losses import average_margins
from kdlib.runs import Store, execute

CLASSES, DRAWS = 10, 20_000
WRONG = -1 / (CLASSES - 1)


def pool(margins, label=0, seed=0):
    return pd.DataFrame({"seed": seed, "label": label, "margin": margins})


@pytest.mark.parametrize("right", [2, 10, 18])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_a_teacher_that_is_sure_gives_a_binomial(right, n):
    """At temperature 0 a margin is 1 or -1/(L-1), so a_y follows from the number right."""
    margins = pool([1.0] * right + [WRONG] * (20 - right))
    row = estimates.estimates(margins, [n], draws=DRAWS).iloc[0]
    counts = np.arange(n + 1)
    trust = np.maximum(0, (counts + WRONG * (n - counts)) / n).round(12)
    chance = stats.binom.pmf(counts, n, right / 20)
    mean = (chance * trust).sum()
    spread = np.sqrt((chance * trust**2).sum() - mean**2)
    true = max(0, round((right + WRONG * (20 - right)) / 20, 12))
    error = 4 * spread / np.sqrt(DRAWS) + 1e-9
    assert row["mean"] == pytest.approx(mean, abs=error)
    assert row["spread"] == pytest.approx(spread, rel=0.05)
    assert row["bias"] == pytest.approx(mean - true, abs=error)
    flips = chance[(trust > 0) != (true > 0)].sum()
    assert row["flips"] == pytest.approx(flips, abs=4 * np.sqrt(0.25 / DRAWS))


@pytest.mark.parametrize("centre", [-0.1, 0.0, 0.05, 0.4])
def test_many_margins_follow_the_clipped_normal(centre):
    rng = np.random.default_rng(0)
    margins = rng.normal(size=4000)
    margins = centre + 0.3 * (margins - margins.mean()) / margins.std()
    row = estimates.estimates(pool(margins), [25], draws=DRAWS).iloc[0]
    expected = estimates.clipped_normal_mean(centre, 0.3 / 5)
    assert row["mean"] == pytest.approx(expected, abs=4 * 0.06 / np.sqrt(DRAWS))
    assert row["bias"] == pytest.approx(expected - max(0, centre), abs=2e-3)


@given(st.floats(-1, 1), st.floats(0.01, 1))
def test_the_clipped_mean_is_the_integral_and_never_too_low(mean, spread):
    found = estimates.clipped_normal_mean(mean, spread)
    top = max(mean, 0) + 12 * spread
    near = [point for point in (mean,) if 0 < point < top]
    exact, _ = integrate.quad(
        lambda x: x * stats.norm.pdf(x, mean, spread), 0, top, points=near or None, limit=200
    )
    assert found == pytest.approx(exact, abs=1e-6)
    assert found >= max(0, mean) - 1e-12


def test_at_a_true_margin_of_zero_the_bias_is_the_spread_over_root_two_pi():
    assert estimates.clipped_normal_mean(0, 0.5) == pytest.approx(0.5 / np.sqrt(2 * np.pi))


def test_the_spread_falls_with_the_root_of_n_where_nothing_is_clipped():
    margins = pool(np.linspace(0.6, 0.9, 31))
    table = estimates.estimates(margins, [4, 64], draws=DRAWS).set_index("n")
    assert table.loc[4, "spread"] / table.loc[64, "spread"] == pytest.approx(4, rel=0.03)
    assert table["bias"].abs().max() < 0.005 and (table["flips"] == 0).all()


def test_estimates_are_a_function_of_the_seed():
    margins = pool(np.linspace(-0.1, 0.9, 20))
    same = [estimates.estimates(margins, [5], draws=50, seed=3) for _ in range(2)]
    pd.testing.assert_frame_equal(*same)


def test_means_over_teachers():
    margins = pd.concat([pool([0.2] * 3), pool([0.6] * 3, seed=1)])
    table = estimates.over_teachers(estimates.estimates(margins, [2], draws=10))
    assert len(table) == 1 and "seed" not in table
    assert table["true"].item() == pytest.approx(0.4)


@pytest.mark.parametrize(("sizes", "draws"), [([0, 2], 10), ([2], 0)])
def test_no_images_or_no_draws_are_refused(sizes, draws):
    with pytest.raises(SettingError, match="each must be 1 or more"):
        estimates.estimates(pool([0.1, 0.2]), sizes, draws=draws)


def test_a_spread_of_zero_is_refused():
    with pytest.raises(SettingError, match="spread = 0"):
        estimates.clipped_normal_mean(0.1, 0)


def test_the_pool_is_the_validation_split_of_the_initial_teacher(tmp_path):
    import torch

    settings = trusting_the_teacher_less.Settings(seeds=1, epochs=2)
    family = trusting_the_teacher_less.TrustingTheTeacherLess(settings).study_families()[0]
    store = Store(tmp_path)
    (result,) = execute([family.initial_teacher()], store=store, progress=False)
    found = estimates.held_out_margins([family.initial_teacher()], 3.0, store)
    logits = torch.from_numpy(result.logits("validation"))
    labels = torch.from_numpy(result.labels("validation"))
    expected = average_margins((logits / 3).softmax(dim=1), labels, CLASSES)
    np.testing.assert_allclose(found.groupby("label")["margin"].mean(), expected, atol=1e-6)
    assert len(found) == len(labels)
