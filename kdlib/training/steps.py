"""How a training takes its steps: the one place that chooses, and that keeps steps to share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast, get_args

from torch import Tensor, nn

from kdlib.errors import SettingError
from kdlib.training import processes
from kdlib.training.captured import StaticStep
from kdlib.training.checkpoint import CheckpointError
from kdlib.training.epochs import PlainSteps, ReplayedSteps, Steps
from kdlib.training.fused import CannotFuseError, fused_for_training
from kdlib.training.job import Job, StepKind
from kdlib.training.recipe import Recipe
from kdlib.training.shapes import shape_key
from kdlib.training.teacher import CapturableTeacher, ForwardTeacher

ENVIRONMENT = "KDLIB_STEP"
_KEPT = 4
"""Steps that wait for the next training of their shape. Each holds a copy of images and teacher."""

_waiting: list[StaticStep] = []


class CaptureWarning(UserWarning):
    """The step that was asked for cannot be had; the training takes plain steps."""


@contextmanager
def steps_of(job: Job, asked: StepKind | None) -> Iterator[Steps]:
    """The steps of the training, in the way that was asked for or that the environment names.

    The caller's network has the trained weights at the end, however it ends.

    Raises:
        SettingError: ``asked`` is unknown, or not possible for this training.
    """
    kind = chosen_step(job, asked)
    if kind == "fused":
        yield PlainSteps(_fused(job, by_default=asked is None))
        return
    static = None if kind == "eager" else _static(job, kind, by_default=asked is None)
    if static is None:
        yield PlainSteps(job)
        return
    static.load(job)
    model, optimizer = static.model, static.optimizer
    own = replace(job, model=model, forward=model, optimizer=optimizer, step_kind=kind)
    failed = True
    try:
        yield ReplayedSteps(own, static)
        failed = False
    except CheckpointError:
        failed = False  # of a checkpoint that does not fit: no step was taken
        raise
    finally:
        static.give_back()
        if not failed:
            keep(static)


def chosen_step(job: Job, asked: StepKind | None) -> StepKind:
    """What ``asked`` comes to for this training; see ``loop.train``.

    Raises:
        SettingError: as ``steps_of``.
    """
    on_gpu = job.device.type == "cuda"
    usual = "captured" if on_gpu else "eager"
    kind = asked or os.environ.get(ENVIRONMENT) or usual
    if kind not in get_args(StepKind):
        raise SettingError(f"step = {kind!r} is not allowed: {', '.join(get_args(StepKind))}")
    if asked is None and kind != "eager" and (kind == "fused") == on_gpu:
        kind = usual  # the environment names a kind of the other device
    reason = _obstacle_to_fusing(job) if kind == "fused" else _obstacle(job)
    if kind == "eager" or (asked is None and reason):
        return "eager"
    if reason:
        raise SettingError(f"step = {kind!r} is not possible with {reason}: use 'eager'")
    return cast(StepKind, kind)


def fuses(device: str, recipe: Recipe, model: Callable[[], nn.Module]) -> bool:
    """Whether a training takes fused steps because the environment asks for them.

    Args:
        device: where it trains.
        recipe: how.
        model: makes the network; called where all else allows fused steps.
    """
    asked = os.environ.get(ENVIRONMENT) == "fused" and processes.count() == 1
    if not asked or device != "cpu" or recipe.precision != "fp32":
        return False
    try:
        fused_for_training(model())
    except CannotFuseError:
        return False
    return True


def _obstacle(job: Job) -> str | None:
    """Why the training cannot be captured, if so."""
    if not isinstance(job.split.images, Tensor):
        return "images in files"
    if processes.count() > 1:
        return "several processes"
    if not (job.teacher is None or isinstance(job.teacher, CapturableTeacher)):
        return "a teacher without tensors() and layout()"
    return None


def _obstacle_to_fusing(job: Job) -> str | None:
    """Why the training's layers cannot be fused, if so."""
    if job.device.type != "cpu":
        return "a GPU"
    if job.recipe.precision != "fp32":
        return f"precision = '{job.recipe.precision}'"
    if processes.count() > 1:
        return "several processes"
    return None


def _fused(job: Job, by_default: bool) -> Job:
    """The job with fused layers; as it is, with a warning, where the default cannot be had."""
    try:
        forward = fused_for_training(job.model)
    except CannotFuseError as error:
        if not by_default:
            raise SettingError(f"step = 'fused' is not possible, since {error}") from None
        warnings.warn(f"plain steps, since {error}", CaptureWarning, stacklevel=2)
        return job
    teacher = job.teacher.fused() if isinstance(job.teacher, ForwardTeacher) else job.teacher
    return replace(job, forward=forward, teacher=teacher, step_kind="fused")


def _static(job: Job, kind: StepKind, by_default: bool) -> StaticStep | None:
    """A step that waits, or a new one; None, with a warning, where the default cannot be had."""
    key = shape_key(job, kind)
    try:
        return _taken(key) or StaticStep(job, kind)
    except Exception as error:  # of CUDA, of the compiler, of its compilers
        if not by_default:
            raise
        warnings.warn(f"plain steps, since capture failed: {error}", CaptureWarning, stacklevel=2)
        return None


def _taken(key: str) -> StaticStep | None:
    """The first step of that shape that waits, which waits no longer."""
    places = [place for place, static in enumerate(_waiting) if static.key == key]
    return _waiting.pop(places[0]) if places else None


def keep(static: StaticStep) -> None:
    """Let a step wait for the next training of its shape; the longest waiting makes room."""
    _waiting.append(static)
    del _waiting[:-_KEPT]


def forget() -> None:
    """Drop all waiting steps, and the memory that they hold."""
    _waiting.clear()
