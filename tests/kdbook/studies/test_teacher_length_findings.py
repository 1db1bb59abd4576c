"""Sentences on the teacher's length: whatever the numbers say, the words must say it too."""

import numpy as np
import pandas as pd
import pytest
from hand_records import record
from hypothesis import given, settings
from hypothesis import strategies as st

from kdbook.chapters.rare_classes import findings
from kdbook.chapters.rare_classes import teacher_length as study

LENGTHS = (40.0, 80.0, 160.0)


def rows(lifts, *, seeds=6, spread=0.5, students=(40.0,)):
    """A table as the study makes it: ``lifts`` maps (method, T) to a lift for each length."""
    noise = np.linspace(-spread, spread, seeds)
    found = []
    for student in students:
        for seed in range(seeds):
            plain = {"student_epochs": student, "seed": seed, "imbalance": 20.0}
            base = 50.0 + seed + student / 40
            found.append({**plain, "method": "one-hot", "rarest": base})
            for (method, heat), lift in lifts.items():
                for length, points in zip(LENGTHS, lift, strict=True):
                    cell = {"method": method, "temperature": heat, "teacher_epochs": length}
                    found.append({**plain, **cell, "rarest": base + points + noise[seed]})
    return pd.DataFrame(found)


def pooled(hot, cold=(0.0, 0.0, 0.0), ada=(5.0, 5.0, 5.0), **how):
    lifts = {("distilled", 1.0): cold, ("distilled", 3.0): hot, ("AdaAlpha", 3.0): ada}
    return study.by_teacher(rows(lifts, **how))


def test_a_clear_loss_at_every_length_is_told_with_its_ends():
    said = findings.change_said(pooled((-20.0, -10.0, -4.0)), "distilled", 3.0)
    assert said == (
        "is lower under every teacher, by 20.0 points (40 epochs) to 4.0 (160 epochs), "
        "significant after correction under all"
    )


def test_where_it_is_clear_is_told():
    table = pooled((-20.0, -10.0, -4.0))
    mine = (table["method"] == "distilled") & (table["temperature"] == 3)
    for lengths, told in (((160.0,), "those of 40 and 80 epochs"), ((80.0, 160.0), "40 epochs")):
        unclear = mine & table["teacher_epochs"].isin(lengths)
        said = findings.change_said(table.assign(p_holm=0.01 + unclear), "distilled", 3.0)
        assert said.endswith(f"{told}") and "under every teacher" in said


def test_no_clear_change_gives_the_means():
    said = findings.change_said(pooled((-20.0, -10.0, -4.0), (-0.1, 0.1, 0.0)), "distilled", 1.0)
    assert said == "shows no clear change under any teacher (-0.1 to +0.1 points)"


def test_a_loss_that_ends_and_turns_is_told_length_by_length():
    said = findings.change_said(pooled((-20.0, 0.1, 4.0)), "distilled", 3.0)
    assert said == (
        "is lower by 20.0 points under teachers of 40 epochs, is higher by 4.0 points under "
        "teachers of 160 epochs; no clear change elsewhere (+0.1)"
    )


@pytest.mark.parametrize(
    ("hot", "line"),
    [
        ((-20.0, -10.0, -4.0), "lose 20 points under a teacher of 40 epochs, and lose 4 points"),
        ((-20.0, -1.0, -0.1), "of 40 epochs, and do not clearly lose under one of 160"),
        ((0.1, 0.0, -0.1), "show no clear loss under any teacher"),
        ((9.0, 9.0, 9.0), "show no clear loss under any teacher"),
    ],
)
def test_the_headline_follows_the_numbers(hot, line):
    assert line in findings.headline(pooled(hot))
    assert findings.headline(pooled(hot)).startswith("At T = 3 rare classes")


points = st.tuples(st.floats(-30, 30), st.floats(0, 1) | st.just(float("nan")))


@settings(deadline=None)
@given(st.lists(points, min_size=1, max_size=5))
def test_a_sentence_names_a_direction_exactly_where_a_length_has_it(cells):
    table = pd.DataFrame(cells, columns=["mean", "p_holm"])
    table = table.assign(
        method="distilled", temperature=3.0, teacher_epochs=range(1, len(cells) + 1)
    )
    said, clear = findings.change_said(table, "distilled", 3.0), table["p_holm"] <= findings.LEVEL
    assert ("lower" in said) == (clear & (table["mean"] < 0)).any()
    assert ("higher" in said) == (clear & (table["mean"] > 0)).any()
    if "every teacher" in said:
        assert (table["mean"] > 0).all() or (table["mean"] < 0).all()


