"""A network made ready to answer only: batch norms folded into convolutions, weights cast once."""

from __future__ import annotations

import copy

import torch
from torch import fx, nn
from torch.fx.experimental.optimization import fuse

_CAST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def answering(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy in eval mode, without gradients, that answers as ``module`` up to rounding.

    Each batch norm that follows a convolution is folded into it. What torch.fx cannot trace, and a
    network that uses one layer twice before batch norms, is left unfolded.

    Args:
        module: any network; it is left as it is.
        dtype: of the weights of convolutions and linear layers: what autocast would cast them to.
    """
    ready = copy.deepcopy(module).eval().requires_grad_(False)
    ready = _folded(ready)
    for layer in ready.modules():
        if type(layer) in _CAST:
            layer.to(dtype)
    return ready


def answering_dtype(device: torch.device | str) -> torch.dtype:
    """In what a bf16 recipe's teacher answers on ``device``: bfloat16 where that is the faster.

    A CPU without matrix tiles (AMX) convolves more slowly in bfloat16 than in float32, even where
    it has instructions for it.
    """
    if torch.device(device).type != "cpu":
        return torch.bfloat16
    has_tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return torch.bfloat16 if has_tiles() else torch.float32


def _folded(module: nn.Module) -> nn.Module:
    try:
        traced = fx.symbolic_trace(module)
    except Exception:  # a network of the caller's own may raise anything on a traced value
        return module
    if _uses_a_layer_twice(traced):
        return module
    return fuse(traced, inplace=True, no_trace=True)


def _uses_a_layer_twice(traced: fx.GraphModule) -> bool:
    """Whether a layer with weights is called twice: it could not hold two batch norms."""
    weighted = {
        name for name, layer in traced.named_modules() if any(True for _ in layer.parameters())
    }
    calls = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    used = [name for name in calls if name in weighted]
    return len(used) != len(set(used))
