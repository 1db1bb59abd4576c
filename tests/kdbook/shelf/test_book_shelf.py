"""What the book keeps is what its records say: pages show the record, and train nothing."""

import pandas as pd
import pytest

from kdbook.chapters import FROM_RECORD, STUDIES, study
from kdbook.records import find_record, sorted_rows
from kdbook.shelf import BookStore, lacking

# Of several studies on a page the first trains.
FIRST = {page: name for name, page in reversed(STUDIES.items())}
TRAINED = [
    name for name in FIRST.values() if name not in FROM_RECORD and study(name).trains
]  # fmt: skip


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path))
    monkeypatch.delenv("KDLIB_RECORDED", raising=False)


@pytest.mark.parametrize("name", TRAINED)
def test_a_page_finds_all_its_runs(name):
    assert lacking(study(name).parse(profile="quick").runs()) == []


@pytest.mark.parametrize("name", [name for name in TRAINED if find_record(name, "quick")])
def test_a_page_shows_the_numbers_of_the_record(name):
    asked = study(name).parse(profile="quick")
    recorded = find_record(name, "quick").table
    store = BookStore()
    shown = sorted_rows(asked.per_seed([store.finished(spec) for spec in asked.runs()]))
    assert list(shown.columns) == list(recorded.columns)
    counted = [name for name in shown if name.startswith("samples")]
    how = {"check_dtype": False, "rtol": 1e-3}
    rest = (table.drop(columns=counted) for table in (shown, recorded))
    pd.testing.assert_frame_equal(*rest, **how, atol=2e-3)
    # Which of two probabilities is larger may turn where they agree to three digits: two images.
    pd.testing.assert_frame_equal(shown[counted], recorded[counted], **how, atol=0.7)


def test_seeds_of_a_record_without_runs_are_named():
    line = study("trade_offs").parse(profile="quick").trained_where().data
    assert " further seeds come from its record" in line
