"""The page on the planned evidence: its rule for claims, its counts and hours."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kdbook.compare import signed
from kdbook.evidence import cost, outcomes
from kdbook.evidence.blocks import BLOCKS
from kdbook.evidence.outcomes import LATER, LONGER, PRIMARY
from kdbook.evidence.records import TWO_CORES
from kdbook.places import records_folder
from kdbook.published import published
from kdbook.reproduction import planned, planned_charts, planned_tables
from kdbook.reproduction.blocks import all_records
from kdbook.reproduction.matrix import reproduction
from kdlib.errors import SettingError

PAGE = (Path(__file__).parents[3] / "book" / "cifar.ipynb").read_text(encoding="utf-8")
MEAN_DOWN = "“Distillation gains in the mean and loses in the worst classes on long-tailed data”"


def family(outcomes, changes):
    """Outcomes by number; of each its mean and its corrected p-value, or nothing where not run."""
    known = {int(name[1:]): change for name, change in changes.items()}
    rows = []
    for outcome in outcomes:
        mean, p = known.get(outcome.number, (np.nan, np.nan))
        rows.append(
            {"number": outcome.number, "comparison": f"{outcome.method} − {outcome.baseline}",
             "measure": outcome.measure, "mean": mean, "low": mean - 1, "high": mean + 1,
             "seeds": 5, "p": p / 6, "p_corrected": p}
        )  # fmt: skip
    return pd.DataFrame(rows)


def primary(**changes):
    return family(PRIMARY, changes)


def longer(**changes):
    return family(LONGER, changes)


def later(**changes):
    return family(LATER, changes)


def answer(**changes):
    """Of the primary outcomes alone."""
    return planned.in_short(primary(**changes), longer(), later())


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
    (said,) = answer(o1=(-2.0, 0.01), o2=(0.4, 0.9))
    assert "falls by 2.0 points (-3.0 to -1.0) in the mean" in said
    assert "shows no clear change, +0.4 points (-0.6 to +1.4), in the ten worst" in said
    assert said.endswith(f"{MEAN_DOWN} fails.")
    assert answer()[0].startswith("Nothing is decided yet")


def test_the_answer_judges_the_longer_training_by_the_same_rule():
    first = primary(o1=(1.0, 0.01), o2=(-1.0, 0.01))
    short, long = planned.in_short(first, longer(o1=(1.5, 0.03), o2=(-0.02, 1.0)), later())
    assert short.endswith(f"{MEAN_DOWN} is confirmed.")
    assert long.startswith(
        "Teachers and students of 200 epochs, T\u00a0=\u00a02: accuracy rises by 1.5"
    )
    assert long.endswith("There the same claim is not confirmed: these seeds do not decide it.")
    assert len(planned.in_short(first, longer(o1=(1.5, 0.03)), later())) == 1


def test_the_answer_names_the_remedies_once_both_are_there():
    first = {"o1": (1.0, 0.01), "o2": (-1.0, 0.01)}
    assert len(answer(**first, o3=(1.0, 0.01))) == 1
    said = answer(**first, o3=(1.5, 0.01), o4=(0.2, 0.9))[1]
    assert "in the ten worst rises by 1.5 points (+0.5 to +2.5) with AdaAlpha" in said
    assert "and shows no clear change, +0.2 points (-0.8 to +1.2), with AdaMargin. " in said
    close = answer(**first, o3=(1.5, 0.07), o4=(0.2, 0.9))[1]
    assert "no clear change after correction, +1.5 points (+0.5 to +2.5)" in close
    assert said.endswith("repair the loss” is not confirmed: these seeds do not decide it.")


def test_the_answer_names_the_robust_students_once_they_are_there():
    first = {"o1": (1.0, 0.01), "o2": (-1.0, 0.01)}
    one = answer(**first, o5=(2.0, 0.01))[1]
    assert one == (
        "On CIFAR-10-LT, 60 epochs: accuracy in the worst class rises by 2.0 points (+1.0 to "
        "+3.0) where the student is robust in the place of standard (5 seeds). “A robust student "
        "raises the worst class” is confirmed."
    )
    again, twice = answer(**first, o5=(2.0, 0.01), o6=(-1.5, 0.03))[1:]
    assert again == one
    assert twice.startswith(
        "Against that robust student accuracy in the worst class falls by 1.5 points (-2.5 to "
        "-0.5) where the teacher is robust too (5 seeds). By the plan's rule “Robust twice is not "
        "best” is confirmed."
    )


@pytest.mark.parametrize(("mean", "fate_", "sign"), [
    (9.0, "fails", "the same"), (-9.0, "is confirmed", "the other"),
])  # fmt: skip
def test_the_printed_pair_stands_beside_robust_twice_whatever_came_of_it(mean, fate_, sign):
    first = {"o1": (1.0, 0.01), "o2": (-1.0, 0.01), "o5": (2.0, 0.01)}
    said = answer(**first, o6=(mean, 0.03))[-1]
    assert (
        f"“Robust twice is not best” {fate_}. Of this pair the paper's Table 1 has {sign} sign "
        "(69.2 % after 63.9 %, teacher labels)"
    ) in said
    assert "of a balanced teacher (75.6 %), which was not run at this length." in said


@pytest.mark.parametrize(
    ("mean", "p", "verb", "fate_"),
    [
        (6.0, 0.01, "rises by 6.0 points (+5.0 to +7.0)", "is confirmed."),
        (-6.0, 0.01, "falls by 6.0 points (-7.0 to -5.0)", "fails."),
        (0.2, 0.7, "shows no clear change", "is not confirmed: these seeds do not decide it."),
    ],
)
def test_the_pair_on_which_the_paper_rests_its_claim_has_a_verdict_of_its_own(mean, p, verb, fate_):
    first = primary(o1=(1.0, 0.01), o2=(-1.0, 0.01), o5=(2.0, 0.01), o6=(9.0, 0.03))
    said = planned.in_short(first, longer(), later(o7=(mean, p)))[-1]
    assert "“Robust twice is not best” fails. Of this pair the paper's Table 1" in said
    assert f"(75.6 %). Where that one takes the place of robust twice, accuracy {verb}" in said
    assert said.endswith(f"in the worst class (5 seeds). Tried so, the claim {fate_}")


def test_what_a_gpu_trained_again_is_said_without_a_verdict():
    again = family(PRIMARY[4:], {"o5": (-2.0, 0.9), "o6": (3.0, 0.01)})
    said = planned.again_said(again, primary(o5=(2.0, 0.01)))
    assert "std/rob-d − std/std-d -2.0 (-3.0 to -1.0) points (5 seeds)" in said
    assert "rob/rob-d" not in said and "confirmed" not in said
    assert planned.again_said(again, primary()) == ""
    assert planned.again_said(family(PRIMARY[4:], {}), primary(o5=(2.0, 0.01))) == ""


@pytest.mark.parametrize("question", outcomes.UNPLANNED)
def test_what_was_asked_afterwards_is_called_so(question, tmp_path):
    said = planned.unplanned_said(outcomes.unplanned(question))
    assert said.startswith("Not planned, asked afterwards")
    for pair in outcomes.UNPLANNED[question]:
        rows = outcomes.rows_of(outcomes.blocks_folder(), "c", pair)[0]
        wide = rows.pivot(index="seed", columns="method", values=["worst_1", "mean"])
        worst, mean = ((wide[name][pair[0]] - wide[name][pair[1]]).mean() for name in
                       ("worst_1", "mean"))  # fmt: skip
        assert f"{' − '.join(pair)}: worst class {worst:+.1f} (" in said
        assert f"), mean {mean:+.1f} (" in said
    assert planned.unplanned_said(outcomes.unplanned(question, tmp_path)) == ""


def test_cells_stand_beside_the_printed_ones():
    html = planned_tables.cells_table(outcomes.cells()).to_html()
    rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in html.split("<tr>")[2:]]
    assert [row[0].replace("\u2011", "-") for row in rows] == list(outcomes.CELLS)
    assert [row[2] for row in rows] == ["60.1", "72.4", "62.8", "73.1", "68.0"]
    assert [row[4] for row in rows] == ["77.4", "82.0", "77.2", "80.0", "75.4"]
    own = outcomes.rows_of(outcomes.blocks_folder(), "c", ("bal/rob-d",))[0]
    assert rows[3][1].startswith(f"{own['worst_1'].mean():.1f} (")
    assert rows[3][3].startswith(f"{own['mean'].mean():.1f} (")


def test_a_change_of_nothing_has_no_minus():
    first = primary(o1=(1.0, 0.01), o2=(-1.0, 0.01))
    long = planned.in_short(first, longer(o1=(1.5, 0.03), o2=(-0.02, 1.0)), later())[1]
    assert "no clear change, +0.0 points" in long


def tenths(means, p):
    return pd.DataFrame(
        {"method": "distilled", "label": range(10), "mean": means,
         "class_name": [f"{100 - 10 * n}–\n{91 - 10 * n}" for n in range(10)],
         "low": np.array(means) - 1, "high": np.array(means) + 1, "seeds": 5, "p": p}
    )  # fmt: skip


def test_the_headline_counts_tenths_after_correction_at_each_length():
    none = tenths([-1.0] * 10, [0.03] * 10).assign(method="60 epochs")
    some = tenths([-1.0] * 3 + [1.0] * 7, [1e-4] * 4 + [0.5] * 6).assign(method="200 epochs")
    said = planned_charts.headline(pd.concat([none, some]))
    assert "none gain and none lose at 60 epochs; 1 gain and 3 lose at 200 epochs" in said


def test_the_headline_of_robust_students_is_the_planned_outcome():
    def said(**changes):
        return planned_charts.robust_headline(primary(**changes))

    assert said(o5=(18.8, 0.04)) == (
        "A robust student raises the worst class of CIFAR-10-LT by 18.8 points"
    )
    assert said(o5=(18.8, 0.04), o6=(14.0, 0.01)).endswith(", with a robust teacher by 14.0 more")
    assert said(o5=(18.8, 0.04), o6=(14.0, 0.07)).endswith("by 18.8 points")
    assert "lowers the worst class of CIFAR-10-LT by 2.0" in said(o5=(-2.0, 0.01))
    assert "does not clearly change" in said(o5=(18.8, 0.06))
    assert said() == "No robust students of CIFAR-10-LT are recorded"


def test_single_classes_are_corrected_for_ten_looks():
    one = tenths([9.0] * 10, [1e-4, 0.02] + [0.5] * 8).assign(method="std/rob-d")
    said = planned.robust_classes_said(one)
    assert said.endswith("for ten looks: 1 gains where the student is robust (5 seeds).")
    none = one.assign(p=0.02, method="rob/rob-d")
    assert planned.robust_classes_said(pd.concat([one, none])).endswith(
        "1 gains where the student is robust; none is decided where its teacher is too (5 seeds)."
    )


def test_the_headline_of_nothing_says_so(tmp_path):
    none = planned_charts.headline(planned_charts.lengths(tmp_path))
    assert none == "No distilled students of CIFAR-100-LT are recorded"


def test_the_first_figure_has_distilled_students_of_both_lengths():
    found = planned_charts.lengths()
    assert set(found["method"]) == {"60 epochs, T = 1", "200 epochs, T = 2"}
    by_length = found.groupby("method")["mean"].apply(list)
    for block, name in (("b", "60 epochs, T = 1"), ("b2", "200 epochs, T = 2")):
        rows = outcomes.by_frequency(block=block).query("method == 'distilled'")
        assert by_length[name] == list(rows["mean"])


def test_the_measures_without_a_floor_are_said_of_the_longer_training():
    rows = [
        {"measure": "rarest fifth of the classes", "mean": -0.57, "low": -1.27, "high": 0.13},
        {"measure": "log-loss in the rarest fifth (nats)", "mean": -3.6986, "low": -3.8,
         "high": -3.5},
    ]  # fmt: skip
    said = planned.longer_secondary_said(pd.DataFrame(rows))
    assert said.endswith(
        "200 epochs: rarest fifth of the classes -0.6 (-1.3 to +0.1); log-loss in the rarest fifth "
        "(nats) -3.699 (-3.800 to -3.500)."
    )
    assert planned.longer_secondary_said(pd.DataFrame()) == ""


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
    spec = planned_charts.measures_chart().to_dict()
    (chosen,) = [one for one in spec["params"] if one["name"] == "measure"]
    assert chosen["bind"]["options"] == list(planned_charts.MEASURES.values())
    filtered = [layer for layer in spec["layer"] if "transform" in layer]
    assert len(filtered) == len(spec["layer"]) - 1  # all but the rule at zero
    assert all(one["transform"] == [{"filter": "datum.shown === measure"}] for one in filtered)
    with pytest.raises(SettingError, match="measure = 'F1' is not allowed"):
        planned_charts.measures_chart("F1")


def test_numbers_in_the_pages_prose_are_those_of_the_records():
    worst = {
        (block, method): rows["worst_10"].mean()
        for block in ("b", "b2")
        for method, rows in outcomes.rows_of(
            outcomes.blocks_folder(), block, ("one-hot", "distilled")
        )[0].groupby("method")
    }
    assert [f"{worst['b2', m]:.1f}" for m in ("one-hot", "distilled")] == ["1.9", "1.9"]
    assert f"{worst['b', 'one-hot']:.1f}" == "0.6" and worst["b", "distilled"] < 0.05
    assert "get 1.9 % of them right" in PAGE and "it was 0.6 % of one-hot students" in PAGE
    gain = outcomes.longer().set_index("number").loc[1]
    assert f"{6 * gain['p']:.3f}" == "0.056" and "p = 0.056" in PAGE
    assert f"{gain['mean']:+.1f}" == "+1.5" and "The mean gains again (+1.5 points)" in PAGE
    change = outcomes.by_frequency(block="c").set_index(["method", "label"])["mean"].round()
    assert list(change["std/rob-d"][[8, 9]]) == [13, 22]
    assert "by thirteen and by twenty-two points on average" in PAGE
    assert list(change["rob/rob-d"][[8, 9, 0, 1]]) == [32, 40, -16, -17]
    assert "by thirty-two and by forty" in PAGE and "with sixteen and seventeen" in PAGE


def test_prose_on_balanced_students_is_held_to_the_records():
    change = outcomes.by_frequency(block="c").set_index(["method", "label"])["mean"]
    both = change["bal/rob-d"] / change["rob/rob-d"]
    assert both[[0, 1]].between(0.4, 0.55).all() and both[[8, 9]].between(0.9, 1.1).all()
    assert "takes about half as much from those two" in PAGE
    changes = outcomes.unplanned("a balanced student").set_index(["comparison", "measure"])
    for measure in ("worst class", "mean"):
        assert changes.loc[("std/bal-d − std/rob-d", measure), "low"] > 0
        for other in ("rob/rob-d", "bal/rob-d"):
            row = changes.loc[(f"std/bal-d − {other}", measure)]
            assert row["low"] < 0 < row["high"]
    later = outcomes.secondary(block="c").query("comparison == 'bal/rob-d − rob/rob-d'")
    mean = later.set_index("measure").loc["mean (not in the plan)"]
    assert signed(mean) == "+1.6 (+0.7 to +2.5)"
    assert "1.6 points ahead (+0.7 to +2.5)" in PAGE


def test_what_other_records_say_of_balanced_students_is_held_to_them():
    assert "the balanced student lies" in PAGE and "with true labels on validation" in PAGE
    for name in ("quick-seeds10", "standard-datasetcifar10-depth8-epochs8-seeds3-update_every16"):
        rows = pd.read_csv(records_folder() / f"teacher_and_student-{name}.csv")
        worst = rows.groupby("method")["worst_1"].mean()
        assert worst["std / bal-d"] < worst["rob / rob-d (teacher labels)"]
    printed = published(
        paper="robust_distillation", table="Supp Table 3", dataset="cifar10_lt",
        metric="worst_1", teacher_objective="std", student_objective="rob-d",
        validation_labels="onehot",
    )  # fmt: skip
    assert f"{printed['value'].item():.1f}" == "75.1" and "has 75.1 %" in PAGE


def test_what_the_page_says_of_the_matrix_is_what_the_matrix_says():
    reached = outcomes.cells().query("measure == 'worst_1'").set_index("method")["mean"]
    above = reached[["std/bal-d", "bal/rob-d", "rob/rob-d"]] - reached["std/std-d"]
    assert above.between(31.5, 34.5).all() and "32 to 34 points above std/std-d" in PAGE
    matrix = reproduction("robust_distillation", all_records())
    rows = matrix[(matrix["table"] == "Table 1") & (matrix["dataset"] == "cifar10_lt")
                  & (matrix["metric"] == "worst_1") & matrix["leading"]]  # fmt: skip
    verdicts = rows.set_index(["teacher_objective", "student_objective"])["verdict"]
    held = {("std", "bal-d"), ("bal", "rob-d"), ("rob", "rob-d")}
    assert {verdicts[pair] for pair in held} == {"same sign"}
    assert verdicts[("std", "rob-d")] == "undecided"
