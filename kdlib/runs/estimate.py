"""How long would these runs take here? Short trainings of each kind are timed before any starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdlib.plain_lines import duration
from kdlib.runs.shapes import shape_of, training_images
from kdlib.runs.short_trainings import Cost, measured_costs
from kdlib.runs.spec import RunSpec

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
