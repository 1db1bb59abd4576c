"""Several trainings at once: on a CPU in worker processes, on a GPU in threads of this process.

A small network fills a part of a GPU only. Processes would share it by turns; CUDA streams of one
process run at the same time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch

from kdlib.errors import KdlibError
from kdlib.lifeline import end_with
from kdlib.runs.spec import RunSpec

T = TypeVar("T")


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


def _in_worker(
    parent: int, place: int, function: Callable[..., T], task: tuple[Any, ...]
) -> tuple[int, T]:
    end_with(parent)
    return place, function(*task)


def on_streams(
    stacks: Sequence[Sequence[RunSpec]],
    train: Callable[[Sequence[RunSpec]], None],
    device: str,
    jobs: int,
) -> Iterator[int]:
    """Train the stacks, ``jobs`` at once; say of each that is done how many runs it has.

    The first error ends it: what runs goes on to its end, and nothing new begins.

    Args:
        stacks: of runs, each trained by one call.
        train: trains a stack; called in other threads.
        device: ``cuda``; elsewhere the threads have no streams.
        jobs: threads, at least 1.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_on_own_stream, train, stack, device) for stack in stacks]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _on_own_stream(
    train: Callable[[Sequence[RunSpec]], None], stack: Sequence[RunSpec], device: str
) -> int:
    with _stream(device):
        train(stack)
    return len(stack)


def _stream(device: str) -> AbstractContextManager[object]:
    if not device.startswith("cuda"):
        return nullcontext()
    return torch.cuda.stream(torch.cuda.Stream(device))
