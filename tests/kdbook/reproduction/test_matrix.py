"""The whole matrix on records made by hand: every verdict, and one for every number."""

import io

import numpy as np
import pandas as pd
import pytest
from hand_records import PAPER_RECIPE, record, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from kdbook.published import published
from kdbook.reproduction import (
    AuditError,
    Level,
    Verdict,
    export,
    leading,
    mapping,
    questions,
    reproduction,
    summary,
)
from kdlib.metrics import holm
from kdlib.training import PRESETS

BLIND = np.nan
HEATS = (1.0, 2.0, 3.0, 4.0, 5.0)


def at_papers_scale(distilled, *, one_hot=(40.0, 42.0, 41.0), **changes):
    """A record of CIFAR-100-LT with ResNet-56; every measure has the same value.

    It chooses among the paper's temperatures on dev. All give the same, so the smallest is taken.
    """
    table = [
        *rows("one-hot", BLIND, one_hot),
        *(row for heat in HEATS for row in rows("distilled", heat, distilled)),
    ]
    return record([row | {"dev": 50.0} for row in table], **({"test_images": 10_000} | changes))


def on_digits(**changes):
    table = [
        *rows("one-hot", BLIND, (40.0, 42.0, 41.0), imbalance=20.0),
        *rows("distilled", 1.0, (30.0, 32.1, 31.2), imbalance=20.0),
    ]
    digits = {"dataset": "digits", "imbalance": 20.0, "model": "ResNet-8", "profile": "quick"}
    return record(table, **(digits | {"recipe": {"epochs": 40}} | changes))


def row_of(found, **wanted):
    rows = leading(found)
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    return row


# Table 3, CIFAR-100-LT: one-hot 43.22 mean, distilled 45.39, so +2.17; worst-10 2.33 and 0.87.
MEAN = {"table": "Table 3", "dataset": "cifar100_lt", "metric": "mean_accuracy"}
WORST = MEAN | {"metric": "worst_10"}


@pytest.mark.parametrize(
    ("distilled", "wanted", "verdict"),
    [
        ((42.0, 44.2, 43.3), MEAN, Verdict.AGREES),  # +2.0, +2.2, +2.3
        ((49.0, 51.1, 50.2), MEAN, Verdict.SAME_SIGN),  # +9.0, +9.1, +9.2
        ((31.0, 33.1, 32.2), MEAN, Verdict.DIFFERS),  # -9.0, -8.9, -8.8
        ((39.0, 45.0, 42.0), MEAN, Verdict.CONSISTENT),  # -1, +3, +1: reaches from -9 to +11
        ((31.0, 33.1, 32.2), WORST, Verdict.SAME_SIGN),
        ((49.0, 51.1, 50.2), WORST, Verdict.DIFFERS),
        ((np.nan, 51.1, np.nan), MEAN, Verdict.DIFFERS),  # half of the seeds diverged
        ((42.0, 44.2), MEAN, Verdict.UNDECIDED),  # two seeds decide nothing
        ((42.0, 44.0, 43.0), MEAN, Verdict.UNDECIDED),  # nor do equal ones
    ],
)
def test_a_method_is_judged_by_its_difference_from_one_hot(distilled, wanted, verdict):
    found = reproduction("teachers_pet", [at_papers_scale(distilled)])
    row = row_of(found, method="distillation", **wanted)
    assert (row["verdict"], row["evidence"]) == (verdict, Level.SAME_SETTING)
    assert row["against"] == "less one-hot of Table 3" and row["apart"] == ""


def test_the_printed_difference_is_that_of_the_table():
    row = row_of(reproduction("teachers_pet", []), method="distillation", **MEAN)
    assert (row["compared"], row["printed"]) == (2.17, 45.39)
    assert row_of(reproduction("teachers_pet", []), method="one_hot", **MEAN)["compared"] == 43.22


def test_our_difference_is_paired_with_its_intervals():
    made = at_papers_scale((42.0, 46.0, 44.1))
    row = row_of(reproduction("teachers_pet", [made]), method="distillation", **MEAN)
    gaps = np.array([2.0, 4.0, 3.1])
    low, high = stats.t.interval(0.95, 2, loc=gaps.mean(), scale=stats.sem(gaps))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((gaps.mean(), low, high))
    # Table 3 prints means of three runs: one more mean of three like ours.
    reach = stats.t.ppf(0.975, 2) * gaps.std(ddof=1) * np.sqrt(1 / 3 + 1 / 3)
    assert row["predicted_high"] == pytest.approx(gaps.mean() + reach)
    assert row["seeds"] == 3 and row["predicted"]


