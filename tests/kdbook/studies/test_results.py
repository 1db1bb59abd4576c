"""Table 3: which runs, which pairs, and the log-loss of the rarest classes."""

import numpy as np
import pandas as pd
import pytest

from kdbook import tables
from kdbook.chapters import results
from kdbook.profiles import PROFILES
from kdlib.errors import SettingError
from kdlib.runs import MarginCost


def test_every_taught_method_is_trained_at_every_temperature():
    settings = results.Settings(seeds=2, temperatures=(1.0, 4.0))
    members = results.Results(settings).members()
    assert len(members) == 2 * (2 + 2 * 3)
    at = {(m.method, m.temperature) for m in members if not np.isnan(m.temperature)}
    assert at == {(method, t) for method in results.TAUGHT for t in (1.0, 4.0)}
    for member in members:
        if member.method in results.TAUGHT:
            assert member.spec.objective.temperature == member.temperature


def test_the_offset_reaches_ada_margin():
    members = results.Results(results.Settings(seeds=1, temperatures=(2.0,), offset=0.2)).members()
    costs = [m.spec.objective.log_cost for m in members if m.method == "AdaMargin"]
    assert [cost.offset for cost in costs if isinstance(cost, MarginCost)] == [0.2]


@pytest.mark.parametrize(("profile", "count"), [("quick", 5), ("standard", 3), ("paper", 3)])
def test_seeds_are_the_profiles_but_five_at_most(profile, count):
    assert len(results.Results(results.Settings(profile=profile)).study_families()) == count
    assert PROFILES["quick"].seeds > 5
    assert len(results.Results(results.Settings(profile=profile, seeds=7)).study_families()) == 7


@pytest.mark.parametrize("wrong", [{"offset": 0}, {"temperatures": ()}, {"temperatures": (0,)}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match="is not allowed"):
        results.Settings.parse(**wrong)


def test_pairs_are_all_pairs_in_the_order_of_the_table():
    choice = pd.DataFrame({"method": ["AdaMargin", "distilled", "AdaAlpha"],
                           "temperature": [1.0, 2.0, 3.0]})  # fmt: skip
    distilled, alpha, margin = "distilled, T = 2", "AdaAlpha, T = 3", "AdaMargin, T = 1"
    assert results.pairs(choice) == [
        (distilled, "one-hot"), (alpha, "one-hot"), (margin, "one-hot"),
        (alpha, distilled), (margin, distilled), (margin, alpha),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("classes", "columns"),
    [(10, ["mean", "worst_1", "worst_2", "rarest"]),
     (100, ["mean", "worst_1", "worst_10", "worst_20", "rarest"])],
)  # fmt: skip
def test_measures_are_those_of_the_table(classes, columns):
    assert list(results.measures(classes)) == columns


def by_class(losses, counts, method="one-hot", temperature=np.nan):
    key = {"method": method, "imbalance": 20.0, "temperature": temperature, "seed": 0}
    frame = pd.DataFrame({"label": range(10), "train_count": counts, "log_loss": losses})
    return frame.assign(**key)


def test_log_loss_is_averaged_over_the_rarest_fifth():
    counts = [90, 64, 46, 33, 23, 17, 12, 3, 6, 4]  # classes 7 and 9 are the rarest
    losses = np.arange(10.0)
    rows = results.rarest_log_loss(by_class(losses, counts).sample(frac=1, random_state=0))
    assert rows["rarest_log_loss"].item() == 8.0
    assert list(rows.columns) == [*tables.KEYS, "rarest_log_loss"]


def test_of_equally_rare_classes_the_later_count_as_rarest():
    rows = results.rarest_log_loss(by_class(np.arange(10.0), [10] * 10))
    assert rows["rarest_log_loss"].item() == 8.5


def test_a_diverged_run_has_no_log_loss():
    both = pd.concat([by_class([np.nan] * 10, [10] * 10, "AdaMargin", 1.0),
                      by_class([1.0] * 10, [10] * 10)])  # fmt: skip
    rows = results.rarest_log_loss(both).set_index("method")["rarest_log_loss"]
    assert np.isnan(rows["AdaMargin"]) and rows["one-hot"] == 1.0
