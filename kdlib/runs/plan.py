"""What runs would take before any is trained: time, room, and caches of their teachers' logits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from kdlib.data.image_folders import PUBLISHED
from kdlib.models import AnyModel, build
from kdlib.plain_lines import duration
from kdlib.runs.shapes import Shape, shape_of, training_images
from kdlib.runs.short_trainings import Cost, measured_costs
from kdlib.runs.spec import RunSpec
from kdlib.runs.teacher_tables import LARGEST_TABLE, by_teacher, of_shared_seeds, same_bits
from kdlib.training.teacher_views import table_bytes, table_pays, visits_bytes

# Time: short trainings of each kind are timed here

Stack = Sequence[RunSpec]
_FASTER, _SLOWER = 0.9, 1.3
"""What a machine's other work, and trainings that are longer than those timed, may change."""


@dataclass(frozen=True)
class Estimate:
    """Wall-clock seconds, from ``lower`` to ``upper``."""

    lower: float
    upper: float

    def __str__(self) -> str:
        lower, upper = duration(self.lower).split(), duration(self.upper).split()
        if lower == upper:
            return "about " + " ".join(upper)
        return " ".join(lower[:1] if lower[1] == upper[1] else lower) + " to " + " ".join(upper)


def estimate(generations: Sequence[Sequence[Stack]], *, device: str, jobs: int) -> Estimate:
    """Time to train the stacks of one generation after the other, with ``jobs`` processes.

    The runs of a stack share their steps; a stack of one trains alone. Of each kind (network, data
    shape, recipe, objective, teacher, number of runs in a step) short trainings are timed, side by
    side as later the long ones: real ones of data that come with the package, else of made-up
    images, so that nothing is downloaded. The start of the worker processes counts.
    """
    kinds = {_kind(stack): stack for stacks in generations for stack in stacks}
    costs, start = measured_costs(list(kinds.values()), device=device, jobs=jobs)
    known = dict(zip(kinds, costs, strict=True))
    spans = [[_span(stack, known[_kind(stack)]) for stack in stacks] for stacks in generations]
    lower = sum(_least([low for low, _ in each], jobs) for each in spans)
    upper = sum(_most([high for _, high in each], jobs) for each in spans)
    return Estimate(_FASTER * lower + start, _SLOWER * upper + start)


def _span(stack: Stack, costs: Sequence[Cost]) -> tuple[float, float]:
    """Least and most seconds of a stack's training, by what was measured of its kind."""
    images = sum(map(training_images, stack))
    seconds = [cost.fixed + images * cost.per_image for cost in costs]
    return min(seconds), max(seconds)


def _least(seconds: Sequence[float], jobs: int) -> float:
    """No schedule is shorter: all processes busy, and the longest training in one piece."""
    return max(sum(seconds) / jobs, max(seconds, default=0.0))


def _most(seconds: Sequence[float], jobs: int) -> float:
    """No list is longer that gives each process that is free the next training (Graham, 1969)."""
    return sum(seconds) / jobs + (1 - 1 / jobs) * max(seconds, default=0.0)


def _kind(stack: Stack) -> tuple[object, ...]:
    return tuple(sorted(map(_kind_of_run, stack), key=repr))


def _kind_of_run(spec: RunSpec) -> tuple[object, ...]:
    teacher = spec.teacher and spec.teacher.model
    cost = spec.objective.log_cost
    weighs = getattr(cost, "rule", None)
    return spec.model, shape_of(spec), spec.recipe, teacher, cost.kind, weighs


# Room of the finished runs

HELD_OUT = {
    "digits": 897, "fashion_mnist": 10_000, "cifar10": 10_000, "cifar100": 10_000,
    "imagenet": 50_000, "imagenet_lt": 50_000, "inaturalist2018": 24_426,
    "tinyimagenet": 10_000,
}  # fmt: skip
"""Validation and test images together, by data set: the official test set."""
_DEV_SHARE = 0.2
_TEXTS = 10_000
"""Bytes of the tables and JSON of a small run."""


