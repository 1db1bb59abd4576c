"""Networks rewritten so that fused layers stand where batch norms, shortcuts and ReLUs did."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import fx, nn
from torch.nn import functional

from kdlib.training.folding import answering
from kdlib.training.fused.layers import ConvRelu, NormRelu, fusible, has_conv_relu
from kdlib.training.fused.library import CannotFuseError, library

_NETWORKS = ("kdlib.models.cifar.CifarResNet", "torchvision.models.resnet.ResNet")
_PARTS = ("torch.nn.modules.", "kdlib.models.", "torchvision.models.resnet")
_RELUS: set[object] = {functional.relu, nn.ReLU}
_ADDS: set[object] = {operator.add, operator.iadd}
_LAYERS: set[object] = {nn.Conv2d, ConvRelu}


@dataclass(frozen=True)
class Chain:
    """A layer, what is added to its answer if anything, and the ReLU at the end."""

    layer: fx.Node
    added: fx.Node | None
    nodes: tuple[fx.Node, ...]

    @property
    def last(self) -> fx.Node:
        """The ReLU."""
        return self.nodes[-1]


def fused_for_training(model: nn.Module) -> nn.Module:
    """A network of the same layers and parameters, for training in float32 on a CPU.

    Its answers and gradients are those of ``model`` up to rounding. Each batch norm between a
    convolution and a ReLU is fused with what follows it (``NormRelu``); all else is as it was.

    Raises:
        CannotFuseError: it is not a network of ``kdlib.models``, it has hooks or no such batch
            norm, or there is no compiled code.
    """
    if reason := _obstacle(model):
        raise CannotFuseError(reason)
    library()
    traced = fx.symbolic_trace(model.train())
    layers = dict(traced.named_modules())
    fused = 0
    for chain in _chains(traced):
        norm = layers[str(chain.layer.target)]
        if isinstance(norm, nn.BatchNorm2d) and fusible(norm) and _follows_conv(chain, layers):
            _replace(traced, chain, f"norm_relu_{fused}", NormRelu(norm))
            fused += 1
    if not fused:
        raise CannotFuseError(
            "the network has no batch norm of 16, 32, ... channels between convolution and ReLU"
        )
    return _finished(traced)


def fused_for_answering(module: nn.Module) -> nn.Module:
    """A copy in eval mode that answers in float32 on a CPU, as ``module`` up to rounding.

    Batch norms are folded (``kdlib.training.folding``); convolutions add shortcuts and apply ReLUs
    themselves. A network that is not of ``kdlib.models`` or has hooks is given back as it is.
    """
    if _obstacle(module) or not has_conv_relu():
        return module
    ready = answering(module, torch.float32)
    return with_conv_relu(ready) if isinstance(ready, fx.GraphModule) else ready


def with_conv_relu(ready: fx.GraphModule) -> nn.Module:
    """The folded network with each convolution before a ReLU fused with what follows it."""
    _drop_identities(ready)
    layers = dict(ready.named_modules())
    for number, chain in enumerate(_chains(ready)):
        layer = layers[str(chain.layer.target)]
        if isinstance(layer, nn.Conv2d) and _pads_with_zeros(layer):
            fused = ConvRelu(layer, _may_overwrite(ready, chain))
            _replace(ready, chain, f"conv_relu_{number}", fused)
    ready.delete_all_unused_submodules()
    return _finished(ready)


def _obstacle(model: nn.Module) -> str | None:
    """Why the network cannot be rewritten, if so.

    A trace keeps what a network did once: it would miss chance, counters and hooks, and a sum in
    place may hide what is still needed. The networks of ``kdlib.models`` do nothing of the kind.
    """
    if _name(model) not in _NETWORKS:
        return f"only networks of kdlib.models can be fused, and this is a {_name(model)}"
    for part in model.modules():
        if not _name(part).startswith(_PARTS):
            return f"only networks of kdlib.models can be fused, and this one has a {_name(part)}"
        if part._forward_hooks or part._forward_pre_hooks or part._backward_hooks:
            return "the network has hooks"
    return None


def _name(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"


def _chains(traced: fx.GraphModule) -> Iterator[Chain]:
    """All of ``traced``, whatever layer they begin with; each may be replaced when it is given."""
    for node in list(traced.graph.nodes):
        if _does(traced, node, _RELUS) and isinstance(before := node.args[0], fx.Node):
            yield from _chain(traced, before, node)


def _chain(traced: fx.GraphModule, before: fx.Node, last: fx.Node) -> Iterator[Chain]:
    if _is_layer_for_one(before):
        yield Chain(before, None, (before, last))
    elif _does(traced, before, _ADDS) and len(before.users) == 1:
        layer, added = before.args
        if _is_layer_for_one(layer) and isinstance(added, fx.Node):
            yield Chain(layer, added, (layer, before, last))


def _is_layer_for_one(node: object) -> TypeGuard[fx.Node]:
    return isinstance(node, fx.Node) and node.op == "call_module" and len(node.users) == 1


def _does(traced: fx.GraphModule, node: fx.Node, what: set[object]) -> bool:
    """Whether the node calls one of these functions or kinds of module."""
    if node.op == "call_module":
        return type(traced.get_submodule(str(node.target))) in what
    return node.op == "call_function" and node.target in what


def _follows_conv(chain: Chain, layers: dict[str, nn.Module]) -> bool:
    """Whether the layer's input comes from a convolution, and nothing else looks at it."""
    before = chain.layer.args[0]
    return _is_layer_for_one(before) and isinstance(layers[str(before.target)], nn.Conv2d)


def _pads_with_zeros(layer: nn.Conv2d) -> bool:
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def _may_overwrite(traced: fx.GraphModule, chain: Chain) -> bool:
    """Whether what is added was made by a layer of its own, and is needed by nothing else then."""
    added = chain.added
    if added is None or added in chain.layer.args:  # oneDNN would write where it still reads
        return False
    if not (added.target is functional.pad or _does(traced, added, _LAYERS)):
        return False
    order = {node: place for place, node in enumerate(traced.graph.nodes)}
    return max(order[user] for user in added.users) == order[chain.nodes[1]]


def _drop_identities(traced: fx.GraphModule) -> None:
    """Leave out layers that do nothing: they hide who made a tensor."""
    for node in list(traced.graph.nodes):
        if _does(traced, node, {nn.Identity}):
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)


def _replace(traced: fx.GraphModule, chain: Chain, name: str, layer: nn.Module) -> None:
    """Let ``layer`` stand for the chain."""
    traced.add_submodule(name, layer)
    inputs = (chain.layer.args[0], *([] if chain.added is None else [chain.added]))
    with traced.graph.inserting_before(chain.last):
        new = traced.graph.call_module(name, inputs)
    chain.last.replace_all_uses_with(new)
    for node in reversed(chain.nodes):
        traced.graph.erase_node(node)


def _finished(traced: fx.GraphModule) -> nn.Module:
    traced.graph.lint()
    traced.recompile()
    return traced
