"""Which tables of teachers' views a plan comes to, and how large: said before any is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdlib.data.image_folders import PUBLISHED
from kdlib.runs.shapes import shape_of
from kdlib.runs.spec import RunSpec
from kdlib.runs.teacher_tables import LARGEST_TABLE, by_teacher, same_bits
from kdlib.training.teacher_views import table_bytes, table_pays


@dataclass(frozen=True)
class PlannedTables:
    """What teachers answer with.

    Attributes:
        sizes: bytes of each table that is built, or read where it is there already.
        too_large: tables that would pay but take more than ``LARGEST_TABLE``.
        too_few_views: tables that would not pay: the students ask for fewer views than they hold.
    """

    sizes: tuple[int, ...]
    too_large: int
    too_few_views: int

    def __str__(self) -> str:
        parts = []
        if self.sizes:
            total, largest = (size / 2**20 for size in (sum(self.sizes), max(self.sizes)))
            parts.append(
                f"{len(self.sizes)} of {self.teachers} answer from precomputed logits, "
                f"{total:.1f} MiB in all, the largest {largest:.1f} MiB"
            )
        if self.too_large:
            limit = LARGEST_TABLE / 2**30
            parts.append(
                f"{self.too_large} by forward passes: a table would exceed {limit:.0f} GiB"
            )
        if self.too_few_views:
            parts.append(
                f"{self.too_few_views} by forward passes: "
                "students ask for fewer views than a table holds"
            )
        return "teachers: " + "; ".join(parts)

    @property
    def teachers(self) -> int:
        """Teachers counted, once for each data set and recipe of their students."""
        return len(self.sizes) + self.too_large + self.too_few_views


def planned_tables(specs: Sequence[RunSpec], device: str) -> PlannedTables:
    """What the teachers of these students will answer with, from the specs alone.

    Sizes of splits are those of ``kdlib.runs.shapes``, so an upper bound where dev examples are
    left out. Teachers whose students see images in files are not counted: these have no table.

    Args:
        specs: the runs to be trained in one ``execute``.
        device: where.
    """
    sizes, too_large, too_few = [], 0, 0
    for students in by_teacher(specs):
        spec = students[0]
        if spec.data.name in PUBLISHED:
            continue
        shape = shape_of(spec)
        examples = shape.training_examples(spec.data.imbalance)
        size = table_bytes(spec.recipe, examples, shape.num_classes)
        count = len(students) if same_bits(spec, device) else 1
        if not table_pays(spec.recipe, count):
            too_few += 1
        elif size > LARGEST_TABLE:
            too_large += 1
        else:
            sizes.append(size)
    return PlannedTables(tuple(sizes), too_large, too_few)
