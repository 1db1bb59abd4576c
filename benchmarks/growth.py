"""How time and memory grow: ``growth_rows`` measures each point in a process of its own."""

from __future__ import annotations

import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve()
MB = 10**6
REPEATS = 5


def loss_step(classes: int) -> None:
    """Loss and gradient of a batch of 256 with that many classes, and its per-class accuracy."""
    import torch

    from kdlib import losses, metrics

    random = torch.Generator().manual_seed(0)
    logits = torch.randn(256, classes, generator=random, requires_grad=True)
    soft = losses.teacher_probabilities(torch.randn(256, classes, generator=random), 2.0)
    labels = torch.randint(0, classes, (256,), generator=random)
    mix = torch.full((classes,), 0.5)
    losses.soft_target_loss(logits, labels, soft, mix=mix, log_cost=mix).backward()
    guesses = logits.argmax(1).numpy()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes without examples
        metrics.per_class_accuracy(guesses, labels.numpy(), classes)


def epoch_views(images: int) -> None:
    """Order and views of an epoch of CIFAR-sized images, cut and scaled batch by batch."""
    import torch

    from kdlib.data.views import apply_views, draw_views, epoch_order, to_float

    pixels = torch.zeros(images, 3, 32, 32, dtype=torch.uint8)
    order, views = epoch_order(images, 0, 0), draw_views(pixels, 0, 0, 4, True)
    for rows in order.split(128):
        to_float(apply_views(pixels[rows], views[rows], 4, True), "centre", "")


WORK: dict[str, tuple[Callable[[int], None], tuple[int, ...]]] = {
    "classes: loss, gradient and per-class accuracy": (loss_step, (10, 100, 1_000, 10_000)),
    "images: order and views of an epoch": (epoch_views, (1_000, 10_000, 50_000)),
}


def growth_rows() -> list[dict[str, str]]:
    """A row per point, and the fitted exponents of time and memory in the last row of each."""
    rows: list[dict[str, str]] = []
    for name, (_, sizes) in WORK.items():
        points = [_in_a_process(name, size) for size in sizes]
        times, memory = zip(*points, strict=True)
        for place, size in enumerate(sizes):
            last = place == len(sizes) - 1
            rows.append(
                {
                    "what grows": name,
                    "size": f"{size:,}",
                    "time": f"{1000 * times[place]:.1f} ms",
                    "memory": f"{memory[place] / MB:.1f} MB",
                    "exponent of time": f"{exponent(sizes[-2:], times[-2:]):.2f}" if last else "",
                    "exponent of memory": _memory_exponent(sizes, memory) if last else "",
                }
            )
    return rows


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of log value against log size by least squares: 1 is linear growth."""
    x, y = [math.log(s) for s in sizes], [math.log(v) for v in values]
    return statistics.linear_regression(x, y).slope


def measure(name: str, size: int) -> tuple[float, float]:
    """Median seconds of ``REPEATS`` and the bytes that they add to this process's peak."""
    work, _ = WORK[name]
    work(min(WORK[name][1]))  # imports and first calls
    before = _peak()
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work(size)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), _peak() - before


def _memory_exponent(sizes: Sequence[int], memory: Sequence[float]) -> str:
    if min(memory[-2:]) < MB:
        return "below 1 MB"
    return f"{exponent(sizes[-2:], memory[-2:]):.2f}"


def _peak() -> float:
    scale = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale)


def _in_a_process(name: str, size: int) -> tuple[float, float]:
    command = [sys.executable, str(HERE), name, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, memory = json.loads(done.stdout)
    return float(seconds), float(memory)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
