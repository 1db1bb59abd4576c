"""Which runs are only those of a study: told from the studies, deleted from a made-up store."""

import pytest
from click.testing import CliRunner

from kdbook.prune_command import _asked_for, _ids
from kdlib.cli import cli

STUDY = "ablations"


@pytest.fixture(scope="module")
def ids():
    """Runs that only ``STUDY`` asks for at quick, some that others want too, and others'."""
    own = _asked_for(STUDY, "quick")
    shared = _ids(STUDY, "quick") - own
    return own, shared, _ids("margins", "quick") - shared


@pytest.fixture
def store(tmp_path, ids):
    """One finished run of each sort."""
    for sort in ids:
        folder = tmp_path / min(sort)
        folder.mkdir()
        (folder / "done").write_text("{}")
    return tmp_path


@pytest.fixture
def call(store):
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, ["study", "prune", *words, "--store", str(store)])


def test_runs_that_another_study_asks_for_are_not_a_study_s_own(ids):
    own, shared, others = ids
    assert own and shared and others and not own & others


def test_only_the_runs_of_the_study_go_and_only_when_told(call, store, ids):
    own, shared, others = (min(sort) for sort in ids)
    asked = call(STUDY, "--profile", "quick")
    assert asked.exit_code == 0 and own in asked.output and "1 finished runs" in asked.output
    assert shared not in asked.output and (store / own).exists()
    call(STUDY, "--profile", "quick", "--yes")
    assert {path.name for path in store.iterdir() if path.name != "locks"} == {shared, others}


def test_a_study_must_be_named_and_known(call):
    assert "name a study, a --profile or both" in call().output
    assert "did you mean rare_classes?" in call("rare").output
