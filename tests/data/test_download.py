"""Downloads, with torchvision's class replaced by one that writes files instead."""

import gzip
import socket
import sys
from hashlib import md5
from pathlib import Path
from types import SimpleNamespace

import pytest

from kdlib.data import download, load
from kdlib.data.files import OfficialFile
from kdlib.errors import DataError


@pytest.fixture
def server(monkeypatch, small_cifar, cifar_writer):
    """What the next download brings, and what it was asked."""
    state = SimpleNamespace(contents=dict(small_cifar), calls=[], error=None)

    def cifar10(folder, download):
        state.calls.append((Path(folder), download))
        print("progress", file=sys.stderr)
        cifar_writer(state.contents, Path(folder))
        if state.error:
            raise state.error

    module = SimpleNamespace(CIFAR10=cifar10)
    monkeypatch.setattr(download.torchvision_import, "datasets", lambda: module)
    return state


def files_below(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


def refused(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        load("cifar10", root=root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_whole_download_is_moved_into_place_and_read(tmp_path, server, small_cifar):
    root = tmp_path / "new" / "folder"
    dataset = load("cifar10", root=root)
    assert len(dataset.train) == 400 and dataset.class_names == tuple("abcdefghij")
    assert files_below(root) == set(small_cifar)
    assert [path.name for path in root.iterdir()] == ["cifar-10-batches-py"]


def test_download_happens_in_a_folder_inside_the_root(tmp_path, server):
    load("cifar10", root=tmp_path)
    [(folder, wanted)] = server.calls
    assert folder.parent == tmp_path and wanted is True


def test_nothing_is_downloaded_when_all_is_there(tmp_path, server, small_cifar, cifar_writer):
    cifar_writer(small_cifar, tmp_path)
    load("cifar10", root=tmp_path)
    assert server.calls == []


def test_nothing_is_downloaded_when_not_wanted(tmp_path, server):
    with pytest.raises(DataError, match="data_batch_1 is missing"):
        load("cifar10", root=tmp_path / "empty", download=False)
    assert server.calls == [] and not (tmp_path / "empty").exists()


@pytest.mark.parametrize("name", ["data_batch_3", "batches.meta"])
def test_truncated_download_leaves_nothing(tmp_path, server, name):
    server.contents[name] = server.contents[name][:-1]
    assert f"the {name} that came is not the published file" in refused(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_file_in_the_download_leaves_nothing(tmp_path, server):
    del server.contents["test_batch"]
    refused(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_broken_connection_leaves_nothing_and_names_the_cure(tmp_path, server, monkeypatch):
    server.error = OSError("network is\nunreachable")
    message = refused(tmp_path)
    assert list(tmp_path.iterdir()) == []
    for word in (str(tmp_path), "network is unreachable", "KDLIB_DATA", "data_batch_5"):
        assert word in message


def test_interrupt_is_passed_on_and_leaves_nothing(tmp_path, server):
    server.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        load("cifar10", root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_download_killed_on_the_way_does_not_count(tmp_path, server, small_cifar, cifar_writer):
    cifar_writer(small_cifar, tmp_path / ".download-killed")
    load("cifar10", root=tmp_path)
    assert len(server.calls) == 1


def test_missing_files_are_added_and_the_others_left_alone(
    tmp_path, server, small_cifar, cifar_writer
):
    mine = {name: content for name, content in small_cifar.items() if name != "test_batch"}
    kept = cifar_writer(mine, tmp_path) / "data_batch_1"
    before = kept.stat()
    load("cifar10", root=tmp_path)
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_damaged_file_is_named_not_overwritten(tmp_path, server, small_cifar, cifar_writer):
    folder = cifar_writer(small_cifar, tmp_path)
    (folder / "data_batch_2").write_bytes(b"mine")
    assert f"{folder / 'data_batch_2'} is truncated" in refused(tmp_path)
    assert (folder / "data_batch_2").read_bytes() == b"mine" and server.calls == []


def test_root_that_is_a_file(tmp_path, server):
    (tmp_path / "file").write_text("")
    assert "cannot download into" in refused(tmp_path / "file")


@pytest.mark.parametrize(("progress", "shown"), [(True, "progress\n"), (False, "")])
def test_progress_can_be_silenced(tmp_path, server, capsys, progress, shown):
    load("cifar10", root=tmp_path, progress=progress)
    assert capsys.readouterr().err == shown


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "fashion_mnist"])
def test_torchvision_itself_without_a_network(tmp_path, monkeypatch, name):
    def no_network(*args, **kwargs):
        raise socket.gaierror("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(DataError, match=r"no network in tests.*KDLIB_DATA") as caught:
        load(name, root=tmp_path, progress=False)
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_move_cut_short_leaves_whole_files_and_is_finished_later(tmp_path, server, monkeypatch):
    whole, moved = Path.replace, []

    def two_then_stop(path, target):
        if len(moved) == 2:
            raise OSError("disk is gone")
        moved.append(whole(path, target))

    monkeypatch.setattr(Path, "replace", two_then_stop)
    assert "disk is gone" in refused(tmp_path)
    assert files_below(tmp_path) == {"data_batch_1", "data_batch_2"}
    monkeypatch.setattr(Path, "replace", whole)
    assert len(load("cifar10", root=tmp_path).train) == 400


def test_fashion_mnist_lands_where_torchvision_would_put_it(tmp_path, server, monkeypatch):
    folder, contents = "FashionMNIST/raw", {name: name.encode() for name in ("images", "labels")}
    files = [
        OfficialFile(folder, name, len(content), md5(content).hexdigest(), packed=True)
        for name, content in contents.items()
    ]

    def fashion_mnist(root, download):
        (Path(root) / folder).mkdir(parents=True)
        for name, content in contents.items():
            (Path(root) / folder / f"{name}.gz").write_bytes(gzip.compress(content))
            (Path(root) / folder / name).write_bytes(content)

    module = SimpleNamespace(FashionMNIST=fashion_mnist)
    monkeypatch.setattr(download.torchvision_import, "datasets", lambda: module)
    download.fetch_missing("FashionMNIST", files, tmp_path, progress=False)
    assert files_below(tmp_path / folder) == {"images", "labels"} == files_below(tmp_path)
