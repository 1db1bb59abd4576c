import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_records import record, rows
from hypothesis import given
from hypothesis import strategies as st

from kdbook.records import (
    RecordError,
    find_record,
    read_record,
    read_records,
    record_name,
    write_record,
)


def small(**changes):
    return record(rows("one-hot", np.nan, [40.123456789, 1e-7]), **changes)


def test_a_record_comes_back_to_six_digits(tmp_path):
    path = write_record(tmp_path, small())
    back = read_record(path)
    assert back.about == small().about
    pd.testing.assert_frame_equal(back.table, small().table, rtol=1e-5)
    assert "40.1235" in path.read_text() and "40.12345" not in path.read_text()


def test_the_same_record_is_the_same_bytes_on_another_day(tmp_path):
    path = write_record(tmp_path, small())
    before = path.read_bytes(), path.with_suffix(".json").read_bytes()
    write_record(tmp_path, small(recorded="2027-05-05"))
    assert (path.read_bytes(), path.with_suffix(".json").read_bytes()) == before
    write_record(tmp_path, small(recorded="2027-05-05", commits=("def",)))
    assert "2027-05-05" in path.with_suffix(".json").read_text()


def simulated(value, commit, day):
    table = pd.DataFrame({"group": ["a"], "seed": [0], "value": [value]})
    return record(table, runs={}, commits=(commit,), recorded=day)


def test_a_table_without_runs_is_dated_anew_only_where_it_changed(tmp_path):
    path = write_record(tmp_path, simulated(1.0, "abc", "2026-01-01"))
    write_record(tmp_path, simulated(1.0, "def", "2027-01-01"))
    assert read_record(path).about.commits == ("abc",)
    write_record(tmp_path, simulated(2.0, "def", "2027-01-01"))
    assert read_record(path).about.commits == ("def",)
    assert read_record(path).about.recorded == "2027-01-01"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "study-quick"),
        ({"epochs": 12}, "study-quick-epochs12"),
        ({"seeds": 2, "alpha": 0.5}, "study-quick-alpha0.5-seeds2"),
        ({"imbalances": [1.0, 20.0]}, "study-quick-imbalances1_20"),
    ],
)
def test_other_settings_are_in_the_name(settings, name):
    assert record_name("study", "quick", settings) == name


VALUES = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.floats(0, 1000))
)


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), VALUES, max_size=3))
def test_a_name_is_a_file_name_whatever_the_settings(settings):
    assert re.fullmatch(r"study-paper[\w.+-]*", record_name("study", "paper", settings))


def without_column(text, name):
    return pd.read_csv(io.StringIO(text)).drop(columns=name).to_csv(index=False)


def altered(path, change):
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.replace("rarest", "scarcest"), "unknown column 'scarcest'"),
        (lambda t: without_column(t, "rarest"), "'rarest' is missing"),
        (lambda t: t.replace("40.1235", "", 1), "line 2: mean is nan"),
        (lambda t: t.replace("40.1235", "inf", 1), "line 2: mean is inf"),
        (lambda t: t.replace("1e-07", "nan", 1), "line 3: mean is nan"),
        (lambda t: t.replace("one-hot-nan-100.0-0", "other"), "run other is not in"),
        (lambda t: t.splitlines()[0] + "\n", "has no rows"),
        (lambda _: "", "is no table"),
    ],
)
def test_a_table_that_was_altered_is_refused_in_one_line(tmp_path, change, complaint):
    path = write_record(tmp_path, small())
    altered(path, change)
    with pytest.raises(RecordError) as error:
        read_record(path)
    assert complaint in str(error.value) and "\n" not in str(error.value)
    assert path.name in str(error.value)


def without(name):
    return lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != name})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t[:-20], "Unterminated string"),
        (lambda _: "[1]", "holds no JSON object"),
        (lambda t: t.replace('"question"', '"answer"'), "unknown parameter 'answer'"),
        (without("seeds"), "seeds is missing"),
        (lambda t: t.replace('"format": 1', '"format": 2'), "format = 2 is not allowed"),
        (lambda t: t.replace('"paper"', '"huge"'), "profile = 'huge' is not allowed"),
        (lambda t: t.replace('"imbalance": 100.0', '"imbalance": NaN'), "imbalance"),
        (lambda t: t.replace('"settings": {}', '"settings": {"epochs": 3}'), "its name must be"),
    ],
)
def test_a_provenance_that_was_altered_is_refused_in_one_line(tmp_path, change, complaint):
    path = write_record(tmp_path, small())
    altered(path.with_suffix(".json"), change)
    with pytest.raises(RecordError) as error:
        read_records(tmp_path)
    assert complaint in str(error.value) and "\n" not in str(error.value)


def test_numbers_of_seeds_are_no_conditions():
    changed = {"imbalance": 1.0, "seeds": 8, "compression_seeds": 5, "epochs": 3}
    assert small(settings=changed).about.conditions == {"imbalance": 1.0, "epochs": 3}


@pytest.mark.parametrize("lost", [".csv", ".json"])
def test_half_a_record_is_refused(tmp_path, lost):
    path = write_record(tmp_path, small())
    path.with_suffix(lost).unlink()
    with pytest.raises(RecordError, match=f"{lost} is missing"):
        read_records(tmp_path)


def test_a_diverged_run_may_have_blanks(tmp_path):
    table = rows("one-hot", np.nan, [40.0, np.nan])
    path = write_record(tmp_path, record(table))
    assert list(read_record(path).table["status"]) == ["completed", "diverged"]
    assert pd.isna(read_record(path).table["mean"][1])


def test_a_column_that_is_named_may_have_blanks_and_no_other(tmp_path):
    table = [row | {"taught_for": np.nan} for row in rows("one-hot", np.nan, [40.0, 50.0])]
    with pytest.raises(RecordError, match="line 2: taught_for is nan"):
        write_record(tmp_path, record(table))
    path = write_record(tmp_path, record(table, blanks=("taught_for",)))
    assert read_record(path).table["taught_for"].isna().all()
    path.write_text(path.read_text().replace("50", "", 1))
    with pytest.raises(RecordError, match="is nan"):
        read_record(path)


def test_a_blank_is_refused_before_it_is_written(tmp_path):
    table = rows("one-hot", np.nan, [40.0, np.nan])
    table[1]["status"] = "completed"
    with pytest.raises(RecordError, match="line 3: mean is nan"):
        write_record(tmp_path, record(table))
    assert list(tmp_path.iterdir()) == []


def test_the_books_own_records_are_whole():
    folder = Path(__file__).parents[3] / "book" / "results"
    found = {one.name for one in read_records(folder)}
    assert len(found) > 40 and found == {path.stem for path in folder.glob("*.json")}


def test_the_record_at_a_studys_own_settings_is_found_by_name(tmp_path):
    write_record(tmp_path, small(study="rare_classes", profile="quick"))
    write_record(tmp_path, small(study="rare_classes", profile="quick", settings={"epochs": 4}))
    found = find_record("rare_classes", "quick", tmp_path)
    assert found is not None and found.about.settings == {}
    assert find_record("rare_classes", "paper", tmp_path) is None