def test_one_seed_decides_nothing():
    assert "no clear loss" in findings.headline(pooled((-20.0, -10.0, -4.0), seeds=1))


def test_the_findings_are_four_sentences_and_a_source():
    lifts = {("distilled", 1.0): (0.0, 0.0, 0.0), ("distilled", 3.0): (-9.0, -9.0, -9.0),
             ("AdaAlpha", 1.0): (0.0, 0.0, 0.0), ("AdaAlpha", 3.0): (5.0, 5.0, 5.0)}  # fmt: skip
    made = record(
        rows(lifts, students=(40.0, 80.0)), dataset="digits", imbalance=20.0, model="ResNet-8"
    )
    hot, levers, cold, ada = findings.findings(made)
    assert levers.startswith(
        "At T = 3, longer teachers (40 to 160 epochs) bring no clear change (+0"
    )
    assert "and longer students (40 to 80 epochs) bring no clear change (+0.0" in levers
    assert hot.startswith(
        "Distilled at T = 3, accuracy in the rarest fifth of the classes is lower"
    )
    assert cold.startswith(
        "Distilled at T = 1, accuracy in the rarest fifth of the classes shows no clear"
    )
    assert ada.startswith(
        "With AdaAlpha at T = 3, accuracy in the rarest fifth of the classes is higher"
    )
    assert "digits (imbalance ratio 20, ResNet-8, 6 seeds)" in findings.measured_on(made)


def test_longer_training_is_credited_to_who_was_trained_for_longer():
    """Three points per doubling of the teacher, none of the student."""
    lifts = {("distilled", 3.0): (-9.0, -6.0, -3.0)}
    found = study.levers(rows(lifts, students=(40.0, 80.0))).set_index("longer")
    assert found["mean"].round(9).to_dict() == {"teachers": 6.0, "students": 0.0}
    noisy = found.loc["teachers"].to_dict() | {"longer": "teachers", "p_holm": 0.5}
    told = "longer teachers (40 to 160 epochs)"
    assert findings.lever_said(noisy).startswith(f"{told} bring no clear change (+6.0 points")
    clear = noisy | {"p_holm": 0.01}
    assert findings.lever_said(clear).startswith(f"{told} move this difference by +6.0 points")


def test_the_chart_gets_ada_alpha_at_the_highest_temperature_only():
    lifts = {(m, t): (0.0, 0.0, 0.0) for m in ("AdaAlpha", "distilled") for t in (1.0, 3.0)}
    table = rows(lifts).assign(off_label=1.0, off_label_rarest=[float(i) for i in range(6 * 13)])
    changes, shares = findings.drawn(table)
    names = list(dict.fromkeys(changes["method"]))
    assert names == ["distilled, T = 3", "distilled, T = 1", "AdaAlpha, T = 3"]
    assert set(shares["method"]) == {"distilled, T = 3", "distilled, T = 1"}
    first = table[(table["method"] == "distilled") & (table["temperature"] == 1)]
    expected = first.groupby("teacher_epochs")["off_label_rarest"].mean()
    told = shares[shares["method"] == "distilled, T = 1"].set_index("teacher_epochs")["share"]
    pd.testing.assert_series_equal(told, expected, check_names=False)


def test_shares_are_told_from_the_shortest_teacher_to_the_longest():
    shares = pd.DataFrame({"temperature": [1.0, 1.0], "teacher_epochs": [80.0, 40.0],
                           "off_label_rarest": [0.25, 9.0]})  # fmt: skip
    assert findings.share_said(shares, 1.0) == "9.0 % (40 epochs) to 0.2 % (80 epochs)"
    assert findings.share_said(shares.iloc[:1], 1.0) == "0.2 % (80 epochs)"


def test_cells_have_a_star_where_the_corrected_p_value_is_small():
    table = findings.cells(pooled((-20.0, 0.0, 0.1)))
    assert list(table) == ["distilled, T = 3", "distilled, T = 1", "AdaAlpha, T = 3"]
    assert table.loc["40 epochs", "distilled, T = 3"].endswith(" *")
    assert not table.loc["80 epochs", "distilled, T = 3"].endswith("*")
