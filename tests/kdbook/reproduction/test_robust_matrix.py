"""The matrix of "Robust distillation" on records made by hand."""

import re
from html import escape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hand_records import record, rows

from kdbook.chapters import study, teacher_and_student
from kdbook.published import published
from kdbook.published.lists import oddities
from kdbook.reproduction import (
    AuditError,
    Level,
    Verdict,
    leading,
    matrix_html,
    questions,
    reading,
    reproduction,
    summary,
    words,
)
from kdbook.reproduction.mapping import BLOCKS
from kdlib.metrics import prediction_interval, t_interval
from kdlib.training import PRESETS

PAPER = "robust_distillation"
BLIND = np.nan
STEP = PRESETS["cifar10_lt_robust_paper"].model_dump(mode="json")
HEATS = (1.0, 3.0, 5.0)
TWICE = "rob / rob-d (teacher labels)"


def taught(method, values):
    """At each of the paper's temperatures alike, so that validation takes the smallest."""
    return [row for heat in HEATS for row in rows(method, heat, values)]


def grid(**changes):
    """A hand-made record of CIFAR-10-LT with ResNet-56 in the paper's setting, own teachers."""
    table = [
        *rows("teacher std", BLIND, (57.0, 58.0, 57.6)),
        *rows("teacher rob", BLIND, (74.0, 75.2, 74.9)),
        *taught("std / std-d", (60.0, 60.5, 60.3)),
        *taught("rob / std-d", (69.6, 70.2, 69.9)),
        *taught("std / bal-d", (50.0, 50.4, 50.1)),
        *taught(TWICE, (50.0, 75.0, 60.0)),
    ]
    table = [row | {"validation_worst": 50.0} for row in table]
    own = {"study": "teacher_and_student", "dataset": "cifar10", "recipe": STEP,
           "settings": {"fixed_teacher": False}, "test_images": 5_000}  # fmt: skip
    return record(table, **(own | changes))


def row_of(found, **wanted):
    rows = leading(found)
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    return row


def cell(found, teacher, student, table="Supp Table 3", metric="worst_1", **more):
    names = {"teacher_objective": teacher, "student_objective": student, "dataset": "cifar10_lt"}
    return row_of(found, table=table, metric=metric, **names, **more)


@pytest.fixture(scope="module")
def found():
    return reproduction(PAPER, [grid()])


@pytest.mark.parametrize(
    ("teacher", "student", "compared", "ours", "verdict"),
    [
        # Printed 69.75 - 60.12.
        ("rob", "std-d", 9.63, (9.6, 9.7, 9.6), Verdict.AGREES),
        # Printed 72.41 - 60.12.
        ("std", "bal-d", 12.29, (-10.0, -10.1, -10.2), Verdict.DIFFERS),
    ],
)
def test_a_student_is_judged_by_its_difference_from_the_standard_one(
    found, teacher, student, compared, ours, verdict
):
    row = cell(found, teacher, student)
    assert (row["compared"], row["mean"]) == (pytest.approx(compared), pytest.approx(np.mean(ours)))
    assert row["low"] == pytest.approx(t_interval(ours).low)
    assert (row["verdict"], row["against"]) == (verdict, "less std / std-d of Supp Table 3")


def test_labels_of_the_validation_images_tell_robust_students_apart(found):
    measured = cell(found, "rob", "rob-d", validation_labels="teacher")
    assert measured["verdict"] == Verdict.CONSISTENT  # -10.0, +14.5 and -0.3
    missing = cell(found, "rob", "rob-d", validation_labels="onehot")
    assert (missing["verdict"], missing["because"]) == (
        Verdict.NOT_RUN,
        "the record holds no such method",
    )


def test_the_prediction_has_the_error_of_the_printed_difference(found):
    expected = prediction_interval([9.6, 9.7, 9.6], runs=10, error=np.hypot(0.52, 0.56))
    row = cell(found, "rob", "std-d")
    assert (row["predicted_low"], row["predicted_high"]) == pytest.approx(
        (expected.low, expected.high)
    )
    assert row["compared_low"] < 9.63 - 1.96 * np.hypot(0.52, 0.56) < row["compared"]


