"""What did not replicate: each claim in one group, by rule, with a link that leads on."""

import re

import pandas as pd
import pytest

from kdbook.chapters import STUDIES
from kdbook.reproduction import Level, Verdict, all_records, claims_table
from kdbook.reproduction.claims import CLAIMS
from kdbook.reproduction.not_replicated import Standing, headline, in_short, listed_html, standings

NAN = float("nan")


def claim(**changes):
    row = {
        "paper": "teachers_pet", "table": "Table 3", "dataset": "cifar100", "claim": "a < b",
        "compared": 2.0, "mean": 1.0, "low": 0.5, "high": 1.5, "p": 0.01, "seeds": 4,
        "evidence": Level.MECHANISM.value, "apart": "", "setting": "digits, ratio 1",
        "record": "results-quick", "verdict": Verdict.NO_VERDICT.value, "because": "other data",
    }  # fmt: skip
    return row | changes


def one(**changes):
    return standings(pd.DataFrame([claim(**changes)])).iloc[0]


@pytest.mark.parametrize("changes, wanted", [
    ({}, Standing.AT_WORK),
    ({"compared": -2.0}, Standing.OTHER_WAY),
    ({"mean": -1.0, "low": -1.5, "high": -0.5}, Standing.OTHER_WAY),
    ({"mean": -1.0, "low": -1.5, "high": -0.5, "compared": -2.0}, Standing.AT_WORK),
    ({"low": -0.5}, Standing.UNCLEAR),
    ({"low": 0.0}, Standing.UNCLEAR),
    ({"low": NAN, "high": NAN, "p": NAN}, Standing.UNCLEAR),
    ({"evidence": ""}, Standing.NOT_RUN),
])  # fmt: skip
def test_on_other_data_the_interval_says_where_a_claim_stands(changes, wanted):
    assert one(**changes)["standing"] == wanted.value


@pytest.mark.parametrize("level", [Level.SAME_SETTING, Level.SAME_DATA])
@pytest.mark.parametrize("verdict, wanted", [
    (Verdict.AGREES, Standing.REPLICATED), (Verdict.SAME_SIGN, Standing.REPLICATED),
    (Verdict.BOTH_DIVERGE, Standing.REPLICATED), (Verdict.DIFFERS, Standing.CONTRADICTED),
    (Verdict.UNDECIDED, Standing.UNDECIDED), (Verdict.ON_THE_FLOOR, Standing.UNDECIDED),
    (Verdict.CONSISTENT, Standing.UNDECIDED),
])  # fmt: skip
def test_on_the_papers_data_the_verdict_says_it(level, verdict, wanted):
    found = one(evidence=level.value, verdict=verdict.value, compared=-2.0)
    assert found["standing"] == wanted.value


def test_p_values_are_corrected_over_all_claims_on_other_data():
    rows = [claim(p=0.02), claim(p=0.04), claim(p=0.001, evidence=Level.SAME_DATA.value)]
    found = standings(pd.DataFrame(rows))
    assert list(found["corrected"][:2]) == [0.04, 0.04]
    assert found["corrected"].isna()[2]
    texts = listed_html(found, Standing.AT_WORK)
    assert texts.count(", significant after correction") == 2


def test_a_change_that_correction_takes_away_is_said_to_be_none():
    found = standings(pd.DataFrame([claim(p=0.03), claim(p=0.03)]))
    assert listed_html(found, Standing.AT_WORK).count("not significant after correction") == 2


def test_a_claim_is_shown_as_text_with_its_numbers():
    text = listed_html(standings(pd.DataFrame([claim()])), Standing.AT_WORK)
    assert "a &lt; b" in text
    assert "prints +2.00 points" in text
    assert "+1.0 points (+0.5 to +1.5, 4 seeds)" in text
    assert "Evidence: mechanism only." in text


def test_of_the_book_each_claim_stands_once_and_links_to_a_page_that_exists():
    found = standings(claims_table(all_records()))
    lists = {standing: listed_html(found, standing) for standing in Standing}
    assert sum(text.count("<li>") for text in lists.values()) == len(CLAIMS)
    links = re.findall(r'href="([^"]+)"', "".join(lists.values()))
    pages = {f"book/{link.removesuffix('.html')}" for link in links}
    assert pages <= {*STUDIES.values(), "book/cifar"}
    assert len(links) == len(found[found["evidence"] != ""])


def test_without_records_nothing_was_run():
    found = standings(claims_table([]))
    assert set(found["standing"]) == {Standing.NOT_RUN.value}
    assert "none is replicated" in in_short(found)
    assert listed_html(found, Standing.REPLICATED) == "<p>So far there is none.</p>"


def test_the_counts_in_short_are_those_of_the_groups():
    rows = [claim(), claim(compared=-2.0), claim(compared=-3.0), claim(low=-1.0)]
    said = in_short(standings(pd.DataFrame(rows)))
    for part in (
        "Of 4 claims",
        "one shows the mechanism",
        "one shows no clear",
        "2 point the other",
    ):
        assert part in said


def test_the_headline_counts_what_is_decided_on_the_papers_data():
    found = pd.DataFrame({"standing": ["replicated", "replicated", "not run"]})
    said = headline(found)
    assert said.startswith("2 of 3 claims replicate") and "none is contradicted" in said
