"""Where an epoch's time on the device goes: the kernels by share, and the gaps between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from gpu_trainings import Scale, network, random_split, recipe_of

from kdlib.training import LossVectors, train
from kdlib.training.job import StepKind

TOP = 8
_NAME_LENGTH = 60


@dataclass(frozen=True)
class Kernel:
    """A kernel that ran on the device: its name, start and end in microseconds."""

    name: str
    start: float
    end: float


def profiled(scale: Scale, kind: StepKind) -> list[Kernel]:
    """The kernels of the third epoch of a training; on a CPU its operators in their place."""
    profiler = torch.profiler.profile(activities=_activities(scale))

    def watch(record: dict[str, Any]) -> None:
        if record["epoch"] == 2:
            profiler.start()
        elif record["epoch"] == 3:
            profiler.stop()

    split = random_split(scale, 4 * scale.large)
    vectors, recipe = LossVectors.constant(scale.classes), recipe_of(scale, scale.large, 3)
    model = network(scale, scale.teacher)
    train(
        model, split, vectors, recipe, seed=0, device=scale.device, step=kind, bar=False,
        on_epoch=watch,
    )  # fmt: skip
    return _kernels(profiler.events() or [], scale.device)


def _activities(scale: Scale) -> list[torch.profiler.ProfilerActivity]:
    """The device alone: marks that the host sets would show there as if they were kernels."""
    found = torch.profiler.ProfilerActivity
    return [found.CPU if scale.device == "cpu" else found.CUDA]


def _kernels(events: Iterable[Any], device: str) -> list[Kernel]:
    wanted = torch.autograd.DeviceType.CPU if device == "cpu" else torch.autograd.DeviceType.CUDA
    return [
        Kernel(event.name, event.time_range.start, event.time_range.end)
        for event in events
        if event.device_type == wanted
    ]


def idle_share(kernels: Sequence[Kernel]) -> float:
    """Share of the time from the first kernel to the last in which none ran, from 0 to 1."""
    if not kernels:
        return 0.0
    ordered = sorted(kernels, key=lambda kernel: kernel.start)
    busy, until = 0.0, ordered[0].start
    for kernel in ordered:
        busy += max(0.0, kernel.end - max(until, kernel.start))
        until = max(until, kernel.end)
    whole = until - ordered[0].start
    return 1 - busy / whole if whole > 0 else 0.0


def top_kernels(kernels: Sequence[Kernel], count: int = TOP) -> list[dict[str, str]]:
    """A row per kernel name, by share of all kernels' time."""
    seconds: Counter[str] = Counter()
    calls = Counter(kernel.name for kernel in kernels)
    for kernel in kernels:
        seconds[kernel.name] += kernel.end - kernel.start  # type: ignore[assignment]
    whole = sum(seconds.values()) or 1
    return [
        {
            "kernel": f"`{name[:_NAME_LENGTH].replace('|', ' ')}`",
            "calls": str(calls[name]),
            "share of kernel time": f"{100 * spent / whole:.1f} %",
        }
        for name, spent in seconds.most_common(count)
    ]