def test_the_standard_student_is_judged_by_its_value(found):
    row = cell(found, "std", "std-d")  # printed 60.12 +- 0.56; ours 60.27
    assert (row["verdict"], row["is_difference"]) == (Verdict.AGREES, False)
    elsewhere = reproduction(PAPER, [grid(model="ResNet-8")])
    assert cell(elsewhere, "std", "std-d")["verdict"] == Verdict.NO_VERDICT
    assert cell(elsewhere, "rob", "std-d")["verdict"] == Verdict.SAME_SIGN


def test_teachers_are_judged_by_their_difference_from_the_standard_teacher(found):
    row = cell(found, "rob", "none", table="Table 1")
    # Printed 74.80 - 57.26, without uncertainty; ours 17.0, 17.2 and 17.3.
    assert (row["compared"], row["mean"]) == (pytest.approx(17.54), pytest.approx(51.5 / 3))
    assert (row["verdict"], row["against"]) == (Verdict.AGREES, "less teacher std of Table 1")


def test_tables_whose_students_share_a_teacher_are_another_setting(found):
    own = cell(found, "rob", "std-d", table="Table 1")
    assert own["apart"] == "a teacher per seed" and own["setting"].endswith("a teacher per seed")
    shared = grid(settings={"fixed_teacher": True})
    both = reproduction(PAPER, [grid(), shared])
    assert cell(both, "rob", "std-d", table="Table 1")["record"] == shared.name
    assert cell(both, "rob", "std-d", table="Table 1")["evidence"] == Level.SAME_SETTING
    assert cell(both, "rob", "std-d")["record"] == grid().name


def test_a_teacher_that_all_seeds_share_has_no_interval():
    whole = grid(settings={"fixed_teacher": True})
    table = whole.table.copy()
    for name in ("teacher std", "teacher rob"):
        table.loc[table["method"] == name, "run"] = name
    row = cell(reproduction(PAPER, [record(table, **_about(whole))]), "rob", "none", "Table 1")
    assert (row["verdict"], row["seeds"]) == (Verdict.UNDECIDED, 1)


def _about(made):
    names = ("study", "dataset", "model", "recipe", "settings", "test_images")
    return {name: getattr(made.about, name) for name in names}


def test_balanced_sets_ask_for_ratio_one(found):
    row = row_of(
        found, table="Supp Table 3", dataset="cifar10", metric="worst_1",
        teacher_objective="rob", student_objective="std-d",
    )  # fmt: skip
    assert row["because"] == "the record holds no such imbalance"
    made = grid(imbalance=1.0)
    balanced = record(made.table.assign(imbalance=1.0), **_about(made), imbalance=1.0)
    assert cell(reproduction(PAPER, [balanced]), "rob", "std-d")["verdict"] == Verdict.NOT_RUN


def test_the_same_data_set_goes_before_another():
    hundred = grid(dataset="cifar100")
    both = reproduction(PAPER, [hundred, grid(settings={"depth": 56})])
    assert cell(both, "rob", "std-d")["setting"].startswith("cifar10,")


def test_the_papers_data_lead_whatever_the_number_of_seeds():
    small = {"depth": 8, "epochs": 8, "update_every": 16}
    large = grid(profile="standard", model="ResNet-8", settings=small)
    digits = grid(profile="quick", model="ResNet-8", dataset="digits")
    both = reproduction(PAPER, [digits, large])
    assert cell(both, "rob", "std-d")["record"] == large.name
    one = record(large.table[large.table["seed"] == 0], **_about(large), profile="standard")
    row = cell(reproduction(PAPER, [digits, one]), "rob", "std-d")
    assert (row["record"], row["verdict"]) == (one.name, Verdict.UNDECIDED)
    few = record(large.table[large.table["seed"] < 2], **_about(large), profile="quick")
    both = cell(reproduction(PAPER, [few, large]), "rob", "std-d")
    assert (both["record"], both["seeds"]) == (large.name, 3)


