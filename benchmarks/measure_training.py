"""Measure trainings against other loops: ``.venv/bin/python benchmarks/measure_training.py``.

Rivals take turns in one process, three rounds, and the median counts, so that a machine which is
busy for a moment slows all of them. Images are random: no time depends on what they show. Writes
its sections of ``benchmarks/RESULTS.md``. Leave the machine alone meanwhile. ``--part`` measures
one section only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distillation_step import peak_memory, step_section
from growth import exponent, growth_rows
from machine import GB, machine_rows
from many_students import together_section
from results_file import fill_results, markdown
from same_accuracy import accuracy_section

from kdbook.families import Family
from kdbook.profiles import PROFILES
from kdlib.runs import execute
from kdlib.runs.store import Store

SWEEP = (1, 4, 16)


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall-clock time that ``action`` takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def digits_students(count: int) -> list[Family]:
    """As many families of the quick profile, with one teacher per seed."""
    profile = PROFILES["quick"]
    return [Family(profile, profile.imbalance, seed) for seed in range(count)]


@dataclass(frozen=True)
class Sweep:
    """Seconds and bytes of that many students: trained from an empty store, and read from it."""

    count: int
    trained: float
    read: float
    memory: float


def sweep_of(count: int) -> Sweep:
    """Trained twice, since taking stock of memory slows what is timed."""
    specs = [family.one_hot() for family in digits_students(count)]
    with tempfile.TemporaryDirectory() as timed_store, tempfile.TemporaryDirectory() as other:
        trained = timed(lambda: execute(specs, store=Store(timed_store), progress=False))
        read = timed(lambda: execute(specs, store=Store(timed_store), progress=False))
        memory = peak_memory(lambda: execute(specs, store=Store(other), progress=False))
    return Sweep(count, trained, read, memory)


def sweep_section() -> str:
    """1, 4 and 16 one-hot students on digits, all cores, from an empty store; and a store hit."""
    points = [sweep_of(count) for count in SWEEP]
    about = "ResNet-8 on long-tailed digits, 40 epochs; processes side by side from an empty store."
    return f"{about}\n\n{markdown(sweep_table(points))}\n\n{sweep_growth(points)}"


def sweep_table(points: Sequence[Sweep]) -> list[dict[str, str]]:
    """A row per number of students."""
    return [
        {
            "students": str(point.count),
            "trained": f"{point.trained:.2f} s",
            "times one": f"{point.trained / points[0].trained:.2f}",
            "in the store": f"{1000 * point.read:.1f} ms",
            "store against training": f"{point.trained / point.read:.0f}x",
            "memory of all processes": f"{point.memory / GB:.2f} GB",
        }
        for point in points
    ]


def sweep_growth(points: Sequence[Sweep]) -> str:
    """How time and memory grow with the number of students."""
    counts = [point.count for point in points[1:]]
    time_, memory = (
        exponent(counts, [getattr(point, name) for point in points[1:]])
        for name in ("trained", "memory")
    )
    return (
        f"From {counts[0]} to {counts[-1]} students time grows as their number to the power "
        f"{time_:.2f}, memory to the power {memory:.2f}. The first point is left out: one student "
        "is trained without worker processes."
    )


def growth_section() -> str:
    """Time and memory against classes and images, with fitted exponents; students: the sweep."""
    about = (
        "Each point is a fresh process; memory is what the work adds to the peak of the process. "
        "The exponent is the slope of a straight line through the logarithms of the last points."
    )
    return f"{about}\n\n{markdown(growth_rows())}"


SECTIONS: dict[str, Callable[[], str]] = {
    "step": step_section,
    "accuracy": accuracy_section,
    "sweep": sweep_section,
    "growth": growth_section,
    "together": lambda: together_section("cpu", peak_memory),
}


def main() -> None:
    """Measure and write the sections."""
    parser = argparse.ArgumentParser(description="Measure trainings against other loops.")
    parser.add_argument("--part", choices=sorted(SECTIONS), help="measure one section only")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of `together`")
    options = parser.parse_args()
    if options.device == "cuda":  # shown, not written: the results are of one machine
        if options.part != "together":
            parser.error("--device cuda is for --part together")
        print(together_section("cuda", peak_memory))
        return
    chosen = options.part
    for name, section in SECTIONS.items():
        if chosen in (None, name):
            text = f"{section()}\n\n{markdown([machine_rows()])}"
            fill_results(name, text)
            print(text, flush=True)


if __name__ == "__main__":
    main()