@pytest.mark.parametrize(
    ("one_hot", "verdict"),
    [((43.0, 43.5, 43.1), Verdict.AGREES), ((40.0, 40.1, 40.3), Verdict.DIFFERS)],
)
def test_one_hot_is_judged_by_its_value_in_the_papers_setting(one_hot, verdict):
    found = reproduction("teachers_pet", [at_papers_scale((42.0, 44.2, 43.3), one_hot=one_hot)])
    assert row_of(found, method="one_hot", **MEAN)["verdict"] == verdict


def without_temperatures(made, heats=(1.0,)):
    kept = made.table[made.table["temperature"].isna() | made.table["temperature"].isin(heats)]
    return record(kept.reset_index(drop=True), test_images=10_000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "ResNet-20"}, "ResNet-20, not ResNet-56"),
        ({"recipe": PAPER_RECIPE | {"epochs": 30}}, "epochs 30, not 450"),
        ({"recipe": PAPER_RECIPE | {"stop_after": 100}}, "early stop 100, not none"),
        ({"recipe": PAPER_RECIPE | {"schedule": {"kind": "step", "epochs": [9]}}}, "step 9"),
        ({"recipe": PAPER_RECIPE | {"batch_size": 128}}, "batch 128, not 1024"),
        ({"recipe": PAPER_RECIPE | {"peak_rate": 0.1}}, "rate 0.1, not 1.0"),
        ({"recipe": PAPER_RECIPE | {"weight_decay": 5e-4}}, "weight decay 0.0005"),
        ({"recipe": PAPER_RECIPE | {"crop_padding": 2}}, "padding of crops 2, not 4"),
        ({"recipe": PAPER_RECIPE | {"flip": False}}, "mirrored images False"),
        ({"teacher_recipe": {"epochs": 90}}, "its teachers are trained otherwise"),
        ({"test_images": 5_000}, "5000 test images"),
        ({"test_images": None}, "5000 test images"),
    ],
)
def test_in_another_setting_only_signs_are_compared(changes, words):
    found = reproduction("teachers_pet", [at_papers_scale((42.0, 44.2, 43.3), **changes)])
    row = row_of(found, method="distillation", **MEAN)
    assert (row["verdict"], row["evidence"]) == (Verdict.SAME_SIGN, Level.SAME_DATA)
    assert words in row["apart"]
    assert row_of(found, method="one_hot", **MEAN)["verdict"] == Verdict.NO_VERDICT


def test_another_choice_of_temperature_is_another_setting():
    whole = at_papers_scale((42.0, 44.2, 43.3))
    found = reproduction("teachers_pet", [without_temperatures(whole, (2.0,))])
    row = row_of(found, method="distillation", **MEAN)
    assert row["apart"] == "temperatures 2, not 1, 2, 3, 4, 5"
    assert row["verdict"] == Verdict.SAME_SIGN
    # The one-hot student listens to no temperature, so that it stays in the paper's setting.
    assert row_of(found, method="one_hot", **MEAN)["evidence"] == Level.SAME_SETTING
    by_test = record(whole.table.drop(columns="dev"), test_images=10_000)
    row = row_of(reproduction("teachers_pet", [by_test]), method="distillation", **MEAN)
    assert row["apart"] == "temperatures chosen by validation"


@pytest.mark.parametrize("other", [on_digits(), at_papers_scale((42.0, 44.2, 43.3)), None])
def test_other_data_show_a_mechanism_only(other):
    """Digits are no evidence for CIFAR, nor is CIFAR-100 for itself at another ratio."""
    if other is not None and other.about.dataset == "cifar100":
        rows_at = other.table.assign(imbalance=50.0)
        other = record(rows_at, imbalance=50.0, test_images=10_000)
    found = reproduction("teachers_pet", [other] if other is not None else [])
    for metric in (MEAN, WORST):
        row = row_of(found, method="distillation", **metric)
        if other is None:
            assert row["verdict"] == Verdict.NOT_RUN and row["evidence"] == ""
        else:
            assert row["verdict"] == Verdict.NO_VERDICT
            assert row["evidence"] == Level.MECHANISM and not np.isnan(row["mean"])


def test_zeros_of_both_methods_are_on_the_floor():
    nothing = (0.0, 0.0, 0.0)
    found = reproduction("teachers_pet", [at_papers_scale(nothing, one_hot=nothing)])
    row = row_of(found, method="distillation", **WORST)  # printed: 0.87 less 2.33
    assert (row["verdict"], row["compared"]) == (Verdict.ON_THE_FLOOR, -1.46)
    worst = MEAN | {"metric": "worst_1"}
    assert row_of(found, method="one_hot", **worst)["verdict"] == Verdict.ON_THE_FLOOR
    fine = reproduction("teachers_pet", [at_papers_scale((42.0, 44.2, 43.3))])
    assert row_of(fine, method="distillation", **worst)["verdict"] == Verdict.ON_THE_FLOOR