def test_smaller_students_are_found_whatever_their_depth():
    table = [
        *rows("14 to 8: std / std-d", 1.0, (40.0, 41.0, 40.7)),
        *rows("14 to 8: rob / std-d", 1.0, (50.0, 51.5, 50.9)),
        *rows("14 to 8: std / rob-d", 1.0, (30.0, 31.5, 30.9)),
    ]
    own = {"study": "robust_baselines", "model": "ResNet-8", "dataset": "cifar10"}
    made = reproduction(PAPER, [record(table, **own)])
    assert cell(made, "rob", "std-d", "Supp Table 2")["verdict"] == Verdict.SAME_SIGN
    wrong = cell(made, "std", "rob-d", "Supp Table 2", validation_labels="onehot")
    assert wrong["verdict"] == Verdict.DIFFERS
    other = cell(made, "std", "rob-d", "Supp Table 2", validation_labels="teacher")
    assert other["verdict"] == Verdict.NOT_RUN


def test_trade_offs_are_named_by_their_weights():
    table = [
        *rows("std / std-d", 1.0, (40.0, 41.0, 40.7)),
        *rows("0.25 / 0.5", 1.0, (50.0, 51.5, 50.9)),
    ]
    made = leading(reproduction(PAPER, [record(table, study="trade_offs", model="ResNet-8")]))
    here = made[(made["verdict"] != Verdict.NOT_RUN) & made["is_difference"].eq(True)]
    assert set(zip(here["alpha_t"], here["alpha_s"], strict=True)) == {(0.25, 0.5)}
    figure = here[here["table"] == "Supp Figure 1"]
    assert sorted(figure["dataset"]) == ["cifar100_lt"] * 2 + ["cifar10_lt"] * 2


def test_baselines_are_compared_with_the_standard_student_of_their_study():
    table = [
        *rows("distilled", 1.0, (40.0, 41.0)),
        *rows("AdaAlpha, rob teacher", 1.0, (50.0, 51.5)),
        *rows("post shift, std teacher", BLIND, (50.0, 51.5)),
        *rows("Group DRO, training", BLIND, (50.0, 51.5)),
    ]
    made = leading(reproduction(PAPER, [record(table, study="robust_baselines", model="ResNet-8")]))
    run = made[made["verdict"] != Verdict.NOT_RUN]
    assert set(run["method"]) == {"ada_alpha", "post_shift", "group_dro_no_vali"}
    assert set(run["teacher_objective"][run["method"] == "ada_alpha"]) == {"rob"}
    # Supp Tables 4 and 5 print no standard student, so that of Table 2 is taken.
    assert set(run["against"]) >= {"less distilled of Table 2"}


def test_every_number_has_one_question_and_one_verdict_or_reason(found):
    asked = published(paper=PAPER)
    assert [q.number for q in questions(PAPER, asked)] == list(range(len(asked))) == [*range(1104)]
    for made in (found, reproduction(PAPER, [])):
        leads = leading(made)
        assert list(leads["number"]) == list(range(1104))
        assert leads["verdict"].isin([v.value for v in Verdict]).all()
        assert (leads["because"] != "").all()
        assert summary(made)["numbers"].sum() == 1104


def test_without_records_nothing_is_run():
    assert set(reproduction(PAPER, [])["verdict"]) == {Verdict.NOT_RUN}
    why = summary(reproduction(PAPER, [])).set_index("because")["numbers"]
    far = published(paper=PAPER)["dataset"].value_counts()
    assert why["no access to ImageNet"] == far["imagenet"]
    assert why["no access to TinyImageNet"] == far["tinyimagenet"]
    assert why["the paper does not print which trade-offs it selected"] == 8


@pytest.mark.parametrize("column", ["dataset", "method", "metric"])
def test_an_unknown_number_of_it_is_refused(column):
    changed = published(paper=PAPER).copy()
    changed.loc[40, column] = "novel"
    with pytest.raises(AuditError, match=f"published number 40 .*: {column} 'novel' is not in"):
        questions(PAPER, changed)


