"""Locks: who holds them, and what a wait says. With real processes."""

import logging
import subprocess
import sys
from contextlib import contextmanager

import pytest

from kdlib import locks

HOLD = (
    "import sys, pathlib; from kdlib.locks import held\n"
    "with held(pathlib.Path(sys.argv[1]), 'it'): print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "locks" / "a.lock"


@contextmanager
def held_by_another(path):
    """Another process holds the lock inside the block, or until it is told to let go."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process


def test_a_wait_names_what_is_waited_for_where_and_who_holds_it(path, monkeypatch, caplog):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with held_by_another(path) as process:

        class LetGo(logging.Handler):
            def emit(self, record):
                process.stdin.close()

        locks.log.addHandler(handler := LetGo())
        with locks.held(path, "run 12 (a student)"):
            pass
        locks.log.removeHandler(handler)
    (line,) = caplog.messages
    assert line.startswith("waiting for run 12 (a student): ") and str(path) in line
    if sys.platform == "linux":
        assert f"process {process.pid} holds" in line


def test_without_a_wait_nothing_is_said(path, caplog):
    with locks.held(path, "a run"):
        assert path.exists()
    assert caplog.messages == []


def test_a_lock_that_is_held_is_not_waited_for_where_it_need_not_be(path):
    with held_by_another(path), locks.held_if_free(path) as free:
        assert not free
    with locks.held_if_free(path) as free:
        assert free
        with locks.held_if_free(path) as again:
            assert not again


def test_the_lock_of_a_killed_process_is_free(path):
    with held_by_another(path) as process:
        process.kill()
        process.wait()
        with locks.held_if_free(path) as free:
            assert free


def test_where_the_system_does_not_tell_the_holder_there_is_none(path):
    assert locks.holder(path) is None
