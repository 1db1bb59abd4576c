"""Measure trainings against other loops: ``.venv/bin/python benchmarks/measure_training.py``.

Rivals take turns in one process, three rounds, and the median counts, so that a machine which is
busy for a moment slows all of them. Images are random: no time depends on what they show. Writes
its sections of ``benchmarks/RESULTS.md``. Leave the machine alone meanwhile. ``--part`` measures
one section only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from growth import exponent, growth_rows
from machine import GB, machine_rows
from many_students import together_section
from measure_book import SAMPLE_SECONDS, tree_memory
from results_file import fill_results, markdown
from rivals import (
    Pass,
    Work,
    with_kdlib,
    with_repdistiller_shape,
    with_torchdistill,
    with_tutorial,
)

from kdlib.data import num_views
from kdlib.runs import execute
from kdlib.runs.store import Store
from kdlib.studies.families import Family
from kdlib.studies.profiles import PROFILES
from kdlib.training.teacher_views import TeacherTable, build_table

ROUNDS = 3
IMAGES, CLASSES = 2_560, 100
TABLE_IMAGES = 128
CIFAR_IMAGES = 50_000
EPOCHS, STUDENTS = 240, 8
SWEEP = (1, 4, 16)


@dataclass(frozen=True)
class Speed:
    """What a rival did: images a second in the median round, and in each."""

    name: str
    median: float
    rounds: tuple[float, ...]


def random_work(images: int = IMAGES) -> Work:
    """Images of CIFAR-100's size and number of classes."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, 32, 32), generator=random, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (images,), generator=random)
    return Work(pixels, labels, CLASSES)


def speeds(rivals: dict[str, Pass], images: int, rounds: int = ROUNDS) -> list[Speed]:
    """Images a second of each rival: a pass to warm up, then ``rounds`` turns of a pass each."""
    found: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(rounds + 1):
        for name, one_pass in rivals.items():
            seconds = timed(one_pass)
            if turn:
                found[name].append(images / seconds)
    return [Speed(name, statistics.median(all_), tuple(all_)) for name, all_ in found.items()]


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall-clock time that ``action`` takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def step_rivals(work: Work) -> dict[str, Pass]:
    """Kdlib with and without a table of views, and the loops of others."""
    views = num_views(work.recipe().crop_padding, flip=True)
    table = TeacherTable(torch.randn(len(work.labels), views, work.num_classes))
    rivals = {
        "kdlib, teacher's forward pass": with_kdlib(work),
        "kdlib, table of views": with_kdlib(work, table),
        "loop of PyTorch's tutorial": with_tutorial(work),
        "loop of RepDistiller's shape": with_repdistiller_shape(work),
    }
    try:
        rivals["torchdistill"] = with_torchdistill(work)
    except ImportError:
        print("torchdistill is not installed (`make bench` installs it): left out")
    return rivals


def step_section() -> str:
    """ResNet-56 to ResNet-20 at batch 64: images a second, and ratios to the others."""
    work = random_work()
    rivals = step_rivals(work)
    found = speeds(rivals, len(work.labels))
    memory = {name: peak_memory(one_pass) for name, one_pass in rivals.items()}
    builds = table_speed(random_work(TABLE_IMAGES))
    lines = [
        f"ResNet-56 teaches ResNet-20, batches of {work.batch_size}, {IMAGES} random images of "
        f"3x32x32 a pass, {CLASSES} classes, fp32, all cores; median of {ROUNDS} passes in turn.",
        "",
        markdown(speed_table(found, memory)),
        "",
        f"The table is built at {builds:.0f} views a second. {sweep_sentence(found, builds)}",
    ]
    return "\n".join(lines)


def table_speed(work: Work) -> float:
    """Views a second at which the table of that work's images is built."""
    teacher, split, recipe = work.network(work.teacher), work.split(), work.recipe()
    views = len(work.labels) * num_views(recipe.crop_padding, recipe.flip)
    return views / timed(lambda: build_table(teacher, split, recipe, dataset_name="cifar100"))


def peak_memory(one_pass: Pass) -> int:
    """Largest sum over this process and its workers during a pass, a shared page counted once."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(one_pass)
        peak = tree_memory(os.getpid())[0]
        while not done.done():
            peak = max(peak, tree_memory(os.getpid())[0])
            time.sleep(SAMPLE_SECONDS)
        done.result()
    return peak


def speed_table(found: Sequence[Speed], memory: Mapping[str, int]) -> list[dict[str, str]]:
    """A row a rival: images a second, the rounds, memory, and how many times as fast kdlib is."""
    ours = [speed for speed in found if speed.name.startswith("kdlib")]
    return [
        {
            "loop": speed.name,
            "images a second": f"{speed.median:.0f}",
            "rounds": ", ".join(f"{value:.0f}" for value in speed.rounds),
            "memory of all processes": f"{memory[speed.name] / GB:.1f} GB",
            **{f"{mine.name}: faster by": f"{mine.median / speed.median:.2f}x" for mine in ours},
        }
        for speed in found
    ]


def sweep_sentence(found: Sequence[Speed], builds: float) -> str:
    """What 8 students of one teacher cost at 240 epochs of CIFAR-100, the table counted."""
    by_name = {speed.name: speed.median for speed in found}
    other = by_name["loop of RepDistiller's shape"]
    views = CIFAR_IMAGES * num_views(4, flip=True)
    shown = CIFAR_IMAGES * EPOCHS * STUDENTS
    ours = views / builds + shown / by_name["kdlib, table of views"]
    return (
        f"Computed from these: {STUDENTS} students of one teacher, {EPOCHS} epochs of CIFAR-100 "
        f"each, the table included, take {shown / other / ours:.2f} times less time than in the "
        f"loop of RepDistiller's shape."
    )


def digits_students(count: int) -> list[Family]:
    """As many families of the quick profile, with one teacher a seed."""
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
    """A row a number of students."""
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
