"""Checkpoints: what a killed training needs to go on to the same bits."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from kdlib.errors import KdlibError
from kdlib.files import write_atomically

_FORMAT = 1


class CheckpointError(KdlibError):
    """A checkpoint is sound, but of another training."""


class DamagedCheckpointWarning(UserWarning):
    """A checkpoint is truncated or altered; the training starts from scratch."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A training between two epochs. Order, crops and flips need no state: see ``kdlib.seeds``.

    Attributes:
        model: The network's ``state_dict``: weights and batch-norm buffers.
        momentum: SGD's momentum buffers by parameter name; empty without momentum.
        epoch: Epochs done.
        history: The records of these epochs (plain values only).
        fingerprint: What the training is of, by part; all parts must agree to resume.
        multipliers: ``ClassMultipliers.state``; empty where there are none.
    """

    model: Mapping[str, Tensor]
    momentum: Mapping[str, Tensor]
    epoch: int
    history: list[dict[str, Any]]
    fingerprint: Mapping[str, str]
    multipliers: Mapping[str, Tensor] = field(default_factory=dict)


def capture(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    history: list[dict[str, Any]],
    fingerprint: Mapping[str, str],
    multipliers: Mapping[str, Tensor] | None = None,
) -> Snapshot:
    """The present state of a training; its tensors are shared, not copied."""
    momentum = {
        name: optimizer.state[parameter]["momentum_buffer"]
        for name, parameter in model.named_parameters()
        if optimizer.state[parameter].get("momentum_buffer") is not None
    }
    state = multipliers or {}
    return Snapshot(model.state_dict(), momentum, len(history), history, fingerprint, state)


def restore(snapshot: Snapshot, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put weights, buffers and momentum back, into the tensors that are there."""
    model.load_state_dict(snapshot.model)
    for name, parameter in model.named_parameters():
        if name in snapshot.momentum:
            state = optimizer.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.empty_like(parameter, requires_grad=False)
            state["momentum_buffer"].copy_(snapshot.momentum[name])


def save_checkpoint(path: Path, snapshot: Snapshot) -> None:
    """Write ``snapshot`` so that ``path`` holds either the old file or the whole new one."""
    tensors = _flat(snapshot)
    state = json.dumps(
        {
            "format": _FORMAT,
            "epoch": snapshot.epoch,
            "history": snapshot.history,
            "fingerprint": dict(snapshot.fingerprint),
        },
        sort_keys=True,
    )
    content = save(tensors, metadata={"state": state, "sha256": _digest(state, tensors)})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)


def load_checkpoint(
    path: Path, model: nn.Module, fingerprint: Mapping[str, str]
) -> Snapshot | None:
    """Read the checkpoint at ``path`` for a training of ``model``.

    Returns:
        The snapshot; ``None`` where there is no file, or (with a ``DamagedCheckpointWarning``)
        where the file is truncated or altered.

    Raises:
        CheckpointError: If the checkpoint is of another training or network.
    """
    if not path.exists():
        return None
    snapshot = _read(path)
    if snapshot is None:
        warnings.warn(
            f"checkpoint {path} is damaged: starting from scratch",
            DamagedCheckpointWarning,
            stacklevel=2,
        )
        return None
    _check_fingerprint(path, snapshot.fingerprint, fingerprint)
    _check_shapes(path, snapshot, model)
    return snapshot


def _read(path: Path) -> Snapshot | None:
    """The snapshot, or ``None`` where anything about the file is not as it was written."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if _digest(header["state"], tensors) != header["sha256"]:
            return None
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
    state = json.loads(header["state"])
    return Snapshot(
        model=_unflat(tensors, "model."),
        momentum=_unflat(tensors, "momentum."),
        epoch=state["epoch"],
        history=state["history"],
        fingerprint=state["fingerprint"],
        multipliers=_unflat(tensors, "multipliers."),
    )


def _flat(snapshot: Snapshot) -> dict[str, Tensor]:
    named = {f"model.{name}": tensor for name, tensor in snapshot.model.items()}
    named |= {f"momentum.{name}": tensor for name, tensor in snapshot.momentum.items()}
    named |= {f"multipliers.{name}": tensor for name, tensor in snapshot.multipliers.items()}
    # safetensors writes rows only; a copy also parts tensors that share memory.
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in named.items()
    }


def _unflat(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    chosen = (name for name in tensors if name.startswith(prefix))
    return {name.removeprefix(prefix): tensors[name] for name in chosen}


def _digest(state: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the state and every tensor's name, type, shape and bytes.

    safetensors notices a short file, but not a changed byte.
    """
    sha = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        sha.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()


def _check_fingerprint(path: Path, there: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    different = [k for k in sorted({*there, *wanted}) if there.get(k) != wanted.get(k)]
    if different:
        part = different[0]
        raise CheckpointError(
            f"checkpoint {path} is of another training: its {part} is {there.get(part)}, "
            f"not {wanted.get(part)}; delete it or name another file"
        )


def _check_shapes(path: Path, snapshot: Snapshot, model: nn.Module) -> None:
    there = {name: tuple(tensor.shape) for name, tensor in snapshot.model.items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    different = [k for k in sorted({*there, *wanted}) if there.get(k) != wanted.get(k)]
    if different:
        name = different[0]
        raise CheckpointError(
            f"checkpoint {path} is of another network: its {name} has shape {there.get(name)}, "
            f"not {wanted.get(name)}; delete it or name another file"
        )
