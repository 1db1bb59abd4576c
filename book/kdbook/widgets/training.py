"""Trainings beside the kernel, in a process that a button can end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from kdlib.errors import KdlibError
from kdlib.runs import RunSpec, Store, missing_runs
from kdlib.runs.run_files import is_finished

Progress = Callable[[int, int], None]
"""Takes how many runs are done, and how many were missing."""

_ONE = threading.Lock()
_POLL = 0.2
_GRACE = 10.0


def missing(specs: Sequence[RunSpec], store: Store) -> list[RunSpec]:
    """What the store lacks of these runs and of their teachers, teachers first."""
    return [spec for generation in missing_runs(specs, store) for spec in generation]


def train(
    specs: Sequence[RunSpec], stop: threading.Event, progress: Progress, store: Store
) -> bool:
    """Train what is missing of ``specs``; of several calls one at a time trains.

    Args:
        specs: the wanted runs.
        stop: ends the training. Finished runs are kept, and the one under way goes on from its
            last checkpoint the next time.
        progress: is told several times a second.
        store: where runs are kept.

    Returns:
        Whether all are trained; else it was stopped.

    Raises:
        KdlibError: the training failed (one line).
    """
    with _turn(stop) as mine:
        wanted = missing(specs, store) if mine else []
        return mine and (not wanted or _watched(wanted, stop, progress, store))


@contextmanager
def _turn(stop: threading.Event) -> Iterator[bool]:
    """Wait for the one place; False where ``stop`` came first."""
    mine = False
    while not mine and not stop.is_set():
        mine = _ONE.acquire(timeout=_POLL)
    try:
        yield mine
    finally:
        if mine:
            _ONE.release()


def _watched(
    wanted: Sequence[RunSpec], stop: threading.Event, progress: Progress, store: Store
) -> bool:
    with TemporaryFile() as asked, TemporaryFile() as said:
        asked.write(json.dumps([spec.canonical_json() for spec in wanted]).encode())
        asked.seek(0)
        process = _started(asked, said, store)
        try:
            while process.poll() is None and not stop.wait(_POLL):
                done = sum(is_finished(store.folder(spec)) for spec in wanted)
                progress(done, len(wanted))
        finally:
            _end(process)
        return _outcome(process, said, stop)


def _started(asked: IO[bytes], said: IO[bytes], store: Store) -> subprocess.Popen[bytes]:
    """A group of its own, so that an interrupt of the kernel does not reach it."""
    own = {"KDLIB_STORE": str(store.root), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "kdbook.widgets.training_process", str(os.getpid())]
    return subprocess.Popen(
        command,
        stdin=asked,
        stdout=subprocess.DEVNULL,
        stderr=said,
        env=os.environ | own,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its workers, where it still runs, and wait for that."""
    if process.poll() is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)


def _outcome(process: subprocess.Popen[bytes], said: IO[bytes], stop: threading.Event) -> bool:
    if process.returncode == 0:
        return True
    if stop.is_set():
        return False
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    raise KdlibError(lines[-1] if lines else f"the training ended with {process.returncode}")
