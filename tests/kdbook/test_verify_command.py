"""Records held against the store: made again from logits, and traced to their runs."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters import provable_harm, rare_classes
from kdbook.records import read_record, record, write_record
from kdbook.verification.checked import compare
from kdbook.verify_command import verify
from kdlib.files import sha256_of
from kdlib.runs import Store, execute

ASKED = rare_classes.RareClasses.parse(seeds=1, imbalances=(20,), epochs=2)
NAME = "rare_classes-quick-epochs2-imbalances20-seeds1"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with three runs, and their record."""
    folder = tmp_path_factory.mktemp("verify")
    store = Store(folder / "store")
    execute(ASKED.runs(), store=store, jobs=1, progress=False)
    write_record(folder / "results", record(ASKED, store=store, jobs=1))
    return folder


@pytest.fixture
def there(made, tmp_path):
    """A copy of it that a test may spoil."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def call(there, *words):
    places = ("--store", there / "store", "--into", there / "results")
    return CliRunner().invoke(verify, [str(word) for word in (*words, *places)])


def csv(there):
    return there / "results" / f"{NAME}.csv"


def test_a_record_agrees_with_the_logits_that_it_came_from(there):
    result = call(there)
    assert result.exit_code == 0, result.output
    assert f"{NAME}: 3 of 3 rows agree\n1 tables, 3 rows: 3 agree, 0 differ, 0 " in result.output


def test_a_number_that_was_changed_is_named(there):
    table = pd.read_csv(csv(there))
    table["rarest"] += [0, 0.01, 0]
    table.to_csv(csv(there), index=False)
    result = call(there, "rare_classes")
    assert result.exit_code == 1
    assert "2 of 3 rows agree, 1 differ\n  line 3, rarest: recorded " in result.output


def test_a_row_that_was_taken_out_is_missed(there):
    csv(there).write_text("".join(csv(there).read_text().splitlines(keepends=True)[:-1]))
    result = call(there)
    assert result.exit_code == 1 and "2 of 2 rows agree, 1 more belong into it" in result.output


def test_a_table_that_the_logits_do_not_bear_out_is_found(there):
    """The run's own table was changed and its hashes with it, before the record was made."""
    run = read_record(csv(there)).table["run"].iloc[0]
    folder = there / "store" / run
    rows = pd.read_csv(folder / "per_class.csv")
    rows.loc[rows["split"] == "test", "accuracy"] = 1.0
    rows.to_csv(folder / "per_class.csv", index=False)
    done = json.loads((folder / "done").read_text())
    done["sha256"]["per_class.csv"] = sha256_of(folder / "per_class.csv")
    (folder / "done").write_text(json.dumps(done))
    store = Store(there / "store")
    write_record(there / "results", record(ASKED, store=store, jobs=1))
    result = call(there)
    assert result.exit_code == 1 and "line 2, mean: recorded 100" in result.output


def test_what_the_store_lacks_is_said_and_nothing_is_touched(there):
    one, two, _ = read_record(csv(there)).table["run"]
    shutil.rmtree(there / "store" / one)
    (there / "store" / two / "logits.safetensors").write_bytes(b"")
    result = call(there)
    assert result.exit_code == 0, result.output
    assert "1 of 3 rows agree, 2 not verified: 2 of its runs are not whole in" in result.output
    assert (there / "store" / two / "logits.safetensors").read_bytes() == b""
    shutil.rmtree(there / "store")
    assert "0 of 3 rows agree, 3 not verified: 3 of its runs" in call(there).output
    assert not (there / "store").exists()


def test_a_record_of_another_version_is_not_verified(there):
    beside = csv(there).with_suffix(".json")
    told = beside.read_text()
    for run in json.loads(told)["runs"]:
        table = csv(there).read_text()
        csv(there).write_text(table.replace(run, run[::-1]))
        told = told.replace(run, run[::-1])
    beside.write_text(json.dumps(json.loads(told) | {"results_version": 1}))
    result = call(there)
    assert result.exit_code == 0 and "3 not verified: results version 1, and this" in result.output


