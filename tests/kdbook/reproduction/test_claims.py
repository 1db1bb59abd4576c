"""The claims: each is printed, each has one row, and only the paper's data give a verdict."""

import re

import numpy as np
import pytest
from hand_records import record, rows

from kdbook.chapters import STUDIES
from kdbook.reproduction import Level, Verdict, claims_html, claims_table
from kdbook.reproduction.claims import CLAIMS, question_of
from kdbook.reproduction.mapping import BLOCKS
from kdlib.metrics import prediction_interval
from kdlib.runs.shapes import SHAPES

TAIL = "With a long tail the mean gains"


def long_tail(**changes):
    table = [
        *rows("one-hot", np.nan, (40.0, 42.0, 41.0)),
        *rows("distilled", 2.0, (42.0, 44.4, 43.3)),
    ]
    own = {"study": "results", "model": "ResNet-20"}
    return record(table, **(own | changes))


def test_there_are_about_twenty_of_both_papers():
    assert 20 <= len(CLAIMS) <= 30
    assert {claim.paper for claim in CLAIMS} == {"teachers_pet", "robust_distillation"}
    texts = [claim.text for claim in CLAIMS]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.text)
def test_each_claim_has_one_printed_effect_and_studies_that_exist(claim):
    question = question_of(0, claim)
    assert question.printed.is_difference and not question.printed.on_floor
    assert question.printed.value != 0
    assert question.studies and set(question.studies) <= {*STUDIES, BLOCKS}
    assert question.setting is None or question.setting.dataset in {*SHAPES, "adult"}


def test_without_records_each_claim_says_that_nothing_was_run():
    found = claims_table([])
    assert len(found) == len(CLAIMS) and set(found["verdict"]) == {Verdict.NOT_RUN}
    assert claims_html(found).count("not run") == len(CLAIMS)


def test_ours_stands_with_the_interval_of_its_prediction():
    found = claims_table([long_tail()]).set_index("claim")
    row = found.loc[TAIL]
    expected = prediction_interval([2.0, 2.4, 2.3], runs=3)  # Table 3 prints means of three
    assert (row["predicted_low"], row["predicted_high"]) == pytest.approx(
        (expected.low, expected.high)
    )
    assert (row["evidence"], row["verdict"]) == (Level.SAME_DATA, Verdict.SAME_SIGN)
    assert f"{expected.low:+.2f} to {expected.high:+.2f}" in claims_html(found.reset_index())


def test_other_data_show_no_verdict_on_the_page():
    digits = long_tail(dataset="digits", model="ResNet-8", profile="quick")
    found = claims_table([digits])
    row = found.set_index("claim").loc[TAIL]
    assert (row["evidence"], row["verdict"]) == (Level.MECHANISM, Verdict.NO_VERDICT)
    text = claims_html(found)
    (line,) = [part for part in text.split("<tr") if TAIL in part]
    assert "mechanism only" in line and re.search(r'data-label="Verdict">—<', line)


def test_the_strongest_evidence_speaks():
    digits = long_tail(dataset="digits", model="ResNet-8", profile="paper")
    found = claims_table([digits, long_tail(profile="standard")]).set_index("claim")
    assert found.loc[TAIL, "evidence"] == Level.SAME_DATA


def test_only_rows_of_the_wanted_networks_speak():
    table = [
        row | {"teacher": teacher, "student": "small"}
        for teacher, harm in (("large", 3.0), ("small", 30.0))
        for row in [
            *rows("one-hot", np.nan, (40.0, 42.0, 41.0)),
            *rows("distilled", 3.0, (40.0 - harm, 42.1 - harm, 41.2 - harm)),
        ]
    ]
    made = record(table, study="architectures", dataset="cifar100")
    found = claims_table([made]).set_index("claim")
    row = found.loc["So does a teacher that is larger than the student"]
    assert row["mean"] == pytest.approx(-2.9)
    assert row["evidence"] == Level.MECHANISM  # the claim is about ImageNet
