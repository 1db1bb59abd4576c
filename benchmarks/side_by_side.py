"""Two students at once, each in a process of its own with one thread: what ``jobs=2`` does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context, set_start_method
from multiprocessing.connection import Connection

import torch
from rivals import Pass, Work, random_work

STUDENTS = 2
_PATIENCE = 60.0


class SideBySide:
    """A pass of two students at once; a context, since their processes live from turn to turn.

    A pass starts when both are told to go and ends with the slower of them. So the time in which
    only one of them still trains counts, too.

    Attributes:
        pids: of the two processes.
    """

    def __init__(self, start: Callable[[Work], Pass], work: Work) -> None:
        """What ``start`` returns trains, on ``random_work`` of that size; it must be importable."""
        self._arguments = (start, len(work.labels))
        self.pids: tuple[int, ...] = ()

    def __enter__(self) -> SideBySide:
        context = get_context("spawn")
        pairs = [context.Pipe() for _ in range(STUDENTS)]
        self._pipes = [mine for mine, _ in pairs]
        self._processes = [
            context.Process(target=_serve, args=(theirs, *self._arguments)) for _, theirs in pairs
        ]
        for process, (_, theirs) in zip(self._processes, pairs, strict=True):
            process.start()
            theirs.close()
        self._answers()
        self.pids = tuple(process.pid or 0 for process in self._processes)
        return self

    def __call__(self) -> None:
        """Both train one pass."""
        for pipe in self._pipes:
            pipe.send("go")
        self._answers()

    def __exit__(self, *_: object) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            with suppress(BrokenPipeError):  # of one that has died
                pipe.send("stop")
            process.join(_PATIENCE)
            process.terminate()

    def _answers(self) -> None:
        """Wait for both. A process that has died raises ``EOFError``."""
        for pipe in self._pipes:
            pipe.recv()


def _serve(pipe: Connection, start: Callable[[Work], Pass], images: int) -> None:
    """Train a pass whenever told to go."""
    torch.set_num_threads(1)
    set_start_method("fork", force=True)  # loaders' workers: as in a process that a user starts
    one_pass = start(random_work(images))
    pipe.send("ready")
    while pipe.recv() == "go":
        one_pass()
        pipe.send("done")
