"""Several trainings at once, in worker processes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from kdlib.errors import KdlibError
from kdlib.lifeline import end_with

T = TypeVar("T")
_COMPLAINTS = "ignore:resource_tracker"


class WorkerKilledError(KdlibError):
    """A worker process ended before its task did."""


def in_processes(
    function: Callable[..., T], tasks: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[tuple[int, T]]:
    """Call ``function(*task)`` for each task in one of ``jobs`` worker processes.

    Yields:
        The place of each task that is done, and its answer. Specs go there as JSON.

    Raises:
        WorkerKilledError: a worker was killed, which takes the others along.
    """
    # joblib's loky workers start cleanly from notebooks and from scripts without a main guard.
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    _hush_trackers()
    calls = (delayed(_in_worker)(os.getpid(), place, function, t) for place, t in enumerate(tasks))
    answers = Parallel(n_jobs=jobs, return_as="generator_unordered")(calls)
    try:
        yield from answers
    except TerminatedWorkerError as error:
        raise WorkerKilledError(
            "a training process was killed (out of memory?): finished runs are kept, "
            "call again to go on, with fewer jobs if memory is short"
        ) from error
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of how many tasks an error has cancelled
            answers.close()


def _hush_trackers() -> None:
    """The tracker of joblib is a process of its own, which an interruption may outrun.

    It then complains of semaphores that are gone already, after the program has said how it ended.
    """
    filters = os.environ.get("PYTHONWARNINGS", "")
    if _COMPLAINTS not in filters:
        os.environ["PYTHONWARNINGS"] = f"{filters},{_COMPLAINTS}".strip(",")


def _in_worker(
    parent: int, place: int, function: Callable[..., T], task: tuple[Any, ...]
) -> tuple[int, T]:
    end_with(parent)
    return place, function(*task)
