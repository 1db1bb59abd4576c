"""The page on the planned evidence: its rule for claims, its counts and hours."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from kdbook.evidence import cost, outcomes
from kdbook.evidence.blocks import BLOCKS
from kdbook.evidence.outcomes import PRIMARY
from kdbook.evidence.records import TWO_CORES
from kdbook.reproduction import planned, planned_tables
from kdlib.errors import SettingError

MEAN_DOWN = "“Distillation gains in the mean and loses in the worst classes on long-tailed data”"


def primary(**changes):
    """Outcomes by number; of each its mean and its corrected p-value, or nothing where not run."""
    known = {int(name[1:]): change for name, change in changes.items()}
    rows = []
    for outcome in PRIMARY:
        mean, p = known.get(outcome.number, (np.nan, np.nan))
        rows.append(
            {"number": outcome.number, "comparison": f"{outcome.method} − {outcome.baseline}",
             "measure": outcome.measure, "mean": mean, "low": mean - 1, "high": mean + 1,
             "seeds": 5, "p": p / 6, "p_corrected": p}
        )  # fmt: skip
    return pd.DataFrame(rows)


def fate(number, **changes):
    said = planned.claim_said(planned.CLAIMS[number], primary(**changes))
    return said.rpartition("” ")[2].rstrip(".")


def test_every_outcome_belongs_to_one_claim():
    numbers = [number for claim in planned.CLAIMS for number in claim.expected]
    assert sorted(numbers) == [outcome.number for outcome in PRIMARY]
    assert all(set(claim.needed) <= set(claim.expected) for claim in planned.CLAIMS)


def test_the_first_claim_follows_the_plans_rule():
    assert fate(0, o1=(1.0, 0.01), o2=(-2.0, 0.01)) == "is confirmed"
    assert fate(0, o1=(0.2, 0.8), o2=(-2.0, 0.01)) == "is confirmed"
    assert fate(0, o1=(-1.0, 0.01), o2=(-2.0, 0.01)) == "fails"
    assert fate(0, o1=(1.0, 0.01), o2=(2.0, 0.01)) == "fails"
    assert fate(0, o1=(1.0, 0.01), o2=(-2.0, 0.2)).startswith("is not confirmed")
    assert fate(0) == "has not been tried"
    assert fate(0, o1=(1.0, 0.01)) == "is open, since not all of it has been run"


def test_the_other_claims_follow_it_too():
    assert fate(1, o3=(-1.0, 0.01)) == "fails"
    assert fate(1, o3=(1.0, 0.01)) == "is open, since not all of it has been run"
    assert fate(1, o3=(1.0, 0.01), o4=(1.0, 0.01)) == "is confirmed"
    assert fate(2, o5=(-1.0, 0.01)) == "fails" and fate(3, o6=(1.0, 0.01)) == "fails"
    assert fate(3, o6=(-1.0, 0.01)) == "is confirmed"


def test_the_answer_names_both_changes_and_calls_only_significant_ones_changes():
    said = planned.in_short(primary(o1=(-2.0, 0.01), o2=(0.4, 0.9)))
    assert "falls by 2.0 points (-3.0 to -1.0) in the mean" in said
    assert "shows no clear change, +0.4 points (-0.6 to +1.4), in the ten worst" in said
    assert said.endswith(f"{MEAN_DOWN} fails.")
    assert planned.in_short(primary()).startswith("Nothing is decided yet")


def test_the_answer_names_the_remedies_once_both_are_there():
    first = {"o1": (1.0, 0.01), "o2": (-1.0, 0.01)}
    assert "AdaAlpha" not in planned.in_short(primary(**first, o3=(1.0, 0.01)))
    said = planned.in_short(primary(**first, o3=(1.5, 0.01), o4=(0.2, 0.9)))
    assert "in the ten worst rises by 1.5 points (+0.5 to +2.5) with AdaAlpha" in said
    assert "and shows no clear change, +0.2 points (-0.8 to +1.2), with AdaMargin. " in said
    close = planned.in_short(primary(**first, o3=(1.5, 0.07), o4=(0.2, 0.9)))
    assert "no clear change after correction for all six, +1.5 points (+0.5 to +2.5)" in close
    assert said.endswith("repair the loss” is not confirmed: these seeds do not decide it.")


def test_the_answer_names_the_robust_students_once_they_are_there():
    first = {"o1": (1.0, 0.01), "o2": (-1.0, 0.01)}
    assert "CIFAR-10-LT" not in planned.in_short(primary(**first))
    one = planned.in_short(primary(**first, o5=(2.0, 0.01)))
    assert one.endswith(
        "On CIFAR-10-LT accuracy in the worst class rises by 2.0 points (+1.0 to +3.0) where the "
        "student is robust in the place of standard (5 seeds). “A robust student raises the worst "
        "class” is confirmed."
    )
    said = planned.in_short(primary(**first, o5=(2.0, 0.01), o6=(-1.5, 0.03)))
    assert (
        "On CIFAR-10-LT accuracy in the worst class rises by 2.0 points (+1.0 to +3.0) where the "
        "student is robust in the place of standard, and falls by 1.5 points (-2.5 to -0.5) where "
        "its teacher is robust too (5 seeds)."
    ) in said
    assert said.endswith("“Robust twice is not best” is confirmed.")


def tenths(means, p):
    return pd.DataFrame(
        {"method": "distilled", "label": range(10), "mean": means,
         "class_name": [f"{100 - 10 * n}–\n{91 - 10 * n}" for n in range(10)],
         "low": np.array(means) - 1, "high": np.array(means) + 1, "seeds": 5, "p": p}
    )  # fmt: skip


def test_the_headline_counts_tenths_after_correction():
    none = planned.headline(tenths([-1.0] * 10, [0.03] * 10))
    assert none == "Distilled or not, no tenth of the classes of CIFAR-100-LT clearly changes"
    some = planned.headline(tenths([-1.0] * 3 + [1.0] * 7, [1e-4] * 4 + [0.5] * 6))
    assert some.endswith("1 gain (70 to 61 training images) and 3 lose (100 to 71 training images)")


def test_the_headline_of_robust_students_is_the_planned_outcome():
    def said(**changes):
        return planned.robust_headline(primary(**changes))

    assert said(o5=(18.8, 0.04)) == (
        "A robust student raises the worst class of CIFAR-10-LT by 18.8 points"
    )
    assert "lowers the worst class of CIFAR-10-LT by 2.0" in said(o5=(-2.0, 0.01))
    assert "does not clearly change" in said(o5=(18.8, 0.06))
    assert said() == "No robust students of CIFAR-10-LT are recorded"


def test_single_classes_are_corrected_for_ten_looks():
    one = tenths([9.0] * 10, [1e-4, 0.02] + [0.5] * 8).assign(method="std/rob-d")
    assert planned.robust_classes_said(one).endswith("for ten looks, 1 gain with 5 seeds.")
    none = planned.robust_classes_said(one.assign(p=0.02))
    assert none.endswith("corrected for ten looks, none is decided with 5 seeds.")


def test_the_headline_of_nothing_says_so(tmp_path):
    none = planned.headline(outcomes.by_frequency(tmp_path))
    assert none == "No distilled students of CIFAR-100-LT are recorded"


def test_the_first_figure_leaves_out_what_would_stretch_its_scale():
    rows = tenths([1.0] * 10, [0.5] * 10)
    far = rows.assign(method="AdaMargin", mean=20.0)
    spec = planned.tenths_chart(pd.concat([rows, far])).to_dict()
    drawn = {row.get("method") for data in spec["datasets"].values() for row in data}
    assert drawn - {None} == {"distilled"}


def test_progress_counts_each_machine_for_itself(tmp_path):
    runs = [spec.id for spec in BLOCKS["b"].runs]
    for folder, ids in ((tmp_path, runs[:3]), (tmp_path / TWO_CORES, runs[3:15])):
        folder.mkdir(exist_ok=True)
        (folder / "block-b.json").write_text(json.dumps({"runs": dict.fromkeys(ids, "completed")}))
        for name in ("block-b.csv", "block-b-classes.csv"):
            (folder / name).write_text("run\n")
    html = planned_tables.progress(tmp_path).to_html()
    assert "3 on a GPU, 12 on two cores of 30" in html
    left = [spec for spec in BLOCKS["b"].runs if spec.id not in runs[3:15]]
    assert re.search(rf">{cost.TWO_CORES.seconds(left) / 3600:.1f}<", html)
    assert all(f">{name}<" in html for name in BLOCKS)


def test_buttons_choose_one_measure_of_the_same_groups():
    spec = planned.measures_chart().to_dict()
    (chosen,) = [one for one in spec["params"] if one["name"] == "measure"]
    assert chosen["bind"]["options"] == list(planned.MEASURES.values())
    filtered = [layer for layer in spec["layer"] if "transform" in layer]
    assert len(filtered) == len(spec["layer"]) - 1  # all but the rule at zero
    assert all(one["transform"] == [{"filter": "datum.shown === measure"}] for one in filtered)
    with pytest.raises(SettingError, match="measure = 'F1' is not allowed"):
        planned.measures_chart("F1")