def test_a_table_without_its_standard_student_is_refused():
    asked = published(paper=PAPER)
    standard = (asked["table"] == "Table 2") & (asked["method"] == "distillation")
    with pytest.raises(AuditError, match=r"0 rows of .*distillation.* in Table 2"):
        questions(PAPER, asked[~standard])


def test_methods_are_named_as_their_studies_name_them():
    """Whatever the mapping asks for, some member is called."""
    asked = published(paper=PAPER)
    for question in questions(PAPER, asked[asked["dataset"] == "cifar10_lt"]):
        for name in question.studies:
            if name in ("robust_baselines", BLOCKS):
                continue  # the baselines leave out some compressed cells, and add post-shifts
            names = {member.method for member in study(name).parse(seeds=1).members()}
            assert {question.method, question.baseline} - {None} <= names


def test_the_reference_is_a_cell_of_the_study():
    assert teacher_and_student.cell_name(None, None, "teacher") == "std / std-d"


def test_comparisons_that_several_numbers_share_count_once(found):
    leads = leading(found)
    run = leads[leads["verdict"] != Verdict.NOT_RUN]
    held = run[run["verdict"] != Verdict.NO_VERDICT]
    assert run["measurement"].nunique() < len(run)
    said = reading.in_words(found)
    assert f"{run['measurement'].nunique()} measurements of ours speak to {len(run)}" in said[0]
    assert said[2].startswith(f"{held['measurement'].nunique()} of them have a verdict: ")
    by_verdict = held.groupby("verdict")["measurement"].nunique()
    assert all(f"{count} {verdict}" in said[2] for verdict, count in by_verdict.items())


class Rows(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.section = [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "details":
            self.section = values
        if tag == "tr" and "data-verdict" in values:
            self.found.append(self.section | values)


def test_one_page_holds_both_papers_and_can_tell_them_apart(found):
    both = pd.concat([reproduction("teachers_pet", []), found], ignore_index=True)
    text = matrix_html(both)
    shown = pd.DataFrame(Rows(text).found)
    assert len(shown) == 164 + 1104
    assert dict(shown["data-paper"].value_counts()) == {
        "Robust distillation": 1104, "Teacher's pet": 164,
    }  # fmt: skip
    for key in ("paper", "table", "dataset", "measure", "verdict"):
        (select,) = re.findall(f'<select data-filter="{key}">(.*?)</select>', text)
        offered = set(re.findall("<option>(.*?)</option>", select))
        assert {option.replace("&#x27;", "'") for option in offered} == set(shown[f"data-{key}"])


def test_oddities_stand_beside_the_tables_of_their_own_paper():
    pages = {paper: matrix_html(reproduction(paper, [])) for paper in (PAPER, "teachers_pet")}
    for paper, page in pages.items():
        for other in pages:
            of_table_2 = [odd for odd in oddities(other) if "Table 2" in odd.tables]
            assert of_table_2
            assert all((escape(odd.text) in page) == (other == paper) for odd in of_table_2)


def test_every_number_has_words_that_tell_it_from_others_of_its_table():
    leads = leading(reproduction(PAPER, []))
    leads = leads[~leads["table"].isin([t for t in leads["table"] if "(table)" in t])]
    named = leads["table"] + leads.apply(words.what, axis=1)
    assert not named.duplicated().any()


@pytest.mark.parametrize("oddity", oddities(PAPER), ids=lambda oddity: oddity.text[:30])
def test_a_robust_oddity_quotes_numbers_that_are_printed(oddity):
    printed = published(paper=PAPER)
    mentioned = set(oddity.tables) | set(re.findall(r"(?:Supp )?(?:Table|Figure) \d", oddity.text))
    values = printed[printed["table"].isin(mentioned)]["value"].round(2)
    alphas = {0.25, 0.75}
    quoted = {float(number) for number in re.findall(r"\d+\.\d{2}", oddity.text)}
    assert quoted - set(values) - alphas == set()
    assert set(oddity.tables) <= set(printed["table"])
