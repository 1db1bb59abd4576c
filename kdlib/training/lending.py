"""Which step a training takes, and captured steps that trainings of one shape share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast, get_args

from torch import Tensor

from kdlib.errors import SettingError
from kdlib.training import processes
from kdlib.training.captured import StaticStep, StepKind, shape_key
from kdlib.training.job import Job
from kdlib.training.teacher import CapturableTeacher

ENVIRONMENT = "KDLIB_STEP"
_KEPT = 2
"""Steps that wait for the next training of their shape. Each holds a copy of images and teacher."""

_waiting: list[StaticStep] = []


class CaptureWarning(UserWarning):
    """A step could not be captured; the training takes plain steps."""


@contextmanager
def lent(job: Job, asked: StepKind | None) -> Iterator[Job]:
    """The job, with network and optimizer of a static step where one is to be used.

    The caller's network gets the trained weights at the end, however it ends.

    Raises:
        SettingError: ``asked`` is unknown, or not possible for this training.
    """
    kind = chosen_step(job, asked)
    static = None if kind == "eager" else _static(job, kind, by_default=asked is None)
    if static is None:
        yield job
        return
    static.load(job)
    model = static.model
    try:
        yield replace(job, model=model, forward=model, optimizer=static.optimizer, static=static)
    finally:
        static.give_back()
        keep(static)


def chosen_step(job: Job, asked: StepKind | None) -> StepKind:
    """What ``asked`` comes to for this training; see ``loop.train``."""
    if asked is None and job.device.type != "cuda":
        return "eager"
    # "captured" becomes the default once its tests have passed on a GPU.
    kind = asked or os.environ.get(ENVIRONMENT, "eager")
    if kind not in get_args(StepKind):
        raise SettingError(f"step = {kind!r} is not allowed: {', '.join(get_args(StepKind))}")
    reason = _obstacle(job)
    if kind == "eager" or (asked is None and reason):
        return "eager"
    if reason:
        raise SettingError(f"step = {kind!r} is not possible with {reason}: use 'eager'")
    return cast(StepKind, kind)


def _obstacle(job: Job) -> str | None:
    """Why the training cannot be captured, if so."""
    if not isinstance(job.split.images, Tensor):
        return "images in files"
    if processes.count() > 1:
        return "several processes"
    if not (job.teacher is None or isinstance(job.teacher, CapturableTeacher)):
        return "a teacher without tensors() and layout()"
    return None


def _static(job: Job, kind: StepKind, by_default: bool) -> StaticStep | None:
    """A step that waits, or a new one; None, with a warning, where the default cannot be had."""
    key = shape_key(job, kind)
    for place, static in enumerate(_waiting):
        if static.key == key:
            return _waiting.pop(place)
    try:
        return StaticStep(job, kind)
    except Exception as error:  # of CUDA, of the compiler, of its compilers
        if not by_default:
            raise
        warnings.warn(f"plain steps, since capture failed: {error}", CaptureWarning, stacklevel=2)
        return None


def keep(static: StaticStep) -> None:
    """Let a step wait for the next training of its shape; the longest waiting makes room."""
    _waiting.append(static)
    del _waiting[:-_KEPT]


def forget() -> None:
    """Drop all waiting steps, and the memory that they hold."""
    _waiting.clear()
