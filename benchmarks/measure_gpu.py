"""Measure trainings on one GPU, in one call: ``.venv/bin/python benchmarks/measure_gpu.py``.

Made for one H100 or H200; ends within nine minutes. The parts come in the order of their worth; one
that no longer fits the budget is left out with a line. After each part the block ``gpu`` of
``benchmarks/RESULTS.md`` is written, so that nothing measured is lost. ``--dry`` runs all of it at
the size of a toy on a CPU, and writes nothing but ``--out``. Without a GPU it says so and changes
nothing.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from gpu_profile import idle_share, profiled, top_kernels
from gpu_trainings import (
    DRY,
    GB,
    Scale,
    Speed,
    bandwidth,
    longest_tuning,
    plain_teacher,
    side_by_side,
    speed,
    stacked,
    table_teacher,
    views_a_second,
)
from machine import machine_rows
from results_file import fill_results, markdown

from kdlib.folders import absolute
from kdlib.training.job import StepKind

BUDGET = 480.0
OVERRUN = 35.0
"""Seconds in which parts are started, and what the last may take on top: below 540 together."""

PAPER_IMAGES = 450 * 50_000
LONG_TAIL_EPOCHS = 450
LIMIT_SECONDS, LIMIT_BANDWIDTH = 83.0, 4.8e12
"""What PAPER_IMAGES take if fused memory traffic is all that counts, at an H200's nominal speed."""
GOAL_SECONDS, LONG_TAIL_GOAL = 125.0, 30.0


@dataclass
class Found:
    """What later parts need of earlier ones."""

    bytes_a_second: float = LIMIT_BANDWIDTH
    steps: tuple[Speed, ...] = ()


@dataclass(frozen=True)
class Part:
    """A title, the seconds that it may need, and what it measures as Markdown."""

    title: str
    needs: float
    measure: Callable[[Scale, Found], str]


def limit(bytes_a_second: float) -> float:
    """Seconds that fused memory traffic allows for PAPER_IMAGES at that speed of memory."""
    return LIMIT_SECONDS * LIMIT_BANDWIDTH / bytes_a_second


def card(scale: Scale, found: Found) -> str:
    """The speed of memory, and the limit that follows."""
    found.bytes_a_second = bandwidth(scale)
    return (
        f"A large copy moves {found.bytes_a_second / 1e12:.2f} TB/s (read and written). Fused "
        f"memory traffic allows {LIMIT_SECONDS:.0f} s for {PAPER_IMAGES / 1e6:.1f} million images "
        f"of ResNet-56 at {LIMIT_BANDWIDTH / 1e12:.1f} TB/s, nominal of an H200: "
        f"{limit(found.bytes_a_second):.0f} s at the speed measured here."
    )


def speed_rows(speeds: Sequence[Speed]) -> str:
    """A table of speeds alone."""
    return markdown([_row(each) for each in speeds])


def _row(each: Speed) -> dict[str, str]:
    return {
        "step": each.name,
        "images per second": f"{each.images_a_second:,.0f}",
        "before the first step": f"{each.built:.1f} s",
        "again, same shape": f"{each.again:.2f} s",
        "peak memory": f"{each.memory / GB:.2f} GB",
    }


def against_limit(each: Speed, bytes_a_second: float) -> dict[str, str]:
    """A row: what the paper's training would take, and the share of the limit that is reached."""
    seconds = PAPER_IMAGES / each.images_a_second
    return {
        **_row(each),
        "450 epochs of CIFAR-100, extrapolated": f"{seconds:.0f} s",
        "of the limit": f"{100 * limit(bytes_a_second) / seconds:.0f} %",
        f"below {GOAL_SECONDS:.0f} s": "yes" if seconds < GOAL_SECONDS else "no",
    }


def _step(scale: Scale, found: Found, kind: StepKind) -> str:
    each = speed(scale, kind)
    found.steps = (*found.steps, each)
    return markdown([against_limit(each, found.bytes_a_second)])


def eager_steps(scale: Scale, found: Found) -> str:
    """As PyTorch runs them."""
    return _step(scale, found, "eager")


def captured_steps(scale: Scale, found: Found) -> str:
    """One CUDA graph per step."""
    return _step(scale, found, "captured")


def compiled_steps(scale: Scale, found: Found) -> str:
    """The same after torch.compile."""
    return _step(scale, found, scale.compiled)


def long_tail(scale: Scale, found: Found) -> str:
    """Epochs of as many images as CIFAR-100-LT has, with the fastest step so far."""
    fastest = max(found.steps, key=lambda each: each.images_a_second, default=None)
    kind = "captured" if fastest is None else fastest.name
    each = speed(scale, kind, images=scale.long_tail)
    seconds = LONG_TAIL_EPOCHS * each.epoch
    return (
        f"{scale.long_tail:,} images per epoch, {kind} steps: "
        f"{1000 * each.epoch:.1f} ms per epoch, so {seconds:.1f} s for {LONG_TAIL_EPOCHS} epochs "
        f"(goal: below {LONG_TAIL_GOAL:.0f} s)."
    )


def profile(scale: Scale, found: Found) -> str:
    """Each kind of step that was measured."""
    texts = []
    for kind in dict.fromkeys(each.name for each in found.steps):
        kernels = profiled(scale, kind)
        idle = f"{kind}: no kernel runs in {100 * idle_share(kernels):.0f} % of the time."
        texts.append(f"{idle}\n\n{markdown(top_kernels(kernels))}" if kernels else idle)
    return "\n\n".join(texts)


