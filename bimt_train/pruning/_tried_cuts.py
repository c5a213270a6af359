"""Cleaning a network of a kind that does not say how its neurons compute: each cut is tried, and kept if it is free."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64

from ..checkpoints import Network
from ..layouts.fold import fold, spread
from ..models.building_blocks.linear_layers import linear_layers
from ._liveness import liveness

_SLACK = 16  # roundings of the tensors' own precision, of the largest output
_CONSTANT = 1e-12  # of the largest value that is read
_ROWS = 64
_ROUNDS = 8


def without_free_edges(network: Network, x: Float[np.ndarray, "rows inputs"]) -> Network:
    """Cut the edges of which the rows say that nothing depends on them.

    Two kinds of edge are tried, group by group: those into neurons that reach no output, and those out of neurons that
    nothing writes to and that always give one number, which is added to the readers' biases. What changes an output is
    taken back: a norm or a softmax may tie neurons in ways that weights do not show.

    Parameters
    ----------
    network : Network
        A network of which weights were cut.
    x : array of float, shape (rows, inputs)
        Rows as the network sees them; 64 of them are looked at.

    Returns
    -------
    Network
        A network of the same shapes whose outputs on these rows differ by rounding alone.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 3, 1]))
    >>> weight = network.tensors["layers.0.weight"] * [[1], [0], [1]]
    >>> without_free_edges(network.with_tensors({"layers.0.weight": weight}), np.eye(2)).edges()
    6
    """
    rows = x[np.linspace(0, len(x) - 1, min(len(x), _ROWS)).astype(np.int64)]
    wanted = network.predict(rows)
    rounding = max(np.finfo(t.dtype).eps for t in network.tensors.values() if np.issubdtype(t.dtype, np.floating))
    slack = _SLACK * float(rounding) * max(float(np.abs(wanted).max(initial=0.0)), 1e-30)
    hidden = [name for name in network.layout.sizes if name not in (network.layout.inputs, network.layout.outputs)]
    for _ in range(_ROUNDS):
        before = network.edges()
        for cut in (_without_unread, _without_constants):
            for group in hidden:
                network = _kept(network, cut, group, rows, wanted, slack)
        if network.edges() == before:
            break
    return network


Rows = Float64[np.ndarray, "rows inputs"]
Cut = Callable[[Network, str, Rows], Network]


def _kept(network: Network, cut: Cut, group: str, rows: Any, wanted: Any, slack: float) -> Network:
    """The network after the cut, or as it was if an output moves."""
    tried = cut(network, group, rows)
    if tried is network or tried.edges() == network.edges():
        return network
    return tried if float(np.abs(tried.predict(rows) - wanted).max()) <= slack else network


def _without_unread(network: Network, group: str, rows: Rows) -> Network:
    """No edges into the neurons of the group that reach no output."""
    del rows
    unread = ~liveness(network).reaching[group]
    cut = {}
    for name in network.layout.weights() if unread.any() else ():
        target, source = network.layout.tensors[name].plan.groups
        if target == group and source != group:
            cut[name] = _cut(network, name, np.repeat(unread[:, None], network.layout.sizes[source], axis=1))
    return network.with_tensors(cut) if cut else network


def _without_constants(network: Network, group: str, rows: Rows) -> Network:
    """No edges out of the neurons of the group that nothing writes to; what they give goes into the readers' biases."""
    layout = network.layout
    readers = [name for name in layout.weights() if layout.tensors[name].plan.groups[1] == group]
    idle = ~_written(network, group)
    if not readers or not idle.any():
        return network
    read = _read(network, readers, rows)
    changed: dict[str, np.ndarray] = {}
    for name in readers:
        plan, tensor = layout.tensors[name].plan, network.tensors[name]
        target = plan.groups[0]
        edges = np.repeat(idle[None], layout.sizes[target], axis=0)
        cut = _cut(network, name, edges)
        lost = tensor.astype(np.float64) - cut
        values = read.get(name)
        bias = f"{name.removesuffix('weight')}bias"
        if not lost.any():
            continue
        if target == group or values is None or values.size == 0 or not _constant(values, lost, plan.source_first):
            return network
        flat = lost if plan.source_first else lost.reshape(len(lost), -1)
        added = values[0] @ flat if plan.source_first else flat @ values[0]
        if added.any() and (bias not in network.tensors or network.tensors[bias].shape != added.shape):
            return network
        changed[name] = cut
        if bias in network.tensors:
            changed[bias] = network.tensors[bias] + added.astype(network.tensors[bias].dtype)
    return network.with_tensors(changed) if changed else network


def _constant(values: Float64[np.ndarray, "samples read"], lost: np.ndarray, source_first: bool) -> bool:
    """Whether everything that the cut edges read is one number."""
    used = lost.any(axis=1) if source_first else lost.reshape(len(lost), -1).any(axis=0)
    spans = np.ptp(values[:, used], axis=0)
    return bool((spans <= _CONSTANT * (1 + np.abs(values[:, used]).max(axis=0))).all())


def _written(network: Network, group: str) -> Bool[np.ndarray, " neurons"]:
    """Which neurons an edge or a table of tokens writes to."""
    layout = network.layout
    found = np.zeros(layout.sizes[group], dtype=bool)
    for name, spec in layout.tensors.items():
        if spec.role == "embedding" and group in spec.plan.groups:
            found[:] = True  # whatever else it is, it may differ from token to token
        elif spec.role == "weight" and spec.plan.groups[0] == group:
            found |= fold((network.tensors[name] != 0).astype(float), spec.plan, layout.sizes).any(axis=1)
    return found


def _cut(network: Network, name: str, edges: Bool[np.ndarray, "targets sources"]) -> np.ndarray:
    plan, tensor = network.layout.tensors[name].plan, network.tensors[name]
    return np.where(spread(edges.astype(float), plan, tensor.shape, network.layout.sizes) > 0, 0, tensor)


def _note(seen: list[torch.Tensor], _: object, args: tuple[Any, ...]) -> None:
    seen.append(args[0])


def _read(network: Network, names: list[str], rows: Rows) -> dict[str, Float64[np.ndarray, "samples read"]]:
    """What the modules that apply these tensors read."""
    module = network.module().double()
    layers = linear_layers(module)
    seen: dict[str, list[torch.Tensor]] = {}
    handles = []
    for name in names:
        if name in layers:
            seen[name] = []
            handles.append(layers[name].register_forward_pre_hook(partial(_note, seen[name])))
    try:
        with torch.no_grad():
            module(torch.tensor(rows, dtype=torch.float64))
    finally:
        for handle in handles:
            handle.remove()
    found = {}
    for name, parts in seen.items():
        if parts:
            found[name] = np.concatenate([np.asarray(part.reshape(-1, part.shape[-1])) for part in parts])
    return found
