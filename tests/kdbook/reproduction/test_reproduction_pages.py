"""The page's tables and sentences, from records made by hand."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hand_records import record, rows

from kdbook.published import published
from kdbook.published.lists import oddities
from kdbook.reproduction import (
    Verdict,
    leading,
    matrix_html,
    reading,
    reproduction,
    words,
)

TABLE = [
    *rows("one-hot", np.nan, (40.0, 42.0, 41.0)),
    *rows("distilled", 1.0, (49.0, 51.1, 50.2)),
    *rows("AdaAlpha", 1.0, (42.0, 44.3, 43.1)),
]


@pytest.fixture(scope="module")
def matrix():
    return reproduction("teachers_pet", [record(TABLE)])


class Page(HTMLParser):
    """Rows with their data, cells, and tags that were left open."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.cells, self.open, self.section = [], 0, [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        values = dict(attrs)
        if tag == "details":
            self.section = values
        if tag == "tr" and "data-verdict" in values:
            self.rows.append(self.section | values)
        self.cells += tag == "td"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_has_one_row_a_number_and_is_well_formed(matrix):
    page = Page(matrix_html(matrix))
    assert page.open == []
    assert len(page.rows) == 164 and page.cells == 6 * 164
    verdicts = [row["data-verdict"] for row in page.rows]
    assert sorted(verdicts) == sorted(leading(matrix)["verdict"])


def test_the_lists_offer_what_the_rows_hold(matrix):
    text = matrix_html(matrix)
    for key in ("table", "dataset", "evidence", "verdict"):
        (select,) = re.findall(f'<select data-filter="{key}">(.*?)</select>', text)
        offered = set(re.findall("<option>(.*?)</option>", select))
        assert offered == {row.get(f"data-{key}", "") for row in Page(text).rows} - {""}


def test_a_foreign_text_cannot_leave_its_cell(matrix):
    altered = matrix.assign(note="<script>alert(1)</script>", device="<b>GPU")
    text = matrix_html(altered)
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert Page(text).open == []


def test_a_number_shows_every_record_and_the_leading_one_first():
    other = record(TABLE, profile="standard", devices=("CPU",))
    two = reproduction("teachers_pet", [other, record(TABLE)])
    text = matrix_html(two)
    assert text.index("a GPU") < text.index("CPU.")
    assert len(Page(text).rows) == 164


def test_records_that_share_their_runs_are_shown_once():
    same = [record(TABLE), record(TABLE, study="rare_classes")]
    two = reproduction("teachers_pet", same)
    assert len(two) > 164
    assert len(matrix_html(two)) == len(matrix_html(reproduction("teachers_pet", same[:1])))


def test_sentences_count_what_is_there(matrix):
    said = reading.in_words(matrix)
    rows = leading(matrix)
    run = rows[rows["verdict"] != Verdict.NOT_RUN]
    assert said[0] == (
        f"The paper prints 164 numbers. {run['measurement'].nunique()} measurements of ours speak "
        f"to {len(run)} of them, and none to {164 - len(run)}."
    )
    differs = run[run["verdict"] == Verdict.DIFFERS]["measurement"].nunique()
    assert differs and f"{differs} differs" in said[2]


def test_counts_add_up(matrix):
    table = reading.counts([matrix]).set_index(["Verdict", "Why"])
    assert table["Printed numbers"].sum() == 164
    assert table.loc[("not run", "no access to ImageNet"), "Printed numbers"] == 37


def test_examples_hold_each_verdict_once(matrix):
    shown = [line.removeprefix("**").partition("**")[0] for line in reading.examples(matrix)]
    assert shown == [v.value for v in Verdict if v.value in set(leading(matrix)["verdict"])]
    assert Verdict.DIFFERS.value in shown


def test_drawn_differences_are_those_with_an_interval(matrix):
    shown = reading.differences(matrix)
    assert shown[["compared", "mean", "low", "high"]].notna().all().all()
    assert not shown["what"].str.contains("one-hot").any()
    bars = reading.verdicts(matrix)
    run = leading(matrix).dropna(subset="measurement")
    assert len(bars) == len(run.drop_duplicates(["measurement", "verdict"])) < len(run)
    assert set(bars["verdict"]) == set(run["verdict"])


def test_records_are_listed_with_what_they_lack():
    table = reading.records_table([record(TABLE, missing_runs=2, settings={"epochs": 60})])
    (row,) = table.to_dict("records")
    assert (row["Settings"], row["Runs"]) == ("epochs = 60", "9, 2 missing")


def test_every_published_number_has_words():
    table = reproduction("teachers_pet", [])
    for _, row in table.assign(is_change=False).iterrows():
        assert words.what(row) and words.printed(row) and words.compared(row)


@pytest.mark.parametrize(
    ("subgroup", "said"),
    [
        ("race=Other,sex=Male,label=0", "Other, Male, label 0"),
        ("label=1", "label 1"),
        ("ten rarest classes", "ten rarest classes"),
    ],
)
def test_subgroups_in_words(subgroup, said):
    assert words.subgroup_words(subgroup) == said


@pytest.mark.parametrize("oddity", oddities("teachers_pet"), ids=lambda oddity: oddity.text[:30])
def test_an_oddity_quotes_numbers_that_are_printed(oddity):
    """Each number with two decimals stands in the tables that the oddity names, or is their gap."""
    printed = published(paper="teachers_pet")
    mentioned = set(oddity.tables) | set(re.findall(r"Table \d", oddity.text))
    mentioned |= {f"Table {d}" for d in re.findall(r"Tables? (?:\d(?:, | and ))*(\d)", oddity.text)}
    rows = printed[printed["table"].isin(mentioned)]
    values = np.concatenate([rows["value"].dropna(), rows["uncertainty"].dropna()])
    gaps = np.abs(values[:, None] - values[None, :]).round(2)
    known = {round(abs(v), 3) for v in values} | set(gaps.ravel())
    quoted = [float(n) for n in re.findall(r"\d+\.\d{2,3}", oddity.text)]
    missing = [n for n in quoted if not any(abs(n - k) < 0.0051 for k in known)]
    assert missing == []
    assert set(oddity.tables) <= set(printed["table"])
