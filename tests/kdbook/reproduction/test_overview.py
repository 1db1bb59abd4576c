"""The matrix at a glance: every verdict has an answer, and every printed number is counted once."""

import pandas as pd
import pytest
from hand_records import record, rows

from kdbook.reproduction import PAPERS, Verdict, leading, overview, reproduction
from kdbook.reproduction.charts import ANSWER_COLOURS, answer_bars
from kdbook.reproduction.overview import ANSWERS, Answer


@pytest.fixture(scope="module")
def matrix():
    """Of the long tail of CIFAR-10 one student is better; all else is not run."""
    table = [
        *rows("std / std-d", 1.0, (60.0, 61.0, 60.7)),
        *rows("rob / std-d", 1.0, (70.0, 71.1, 70.9)),
    ]
    made = record(table, study="teacher_and_student", dataset="cifar10", model="ResNet-8")
    return pd.concat([reproduction(name, [made]) for name in PAPERS], ignore_index=True)


def test_every_verdict_has_an_answer_and_every_answer_a_colour():
    assert set(ANSWERS) == set(Verdict)
    assert set(ANSWERS.values()) == set(Answer) == set(ANSWER_COLOURS)


def test_each_printed_number_is_counted_once(matrix):
    found = overview.answers(matrix)
    assert found["numbers"].sum() == len(leading(matrix)) == 164 + 1104
    assert len(found) == len(PAPERS) * len(Answer)  # zeros are shown too
    same = (leading(matrix)["verdict"] == Verdict.SAME_SIGN).sum()
    agree = found[found["answer"] == Answer.AGREES]["numbers"].sum()
    assert agree == same > 0


def test_the_sentences_say_the_counts_of_the_bars(matrix):
    count = overview.answers(matrix).groupby("answer")["numbers"].sum()
    assert f"{count[Answer.AGREES]} agree" in overview.headline(matrix)
    assert "none differs" in overview.headline(matrix)
    said = overview.in_short(matrix)
    assert f"{count[Answer.NOT_RUN]} were not run" in said
    chart = answer_bars(overview.answers(matrix), title="t").to_dict()
    assert f"Robust distillation: {count[Answer.AGREES]} agrees" in chart["description"]


def test_a_rule_without_data_stands_beside_our_agreement(matrix):
    papers = [matrix[matrix["paper"] == name] for name in PAPERS]
    said = overview.hard_to_agree(papers)
    assert "2 differences have a decided sign" in said and "would agree with 2" in said
