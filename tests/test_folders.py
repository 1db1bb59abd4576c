"""Relative folders mean one place, whatever folder a process is in and whoever it starts."""

import os
import subprocess
import sys

import pytest

from kdlib import folders
from kdlib.data.files import data_root
from kdlib.errors import SettingError
from kdlib.runs import Store


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to be in, which is left again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    return tmp_path


@pytest.fixture
def homeless(monkeypatch):
    """No HOME, and no line in /etc/passwd, as for an arbitrary user in a container."""

    def unknown(number):
        raise KeyError(number)

    for name in ("HOME", "XDG_CACHE_HOME", "KDLIB_STORE", "KDLIB_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_a_store_stays_where_it_was_when_the_process_changes_folder(here):
    store = Store("store")
    os.chdir("elsewhere")
    assert store.root == here / "store"


@pytest.mark.parametrize(
    ("variable", "read"), [("KDLIB_STORE", lambda: Store().root), ("KDLIB_DATA", data_root)]
)
def test_a_relative_variable_is_made_absolute_for_good(here, monkeypatch, variable, read):
    monkeypatch.setenv(variable, "below/folder")
    assert read() == here / "below" / "folder"
    os.chdir("elsewhere")
    assert read() == here / "below" / "folder"
    assert os.environ[variable] == str(here / "below" / "folder")  # so for every child


def test_a_program_that_changes_folder_after_its_import_and_its_child_agree(here):
    show = (
        "from kdlib.folders import user_folder; print(user_folder('KDLIB_STORE', ''), flush=True)"
    )
    code = (
        "import kdlib, os, subprocess, sys; os.chdir('elsewhere')\n"
        f"{show}\nsubprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    )
    about = os.environ | {"KDLIB_STORE": "store"}
    done = subprocess.run(
        [sys.executable, "-c", code, show], env=about, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(here / "store")] * 2


def test_the_tilde_is_spelled_out(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KDLIB_STORE", "~/store")
    assert Store().root == Store("~/store").root == tmp_path / "store"


@pytest.mark.parametrize("read", [Store, data_root])
def test_without_a_home_one_line_says_which_variable_to_set(homeless, read):
    with pytest.raises(SettingError, match=r"no home folder: set KDLIB_(STORE|DATA) to a folder"):
        read()
    assert folders.user_cache() is None


def test_a_home_that_nobody_knows_is_refused_and_makes_no_folder_named_tilde(homeless, monkeypatch):
    monkeypatch.setenv("KDLIB_STORE", "~/store")
    folders.settle_environment()
    with pytest.raises(SettingError, match="KDLIB_STORE = '~/store': that home is not known"):
        Store()
