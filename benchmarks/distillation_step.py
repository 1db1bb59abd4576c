"""One step of distillation: kdlib in either number format against other loops, and its targets.

``measure_training.py --part step`` writes what this measures, in four minutes on two cores. Beside
the time that passes stands processor time, workers included: of a machine that is busy with
something else it still tells.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from convolution_limit import limits
from measure_book import SAMPLE_SECONDS, tree_memory
from results_file import markdown
from rivals import (
    Pass,
    Work,
    with_kdlib,
    with_repdistiller_shape,
    with_torchdistill,
    with_tutorial,
)
from step_targets import (
    CLASSES,
    CLOCKS,
    EPOCHS,
    PRECISIONS,
    REPDISTILLER,
    STUDENTS,
    TORCHDISTILL,
    Clock,
    Speed,
    memory_sentence,
    ours,
    paying_table,
    speed_table,
    target_table,
)

from kdlib.data import num_views
from kdlib.training.folding import answering_dtype
from kdlib.training.recipe import Precision
from kdlib.training.teacher_views import TeacherTable, build_table

ROUNDS = 3
IMAGES, TABLE_IMAGES = 1_920, 32


def random_work(images: int = IMAGES) -> Work:
    """Images of CIFAR-100's size and number of classes."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, 3, 32, 32), generator=random, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (images,), generator=random)
    return Work(pixels, labels, CLASSES)


def speeds(rivals: Mapping[str, Pass], images: int, rounds: int = ROUNDS) -> dict[str, Speed]:
    """A pass of each rival that takes its memory, then ``rounds`` turns of a pass each."""
    memory = {name: peak_memory(one_pass) for name, one_pass in rivals.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, one_pass in rivals.items():
            wall, processor = times_of(one_pass)
            found[name].append((images / wall, images / processor))
    return {
        name: Speed(name, *map(tuple, zip(*all_, strict=True)), memory=memory[name])
        for name, all_ in found.items()
    }


def times_of(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds that pass, and of processor time; worker processes that ended are counted in."""
    wall, processor = time.perf_counter(), _processor_time()
    action()
    return time.perf_counter() - wall, _processor_time() - processor


def _processor_time() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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


def step_rivals(work: Work) -> dict[str, Pass]:
    """Kdlib in both number formats, with and without a table of views, and the loops of others."""
    views = num_views(work.recipe().crop_padding, flip=True)
    table = TeacherTable(torch.randn(len(work.labels), views, work.num_classes))
    rivals: dict[str, Pass] = {}
    for precision in PRECISIONS:
        rivals[ours("forward", precision)] = with_kdlib(work, precision=precision)
        rivals[ours("table", precision)] = with_kdlib(work, table, precision=precision)
        rivals[ours("one-hot", precision)] = with_kdlib(work, precision=precision, alpha=0.0)
    rivals["loop of PyTorch's tutorial"] = with_tutorial(work)
    rivals[REPDISTILLER] = with_repdistiller_shape(work)
    try:
        rivals[TORCHDISTILL] = with_torchdistill(work)
    except ImportError:
        print("torchdistill is not installed (`make bench` installs it): left out")
    return rivals


def step_section() -> str:
    """ResNet-56 to ResNet-20 at batch 64: images a second, ratios to the others, targets."""
    work = random_work()
    found = speeds(step_rivals(work), len(work.labels))
    builds = {p: views_a_second(random_work(TABLE_IMAGES), p) for p in PRECISIONS}
    most = {p: limits(work, p) for p in PRECISIONS}
    lines = [
        f"ResNet-56 teaches ResNet-20, batches of {work.batch_size}, {IMAGES} random images of "
        f"3x32x32 a pass, {CLASSES} classes, all cores; medians of {ROUNDS} passes in turn. "
        "Processor time counts all threads and worker processes; each pass starts its workers. "
        "A teacher of bf16 answers here in "
        f"{str(answering_dtype('cpu')).removeprefix('torch.')} (`kdlib.training.folding`).",
        markdown(speed_table(found)),
        f"Targets, and what was reached by the time that passed (in brackets: by processor time). "
        f"{STUDENTS} students train {EPOCHS} epochs of CIFAR-100 each, the table's cost counted; "
        "that row is computed from the rates. The last column is what a step would reach that "
        "consisted of its convolutions alone, each timed by itself "
        "(`benchmarks/convolution_limit.py`): an eager step in that number format cannot pass it, "
        "but for noise. The rounds above say how far a ratio may be trusted.",
        markdown(target_table(found, builds, most)),
        "When the table pays, computed from the same rates: passes over the data, of all students "
        "of a teacher together, from which on it takes less time than forward passes.",
        markdown(paying_table(found, builds)),
        memory_sentence(),
    ]
    return "\n\n".join(lines)


def views_a_second(work: Work, precision: Precision) -> dict[Clock, float]:
    """The rate at which the table of that work's images is built, by either clock."""
    teacher, split, recipe = work.network(work.teacher), work.split(), work.recipe(1, precision)
    views = len(work.labels) * num_views(recipe.crop_padding, recipe.flip)
    taken = times_of(lambda: build_table(teacher, split, recipe, dataset_name="cifar100"))
    return {clock: views / seconds for clock, seconds in zip(CLOCKS, taken, strict=True)}
