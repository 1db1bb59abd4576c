"""What the speeds of a distillation step say: ratios, targets, and when the table pays."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from convolution_limit import Limits
from machine import GB

from kdlib.data import num_views
from kdlib.training.recipe import Precision
from kdlib.training.teacher_views import BYTES_A_LOGIT

CLASSES = 100
CIFAR_IMAGES, LONG_TAILED_IMAGES = 50_000, 10_847
EPOCHS, STUDENTS = 240, 8
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
REPDISTILLER, TORCHDISTILL = "loop of RepDistiller's shape", "torchdistill"

Clock = Literal["wall", "processor"]
CLOCKS: tuple[Clock, ...] = ("wall", "processor")


@dataclass(frozen=True)
class Speed:
    """Images a second of a rival in each round: of time that passed, and of one processor's time.

    Attributes:
        memory: bytes of all processes at their peak.
    """

    name: str
    wall: tuple[float, ...]
    processor: tuple[float, ...]
    memory: float = 0.0

    def median(self, clock: Clock = "wall") -> float:
        """Of the rounds."""
        return statistics.median(getattr(self, clock))


Speeds = Mapping[str, Speed]


def ours(way: Literal["forward", "table", "one-hot"], precision: Precision) -> str:
    """The name of a row of kdlib."""
    words = {"forward": "teacher's forward pass", "table": "table of views", "one-hot": "one-hot"}
    return f"kdlib {precision}, {words[way]}"


def speed_table(found: Speeds) -> list[dict[str, str]]:
    """A row a rival, and how many times as fast as the two packages' loops it is."""
    others = [name for name in (REPDISTILLER, TORCHDISTILL) if name in found]
    return [
        {
            "loop": speed.name,
            "images a second": f"{speed.median():.0f}",
            "rounds": ", ".join(f"{value:.0f}" for value in speed.wall),
            "images a second of processor time": f"{speed.median('processor'):.0f}",
            **{f"times {name}": _ratios(speed, found[name]) for name in others},
            "memory of all processes": f"{speed.memory / GB:.1f} GB",
        }
        for speed in found.values()
    ]


def _ratios(speed: Speed, other: Speed) -> str:
    wall, processor = (speed.median(clock) / other.median(clock) for clock in CLOCKS)
    return f"{wall:.2f} ({processor:.2f})"


Builds = Mapping[Precision, Mapping[Clock, float]]


AllLimits = Mapping[Precision, Limits]
Ratios = tuple[float, float, float]
TARGETS: Mapping[str, float] = {
    "one student, teacher's forward pass": 2.3,
    f"{STUDENTS} students, the table's cost counted": 3.5,
    "one student, the table is there": 4.0,
}


def target_table(found: Speeds, builds: Builds, limits: AllLimits) -> list[dict[str, str]]:
    """What was aimed at, for each number format and each of the two packages' loops."""
    return [
        {
            "against": other,
            "kdlib": precision,
            "work": work,
            "at least": f"{target:.1f}",
            "measured": f"{wall:.2f} ({processor:.2f})",
            "reached": "yes" if wall >= target else "**no**",
            "convolutions alone": f"{limit:.2f}",
        }
        for other in (REPDISTILLER, TORCHDISTILL)
        if other in found
        for precision in PRECISIONS
        for (work, target), wall, processor, limit in zip(
            TARGETS.items(),
            *(measured_ratios(found, builds, other, precision, clock) for clock in CLOCKS),
            limit_ratios(limits[precision], found[other].median()),
            strict=True,
        )
    ]


def measured_ratios(
    found: Speeds, builds: Builds, other: str, precision: Precision, clock: Clock
) -> Ratios:
    """How many times as fast as ``other`` kdlib is by a clock, in the order of ``TARGETS``."""
    forward, table = (found[ours(way, precision)].median(clock) for way in ("forward", "table"))
    return _ratios_to(found[other].median(clock), forward, table, builds[precision][clock])


def limit_ratios(limit: Limits, other: float) -> Ratios:
    """The same for a step of convolutions alone, against a loop of ``other`` images a second."""
    return _ratios_to(other, limit.forward, limit.table, limit.builds)


def _ratios_to(other: float, forward: float, table: float, builds: float) -> Ratios:
    return forward / other, sweep_ratio(other, table, builds), table / other


def sweep_ratio(other: float, table: float, builds: float) -> float:
    """How many times less time students with a table take than in a loop without one.

    Args:
        other: images a second of that loop.
        table: of kdlib's, with the table.
        builds: views a second at which the table is built.
    """
    shown = EPOCHS * STUDENTS
    return (shown / other) / (num_views(4, flip=True) / builds + shown / table)


def paying_table(found: Speeds, builds: Builds) -> list[dict[str, str]]:
    """A row a number format: rates by processor time, and passes until the table pays."""
    rows = []
    for precision in PRECISIONS:
        rates = [found[ours(way, precision)].median("processor") for way in ("forward", "table")]
        views = builds[precision]["processor"]
        passes = passes_to_pay(*rates, views)
        rows.append(
            {
                "kdlib": precision,
                "images a second, forward pass": f"{rates[0]:.0f}",
                "with the table": f"{rates[1]:.0f}",
                "views a second, building it": f"{views:.0f}",
                "passes until it pays": f"{passes:.0f}",
                f"students of {EPOCHS} epochs": f"{passes / EPOCHS:.2f}",
            }
        )
    return rows


def passes_to_pay(forward: float, table: float, builds: float) -> float:
    """Passes over the data after which building the table has cost no more than forward passes.

    An image's views cost V / builds once; each pass then saves 1 / forward - 1 / table.

    Args:
        forward: images a second with the teacher's forward pass.
        table: with the table; infinity is returned where it is no faster.
        builds: views a second at which it is built.
    """
    saved = 1 / forward - 1 / table
    return num_views(4, flip=True) / builds / saved if saved > 0 else float("inf")


def memory_sentence() -> str:
    """What the tables of CIFAR-100 take: known before they are built."""
    sizes = [
        f"{images * num_views(4, flip=True) * CLASSES * BYTES_A_LOGIT / GB:.2f} GB for {name}"
        for name, images in (("CIFAR-100", CIFAR_IMAGES), ("CIFAR-100-LT", LONG_TAILED_IMAGES))
    ]
    return f"A table of all views (padding 4, flips) takes {' and '.join(sizes)}, in float32."