def test_what_is_corrected_is_each_measurement_once():
    """Tables 1, 3 and 9 ask for one of ours; other data are no part of the family."""
    made = at_papers_scale((42.0, 44.2, 43.3))
    found = reproduction("teachers_pet", [made, on_digits()])
    rows = found[found["evidence"].isin([Level.SAME_SETTING, Level.SAME_DATA])]
    tested = rows.dropna(subset="p")
    assert tested["number"].nunique() > tested["measurement"].nunique() > 1
    once = tested.drop_duplicates("measurement")
    np.testing.assert_allclose(once["p_holm"], holm(once["p"]))
    others = found[found["evidence"] == Level.MECHANISM]
    assert len(others) and others["p_holm"].isna().all()


def test_counts_are_of_measurements_not_of_printed_rows():
    found = reproduction("teachers_pet", [at_papers_scale((42.0, 44.2, 43.3))])
    table = summary(found).set_index("verdict")
    held = leading(found)
    held = held[held["verdict"] == Verdict.AGREES]
    assert table.loc["agrees", "numbers"] == len(held)
    assert table.loc["agrees", "measurements"] == held["measurement"].nunique() < len(held)


def test_the_record_closest_to_the_paper_leads():
    found = reproduction("teachers_pet", [on_digits(), at_papers_scale((42.0, 44.2, 43.3))])
    rows = found[(found["method"] == "distillation") & (found["table"] == "Table 3")]
    rows = rows[(rows["dataset"] == "cifar100_lt") & (rows["metric"] == "mean_accuracy")]
    assert len(rows) == 2
    assert list(rows["profile"][rows["leading"]]) == ["paper"]


def test_balanced_data_are_ratio_one():
    table = [
        *rows("one-hot", BLIND, (40.0, 42.0, 41.0), imbalance=1.0),
        *rows("distilled", 1.0, (44.0, 46.1, 45.2), imbalance=1.0),
        *rows("one-hot", BLIND, (40.0, 42.0, 41.0)),
        *rows("distilled", 1.0, (30.0, 32.1, 31.2)),
    ]
    found = reproduction("teachers_pet", [record(table)])
    balanced = MEAN | {"dataset": "cifar100", "method": "distillation"}
    assert row_of(found, **balanced)["mean"] == pytest.approx(4.1)
    assert row_of(found, **balanced)["verdict"] == Verdict.SAME_SIGN
    assert "schedule cosine, not step" in row_of(found, **balanced)["apart"]
    assert row_of(found, method="distillation", **MEAN)["mean"] == pytest.approx(-9.9)


def test_a_record_that_trains_balanced_data_otherwise_says_so():
    """The balanced recipe of a record is looked at where its balanced rows answer."""
    theirs = PRESETS["cifar100_paper"].model_dump(mode="json")
    own = {key: value for key, value in theirs.items() if value != PAPER_RECIPE[key]}
    table = at_papers_scale((44.0, 46.1, 45.2)).table
    both = pd.concat([table, table.assign(imbalance=1.0)], ignore_index=True)
    made = record(both, balanced_recipe=own, test_images=10_000)
    balanced = MEAN | {"dataset": "cifar100", "method": "distillation"}
    row = row_of(reproduction("teachers_pet", [made]), **balanced)
    assert own and row["evidence"] == Level.SAME_SETTING


def test_validation_chooses_the_temperature_not_test():
    table = [
        *rows("one-hot", BLIND, (40.0, 42.0)),
        *rows("distilled", 1.0, (31.0, 33.1), validation=60.0),
        *rows("distilled", 3.0, (90.0, 91.0), validation=20.0),
    ]
    found = reproduction("teachers_pet", [record(table)])
    assert row_of(found, method="distillation", **MEAN)["mean"] == pytest.approx(-8.95)


def test_a_seed_that_lacks_a_temperature_is_left_out():
    table = [
        *rows("one-hot", BLIND, (40.0, 42.0, 44.0)),
        *rows("distilled", 1.0, (31.0, 33.1, 90.0), validation=60.0),
        *rows("distilled", 3.0, (90.0, 91.0), validation=20.0),
    ]
    found = reproduction("teachers_pet", [record(table)])
    row = row_of(found, method="distillation", **MEAN)
    assert (row["mean"], row["seeds"]) == (pytest.approx(-8.95), 2)


