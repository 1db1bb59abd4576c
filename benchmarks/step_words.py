"""What is written about the speeds of a distillation step: tables, and how to read them."""

from __future__ import annotations

from machine import GB
from results_file import markdown
from rivals import CLASSES, Work
from step_targets import (
    EPOCHS,
    REPDISTILLER,
    STUDENTS,
    AllLimits,
    Builds,
    Speeds,
    paying_table,
    speed_table,
    sweep_table,
    target_table,
)

from kdlib.data import num_views
from kdlib.training.folding import answering_dtype
from kdlib.training.teacher_views import BYTES_A_LOGIT

CIFAR_IMAGES, LONG_TAILED_IMAGES = 50_000, 10_847


def report(words: list[str], found: Speeds, builds: Builds, limits: AllLimits) -> str:
    """The section: speeds, targets, several students, when the teacher cache pays."""
    parts = [
        *words,
        markdown(speed_table(found)),
        ABOUT_TARGETS,
        markdown(target_table(found, builds, limits)),
        ABOUT_SEVERAL,
        markdown(sweep_table(found, builds)),
        "When the teacher cache pays, computed from the same rates: passes over the data, of all "
        "students of a teacher together, from which on it takes less time than forward passes.",
        markdown(paying_table(found, builds)),
        memory_sentence(),
    ]
    return "\n\n".join(parts)


def about(work: Work, memory_images: int, rounds: int) -> str:
    """What was trained, by whom, on what."""
    return (
        f"ResNet-{work.teacher} teaches ResNet-{work.student}, batches of {work.batch_size}, "
        f"{len(work.labels)} random images of 3x32x32 per pass, {work.num_classes} classes, all "
        f"cores; medians of {rounds} passes in turn. Processor time counts all threads and worker "
        "processes. Workers stay from pass to pass: an epoch of CIFAR-100 is "
        f"{CIFAR_IMAGES / len(work.labels):.0f} passes long. Memory is that of {memory_images} "
        "images. A teacher of bf16 answers here in "
        f"{str(answering_dtype('cpu')).removeprefix('torch.')} (`kdlib.training.folding`). "
        "`fused` are kdlib's steps of `KDLIB_STEP=fused`. Two side by side are two students at "
        "once in two processes of one thread each, as `--jobs 2` trains them: images of both, "
        "from a common start to the end of the slower."
    )


ABOUT_TARGETS = (
    "Targets, and what was reached by the time that passed (in brackets: by processor time). "
    f"{STUDENTS} students train {EPOCHS} epochs of CIFAR-100 each, the cache's cost counted; that "
    "row is computed from the rates, kdlib's of two students side by side where that was measured "
    "and is the faster, against the other loop as it is, one student at a time. The last column is "
    "what a step would reach that consisted of its convolutions alone, each timed by itself "
    "(`benchmarks/convolution_limit.py`): an eager or fused step in that number format cannot pass "
    "it, but for noise. The rounds above say how far a ratio may be trusted."
)

ABOUT_SEVERAL = (
    f"The {STUDENTS} students, the cache's cost counted, by how many kdlib trains at a time. "
    f"{REPDISTILLER} has no such way of its own: two started by hand, one thread each, are the "
    "fairer comparison of the loops where kdlib trains two."
)


def memory_sentence() -> str:
    """What the teacher caches of CIFAR-100 take: known before they are built."""
    sizes = [
        f"{images * num_views(4, flip=True) * CLASSES * BYTES_A_LOGIT / GB:.2f} GB for {name}"
        for name, images in (("CIFAR-100", CIFAR_IMAGES), ("CIFAR-100-LT", LONG_TAILED_IMAGES))
    ]
    caches = " and ".join(sizes)
    return f"A teacher cache of all views (padding 4, flips) takes {caches}, in float32."
