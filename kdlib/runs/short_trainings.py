"""What trainings cost here: short ones are timed, side by side as the long ones will be."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdlib.runs import made_up
from kdlib.runs.execute import threads_for
from kdlib.runs.shapes import shape_of
from kdlib.runs.side_by_side import in_processes
from kdlib.runs.spec import RobustCost, RunSpec
from kdlib.runs.store import Store
from kdlib.runs.teacher_tables import build_shared_table, takes_fused_steps
from kdlib.runs.train_one import torch_threads, train_one
from kdlib.runs.train_together import train_together
from kdlib.training import CosineDecay, steps_per_epoch

_PACKAGED = ("digits",)
"""Data that are there wherever kdlib is."""
_RATE = 0.01
"""Small enough for a training without a warm-up not to diverge, which would end it early."""


@dataclass(frozen=True)
class Cost:
    """Seconds of a training: ``fixed`` for data, evaluation and files, and ``per_image``."""

    fixed: float
    per_image: float


def measured_costs(
    stacks: Sequence[Sequence[RunSpec]], *, device: str, jobs: int
) -> tuple[list[list[Cost]], float]:
    """What each of the stacks costs, measured once at least; and seconds until workers start.

    Args:
        stacks: one of each kind; the runs of a stack share their steps.
        device: ``cpu`` or ``cuda``.
        jobs: processes side by side. With more than one, as many measure at once.
    """
    if jobs == 1 or not stacks:
        return [[_cost(stack, device, threads_for(stack[0], 1))] for stack in stacks], 0.0
    times, asked = math.ceil(jobs / len(stacks)), time.time()
    tasks = [
        ([spec.canonical_json() for spec in stack], device, threads_for(stack[0], jobs))
        for stack in [*stacks] * times
    ]
    by_place = dict(in_processes(_cost_in_worker, tasks, jobs))
    answers = [by_place[place] for place in range(len(tasks))]
    costs = [[cost for _, cost in answers[at :: len(stacks)]] for at in range(len(stacks))]
    return costs, max(0.0, min(begun for begun, _ in answers) - asked)


def _cost_in_worker(stack: Sequence[str], device: str, threads: int) -> tuple[float, Cost]:
    """When it began, in seconds since 1970, and the cost."""
    begun = time.time()
    specs = [RunSpec.model_validate_json(text) for text in stack]
    return begun, _cost(specs, device, threads)


def _cost(stack: Sequence[RunSpec], device: str, threads: int) -> Cost:
    with torch_threads(threads):
        if stack[0].data.name in _PACKAGED:
            short, long = _real(stack, device, threads)
        else:
            # The first call takes longer, and so does one that was disturbed.
            short = min(made_up.timed(stack, 1, device) for _ in range(3))
            long = min(made_up.timed(stack, 5, device) for _ in range(2))
    return _line(short, long)


def _line(short: tuple[float, int], long: tuple[float, int]) -> Cost:
    """The cost, from seconds and images of two trainings; the clock may be coarse."""
    per_image = max(long[0] - short[0], long[0] / 4) / (long[1] - short[1])
    return Cost(max(0.0, short[0] - per_image * short[1]), per_image)


def _real(
    stack: Sequence[RunSpec], device: str, threads: int
) -> tuple[tuple[float, int], tuple[float, int]]:
    """Seconds and images of the runs themselves, cut to a few epochs: few, and three times so."""
    epochs = max(map(_epochs_to_a_move, stack))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        _train_parents(stack, store, device, threads)
        times = [
            _timed([_cut(spec, length, seed) for spec in stack], store, device, threads)
            for seed, length in enumerate((epochs, epochs, 3 * epochs))
        ]
    return min(times[:2]), times[2]


def _timed(stack: Sequence[RunSpec], store: Store, device: str, threads: int) -> tuple[float, int]:
    images = sum(
        spec.recipe.epochs * shape_of(spec).training_examples(spec.data.imbalance) for spec in stack
    )
    started = time.perf_counter()
    if len(stack) == 1:
        train_one(stack[0], store, device=device, threads=threads)
    else:
        train_together(stack, store, device=device, threads=threads)
    return time.perf_counter() - started, images


def _train_parents(stack: Sequence[RunSpec], store: Store, device: str, threads: int) -> None:
    """What the cut runs build on, and the table that answers for a teacher where one pays."""
    for spec in stack:
        for parent in _cut(spec, 1, 0).parents():
            _train_parents([parent], store, device, threads)
            train_one(parent, store, device=device, threads=threads)
        if spec.teacher is not None:
            cut = _cut(spec, spec.recipe.epochs, 0)
            fused = len(stack) == 1 and takes_fused_steps(cut, device)
            build_shared_table([cut], store, device, fused=fused)


def _epochs_to_a_move(spec: RunSpec) -> int:
    """Epochs that a short training needs: until the class multipliers, if any, have moved."""
    cost = spec.objective.log_cost
    if not isinstance(cost, RobustCost):
        return 1
    steps = steps_per_epoch(spec.recipe, shape_of(spec).training_examples(spec.data.imbalance))
    return min(spec.recipe.last_epoch, math.ceil(cost.rule.update_every / steps))


def _cut(spec: RunSpec, epochs: int, seed: int) -> RunSpec:
    """The run with few epochs and another seed, after parents of one epoch."""
    change: dict[str, Any] = {"epochs": epochs, "warmup_epochs": 0, "stop_after": None}
    change |= {"schedule": CosineDecay(), "peak_rate": min(_RATE, spec.recipe.peak_rate)}
    return spec.model_copy(
        update={
            "recipe": spec.recipe.model_copy(update=change),
            "seed": spec.seed + seed,
            "teacher": spec.teacher and _cut(spec.teacher, 1, 0),
            "objective": spec.objective.model_copy(
                update={
                    "mix": _with_cut_estimator(spec.objective.mix),
                    "log_cost": _with_cut_estimator(spec.objective.log_cost),
                }
            ),
        }
    )


def _with_cut_estimator(rule: Any) -> Any:
    if not hasattr(rule, "estimated_by"):
        return rule
    return rule.model_copy(update={"estimated_by": _cut(rule.estimated_by, 1, 0)})
