"""The runs of a study, named on the command line."""

import zipfile

import pytest
from click.testing import CliRunner

from kdbook.study_runs import study_runs
from kdlib.cli import cli
from kdlib.errors import SettingError
from kdlib.runs import Store, execute

SMALL = ("seeds=1", "epochs=2")


def test_settings_of_a_study_choose_its_runs():
    from kdbook.chapters import study

    found = study_runs("first_principles", "quick", ["epochs=2"])
    assert found == study("first_principles").parse(epochs=2).runs()


@pytest.mark.parametrize("name", ["provable_harm", "no_study"])
def test_a_study_without_runs_is_refused(name):
    with pytest.raises(SettingError, match=name):
        study_runs(name, "quick")


def test_a_study_is_exported_as_far_as_it_is_trained(tmp_path):
    runs = study_runs("first_principles", "quick", ["epochs=2"])
    one = next(spec for spec in runs if spec.teacher is None)
    execute([one], store=Store(tmp_path / "store"), progress=False)
    words = ("--study", "first_principles", "--set", "epochs=2", "--store", tmp_path / "store")
    dest = tmp_path / "study.zip"
    result = CliRunner().invoke(cli, ["store", "export", str(dest), *map(str, words)])
    assert result.exit_code == 0, result.output
    assert f"1 runs, {dest.stat().st_size / 1e6:.1f} MB; {len(runs) - 1} runs are not in" in (
        result.output
    )
    with zipfile.ZipFile(dest) as archive:
        assert f"{one.id}/done" in archive.namelist()
