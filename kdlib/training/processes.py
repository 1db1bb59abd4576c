"""One training in several processes, started by ``torchrun``; nothing happens without it.

Each process takes its share of every batch, so that together they train on the batches that one
process would have. The first process (rank 0) alone writes files.
"""

from __future__ import annotations

import atexit
import copy
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from kdlib.errors import SettingError
from kdlib.lifeline import end_with

T = TypeVar("T")
_PATIENCE = timedelta(days=1)
"""How long processes wait for the first, which may wait for another program's lock."""


def join(device: str) -> None:
    """Join the processes that ``torchrun`` started; does nothing without it, or the second time.

    Tensors on a CPU travel by gloo, those on a GPU by NCCL. On "cuda" the process takes the GPU
    of its ``LOCAL_RANK``, which is then the one that "cuda" means.

    Raises:
        SettingError: the machine has fewer GPUs than processes.
    """
    if not dist.is_available() or not dist.is_torchelastic_launched() or dist.is_initialized():
        return
    if device == "cuda":
        number, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if number >= there:
            raise SettingError(f"torchrun needs a GPU per process: this machine has {there}")
        torch.cuda.set_device(number)
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    end_with(os.getppid())  # torchrun
    dist.init_process_group(backend, timeout=_PATIENCE)
    atexit.register(_leave)


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def count() -> int:
    """How many processes have joined; 1 where none has."""
    return dist.get_world_size() if _together() else 1


def is_first() -> bool:
    """Whether this is the process that writes: the first that joined, or the only one."""
    return not _together() or dist.get_rank() == 0


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def share(rows: Tensor) -> Tensor:
    """This process's part of ``rows`` ``[N]``: sizes differ by one at most, by rank."""
    return rows if count() == 1 else rows.tensor_split(count())[dist.get_rank()]


def weight(part: Tensor, whole: Tensor) -> float:
    """What the mean over ``part`` counts in an average over the processes; 1 for equal parts."""
    return len(part) * count() / len(whole)


def check_shares(batch: int) -> None:
    """See that a batch has an example for each process.

    Raises:
        SettingError: it has not.
    """
    if batch < count():
        raise SettingError(f"a batch of {batch} examples is too small for {count()} processes")


def average(values: Tensor) -> Tensor:
    """The mean of ``values`` over the processes, in place; the same bits in each of them."""
    if count() > 1:
        dist.all_reduce(values)
        values /= count()
    return values


def gathered(part: Tensor) -> Tensor:
    """The parts of all processes as one ``[N, ...]``, by rank; their lengths may differ by one."""
    if count() == 1:
        return part
    lengths = [torch.zeros(1, dtype=torch.int64, device=part.device) for _ in range(count())]
    dist.all_gather(lengths, torch.tensor([len(part)], device=part.device))
    longest = int(torch.cat(lengths).max())
    padded = torch.cat([part, part.new_zeros(longest - len(part), *part.shape[1:])])
    parts = [torch.empty_like(padded) for _ in range(count())]
    dist.all_gather(parts, padded)
    return torch.cat([one[: int(n)] for one, n in zip(parts, lengths, strict=True)])


def from_first(make: Callable[[], T]) -> T:
    """What ``make`` gives in the first process, in all of them; an error is raised in all.

    The others do not call it. They wait.
    """
    if count() == 1:
        return make()
    found: list[Any] = [_tried(make) if is_first() else None]
    dist.broadcast_object_list(found, src=0, device=torch.device("cpu"))
    value, error = found[0]
    if error is not None:
        raise error
    return cast(T, value)


def _tried(make: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return make(), None
    except Exception as error:
        return None, error


def first_before_others(make: Callable[[], T]) -> T:
    """``make()`` of each process, but in the first before any other: it may leave a file behind."""
    made: list[T] = []
    from_first(lambda: made.append(make()))
    return made[0] if made else make()


def together(model: nn.Module) -> nn.Module:
    """What to call in place of ``model``, so that all processes train as one would.

    It shares weights and buffers with ``model``, which itself stays as it is. Its backward pass
    averages gradients over the processes, and batch normalisation is over the whole batch. With
    one process it is ``model``.
    """
    if count() == 1:
        return model
    tensors = [*model.parameters(), *model.buffers()]
    twin = copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})
    if tensors[0].is_cuda:
        twin = nn.SyncBatchNorm.convert_sync_batchnorm(twin)
    else:  # torch's own refuses a CPU
        for module in twin.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.__class__ = _WholeBatchNorm
    return DistributedDataParallel(twin)


class _WholeBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the parts that the processes hold, on a CPU."""

    def forward(self, images: Tensor) -> Tensor:
        """Normalise ``[N, C, H, W]`` as one process would the images of all processes."""
        if not self.training:
            return super().forward(images)
        values = images.to(torch.promote_types(images.dtype, torch.float32))
        number = int(_summed(torch.tensor(images[:, 0].numel())))
        mean = _Sum.apply(values.sum((0, 2, 3))) / number
        centred = values - mean[:, None, None]
        variance = _Sum.apply(centred.square().sum((0, 2, 3))) / number
        self._keep(mean.detach(), variance.detach(), number)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(images.dtype)

    def _keep(self, mean: Tensor, variance: Tensor, values: int) -> None:
        """Move the running statistics, by the unbiased variance as torch does."""
        assert self.momentum is not None
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * values / (values - 1), self.momentum)
        self.num_batches_tracked += 1


def _summed(values: Tensor) -> Tensor:
    """The sum over the processes."""
    values = values.clone()
    dist.all_reduce(values)
    return values


class _Sum(torch.autograd.Function):
    """The sum over the processes. Every process's loss depends on it: so does the gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)
