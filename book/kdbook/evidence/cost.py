"""What trainings of the plan cost, from speeds that were measured once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kdbook.evidence.blocks import BLOCKS, Block
from kdbook.evidence.records import recorded_runs
from kdlib.models import ModelSpec
from kdlib.runs import RunSpec


@dataclass(frozen=True)
class Place:
    """Where trainings run.

    Attributes:
        name: of the machine, as a sentence has it.
        images_per_second: of a ResNet-20 in batches of 128, each training.
        at_once: trainings side by side.
        teacher: what the forward passes of a teacher add, as a share of a training.
    """

    name: str
    images_per_second: float
    at_once: int
    teacher: float

    def seconds(self, runs: Iterable[RunSpec]) -> float:
        """What these trainings take. Students of one seed share what their teacher says."""
        images, asked = 0.0, set[tuple[RunSpec | None, int]]()
        for spec in runs:
            asks = spec.teacher is not None and (spec.teacher, spec.seed) not in asked
            asked.add((spec.teacher, spec.seed))
            images += _images(spec) * (1 + self.teacher * asks)
        return images / self.images_per_second / self.at_once


def _images(spec: RunSpec) -> float:
    """Images that it trains on, as many as a ResNet-20 could in the same time."""
    assert isinstance(spec.model, ModelSpec), "the plan has ResNets for small images only"
    return spec.recipe.epochs * _IMAGES[spec.data.name] * (spec.model.depth - 2) / 18


_IMAGES = {"cifar100": 10_847, "cifar10": 12_406}
TWO_CORES = Place("two cores", 600, 2, 1 / 3)
"""Of an AMD EPYC, by fused steps."""
ONE_GPU = Place("one H200", 39_700, 1, 0)
"""By captured steps: two students of block b2 (200 epochs, with the passes of their teachers) took
55.1 and 54.3 s until they were stored; later two at once, in a process each, took 99 to 109 s,
which is no faster. Records keep no times, so these stand here alone."""
GPU_MINUTES = 30.0
"""Of ``ONE_GPU``: the page and ``kdlib evidence --plan`` say what would be trained in them."""
GPU_ORDER = ("b2", "c", "b", "d", "e", "i", "f", "g", "d2")
"""The plan's, after what its pilot says; c before b, which two cores train as well."""


def on_a_gpu(minutes: float, records: Path) -> str:
    """What a GPU would train in so many minutes, in one sentence.

    Args:
        minutes: of ``ONE_GPU``.
        records: the folder of a GPU's blocks; what they hold is not trained again.
    """
    parts, left = [], 60 * minutes
    for block in (BLOCKS[name] for name in GPU_ORDER):
        missing = _missing(block, records)
        fits = _that_fit(missing, left)
        left -= ONE_GPU.seconds(fits)
        if fits:
            parts.append(f"{block.name} ({len(fits)} of {len(missing)})")
        if len(fits) < len(missing):
            break
    said = ", ".join(parts) or "no training"
    return f"{minutes:g} minutes of {ONE_GPU.name} would train, of the missing: {said}"


def _missing(block: Block, records: Path) -> list[RunSpec]:
    there = recorded_runs(records, block)
    return [spec for spec in block.runs if spec.id not in there]


def _that_fit(runs: list[RunSpec], seconds: float) -> list[RunSpec]:
    """The first of them that take no longer together."""
    for number in range(len(runs), 0, -1):
        if ONE_GPU.seconds(runs[:number]) <= seconds:
            return runs[:number]
    return []
