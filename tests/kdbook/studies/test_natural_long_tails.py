import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kdbook import profiles
from kdbook.chapters import adamargin, trusting_the_teacher_less
from kdbook.chapters import natural_long_tails as study
from kdbook.profiles import LARGE_PROFILES
from kdlib.errors import SettingError
from kdlib.models import ImageNetResNet
from kdlib.runs import Store, execute
from kdlib.training import PRESETS


@pytest.mark.parametrize("name", LARGE_PROFILES)
def test_at_paper_scale_the_runs_are_those_of_appendix_b(name):
    settings = study.Settings(profile="paper", dataset=name)
    members = study.NaturalLongTails(settings).members()
    assert [m.method for m in members[:4]] == ["one-hot", "distilled", "AdaMargin", "AdaAlpha"]
    for run in study.NaturalLongTails(settings).runs():
        assert (run.data.name, run.data.imbalance) == (name, 1.0)
        assert run.model == ImageNetResNet(depth=50, image_size=224)
        assert run.recipe.stop_after is None
    distilled = members[1].spec
    assert (distilled.objective.temperature, distilled.objective.mix.alpha) == (0.9, 0.2)
    step = name == "imagenet"
    assert distilled.recipe == PRESETS["imagenet_paper" if step else "imagenet_lt_paper"]
    assert distilled.teacher.seed != distilled.seed


def test_quick_shares_the_runs_of_the_chapter_on_ada_alpha():
    trust = set(
        trusting_the_teacher_less.TrustingTheTeacherLess(
            trusting_the_teacher_less.Settings()
        ).runs()
    )
    own = set(study.NaturalLongTails(study.Settings()).runs())
    assert len(own) == 40 and len(own & trust) == 30  # all but AdaMargin's


def test_ada_margin_has_the_temperature_of_its_own_chapter_until_one_is_set():
    of_margins = [
        m.spec
        for m in study.NaturalLongTails(study.Settings()).members()
        if m.method == "AdaMargin"
    ]
    assert set(of_margins) <= set(adamargin.Margins(adamargin.Settings(seeds=10)).runs())
    hot = study.NaturalLongTails(study.Settings(seeds=1, temperature=2.0)).members()
    assert {m.temperature for m in hot if m.method != "one-hot"} == {2.0}
    large = study.NaturalLongTails(study.Settings(seeds=1, profile="paper")).members()
    assert {m.temperature for m in large if m.method != "one-hot"} == {0.9}


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"dataset": "imagenet"}, "dataset = 'imagenet' needs the profile paper"),
        ({"profile": "paper", "dataset": "places"}, "dataset = 'places' is not allowed"),
        ({"temperature": 0}, "temperature = 0 is not allowed: number from 0.05 to 100"),
        ({"offset": 0}, "offset = 0 is not allowed"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, complaint):
    with pytest.raises(SettingError, match=complaint) as error:
        study.Settings.from_chapter(**values)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("classes", "sizes"),
    [(10, (1, 2)), (100, (1, 10, 20)), (1000, (1, 10, 20, 100, 200)),
     (8142, (1, 10, 20, 100, 1628))],
)  # fmt: skip
def test_the_k_of_the_tables(classes, sizes):
    assert study.tail_sizes(classes) == sizes


def test_the_table_is_what_the_stored_accuracies_give(tmp_path, monkeypatch):
    quick = profiles.PROFILES["quick"]
    epoch = quick.recipe.model_copy(update={"epochs": 1, "warmup_epochs": 0})
    short = quick.model_copy(update={"recipe": epoch, "teacher_recipe": None})
    monkeypatch.setitem(profiles.PROFILES, "quick", short)
    settings = study.Settings(seeds=1)
    results = execute(
        study.NaturalLongTails(settings).runs(), store=Store(tmp_path), jobs=1, progress=False
    )
    table = study.NaturalLongTails(settings).per_seed([*results[:3], None])
    assert list(table["method"]) == ["one-hot", "distilled", "AdaMargin"]
    for (_, row), result in zip(table.iterrows(), results, strict=False):
        ordered = np.sort(100 * result.accuracy("test"))
        assert row["mean"] == pytest.approx(ordered.mean())
        assert row["worst_2"] == pytest.approx(ordered[:2].mean())
        assert row["top_2"] == pytest.approx(ordered[-2:].mean())
        assert row["delta_2"] == pytest.approx(ordered.mean() - ordered[:2].mean())
    assert len(study.NaturalLongTails(settings).per_class(results)) == 40


def test_differences_are_paired_and_corrected_for_their_number():
    random = np.random.default_rng(0)
    rows = [
        {"method": method, "seed": seed, "mean": random.normal(70, 2) + step, "worst_2": 50.0}
        for method, step in (("one-hot", 0), ("distilled", -9), ("AdaAlpha", 0.1))
        for seed in range(6)
    ]
    table = pd.DataFrame(rows)
    found = study.against_one_hot(table, {"mean": "mean", "worst_2": "worst 2"})
    wide = table.pivot(index="seed", columns="method", values="mean")
    by_hand = stats.ttest_rel(wide["distilled"], wide["one-hot"])
    row = found.iloc[0]
    assert (row["method"], row["measure"]) == ("distilled", "mean")
    assert row["mean"] == pytest.approx((wide["distilled"] - wide["one-hot"]).mean())
    assert row["p"] == pytest.approx(by_hand.pvalue)
    assert row["p_holm"] == pytest.approx(4 * by_hand.pvalue)  # the smallest of four
    interval = by_hand.confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert list(found["p_holm"].iloc[2:]) == [1.0, 1.0]
