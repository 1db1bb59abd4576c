"""How fast a step could be if it consisted of its convolutions alone.

Each convolution of the networks is timed by itself, on tensors of the shapes, number format and
memory layout that a step has. An eager or a fused step of kdlib's cannot take less time than this,
but for noise: both leave the student's convolutions to torch, and batch norms, activations, loss,
update and data come on top. It bounds neither another number format nor a compiled step.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from rivals import Work
from side_by_side import STUDENTS
from torch import Tensor, nn

from kdlib.runs.train_one import torch_threads
from kdlib.training.folding import answering_dtype
from kdlib.training.predict import passes
from kdlib.training.recipe import Precision

REPEATS, ROUNDS = 4, 5
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, eq=False)
class Convolution:
    """A layer and what it saw in a forward pass, in channels last."""

    layer: nn.Conv2d
    images: Tensor

    def __call__(self) -> Tensor:
        """The layer's answer."""
        layer = self.layer
        return torch.conv2d(self.images, layer.weight, None, layer.stride, layer.padding)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Limits:
    """Images per second that the convolutions alone allow.

    Attributes:
        forward: of a student's step with the teacher's forward pass.
        table: of a student's step only.
        side_by_side: of the steps of two students at once, on one thread each: twice what one
            thread does while the other cores are idle.
        builds: of the teacher's forward pass only, in passes as the teacher cache is built in.
    """

    forward: float
    table: float
    side_by_side: float
    builds: float


def limits(work: Work, precision: Precision) -> Limits:
    """Of the step that ``work`` asks for, on all cores; batches as the work's."""
    dtype = _DTYPES[precision]
    answers = dtype if precision == "fp32" else answering_dtype("cpu")
    layers = convolutions(work, work.student, dtype)
    student = sum(map(_training_seconds, layers))
    with torch_threads(1):
        alone = sum(map(_training_seconds, layers))
    with torch.no_grad():
        teacher = sum(map(_seconds, convolutions(work, work.teacher, answers)))
        most = passes(1024, work.images, "cpu")[0]
        builds = sum(map(_seconds, convolutions(work, work.teacher, answers, most)))
    batch = work.batch_size
    return Limits(
        forward=batch / (teacher + student),
        table=batch / student,
        side_by_side=STUDENTS * batch / alone,
        builds=most / builds,
    )


def convolutions(
    work: Work, depth: int, dtype: torch.dtype, batch: int | None = None
) -> list[Convolution]:
    """Those of a network of that depth, in the order in which a batch (the work's) meets them."""
    found: list[Convolution] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        found.append(Convolution(layer, inputs[0].detach().clone()))

    model = work.network(depth).to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for layer in _layers(model):
        layer.register_forward_hook(note)
    images = torch.randn(batch or work.batch_size, *work.images.shape[1:]).to(dtype)
    with torch.no_grad():
        model(images.contiguous(memory_format=torch.channels_last))
    return found


def _layers(model: nn.Module) -> Iterator[nn.Conv2d]:
    return (layer for layer in model.modules() if isinstance(layer, nn.Conv2d))


def _training_seconds(one: Convolution) -> float:
    """Forward, and the gradients of weights and inputs; the first layer needs none of inputs."""
    first = one.images.shape[1] == 3
    with torch.no_grad():
        gradient = torch.randn_like(one())
        return _seconds(one) + _seconds(lambda: backward(one, gradient, not first))


def backward(one: Convolution, gradient: Tensor, of_inputs: bool) -> tuple[Tensor, ...]:
    """Gradients of inputs (if asked for) and weights, from that of the answer."""
    layer = one.layer
    return torch.ops.aten.convolution_backward(
        gradient, one.images, layer.weight, None, layer.stride, layer.padding, (1, 1), False,
        (0, 0), 1, (of_inputs, True, False),
    )  # fmt: skip


def _seconds(action: Callable[[], object]) -> float:
    """Of one call: the median of several turns, after one that warms up."""
    action()
    return statistics.median(_turn(action) for _ in range(ROUNDS))


def _turn(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(REPEATS):
        action()
    return (time.perf_counter() - started) / REPEATS
