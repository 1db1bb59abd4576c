"""One step of distillation: kdlib in several ways against other loops, and its targets.

``measure_training.py --part step`` writes what this measures, in seven minutes on two cores. Beside
the time that passes stands processor time, workers included: of a machine that is busy with
something else it still tells.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from convolution_limit import limits
from many_students import processor_seconds
from measure_book import SAMPLE_SECONDS, tree_memory
from repdistiller import differences, with_repdistiller, with_repdistiller_shape
from rivals import (
    BF16,
    EAGER,
    FUSED,
    Kind,
    Pass,
    Work,
    random_work,
    with_kdlib,
    with_table,
    with_tutorial,
)
from side_by_side import STUDENTS, SideBySide
from step_targets import (
    CLOCKS,
    REPDISTILLER,
    REPDISTILLER_TWICE,
    TORCHDISTILL,
    Clock,
    Speed,
    ours,
)
from step_words import about, report
from torchdistill_loop import with_torchdistill

from kdlib.data import num_views
from kdlib.errors import SettingError
from kdlib.training.recipe import Precision
from kdlib.training.teacher_views import build_table

Start = Callable[[Work], Pass | SideBySide]

ROUNDS = 3
IMAGES, MEMORY_IMAGES, TABLE_IMAGES = 1_536, 512, 32
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")


def step_section() -> str:
    """ResNet-56 to ResNet-20 at batch 64: images per second, ratios to the others, targets."""
    work, kinds = random_work(IMAGES), kinds_here()
    found = speeds(step_rivals(kinds), work, random_work(MEMORY_IMAGES))
    builds = {p: views_a_second(random_work(TABLE_IMAGES), p) for p in PRECISIONS}
    most = {p: limits(work, p) for p in PRECISIONS}
    words = about(work, MEMORY_IMAGES, ROUNDS)
    return report([words, differences(work)], found, builds, most)


def kinds_here() -> list[Kind]:
    """Those that this machine can train by; one that it cannot is named."""
    tiny = replace(random_work(8), batch_size=8, teacher=8, student=8)
    try:
        with_kdlib(tiny, kind=FUSED)()
    except SettingError as error:
        print(f"no fused steps here, so no rows of them: {error}")
        return [EAGER, BF16]
    return [EAGER, FUSED, BF16]


def step_rivals(kinds: Sequence[Kind]) -> dict[str, Start]:
    """Kdlib, with and without a teacher cache; the loops of others; two students at once."""
    rivals: dict[str, Start] = {}
    for kind in kinds:
        rivals[ours("forward", kind)] = partial(with_kdlib, kind=kind)
        rivals[ours("table", kind)] = partial(with_table, kind=kind)
        rivals[ours("one-hot", kind)] = partial(with_kdlib, kind=kind, alpha=0.0)
    rivals["loop of PyTorch's tutorial"] = with_tutorial
    rivals["loop of RepDistiller's shape"] = with_repdistiller_shape
    rivals[REPDISTILLER] = with_repdistiller
    try:
        with_torchdistill(random_work(64))
        rivals[TORCHDISTILL] = with_torchdistill
    except ImportError:
        print("torchdistill is not installed (`make bench` installs it): left out")
    return rivals | pairs(kinds)


def pairs(kinds: Sequence[Kind]) -> dict[str, Start]:
    """Two students at once, in kdlib with the teacher cache and in RepDistiller's loop."""
    both: dict[str, Start] = {
        ours("side by side", kind): partial(SideBySide, partial(with_table, kind=kind))
        for kind in kinds
        if kind != BF16
    }
    return both | {REPDISTILLER_TWICE: partial(SideBySide, with_repdistiller)}


def speeds(
    starts: Mapping[str, Start], work: Work, little: Work, rounds: int = ROUNDS
) -> dict[str, Speed]:
    """Each rival's memory on ``little`` work; then ``rounds`` turns of a pass each, and one before.

    The turn before is not counted: in it loaders start their workers, which stay.
    """
    memory = {name: memory_of(start, little) for name, start in starts.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in starts}
    with ExitStack() as running:
        rivals = {name: entered(start(work), running) for name, start in starts.items()}
        for turn in range(rounds + 1):
            for name, rival in rivals.items():
                rates = rates_of(rival, len(work.labels))
                found[name] += [rates] if turn else []
    return {
        name: Speed(name, *map(tuple, zip(*all_, strict=True)), memory=memory[name])
        for name, all_ in found.items()
    }


def memory_of(start: Start, work: Work) -> int:
    """At the peak of a pass of a fresh rival, in bytes."""
    with ExitStack() as running:
        rival = entered(start(work), running)
        return peak_memory(rival, rival.pids if isinstance(rival, SideBySide) else ())


def entered(rival: Pass | SideBySide, running: ExitStack) -> Pass | SideBySide:
    """With its processes, if it has some of its own."""
    return running.enter_context(rival) if isinstance(rival, SideBySide) else rival


def rates_of(rival: Pass | SideBySide, images: int) -> tuple[float, float]:
    """Images per second of a pass by either clock; of all students where there are several."""
    trained = images * (STUDENTS if isinstance(rival, SideBySide) else 1)
    wall, processor = times_of(rival)
    return trained / wall, trained / processor


def times_of(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds that pass, and of processor time of this process and all below it."""
    wall, processor = time.perf_counter(), processor_seconds()
    action()
    return time.perf_counter() - wall, processor_seconds() - processor


def peak_memory(one_pass: Pass, roots: Sequence[int] = ()) -> int:
    """Largest sum over ``roots`` and what is below them during a pass, a shared page counted once.

    Args:
        one_pass: what to do.
        roots: process ids; this process where there are none.
    """
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(one_pass)
        peak = _memory_of(roots)
        while not done.done():
            peak = max(peak, _memory_of(roots))
            time.sleep(SAMPLE_SECONDS)
        done.result()
    return peak


def _memory_of(roots: Sequence[int]) -> int:
    return sum(tree_memory(root)[0] for root in roots or (os.getpid(),))


def views_a_second(work: Work, precision: Precision) -> dict[Clock, float]:
    """The rate at which the teacher cache of that work's images is built, by either clock."""
    recipe = work.recipe(1, precision)
    teacher, split = work.network(work.teacher), work.split()
    views = len(work.labels) * num_views(recipe.crop_padding, recipe.flip)
    taken = times_of(lambda: build_table(teacher, split, recipe, dataset_name="cifar100"))
    return {clock: views / seconds for clock, seconds in zip(CLOCKS, taken, strict=True)}
