"""Where records lie: the same place from every current folder, and never one found by accident."""

from pathlib import Path

import pytest

import kdbook
from kdbook import places, records
from kdbook.chapters import groups_that_are_not_classes
from kdbook.chapters.teacher_and_student import recorded_grids
from kdbook.chapters.trade_offs import TradeOffs
from kdbook.records import read_records
from kdlib.errors import DataError, SettingError

CHECKOUT = Path(kdbook.__file__).parents[2]
READERS = {
    "records": read_records,
    "comparisons": lambda folder: records.recorded("results", folder),
    "groups": groups_that_are_not_classes.changes.recorded,
    "grids": lambda folder: recorded_grids.recorded_grids("quick", folder),
    "seeds": lambda folder: records.recorded_rows(TradeOffs(), folder=folder),
}


def pretend(monkeypatch, package):
    """As if kdbook lay in the folder ``package``."""
    package.mkdir(parents=True)
    monkeypatch.setattr(places, "_PACKAGE", package)


@pytest.mark.parametrize("trap", ["results", "book/results", "../results"])
def test_the_current_folder_decides_nothing(tmp_path, monkeypatch, trap):
    here = tmp_path / "here"
    here.mkdir()
    (here / trap).mkdir(parents=True)
    monkeypatch.chdir(here)
    assert places.records_folder() == places.folder_to_record() == CHECKOUT / "book/results"
    assert {record.about.study for record in read_records()} >= {"results", "trade_offs"}


def test_an_installed_package_reads_its_own_records_and_writes_none(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    pretend(monkeypatch, site / "kdbook")
    (site / "results").mkdir()  # of some other package
    with pytest.raises(DataError, match=r"no folder of records: looked for .*kdbook/results$"):
        places.records_folder()
    (site / "kdbook/results").mkdir()
    assert places.records_folder() == site / "kdbook/results"
    with pytest.raises(SettingError, match=r"runs from no checkout: name the folder .* --into"):
        places.folder_to_record()


def test_a_folder_that_is_named_wins(tmp_path):
    assert places.records_folder(tmp_path) == tmp_path
    assert places.folder_to_record(tmp_path / "to be made") == tmp_path / "to be made"


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_named_folder_that_is_missing_is_no_folder_without_records(tmp_path, read):
    """Else a chapter would say "Not run yet" of what is recorded elsewhere."""
    with pytest.raises(DataError, match=r"no folder of records: looked for .*absent"):
        read(tmp_path / "absent")
