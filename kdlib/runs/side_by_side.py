"""Several trainings at once on one GPU: a thread and a CUDA stream each, in one process.

A small network fills a part of a GPU only. Processes would share it by turns; streams of one
process run at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext

import torch

from kdlib.runs.spec import RunSpec


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