def test_a_malformed_record_does_not_hide_the_others(there):
    (there / "results" / "a-quick.csv").write_text("x\n")
    result = call(there)
    assert result.exit_code == 1
    assert "a-quick: no record: " in result.output and "3 of 3 rows agree" in result.output


def test_a_study_without_runs_is_computed_anew(tmp_path):
    asked = provable_harm.ProvableHarm.parse(seeds=1)
    path = write_record(tmp_path / "results", record(asked))
    rows = len(pd.read_csv(path))
    assert f"{rows} of {rows} rows agree" in call(tmp_path).output
    path.write_text(path.read_text().replace(",0,", ",1,", 1))
    assert call(tmp_path).exit_code == 1


def test_forests_that_are_not_fitted_are_not_fitted_now(tmp_path):
    from kdbook.places import records_folder

    name = "groups_that_are_not_classes-quick"
    (tmp_path / "results").mkdir()
    for suffix in (".csv", ".json"):
        shutil.copy(records_folder() / f"{name}{suffix}", tmp_path / "results")
    result = call(tmp_path)
    assert result.exit_code == 0 and "is not in" in result.output
    assert not (tmp_path / "store").exists()


def test_an_unknown_record_is_refused(there):
    result = call(there, "rare_clases")
    assert result.exit_code != 0 and f"allowed are {NAME}" in str(result.exception)


def test_each_row_is_traced_to_its_run(there):
    call(there, "--trace", "--out", there / "trace.csv")
    trace = pd.read_csv(there / "trace.csv")
    table = read_record(csv(there)).table
    assert list(trace["run"]) == list(table["run"]) and list(trace["line"]) == [2, 3, 4]
    by_id = {spec.id: spec for spec in ASKED.runs()}
    for _, row in trace.iterrows():
        environment = json.loads((there / "store" / row["run"] / "environment.json").read_text())
        assert row["spec"] == by_id[row["run"]].canonical_json()
        assert row["torch"] == environment["torch"] and row["started"] == environment["started"]
        assert f"test {environment['splits']['test']}" in row["data"]
        assert row["source"] == "store"
    shown = call(there, "--trace").output
    assert all(run in shown for run in table["run"])


def test_without_its_store_a_row_is_traced_as_far_as_the_record_says(there):
    shutil.rmtree(there / "store")
    call(there, "--trace", "--out", there / "trace.csv")
    trace = pd.read_csv(there / "trace.csv")
    assert set(trace["source"]) == {"record"} and trace["torch"].notna().all()
    assert trace["data"].str.contains("test ").all() and trace["spec"].notna().all()


@given(st.permutations(range(6)), st.integers(0, 5), st.sampled_from([0.0, 1e-7, 1e-2]))
def test_rows_of_a_run_are_compared_in_their_order(order, changed, by_how_much):
    """Rows of one run keep their order; runs may come in any."""
    table = pd.DataFrame({"run": list("aabbcc"), "kind": list("xyxyxy"), "mean": np.arange(6.0)})
    again = table.assign(place=np.argsort(order)).sort_values("place")
    again = pd.concat([again[again["run"] == run].sort_index() for run in again["run"].unique()])
    again.loc[changed, "mean"] += by_how_much
    agree, differences = compare(table, again.drop(columns="place"), by=["run"])
    told = [(each.line, each.column) for each in differences]
    assert told == ([(changed + 2, "mean")] if by_how_much == 1e-2 else [])
    assert agree == 6 - len(told)


def test_rows_that_are_missing_are_neither_right_nor_wrong():
    table = pd.DataFrame({"run": list("abc"), "mean": [1.0, 2.0, 3.0]})
    assert compare(table, table.iloc[1:], by=["run"]) == (2, [])
    agree, differences = compare(table, table[["run"]], by=["run"])
    assert agree == 0 and [each.column for each in differences] == ["mean"] * 3