def test_divergence_is_compared_with_recorded_divergence(monkeypatch):
    paper, studies = mapping.PAPERS["teachers_pet"], ("trusting_the_teacher_less",)
    when = {"method": "ada_margin"}
    answer = mapping.Answer(when=when, studies=studies, method="AdaMargin", less="one-hot")
    changed = paper.model_copy(update={"answers": (answer, *paper.answers)})
    monkeypatch.setitem(mapping.PAPERS, "teachers_pet", changed)
    table = rows("one-hot", BLIND, (40.0, 42.0, 41.0))
    both = record(table + rows("AdaMargin", 1.0, (np.nan, np.nan, np.nan)))
    found = reproduction("teachers_pet", [both])
    assert row_of(found, method="ada_margin", **MEAN)["verdict"] == Verdict.BOTH_DIVERGE
    fine = record(table + rows("AdaMargin", 1.0, (41.0, 43.1, 42.2)))
    found = reproduction("teachers_pet", [fine])
    row = row_of(found, method="ada_margin", **MEAN)
    assert (row["verdict"], row["evidence"]) == (Verdict.UNDECIDED, Level.SAME_DATA)


ADULT = "a tree taught by 500 trees, all of depth 20"


def of_people(name, one_hot, distilled, threshold=0.3):
    return [
        {"method": method, "threshold": threshold, "group": name, "seed": seed, "value": value}
        for method, values in (("one-hot", one_hot), ("distilled", distilled))
        for seed, value in enumerate(values)
    ]


def on_adult(model=ADULT):
    table = [
        *of_people("balanced", (76.0, 76.4, 76.3), (79.0, 79.5, 79.2)),
        *of_people("Male, label 1", (50.0, 51.0, 50.2), (40.0, 41.5, 40.5)),
        *of_people("Male, label 1", (0.0, 0.0, 1.0), (90.0, 90.1, 90.3), threshold=0.5),
        *of_people("Asian-Pac-Islander, Male, label 0", (90.0, 91.0, 90.3), (84.0, 85.1, 84.6)),
    ]
    own = {"dataset": "adult", "imbalance": None, "model": model, "recipe": {}, "runs": {}}
    return record(table, study="groups_that_are_not_classes", **own)


def test_groups_of_people_are_compared_at_the_first_threshold():
    found = reproduction("teachers_pet", [on_adult()])
    # Printed: +8.384 for men with label 1, -5.941 for one group, balanced 76.2 to 79.3.
    row = row_of(found, table="Table 7", subgroup="sex=Male,label=1")
    assert (row["mean"], row["verdict"]) == (pytest.approx(-29.2 / 3), Verdict.DIFFERS)
    group = "race=Asian-Pac-Islander,sex=Male,label=0"
    row = row_of(found, table="Table 8", subgroup=group)
    assert (row["mean"], row["verdict"]) == (pytest.approx(-17.6 / 3), Verdict.AGREES)
    row = row_of(found, table="text", dataset="adult", method="distillation", subgroup="")
    assert (row["compared"], row["mean"]) == (pytest.approx(3.1), pytest.approx(3.0))
    row = row_of(found, table="text", dataset="adult", method="one_hot")
    assert row["verdict"] == Verdict.AGREES
    row = row_of(found, table="Table 7", subgroup="sex=Female,label=1")
    assert (row["verdict"], row["because"]) == (
        Verdict.NOT_RUN,
        "the record holds no such measure",
    )


def test_a_smaller_forest_is_another_setting():
    found = reproduction("teachers_pet", [on_adult("a tree taught by 50 trees")])
    row = row_of(found, table="text", dataset="adult", method="one_hot")
    assert row["verdict"] == Verdict.NO_VERDICT and pd.isna(row["predicted"])


def test_a_recipe_that_was_fitted_to_the_print_is_not_the_papers_own_setting():
    """Sizes are compared all the same: with the interval of a further run, since one is printed."""
    row = row_of(reproduction("teachers_pet", [on_adult()]), table="text", method="one_hot")
    assert row["evidence"] == Level.SAME_DATA
    assert "chosen by closeness to five printed numbers" in row["apart"]
    values = np.array([76.0, 76.4, 76.3])
    reach = stats.t.ppf(0.975, 2) * values.std(ddof=1) * np.sqrt(1 + 1 / 3)
    assert row["predicted_high"] == pytest.approx(values.mean() + reach)