def distillation(scale: Scale, found: Found) -> str:
    """From a forward pass and from a teacher cache."""
    return _distilled(scale, "captured")


def compiled_distillation(scale: Scale, found: Found) -> str:
    """The same after torch.compile."""
    return _distilled(scale, scale.compiled)


def _distilled(scale: Scale, kind: StepKind) -> str:
    rows = [
        {"teacher": name, **_row(speed(scale, kind, depth=scale.student, teacher=teacher))}
        for name, teacher in (("forward pass", plain_teacher), ("teacher cache", table_teacher))
    ]
    built = views_a_second(scale)
    return f"{markdown(rows)}\n\nThe cache is built at {built:,.0f} views per second, eager."


def small_batches(scale: Scale, found: Found) -> str:
    """Where launches count most."""
    size = {"batch": scale.small, "images": scale.small_images}
    return speed_rows([speed(scale, kind, **size) for kind in ("eager", "captured")])


def compiled_small_batches(scale: Scale, found: Found) -> str:
    """The same after torch.compile."""
    return speed_rows([speed(scale, scale.compiled, batch=scale.small, images=scale.small_images)])


def students_at_once(scale: Scale, found: Found) -> str:
    """Captured steps of several students, launched in turn by one thread, on a stream each."""
    alone, together = side_by_side(scale)
    return (
        f"{scale.students} students (ResNet-{scale.student}, batches of {scale.small}): "
        f"{alone:,.0f} images per second one after the other, {together:,.0f} at once on streams "
        f"({together / alone:.2f} times as fast), {stacked(scale):,.0f} as one wide network, eager."
    )


def tuned_steps(scale: Scale, found: Found) -> str:
    """Compiled with max-autotune."""
    with longest_tuning():
        each = speed(scale, scale.compiled)
    return markdown([against_limit(each, found.bytes_a_second)])


PARTS = (
    Part("Memory", 5, card),
    Part("ResNet-56, batches of 1024, bf16, eager", 30, eager_steps),
    Part("The same, captured", 30, captured_steps),
    Part("The same, compiled and captured", 120, compiled_steps),
    Part("As many images as CIFAR-100-LT", 40, long_tail),
    Part("Profile of an epoch of 4 steps, batches of 1024", 60, profile),
    Part("ResNet-56 teaches ResNet-20, batches of 1024, captured", 60, distillation),
    Part("ResNet-56, batches of 128", 45, small_batches),
    Part("Students at once", 30, students_at_once),
    Part("ResNet-56, batches of 128, compiled", 100, compiled_small_batches),
    Part("ResNet-56 teaches ResNet-20, compiled", 120, compiled_distillation),
    Part("ResNet-56, batches of 1024, compiled with max-autotune", 200, tuned_steps),
)


def measure(
    scale: Scale, left: Callable[[], float], write: Callable[[str], None], strict: bool = False
) -> str:
    """All parts that fit; ``left`` tells the seconds left, ``write`` gets the text after each.

    A part that fails costs its own numbers only, unless ``strict``.
    """
    found, texts = Found(), [f"{_about()}\n\n{markdown([gpu_rows(scale)])}"]
    for part in PARTS:
        started = left()
        texts.append(f"**{part.title}**\n\n{_content(part, scale, found, started, strict)}")
        print(f"{texts[-1]}\n({started - left():.0f} s)\n", flush=True)
        write("\n\n".join(texts))
    return "\n\n".join(texts)


def _content(part: Part, scale: Scale, found: Found, left: float, strict: bool) -> str:
    if part.needs > left:
        return f"Left out: {left:.0f} s were left, and it may need {part.needs:.0f} s."
    try:
        return part.measure(scale, found)
    except Exception as error:
        if strict:
            raise
        return f"Failed: {type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def _about() -> str:
    return (
        "Random images of CIFAR-100's shape, 100 classes; a median of the epochs after the first. "
        "*Before the first step* holds capture and compilation; *again* is a second training."
    )


def gpu_rows(scale: Scale) -> Mapping[str, str]:
    """The card beside what every benchmark says of its machine."""
    there = scale.device == "cuda"
    name = torch.cuda.get_device_name() if there else "none: a dry run"
    return {"GPU": name, "CUDA": str(torch.version.cuda), **machine_rows()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the block."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description="Measure trainings on one GPU.")
    parser.add_argument("--dry", action="store_true", help="a toy on a CPU; writes no results")
    parser.add_argument("--out", type=absolute, help="write the text to this file too")
    parser.add_argument("--seconds", type=float, default=BUDGET, help="budget [default: 480]")
    options = parser.parse_args(arguments)
    if not (options.dry or torch.cuda.is_available()):
        print("No GPU here: nothing is measured, and benchmarks/RESULTS.md stays as it is.")
        return

    def write(text: str) -> None:
        if options.out is not None:
            options.out.write_text(text + "\n", encoding="utf-8")
        if not options.dry:
            fill_results("gpu", text)

    scale = DRY if options.dry else Scale()
    if not options.dry:
        _stop_after(options.seconds + OVERRUN)
    measure(scale, lambda: started + options.seconds - time.monotonic(), write, options.dry)


def _stop_after(seconds: float) -> None:
    """End the process then, whatever it does; what was measured is written already."""
    timer = threading.Timer(seconds, os._exit, (3,))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main()
