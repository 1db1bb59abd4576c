import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kdbook import compare, tables
from kdbook.chapters import rare_classes, trusting_the_teacher_less
from kdbook.published import published
from kdlib.errors import SettingError
from kdlib.metrics import FREE, PERCENT
from kdlib.runs import Store, execute


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The sweep at two ratios and two seeds, trained for one epoch."""
    from kdbook import profiles

    quick = profiles.PROFILES["quick"]
    epoch = quick.recipe.model_copy(update={"epochs": 1, "warmup_epochs": 0})
    short = quick.model_copy(update={"recipe": epoch, "teacher_recipe": None})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(profiles.PROFILES, "quick", short)
        settings = rare_classes.Settings(seeds=2, imbalances=(1, 20))
        store = Store(tmp_path_factory.mktemp("store"))
        results = execute(
            rare_classes.RareClasses(settings).runs(), store=store, jobs=1, progress=False
        )
        yield settings, results


def test_one_row_a_run(tiny):
    settings, results = tiny
    table = rare_classes.RareClasses(settings).per_seed(results)
    assert len(table) == 2 * 2 * 3
    assert list(table.columns[:4]) == tables.KEYS
    row, result = table.iloc[-1], results[-1]
    accuracy = 100 * result.accuracy("test")
    assert row["mean"] == pytest.approx(accuracy.mean())
    assert row["worst_1"] == pytest.approx(accuracy.min())
    assert row["worst_5"] == pytest.approx(np.sort(accuracy)[:5].mean())
    assert row["rarest"] == pytest.approx(accuracy[-2:].mean())
    assert row["best_tenth"] == pytest.approx(accuracy.max())
    right = result.logits("validation").argmax(axis=1) == result.labels("validation")
    assert row["validation"] == pytest.approx(100 * right.mean())  # as many images in each class


def test_a_run_that_is_not_finished_has_no_row(tiny):
    settings, results = tiny
    whole = rare_classes.RareClasses(settings).per_seed(results)
    part = rare_classes.RareClasses(settings).per_seed([None, *results[1:-1], None])
    pd.testing.assert_frame_equal(part, whole.iloc[1:-1].reset_index(drop=True))
    by_class = rare_classes.RareClasses(settings).per_class([*results[:-1], None])
    assert len(by_class) == 10 * (len(results) - 1)


def test_the_rarest_classes_are_the_same_at_every_ratio(tiny):
    settings, results = tiny
    table = rare_classes.RareClasses(settings).per_seed(results)
    assert set(table["imbalance"]) == {1, 20}
    last_two = [100 * result.accuracy("test")[-2:].mean() for result in results]
    np.testing.assert_allclose(table["rarest"], last_two)


def test_one_row_a_class(tiny):
    settings, results = tiny
    table = rare_classes.RareClasses(settings).per_class(results)
    assert len(table) == 2 * 2 * 3 * 10
    tail = table[(table["imbalance"] == 20) & (table["label"] == 9)]
    assert set(tail["train_count"]) == {4}


def frame():
    rng = np.random.default_rng(0)
    rows = [
        {
            "method": method,
            "temperature": t,
            "imbalance": 20.0,
            "seed": seed,
            "mean": rng.normal(50, 1),
        }
        for method, t in (("one-hot", np.nan), ("distilled", 1.0), ("distilled", 3.0))
        for seed in range(6)
    ]
    return pd.DataFrame(rows)


def test_intervals_are_students_t():
    table = frame()
    rows = compare.with_intervals(table, "mean", ["method", "temperature"])
    assert len(rows) == 3  # NaN is a group of its own
    values = table[table["temperature"] == 3.0]["mean"]
    low, high = stats.t.interval(0.95, 5, loc=values.mean(), scale=stats.sem(values))
    row = rows[rows["temperature"] == 3.0].iloc[0]
    assert row["mean"] == pytest.approx(values.mean()) and "p" not in row
    # Near 50 percent the logit is straight, so that the bent interval is the plain one.
    assert (row["low"], row["high"]) == pytest.approx((low, high), abs=2e-3)
    plain = compare.with_intervals(table, "mean", ["method", "temperature"], FREE)
    row = plain[plain["temperature"] == 3.0].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert row["seeds"] == 6


def test_paired_differences_are_a_paired_t_interval():
    table = frame()
    rows = compare.paired_differences(table, "mean", "one-hot")
    first = table[table["temperature"] == 1.0]["mean"].to_numpy()
    base = table[table["method"] == "one-hot"]["mean"].to_numpy()
    interval = stats.ttest_rel(first, base).confidence_interval(0.95)
    row = rows[rows["temperature"] == 1.0].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["p"] == pytest.approx(stats.ttest_rel(first, base).pvalue)


def test_a_column_whose_name_says_nothing_needs_a_scale():
    table = frame().rename(columns={"mean": "score"})
    with pytest.raises(SettingError, match="column 'score' does not tell"):
        compare.with_intervals(table, "score", ["method"])
    assert len(compare.with_intervals(table, "score", ["method"], PERCENT)) == 2


def test_a_shuffled_table_pairs_the_same_seeds():
    table = frame()
    straight = compare.paired_differences(table, "mean", "one-hot")
    shuffled = compare.paired_differences(table.sample(frac=1, random_state=1), "mean", "one-hot")
    keys = ["method", "temperature"]
    pd.testing.assert_frame_equal(
        straight.sort_values(keys, ignore_index=True), shuffled.sort_values(keys, ignore_index=True)
    )


@pytest.mark.parametrize(("classes", "ks"), [(10, (1, 2, 5)), (100, (1, 10, 20, 50)), (2, (1,))])
def test_worst_ks(classes, ks):
    assert tables.worst_ks(classes) == ks


def test_a_diverged_run_has_nan_and_its_status(tmp_path):
    plain = rare_classes.RareClasses(rare_classes.Settings(seeds=1)).runs()[0]
    wild = plain.recipe.model_copy(update={"peak_rate": 100.0, "warmup_epochs": 0})
    spec = plain.model_copy(update={"recipe": wild})
    (result,) = execute([spec], store=Store(tmp_path), progress=False)
    member = tables.Member("AdaMargin", 20.0, 1.0, 0, spec)
    (row,) = tables.per_seed([member], [result]).to_dict("records")
    assert row["status"] == "diverged" and np.isnan(row["worst_1"])


class Measured:
    def __init__(self, *accuracy):
        self.values = np.array(accuracy)

    def accuracy(self, split):
        assert split == "test"
        return self.values


def test_figure_one_is_the_paired_change_in_the_mean_and_in_the_tail():
    settings = rare_classes.Settings(seeds=2)
    methods = [m.method for m in rare_classes.RareClasses(settings).figure_one_members()]
    assert methods == ["one-hot", "distilled", "AdaAlpha"] * 2
    results = [
        Measured(0.9, 0.5, 0.6), Measured(0.9, 0.4, 0.8), Measured(0.9, 0.5, 0.9),
        Measured(0.8, 0.7, 0.6), Measured(0.8, 0.6, 0.4), Measured(0.8, 0.7, 0.7),
    ]  # fmt: skip
    found = (
        rare_classes.RareClasses(settings)
        .figure_one(results)
        .set_index(["group", "method"])["mean"]
    )
    assert found["rarest class", "distilled"] == pytest.approx((20 - 20) / 2)
    assert found["rarest class", "AdaAlpha"] == pytest.approx((30 + 10) / 2)
    # Each student's own worst class: 50, 40, 50 of the first seed; 60, 40, 70 of the second.
    assert found["worst class", "distilled"] == pytest.approx((-10 - 20) / 2)
    assert found["worst class", "AdaAlpha"] == pytest.approx((0 + 10) / 2)
    assert found["average", "distilled"] == pytest.approx((10 / 3 - 30 / 3) / 2)


def test_the_main_ratio_is_the_profiles_where_it_is_swept():
    assert rare_classes.RareClasses(rare_classes.Settings()).ratio == 20
    assert rare_classes.RareClasses(rare_classes.Settings(imbalances=(1, 5))).ratio == 5


@pytest.mark.parametrize("profile", ["quick", "standard", "paper"])
def test_the_sweep_is_that_of_the_profile(profile):
    swept = rare_classes.RareClasses(rare_classes.Settings(profile=profile)).ratios()
    assert swept == (1, 5, 20, 50, 100)


def test_trust_is_recomputed_at_any_temperature(tmp_path):
    settings = trusting_the_teacher_less.Settings(seeds=1)
    family = trusting_the_teacher_less.TrustingTheTeacherLess(settings).study_families()[0]
    store = Store(tmp_path)
    execute([family.initial_teacher()], store=store, progress=False)
    table = trusting_the_teacher_less.TrustingTheTeacherLess(settings).trust([1.0, 100.0], store)
    assert len(table) == 20 and table["mix"].between(0, 1).all()
    # At a high temperature all probabilities are alike, so no margin is left.
    assert table[table["temperature"] == 100.0]["mix"].max() < 0.1


def test_published_numbers_are_the_papers():
    table = published(paper="teachers_pet", table="Table 3", dataset="cifar100_lt")
    worst = table[(table["method"] == "distillation") & (table["metric"] == "worst_10")]
    assert worst["value"].item() == 0.87


def test_published_refuses_unknown_columns_and_values():
    from kdlib.errors import SettingError

    with pytest.raises(SettingError, match="unknown column 'tabel'"):
        published(tabel="Table 3")
    with pytest.raises(SettingError, match="no published number"):
        published(table="Table 33")
