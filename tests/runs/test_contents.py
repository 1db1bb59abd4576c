"""What a store holds and what may be deleted of it, with real locks of other processes."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from small_runs import distilled, one_hot

from kdlib.cli import cli
from kdlib.runs import Store, execute
from kdlib.runs.contents import contents, delete, in_use

HOLD = (
    "import sys, pathlib; from kdlib.locks import held\n"
    "with held(pathlib.Path(sys.argv[1]), 'it'): print('held', flush=True); sys.stdin.read()"
)
DAY = 86400


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A student, its teacher, its teacher cache; all finished."""
    store = Store(tmp_path_factory.mktemp("store"))
    execute([distilled()], store=store, jobs=1, progress=False)
    return store


@pytest.fixture
def store(filled, tmp_path):
    """A copy with leftovers of every kind, and files that are none of the store's."""
    subprocess.run(["cp", "-R", filled.root, tmp_path / "store"], check=True)
    store = Store(tmp_path / "store")
    killed = store.folder(one_hot(7))
    killed.mkdir()
    (killed / "spec.json").write_text(one_hot(7).canonical_json())
    (killed / "checkpoint.safetensors").write_bytes(bytes(1000))
    (store.root / "damaged" / f"{'a' * 16}-20260101T000000000000").mkdir(parents=True)
    (store.root / "views").mkdir(exist_ok=True)
    (store.root / "views" / f".{'b' * 16}.safetensors.123").write_bytes(bytes(10))
    (store.root / ("c" * 16)).write_text("a file where a run belongs")
    for mine in ("notes", "deadbeef", "0" * 17):
        (store.root / mine).mkdir()
        (store.root / mine / "thesis.txt").write_text("the user's own")
    return store


@pytest.fixture
def call(store):
    runner = CliRunner()
    return lambda *words: runner.invoke(
        cli, ["store", *[str(word) for word in words], "--store", str(store.root)]
    )


@contextmanager
def held_by_another(path):
    path.parent.mkdir(exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield
        process.stdin.close()


def kinds(store):
    counts = {}
    for item in contents(store):
        counts[item.kind] = counts.get(item.kind, 0) + 1
    return counts


def test_everything_is_counted_by_kind_and_its_bytes_are_those_of_the_files(store):
    counts = kinds(store)
    assert counts.pop("locks") >= 2
    views = counts.pop("views", 0)
    assert views <= 1
    assert counts == {"finished": 2, "unfinished": 1, "damaged": 2, "temporary": 1}
    items = {item.path: item for item in contents(store)}
    folder = store.folder(distilled())
    expected = sum(path.stat().st_size for path in folder.iterdir())
    assert items[folder].size == expected > 1000


def test_size_prints_a_line_for_each_kind_and_a_sum(call, store):
    told = call("size").output
    assert "2 " in told and "finished runs" in told and str(store.root) in told
    total = sum(item.size for item in contents(store))
    assert f"{total / 1000:.1f} kB" in told.splitlines()[-1]


def test_prune_deletes_nothing_unless_told_and_then_leftovers_only(call, store):
    before = sorted(store.root.rglob("*"))
    asked = call("prune")
    assert asked.exit_code == 0 and "would free" in asked.output
    assert "1 unfinished trainings" in asked.output and "--yes" in asked.output
    assert sorted(store.root.rglob("*")) == before
    done = call("prune", "--yes")
    assert done.exit_code == 0, done.output
    assert set(kinds(store)) <= {"finished", "views"}
    assert {result.spec for result in store.results()} == {distilled(), distilled().teacher}
    assert len(list(store.root.rglob("thesis.txt"))) == 3


def test_age_is_counted_from_the_last_change(call, store):
    old = time.time() - 10 * DAY
    killed = store.folder(one_hot(7))
    for path in (killed / "spec.json", killed / "checkpoint.safetensors", killed):
        os.utime(path, (old, old))
    assert "1 unfinished trainings" in call("prune", "--older-than", 9).output
    assert "nothing" in call("prune", "--older-than", 11).output
    os.utime(killed / "checkpoint.safetensors")  # it goes on
    assert "nothing" in call("prune", "--older-than", 9).output


def test_all_results_are_never_meant(call):
    refused = call("prune", "--also", "finished", "--yes")
    assert refused.exit_code == 1 and "add --older-than DAYS" in refused.output


def test_old_results_go_where_they_are_asked_for(call, store):
    old = time.time() - 10 * DAY
    for path in store.folder(distilled()).iterdir():
        os.utime(path, (old, old))
    os.utime(store.folder(distilled()), (old, old))
    call("prune", "--also", "finished", "--older-than", 9, "--yes")
    assert [result.spec for result in store.results()] == [distilled().teacher]


def test_what_a_training_uses_stays_with_all_that_it_builds_on(call, store):
    student = distilled(3)
    folder = store.folder(student)
    folder.mkdir()
    (folder / "spec.json").write_text(student.canonical_json())
    with held_by_another(store.lock_file(student.id)):
        assert in_use(store, contents(store)) == {student.id, student.teacher.id}
        told = call("prune", "--also", "finished", "--older-than", 1e-9, "--yes").output
        assert "kept, for a training uses them now: " in told
        assert folder.exists() and store.get(student.teacher) is not None
        assert store.lock_file(student.id).exists()
    assert [result.spec for result in store.results()] == [student.teacher]


def test_what_came_into_use_meanwhile_is_not_deleted(store):
    (item,) = [item for item in contents(store) if item.kind == "unfinished"]
    with held_by_another(item.lock):
        assert not delete(item) and item.path.exists()
    assert delete(item) and not item.path.exists()


def test_a_deletion_that_was_killed_is_a_leftover(call, store):
    folder = store.folder(distilled())
    folder.rename(store.root / f".deleted-{folder.name}-123")
    assert kinds(store)["temporary"] == 2
    call("prune", "--yes")
    assert "temporary" not in kinds(store)


def test_a_link_to_a_run_is_unlinked_and_the_run_stays(call, store, tmp_path):
    own = store.folder(one_hot(7))
    own.rename(tmp_path / "kept")
    own.symlink_to(tmp_path / "kept")
    call("prune", "--yes")
    assert not own.is_symlink() and (tmp_path / "kept" / "spec.json").exists()
