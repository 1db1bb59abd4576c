"""Ten students of the quick profile: in two processes, in one step, and both.

``measure_training.py --part together`` writes what this measures. Every way trains ten seeds of a
one-hot student into an empty store, data, evaluation and files included. Worker processes are warm:
the ways differ in what training costs, not in what starting Python does.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil
from machine import GB
from results_file import markdown

from kdbook.families import Family
from kdbook.profiles import PROFILES
from kdlib.runs import RunSpec, execute
from kdlib.runs.store import Store

STUDENTS, ROUNDS = 10, 3
ONE = "one student alone"


@dataclass(frozen=True)
class Cost:
    """Seconds that passed and of all processors together, and bytes of memory."""

    wall: float
    processor: float
    memory: float = 0.0


@dataclass(frozen=True)
class Way:
    """How many students are trained, in how many processes, and at most how many together."""

    students: int
    jobs: int
    together: int

    def __call__(self, device: str) -> None:
        """Train them into an empty store."""
        with tempfile.TemporaryDirectory() as name:
            execute(
                students(self.students), store=Store(name), jobs=self.jobs, device=device,
                progress=False, together=self.together,
            )  # fmt: skip


def students(count: int) -> list[RunSpec]:
    """One-hot students of the quick profile, one per seed, each on a long tail of its own."""
    profile = PROFILES["quick"]
    return [Family(profile, profile.imbalance, seed).one_hot() for seed in range(count)]


def ways(device: str) -> dict[str, Way]:
    """The rivals by name: on a CPU worker processes are one of them, on a GPU taking turns is."""
    one, in_one_step = Way(1, 1, 1), Way(STUDENTS, 1, STUDENTS)
    if device == "cuda":
        return {ONE: one, "ten in turn": Way(STUDENTS, 1, 1), "ten in one step": in_one_step}
    return {
        ONE: one,
        "ten in two processes": Way(STUDENTS, 2, 1),
        "ten in one step": in_one_step,
        "five in one step, in two processes": Way(STUDENTS, 2, STUDENTS),
    }


def measure(device: str, memory_of: Callable[[Callable[[], None]], float]) -> dict[str, list[Cost]]:
    """The costs of each way in each round. The ways take turns; the first turn warms up."""
    rivals = ways(device)
    found: dict[str, list[Cost]] = {name: [] for name in rivals}
    for turn in range(ROUNDS + 1):
        for name, way in rivals.items():
            if turn == 0:  # memory is sampled in a turn of its own: it takes processor time
                peak = memory_of(lambda way=way: way(device))
                found[name].append(Cost(0, 0, peak))
            else:
                found[name].append(cost(lambda way=way: way(device)))
    return found


def cost(action: Callable[[], None]) -> Cost:
    """What ``action`` takes, worker processes included."""
    started, before = time.perf_counter(), processor_seconds()
    action()
    return Cost(time.perf_counter() - started, processor_seconds() - before)


def processor_seconds() -> float:
    """Of this process and its descendants, those that have ended included."""
    me, total = psutil.Process(), 0.0
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def together_section(device: str, memory_of: Callable[[Callable[[], None]], float]) -> str:
    """The table, and under which conditions it was measured."""
    found = measure(device, memory_of)
    about = (
        f"ResNet-8 on about 300 long-tailed digits, batches of 64, 40 epochs, {STUDENTS} seeds, "
        f"on {device}; each training has one thread. Medians of {ROUNDS} turns in one process; "
        "ratios are to one student in the same turn. Worker processes are warm. Load after: "
        f"{os.getloadavg()[0]:.1f}."
    )
    return f"{about}\n\n{markdown(together_rows(found))}"


def together_rows(found: Mapping[str, Sequence[Cost]]) -> list[dict[str, str]]:
    """A row per way; the first cost of each holds its memory, the others its times."""
    one = found[ONE][1:]
    rows = []
    for name, (sampled, *rounds) in found.items():
        wall, processor = (
            statistics.median(
                getattr(r, k) / getattr(o, k) for r, o in zip(rounds, one, strict=True)
            )
            for k in ("wall", "processor")
        )
        rows.append(
            {
                "students": name,
                "time": f"{statistics.median(r.wall for r in rounds):.2f} s",
                "times one": f"{wall:.2f}",
                "processor time": f"{statistics.median(r.processor for r in rounds):.2f} s",
                "processor time, times one": f"{processor:.2f}",
                "memory of all processes": f"{sampled.memory / GB:.2f} GB",
            }
        )
    return rows
