import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdlib.data import torchvision_import
from kdlib.data.files import CIFAR10_FILES, CIFAR100_FILES, OfficialFile, data_root, read_verified
from kdlib.errors import DataError

CONTENT = bytes(range(256)) * 8
MD5 = hashlib.md5(CONTENT).hexdigest()
PLAIN = OfficialFile("folder", "thing", len(CONTENT), MD5)
PACKED = OfficialFile("folder", "thing", len(CONTENT), MD5, packed=True)


def put(root: Path, place: str, content: bytes) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def complaint(file: OfficialFile, root: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_verified(file, root)
    message = str(caught.value)
    assert "\n" not in message
    assert f"{len(CONTENT):,} bytes" in message and MD5 in message
    assert "download=True" in message
    return message


def test_whole_file_is_read(tmp_path):
    put(tmp_path, "folder/thing", CONTENT)
    assert read_verified(PLAIN, tmp_path) == CONTENT


@pytest.mark.parametrize("place", ["folder/thing", "folder/thing.gz", "thing", "thing.gz"])
def test_packed_file_may_lie_in_four_places(tmp_path, place):
    put(tmp_path, place, gzip.compress(CONTENT) if place.endswith(".gz") else CONTENT)
    assert read_verified(PACKED, tmp_path) == CONTENT


def test_gzip_header_does_not_matter(tmp_path):
    put(tmp_path, "thing.gz", gzip.compress(CONTENT, compresslevel=1, mtime=12345))
    assert read_verified(PACKED, tmp_path) == CONTENT


def test_missing_file_is_named(tmp_path):
    assert f"{tmp_path / 'folder/thing'} is missing" in complaint(PLAIN, tmp_path)


def test_truncated_file_is_named(tmp_path):
    path = put(tmp_path, "folder/thing", CONTENT[:-1])
    message = complaint(PLAIN, tmp_path)
    assert f"{path} is truncated (2,047 bytes" in message and "delete it" in message


def test_longer_file_is_refused(tmp_path):
    put(tmp_path, "folder/thing", CONTENT + b"x")
    assert "is altered (more than 2,048 bytes)" in complaint(PLAIN, tmp_path)


@settings(max_examples=30)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_any_altered_byte_is_noticed(tmp_path_factory, position, change):
    root = tmp_path_factory.mktemp("altered")
    content = bytearray(CONTENT)
    content[position] ^= change
    put(root, "folder/thing", bytes(content))
    assert "is altered" in complaint(PLAIN, root)


@pytest.mark.parametrize("content", [gzip.compress(CONTENT)[:-30], b"no gzip", b""])
def test_broken_gzip_is_refused(tmp_path, content):
    put(tmp_path, "thing.gz", content)
    complaint(PACKED, tmp_path)


def test_unreadable_place_is_refused(tmp_path):
    (tmp_path / "folder/thing").mkdir(parents=True)
    assert "is missing" in complaint(PLAIN, tmp_path)


def test_root_is_argument_then_variable_then_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KDLIB_DATA", str(tmp_path / "variable"))
    assert data_root(tmp_path / "argument") == tmp_path / "argument"
    assert data_root() == tmp_path / "variable"
    monkeypatch.delenv("KDLIB_DATA")
    assert data_root().parts[-2:] == ("kdlib", "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root("~/sets") == tmp_path / "sets"


@pytest.mark.parametrize(
    ("name", "files"), [("CIFAR10", CIFAR10_FILES), ("CIFAR100", CIFAR100_FILES)]
)
def test_sums_are_those_of_torchvision(name, files):
    theirs = getattr(torchvision_import.datasets(), name)
    batches = [*theirs.train_list, *theirs.test_list]
    expected = [*map(tuple, batches), (theirs.meta["filename"], theirs.meta["md5"])]
    assert [(file.name, file.md5) for file in files] == expected
    assert {file.folder for file in files} == {theirs.base_folder}