def room(specs: Iterable[RunSpec]) -> int:
    """Bytes of the finished runs: weights, logits with labels and indices, and a few tables."""
    return sum(_room(spec) for spec in specs)


def _room(spec: RunSpec) -> int:
    shape = shape_of(spec)
    dev = _DEV_SHARE * shape.training_examples(spec.data.imbalance)
    images = HELD_OUT[spec.data.name] + round(dev)
    return 4 * _weights(spec.model, shape) + images * (4 * shape.num_classes + 16) + _TEXTS


@cache
def _weights(model: AnyModel, shape: Shape) -> int:
    network = build(
        model, num_classes=shape.num_classes, channels=shape.channels,
        image_size=shape.image_size, seed=0,
    )  # fmt: skip
    return sum(array.numel() for array in network.state_dict().values())


# Teacher caches


@dataclass(frozen=True)
class PlannedTables:
    """What teachers answer with.

    Attributes:
        sizes: bytes of each table that is built, or read where it is there already.
        too_large: caches that would pay but take more than ``LARGEST_TABLE``.
        too_few_views: teachers whose students ask for fewer views than a table holds, each student
            for its own.
        visited: of each teacher several of whose students share a seed, and so their views: most
            bytes of its logits on these.
    """

    sizes: tuple[int, ...]
    too_large: int
    too_few_views: int
    visited: tuple[int, ...] = ()

    def __str__(self) -> str:
        parts = []
        if self.sizes:
            total, largest = (size / 2**20 for size in (sum(self.sizes), max(self.sizes)))
            parts.append(
                f"{len(self.sizes)} of {self.teachers} answer from precomputed logits, "
                f"{total:.1f} MiB in all, the largest {largest:.1f} MiB"
            )
        if self.visited:
            parts.append(
                f"{len(self.visited)} from logits on the views that several students of a seed "
                f"visit, at most {sum(self.visited) / 2**20:.1f} MiB in all"
            )
        if self.too_large:
            limit = LARGEST_TABLE / 2**30
            parts.append(
                f"{self.too_large} by forward passes: a cache would exceed {limit:.0f} GiB"
            )
        if self.too_few_views:
            parts.append(
                f"{self.too_few_views} by forward passes: "
                "students ask for fewer views than a table holds"
            )
        return "teachers: " + "; ".join(parts)

    @property
    def teachers(self) -> int:
        """Teachers counted, once for each generation, data set and recipe of their students."""
        return len(self.sizes) + len(self.visited) + self.too_large + self.too_few_views


def planned_tables(generations: Iterable[Sequence[RunSpec]], device: str) -> PlannedTables:
    """What the teachers of these students will answer with, from the specs alone.

    Sizes of splits are those of ``kdlib.runs.shapes``, so an upper bound where dev examples are
    left out. Teachers whose students see images in files are not counted: these have no table.

    Args:
        generations: the runs to be trained in one ``execute`` (``missing_runs``); students share a
            cache where they are of one.
        device: where.
    """
    sizes, visited, too_large, too_few = [], [], 0, 0
    for students in (group for specs in generations for group in by_teacher(specs)):
        spec = students[0]
        if spec.data.name in PUBLISHED:
            continue
        shape = shape_of(spec)
        examples = shape.training_examples(spec.data.imbalance)
        size = table_bytes(spec.recipe, examples, shape.num_classes)
        at_visits = visits_bytes(spec.recipe, examples, shape.num_classes)
        seeds = {student.seed for student in students} if same_bits(spec, device) else {spec.seed}
        several = of_shared_seeds(students) if same_bits(spec, device) else []
        pays = table_pays(spec.recipe, len(seeds))
        if not pays and not several:
            too_few += 1
        elif (size if pays else at_visits) > LARGEST_TABLE:
            too_large += 1
        elif pays:
            sizes.append(size)
        else:
            visited.append(len(several) * at_visits)
    return PlannedTables(tuple(sizes), too_large, too_few, tuple(visited))
