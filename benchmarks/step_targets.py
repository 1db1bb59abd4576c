"""What the speeds of a distillation step say: ratios, targets, and when the teacher cache pays."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from convolution_limit import Limits
from machine import GB
from rivals import BF16, EAGER, FUSED, Kind

from kdlib.data import num_views
from kdlib.training.recipe import Precision

EPOCHS, STUDENTS = 240, 8
REPDISTILLER, TORCHDISTILL = "RepDistiller's loop and networks", "torchdistill"
REPDISTILLER_TWICE = f"{REPDISTILLER}, two side by side"

Clock = Literal["wall", "processor"]
CLOCKS: tuple[Clock, ...] = ("wall", "processor")


@dataclass(frozen=True)
class Speed:
    """Images per second of a rival in each round: of time that passed, and of one processor's time.

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


def ours(way: Literal["forward", "table", "one-hot", "side by side"], kind: Kind) -> str:
    """The name of a row of kdlib."""
    words = {"forward": "teacher's forward pass", "table": "teacher cache", "one-hot": "one-hot"}
    words["side by side"] = f"{words['table']}, two side by side"
    return f"kdlib {kind}, {words[way]}"


def kinds_in(found: Speeds) -> list[Kind]:
    """How kdlib trained in what was measured."""
    return [kind for kind in (EAGER, FUSED, BF16) if ours("table", kind) in found]


def speed_table(found: Speeds) -> list[dict[str, str]]:
    """A row per rival, and how many times as fast as the two packages' loops it is."""
    others = [name for name in (REPDISTILLER, TORCHDISTILL) if name in found]
    return [
        {
            "loop": speed.name,
            "images per second": f"{speed.median():.0f}",
            "rounds": ", ".join(f"{value:.0f}" for value in speed.wall),
            "images per second of processor time": f"{speed.median('processor'):.0f}",
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
    f"{STUDENTS} students, the cache's cost counted": 3.5,
    "one student, the cache is there": 4.0,
}


def target_table(found: Speeds, builds: Builds, limits: AllLimits) -> list[dict[str, str]]:
    """What was aimed at, for each way kdlib trains and each of the two packages' loops."""
    return [
        {
            "against": other,
            "kdlib": str(kind),
            "work": work,
            "at least": f"{target:.1f}",
            "measured": f"{wall:.2f} ({processor:.2f})",
            "reached": "yes" if wall >= target else "**no**",
            "convolutions alone": f"{limit:.2f}",
        }
        for other in (REPDISTILLER, TORCHDISTILL)
        if other in found
        for kind in kinds_in(found)
        for (work, target), wall, processor, limit in zip(
            TARGETS.items(),
            *(measured_ratios(found, builds, other, kind, clock) for clock in CLOCKS),
            limit_ratios(limits, found, other, kind),
            strict=True,
        )
    ]


def measured_ratios(found: Speeds, builds: Builds, other: str, kind: Kind, clock: Clock) -> Ratios:
    """How many times as fast as ``other`` kdlib is by a clock, in the order of ``TARGETS``."""
    names = ours("forward", kind), several(found, kind), ours("table", kind)
    rates = [found[name].median(clock) for name in names]
    return _ratios_to(found[other].median(clock), *rates, builds[kind.precision][clock])


def limit_ratios(limits: AllLimits, found: Speeds, other: str, kind: Kind) -> Ratios:
    """The same for steps of convolutions alone."""
    limit = limits[kind.precision]
    paired = several(found, kind) != ours("table", kind)
    most = limit.side_by_side if paired else limit.table
    return _ratios_to(found[other].median(), limit.forward, most, limit.table, limit.builds)


def several(found: Speeds, kind: Kind) -> str:
    """The row of many students with a teacher cache: two side by side where that is faster."""
    ways = [name for way in ("table", "side by side") if (name := ours(way, kind)) in found]  # type: ignore[arg-type]
    return max(ways, key=lambda name: found[name].median())


def _ratios_to(other: float, forward: float, many: float, table: float, builds: float) -> Ratios:
    return forward / other, sweep_ratio(other, many, builds), table / other


def sweep_ratio(other: float, table: float, builds: float) -> float:
    """How many times less time students with a teacher cache take than in a loop without one.

    Args:
        other: images per second of that loop.
        table: of kdlib's, with the cache.
        builds: views per second at which the cache is built.
    """
    shown = EPOCHS * STUDENTS
    return (shown / other) / (num_views(4, flip=True) / builds + shown / table)


def sweep_table(found: Speeds, builds: Builds) -> list[dict[str, str]]:
    """A row per way in which kdlib trains 8 students; against each loop, also two of it at once."""
    others = [name for name in (REPDISTILLER, REPDISTILLER_TWICE, TORCHDISTILL) if name in found]
    return [
        {
            "kdlib": str(kind),
            "at a time": number,
            **{
                f"times {other}": f"{_sweep(found, builds[kind.precision], name, other):.2f}"
                for other in others
            },
        }
        for kind in kinds_in(found)
        for number, name in (("1", ours("table", kind)), ("2", ours("side by side", kind)))
        if name in found
    ]


def _sweep(found: Speeds, built: Mapping[Clock, float], name: str, other: str) -> float:
    return sweep_ratio(found[other].median(), found[name].median(), built["wall"])


def paying_table(found: Speeds, builds: Builds) -> list[dict[str, str]]:
    """A row per way kdlib trains: rates by processor time, and passes until the cache pays."""
    rows = []
    for kind in kinds_in(found):
        forward, table = (
            found[name].median("processor") for name in (ours("forward", kind), ours("table", kind))
        )
        views = builds[kind.precision]["processor"]
        passes = passes_to_pay(forward, table, views)
        rows.append(
            {
                "kdlib": str(kind),
                "images per second, forward pass": f"{forward:.0f}",
                "with the cache": f"{table:.0f}",
                "views per second, building it": f"{views:.0f}",
                "passes until it pays": f"{passes:.0f}",
                f"students of {EPOCHS} epochs": f"{passes / EPOCHS:.2f}",
            }
        )
    return rows


def passes_to_pay(forward: float, table: float, builds: float) -> float:
    """Passes over the data after which building the cache has cost no more than forward passes.

    An image's views cost V / builds once; each pass then saves 1 / forward - 1 / table.

    Args:
        forward: images per second with the teacher's forward pass.
        table: with the cache; infinity is returned where it is no faster.
        builds: views per second at which it is built.
    """
    saved = 1 / forward - 1 / table
    return num_views(4, flip=True) / builds / saved if saved > 0 else float("inf")
