"""LSTM, GRU and RNN, one direction at a time, step by step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ...._errors import CheckpointError
from ._graph import Graph, Node
from ._operator import Operator

_USUAL: Mapping[str, tuple[str, ...]] = {
    "LSTM": ("Sigmoid", "Tanh", "Tanh"),
    "GRU": ("Sigmoid", "Tanh"),
    "RNN": ("Tanh",),
}
_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Relu": torch.relu,
}  # fmt: skip
_STATES = (5, 6)  # arguments with an initial state for each direction
_STORED = (1, 2, 3)  # arguments with the weights and biases of each direction
_OTHERWISE = ("layout", "input_forget")  # settings that are read where they are 0

State = tuple[Tensor, ...]


def in_one_direction(graph: Graph) -> Graph:
    """Give each direction of a recurrent operator an operator and tensors of its own.

    Neurons of two directions are others, though the file stacks their weights in one tensor.

    Parameters
    ----------
    graph : Graph
        Any graph.

    Returns
    -------
    Graph
        In which recurrent operators run forward or in reverse, and their weights are matrices.
    """
    nodes: list[Node] = []
    constants = dict(graph.constants)
    for node in graph.nodes:
        stored = [node.inputs[k] for k in _STORED if len(node.inputs) > k and node.inputs[k]]
        if node.kind not in _USUAL or any(name not in graph.constants for name in stored):
            nodes.append(node)
            continue
        both = node.attributes.get("direction") == "bidirectional"
        words = ("forward", "reverse") if both else (node.attributes.get("direction") or "forward",)
        for name in stored:
            constants |= {f"{name}_{word}": part for word, part in zip(words, graph.constants[name], strict=True)}
        states = {k: node.inputs[k] for k in _STATES if both and len(node.inputs) > k and node.inputs[k]}
        for name in states.values():
            parts = tuple(f"{name}_{word}" for word in words)
            nodes.append(Node("Split", (name,), parts, {"axis": 0, "split": [1] * len(words)}))
        activations = node.attributes.get("activations") or _USUAL[node.kind] * len(words)
        for number, word in enumerate(words):
            apart = {*_STORED, *states}
            inputs = tuple(f"{n}_{word}" if n and k in apart else n for k, n in enumerate(node.inputs))
            outputs = tuple(f"{name}_{word}" if name and both else name for name in node.outputs)
            own = tuple(activations[number * len(_USUAL[node.kind]) :][: len(_USUAL[node.kind])])
            attributes = {**node.attributes, "direction": word, "activations": own}
            nodes.append(replace(node, inputs=inputs, outputs=outputs, attributes=attributes))
        if both:
            for place, name in enumerate(node.outputs):
                parts = tuple(f"{name}_{word}" for word in words)
                nodes += [Node("Concat", parts, (name,), {"axis": int(place == 0)})] * bool(name)
    return replace(graph, nodes=nodes, constants=constants)


def _recurrent(node: Node, given: list[Any], version: int) -> tuple[Tensor, ...]:
    x, weight, back, bias, lengths, first, cell, peephole = [*given, *[None] * 8][:8]
    if lengths is not None or peephole is not None or any(node.attributes.get(w) for w in _OTHERWISE):
        got = f"sequence_lens, peepholes, {' or '.join(_OTHERWISE)}"
        raise CheckpointError("a recurrent operator of another kind", got=got)
    if weight.ndim != 2:
        raise CheckpointError("a recurrent operator whose weights are computed", got=node.inputs[1])
    names = node.attributes["activations"]
    if any(name not in _FUNCTIONS for name in names):
        raise CheckpointError("activations that are not read", got=", ".join(names))
    functions = [_FUNCTIONS[name] for name in names]
    own, behind = (0.0, torch.zeros(len(back), dtype=x.dtype)) if bias is None else bias.chunk(2)
    blank = torch.zeros(x.shape[1], back.shape[1], dtype=x.dtype)
    state: State = tuple(blank if each is None else each[0] for each in (first, cell)[: 1 + (node.kind == "LSTM")])
    driven = torch.matmul(x, weight.t()) + own
    order = list(range(len(x)))[:: -1 if node.attributes["direction"] == "reverse" else 1]
    reset_last = bool(node.attributes.get("linear_before_reset", 0))
    seen: dict[int, Tensor] = {}
    for place in order:
        state = _STEPS[node.kind](driven[place], state, back, behind, functions, reset_last)
        seen[place] = state[0]
    sequence = torch.stack([seen[place] for place in range(len(x))]).unsqueeze(1)
    return (sequence, *(each.unsqueeze(0) for each in state))


def _plain_step(
    driven: Tensor, state: State, back: Tensor, behind: Tensor, functions: Sequence[Any], reset_last: bool
) -> State:
    return (functions[0](driven + state[0] @ back.t() + behind),)


def _lstm_step(
    driven: Tensor, state: State, back: Tensor, behind: Tensor, functions: Sequence[Any], reset_last: bool
) -> State:
    gate, squash, shown = functions
    into, out, forget, new = (driven + state[0] @ back.t() + behind).chunk(4, -1)
    cell = gate(forget) * state[1] + gate(into) * squash(new)
    return gate(out) * shown(cell), cell


def _gru_step(
    driven: Tensor, state: State, back: Tensor, behind: Tensor, functions: Sequence[Any], reset_last: bool
) -> State:
    gate, squash = functions
    (before,) = state
    keep, reset, new = driven.chunk(3, -1)
    if reset_last:
        back_keep, back_reset, back_new = (before @ back.t() + behind).chunk(3, -1)
        keep, reset = gate(keep + back_keep), gate(reset + back_reset)
        fresh = squash(new + reset * back_new)
    else:
        (keep_w, reset_w, new_w), (keep_b, reset_b, new_b) = back.chunk(3), behind.chunk(3)
        keep, reset = gate(keep + before @ keep_w.t() + keep_b), gate(reset + before @ reset_w.t() + reset_b)
        fresh = squash(new + (reset * before) @ new_w.t() + new_b)
    return ((1 - keep) * fresh + keep * before,)


_STEPS = {"RNN": _plain_step, "LSTM": _lstm_step, "GRU": _gru_step}
_SETTINGS = frozenset({"activations", "direction", "hidden_size", "layout", "input_forget"})

RECURRENT_OPERATORS: Mapping[str, Operator] = {
    "RNN": Operator(_recurrent, _SETTINGS - {"input_forget"}),
    "LSTM": Operator(_recurrent, _SETTINGS),
    "GRU": Operator(_recurrent, _SETTINGS - {"input_forget"} | {"linear_before_reset"}),
}
"""Recurrent operators by name."""
