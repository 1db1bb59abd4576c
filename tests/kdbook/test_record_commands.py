import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from kdbook.chapters import STUDIES, measuring
from kdbook.places import records_folder
from kdbook.records import read_records
from kdlib.cli import cli
from kdlib.training import processes


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, ["study", *(str(word) for word in words)])


SMALL = ("--seeds", 1, "--set", "epochs=4", "--jobs", 1)


def test_a_study_is_recorded_and_said_to_be(call, tmp_path):
    where = ("--store", tmp_path / "store", "--into", tmp_path / "results")
    result = call("record", "first_principles", *SMALL, *where)
    assert result.exit_code == 0, result.output
    (found,) = read_records(tmp_path / "results")
    assert found.name == "first_principles-quick-epochs4-seeds1"
    assert f"{found.name}.csv: 3 rows\n" in result.output


@pytest.mark.slow
def test_a_study_is_run_and_recorded_on_a_cluster(call, tmp_path):
    """To the bits of one process, which then trains nothing."""
    pytest.importorskip("distributed", reason="Dask is not installed: no cluster tests")
    small = ("--seeds", 1, "--set", "epochs=2", "--set", "teacher_epochs=2", "--device", "cpu")
    tables = []
    for how in (("--jobs", 1), ("--workers", 2)):
        where = ("--store", tmp_path / how[0], "--into", tmp_path / "results" / how[0])
        result = call("record", "first_principles", *small, *how, *where)
        assert result.exit_code == 0, result.output
        tables.append(read_records(where[-1])[0].table)
    pd.testing.assert_frame_equal(*tables)
    again = call("run", "first_principles", *small, "--workers", 1, *where[:2])
    assert again.exit_code == 0 and "3 runs wanted, all in" in again.output


def test_what_fails_on_a_cluster_is_named(call, tmp_path, monkeypatch):
    def failing(specs, store, how):
        return {specs[0]: "its disk is full"}

    monkeypatch.setattr("kdbook.cluster_options.train_on_cluster", failing)
    where = ("--store", tmp_path / "store", "--into", tmp_path / "results")
    result = call("record", "first_principles", "--workers", 1, "--seeds", 1, *where)
    assert result.exit_code == 1 and "its disk is full" in result.output
    assert not (tmp_path / "results").exists()


def test_finished_runs_are_recorded_without_training(call, tmp_path):
    store = ("--store", tmp_path / "store")
    refused = call("record", "measuring", "--finished-only", *store, "--into", tmp_path / "results")
    assert refused.exit_code == 1 and "none of the runs of measuring" in refused.output
    call("record", "first_principles", *SMALL, *store, "--into", tmp_path / "other")
    words = ("--finished-only", *SMALL, *store, "--into", tmp_path / "results")
    result = call("record", "measuring", *words)
    assert result.exit_code == 0, result.output
    assert "2 rows, 1 runs missing" in result.output  # no student distilled at T = 1 yet


def test_a_record_says_how_many_students_shared_a_step(call, tmp_path):
    lengths = ("--set", "epochs=2", "--set", "teacher_epochs=2")  # only equal recipes stack
    small = ("--set", "imbalances=[20]", *lengths, "--jobs", 1)
    words = ("record", "rare_classes", *small, "--store", tmp_path / "store")
    alone = call(*words, "--seeds", 1, "--into", tmp_path / "alone")
    assert alone.exit_code == 0, alone.output
    beside = call(*words, "--seeds", 3, "--into", tmp_path / "beside", "--together", 4)
    assert beside.exit_code == 0, beside.output
    (one,), (three,) = read_records(tmp_path / "alone"), read_records(tmp_path / "beside")
    assert one.about.together == (1,)
    assert three.about.together == (1, 2, 4)  # the first seed was there and is used as it is
    shared = three.table[three.table["seed"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(shared, one.table)


def test_of_several_processes_the_first_alone_writes_a_record(call, tmp_path, monkeypatch):
    where = ("--store", tmp_path / "store", "--into", tmp_path / "results")
    call("record", "first_principles", *SMALL, *where)
    monkeypatch.setattr(processes, "is_first", lambda: False)
    result = call("record", "first_principles", *SMALL, *where[:2], "--into", tmp_path / "second")
    assert (result.exit_code, result.output) == (0, "")
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "name studies, or write --all"),
        (("measuring", "--all"), "name studies, or write --all"),
        (("nothing",), "study 'nothing' is not known"),
        (("measuring", "--set", "classes=0"), "classes = '0' is not allowed"),
    ],
)
def test_what_is_refused(call, tmp_path, words, complaint):
    result = call("record", *words, "--into", tmp_path, "--store", tmp_path / "store")
    assert result.exit_code == 1 and complaint in result.output
    assert list(tmp_path.iterdir()) == []


def test_all_records_every_study(call, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "kdbook.record_commands._record_one", lambda study, *_, **__: asked.append(study.name)
    )
    assert call("record", "--all", "--into", tmp_path).exit_code == 0
    assert tuple(asked) == tuple(STUDIES)


def test_again_records_what_the_folder_holds_at_its_settings(call, tmp_path, monkeypatch):
    where = ("--store", tmp_path / "store", "--into", tmp_path / "results")
    missing = call("record", "--again", *where)
    assert missing.exit_code == 1 and "no folder of records: looked for" in missing.output
    (tmp_path / "results").mkdir()
    empty = call("record", "--again", *where)
    assert empty.exit_code == 1 and "holds no record at the profile quick" in empty.output
    call("record", "first_principles", *SMALL, *where)
    asked = []
    monkeypatch.setattr(
        "kdbook.record_commands._record_one",
        lambda study, *_, **__: asked.append(
            (study.name, study.settings.seeds, study.settings.epochs)
        ),
    )
    assert call("record", "--again", *where).exit_code == 0
    assert asked == [("first_principles", 1, 4)]
    refused = call("record", "measuring", "--again", *where)
    assert refused.exit_code == 1 and "name none" in refused.output


def test_a_folder_that_cannot_be_written_is_one_line(call, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(measuring.Measuring, "trains", False)
    table = property(lambda _: pd.DataFrame({"value": [1]}))
    monkeypatch.setattr(measuring.Measuring, "table", table)
    result = call("record", "measuring", "--into", tmp_path / "file" / "results")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ") and result.output.count("\n") == 1


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_matrix_without_a_record_is_one_error(call, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    result = call("matrix", "--into", tmp_path / folder)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert str(tmp_path / folder) in result.output and "record" in result.output


def test_the_matrix_is_printed_or_written_as_csv(call, tmp_path):
    for path in records_folder().glob("measuring-quick.*"):
        shutil.copy(path, tmp_path)
    printed = call("matrix", "--into", tmp_path)
    assert printed.exit_code == 0, printed.output
    written = call("matrix", "--into", tmp_path, "--out", tmp_path / "matrix.csv")
    assert (tmp_path / "matrix.csv").read_text() == printed.output
    assert len(pd.read_csv(tmp_path / "matrix.csv")) == 164
    assert "no access to ImageNet-LT" in written.output


def test_a_paper_without_a_mapping_is_one_line(call):
    result = call("matrix", "--paper", "other")
    assert result.exit_code == 1 and "paper 'other' has no mapping" in result.output