def test_table_4s_ablations_stand_beside_ada_alpha():
    asked = {q.number: q for q in questions("teachers_pet", published(paper="teachers_pet"))}
    rows = published(paper="teachers_pet")
    shuffled = rows[(rows["method"] == "shuffle_alpha") & (rows["metric"] == "worst_1")]
    ada = rows[(rows["method"] == "ada_alpha") & (rows["table"] == "Table 4")]
    question = asked[shuffled.index.item()]
    assert question.baseline == "AdaAlpha"
    assert question.printed.value == pytest.approx(46.00 - 49.33)
    # Read as standard deviations of three runs, each over its two degrees of freedom.
    assert question.printed.error == pytest.approx(np.hypot(1.91, 3.09) / np.sqrt(2))
    first = asked[ada[ada["metric"] == "mean_accuracy"].index.item()]
    assert first.printed.value == pytest.approx(75.52 - 73.31)
    assert np.isnan(first.printed.error)  # Table 3 prints no spread of the one-hot student


def test_without_records_each_number_says_why_it_has_none():
    table = reproduction("teachers_pet", [])
    assert len(table) == 164
    assert set(table["verdict"]) == {Verdict.NOT_RUN}
    why = summary(table).set_index("because")["numbers"]
    assert why["no access to ImageNet"] == (
        published(paper="teachers_pet")["dataset"].eq("imagenet").sum()
    )
    assert why.sum() == 164


def test_a_method_that_a_record_lacks_is_not_run():
    found = reproduction("teachers_pet", [record(rows("one-hot", BLIND, (40.0, 42.0)))])
    row = row_of(found, method="distillation", **MEAN)
    assert row["verdict"] == Verdict.NOT_RUN
    assert row["because"] == "the record holds no such method"


def test_a_measure_that_a_record_lacks_is_not_run():
    whole = at_papers_scale((42.0, 44.2, 43.3)).table.drop(columns="worst_10")
    found = reproduction("teachers_pet", [record(whole, test_images=10_000)])
    assert row_of(found, method="distillation", **MEAN)["verdict"] == Verdict.AGREES
    row = row_of(found, method="distillation", **WORST)
    assert (row["verdict"], row["because"]) == (
        Verdict.NOT_RUN,
        "the record holds no such measure",
    )


@st.composite
def hand_made_records(draw):
    seeds = draw(st.integers(1, 3))
    values = st.lists(st.one_of(st.floats(0, 100), st.just(np.nan)), min_size=seeds, max_size=seeds)
    ratio = draw(st.sampled_from([1.0, 20.0, 100.0]))
    table = rows("one-hot", BLIND, draw(values), imbalance=ratio)
    for method in draw(st.sets(st.sampled_from(["distilled", "AdaAlpha", "something else"]))):
        table += rows(method, 3.0, draw(values), imbalance=ratio)
    return record(
        table,
        imbalance=ratio,
        study=draw(st.sampled_from(["trusting_the_teacher_less", "rare_classes", "measuring"])),
        profile=draw(st.sampled_from(["quick", "standard", "paper"])),
        dataset=draw(st.sampled_from(["digits", "cifar100"])),
        model=draw(st.sampled_from(["ResNet-8", "ResNet-56"])),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(hand_made_records(), max_size=3))
def test_every_published_number_has_exactly_one_verdict(records):
    found = reproduction("teachers_pet", records)
    rows = leading(found)
    assert list(rows["number"]) == list(range(164))
    assert rows["verdict"].isin([verdict.value for verdict in Verdict]).all()
    assert (rows["because"] != "").all()
    assert summary(found)["numbers"].sum() == 164


@pytest.mark.parametrize("column", ["dataset", "method", "metric"])
def test_an_unknown_number_is_refused(column):
    rows = published(paper="teachers_pet").copy()
    rows.loc[40, column] = "novel"
    with pytest.raises(AuditError, match=f"published number 40 .*: {column} 'novel' is not in"):
        questions("teachers_pet", rows)


def test_a_method_without_its_baseline_is_refused():
    rows = published(paper="teachers_pet")
    without = rows[~((rows["table"] == "Table 3") & (rows["method"] == "one_hot"))]
    with pytest.raises(AuditError, match="0 rows of one_hot in Table 3"):
        questions("teachers_pet", without)


def test_a_paper_without_a_mapping_is_refused():
    with pytest.raises(AuditError, match="teachers_pet, robust_distillation"):
        reproduction("another_paper", [])


def test_the_export_is_read_back():
    found = reproduction("teachers_pet", [at_papers_scale((42.0, 44.2, 43.3))])
    back = pd.read_csv(io.StringIO(export(found)))
    assert list(back["verdict"]) == list(found["verdict"])
    assert len(back) == len(found)
