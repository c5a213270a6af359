"""Cleaning a network whose weights were cut: what no longer carries anything from input to output is taken out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..checkpoints import Connection, Network
from ..layouts import Group, Layout, Pattern, Placement, spread
from ..models import ACTIVATIONS

CHAINS = ("mlp", "image-mlp", "embedding-mlp")  # kinds of model that are plain layers, each read by the next alone
Flags = Mapping[str, Bool[np.ndarray, "_"]]


@dataclass(frozen=True, eq=False)
class Liveness:
    """Which neurons matter: those that an input drives, and those that reach an output, group by group."""

    driven: Flags
    reaching: Flags

    def alive(self, group: str) -> Bool[np.ndarray, "_"]:
        """Both driven and reaching."""
        both: Bool[np.ndarray, _] = self.driven[group] & self.reaching[group]
        return both


def liveness(network: Network) -> Liveness:
    """Follow the non-zero weights forwards from the inputs and backwards from the outputs.

    Groups that nothing writes to count as driven, but for the dimensions of an embedding that are zero for every token;
    groups that nothing reads count as reaching.
    """
    layout, connections = network.layout, network.connections()
    written = {c.target for c in connections}
    read = {c.source for c in connections}
    driven = {g.name: np.full(g.size, g.name == layout.inputs or g.name not in written) for g in layout.groups}
    for name in embeddings(layout):
        driven[layout.tensors[name].plan.groups[0]] = (network.tensors[name] != 0).any(axis=0)
    reaching = {g.name: np.full(g.size, g.name == layout.outputs or g.name not in read) for g in layout.groups}
    changed = True
    while changed:
        changed = False
        for connection in connections:
            edges = connection.matrix != 0
            for flags, end, news in (
                (driven, connection.target, edges @ driven[connection.source]),
                (reaching, connection.source, edges.T @ reaching[connection.target]),
            ):
                grown = flags[end] | news
                changed |= bool((grown != flags[end]).any())
                flags[end] = grown
    return Liveness(driven, reaching)


def embeddings(layout: Layout) -> tuple[str, ...]:
    """Tables with a row a token and a column a neuron, to which nothing else writes."""
    written = {layout.tensors[name].plan.groups[0] for name in layout.weights()}
    return tuple(
        name
        for name, spec in layout.tensors.items()
        if spec.role == "embedding"
        and spec.plan.factors == (None, *spec.plan.groups)
        and not written & {*spec.plan.groups}
    )


def count_components(layout: Layout, connections: tuple[Connection, ...]) -> int:
    """Connected components among the neurons that have an edge at all."""
    starts = dict(zip(layout.sizes, np.cumsum([0, *layout.sizes.values()]), strict=False))
    ends = [np.nonzero(c.matrix) for c in connections]
    targets = np.concatenate([rows + starts[c.target] for c, (rows, _) in zip(connections, ends, strict=True)])
    sources = np.concatenate([cols + starts[c.source] for c, (_, cols) in zip(connections, ends, strict=True)])
    total = sum(layout.sizes.values())
    labels = connected_components(
        coo_matrix((np.ones(len(targets)), (targets, sources)), (total, total)), directed=False
    )
    return len(np.unique(labels[1][targets])) if len(targets) else 0


def without_dead_ends(network: Network) -> Network:
    """The same function with fewer weights: edges into nothing are cut, constant neurons are folded into biases.

    A neuron that no input drives has a constant activation ``a = f(b)``; in a chain of layers its readers' biases
    become ``b + W a`` and its edges go. Other kinds of model keep their constant neurons. Nothing is resized.
    """
    if network.model.kind in CHAINS:
        network = _fold_constants(network)
    layout, live = network.layout, liveness(network)
    cut = {}
    silent = {layout.tensors[name].plan.groups[0] for name in embeddings(layout)}  # what is always 0 carries nothing
    for connection in network.connections():
        plan, tensor = network.layout.tensors[connection.tensor].plan, network.tensors[connection.tensor]
        useful = np.repeat(live.reaching[connection.target][:, None], connection.matrix.shape[1], axis=1).astype(float)
        if connection.source in silent:
            useful[:, ~live.driven[connection.source]] = 0
        cut[connection.tensor] = np.where(spread(useful, plan, tensor.shape, network.layout.sizes) > 0, tensor, 0)
    return network.with_tensors(cut)


def _fold_constants(network: Network) -> Network:
    """Fold onwards, layer by layer, the neurons without a driven input."""
    import torch

    activation = ACTIVATIONS[network.model.options["activation"]]()
    driven = liveness(network).driven
    tensors = {name: np.array(tensor) for name, tensor in network.tensors.items()}
    hidden = network.layout.groups[1:-1]
    for index, group in enumerate(hidden):
        idle = ~driven[group.name]
        constant = activation(torch.tensor(tensors[f"layers.{index}.bias"][idle], dtype=torch.float64)).numpy()
        reader = f"layers.{index + 1}"
        tensors[f"{reader}.bias"] = tensors[f"{reader}.bias"] + (
            tensors[f"{reader}.weight"][:, idle].astype(np.float64) @ constant
        ).astype(tensors[f"{reader}.bias"].dtype)
        tensors[f"{reader}.weight"][:, idle] = 0
        tensors[f"layers.{index}.weight"][idle] = 0
        tensors[f"layers.{index}.bias"][idle] = 0
    return network.with_tensors(tensors)


def shrink(network: Network) -> tuple[Network, dict[str, tuple[int, ...]]]:
    """Take dead neurons out of the hidden layers of a chain, or of the state of a recurrent network; those that stay
    keep their names and their places.

    A neuron of a state that nothing drives need not be constant, since it may grow or fade from step to step: it is
    dead only if it reaches no output.

    Returns:
        The smaller network, and for each group the kept neurons' numbers in the given one. A layer that would be empty
        keeps one neuron without edges. Models of other kinds come back as they are.
    """
    layout, kind = network.layout, network.model.kind
    kept = {group.name: tuple(range(group.size)) for group in layout.groups}
    if kind not in (*CHAINS, "rnn"):
        return network, kept
    live = liveness(network)
    for group in layout.groups:
        if group.name not in (layout.inputs, layout.outputs):
            flags = live.alive(group.name) if kind in CHAINS else live.reaching[group.name]
            kept[group.name] = tuple(np.flatnonzero(flags).tolist()) or (0,)
    groups, slots = [], {}
    for group in layout.groups:
        members = list(kept[group.name])
        places = network.placement.coordinates(layout, group.name)[members]
        order = np.lexsort(places.T[::-1])  # slots from left to right, as they were
        names = tuple(group.label(i) for i in members)
        groups.append(Group(group.name, tuple(tuple(places[i].tolist()) for i in order), group.movable, labels=names))
        slots[group.name] = tuple(np.argsort(order).tolist())
    tensors = {
        name: _taken(tensor, layout.tensors[name].plan, layout, kept) for name, tensor in network.tensors.items()
    }
    options = {**network.model.options, **_sizes_of(kind, [group.size for group in groups])}
    smaller = Network(replace(network.model, options=options), layout.with_groups(groups), Placement(slots), tensors)
    return smaller, kept


def _sizes_of(kind: str, sizes: list[int]) -> dict[str, Any]:
    """The options of a model whose groups have these sizes."""
    if kind == "rnn":
        return {"state": sizes[1]}
    return {"embedding": sizes[0], "widths": sizes[1:]} if kind == "embedding-mlp" else {"widths": sizes}


def _taken(tensor: np.ndarray, plan: Pattern, layout: Layout, kept: Mapping[str, tuple[int, ...]]) -> np.ndarray:
    """The tensor with only the kept neurons along each axis that neurons index, in every copy of a fold."""
    opened = tensor.reshape(plan.open_shape(tensor.shape, layout.sizes))
    for place, group in plan.group_factors():
        opened = opened.take(kept[group], axis=place)
    lengths, axes = iter(opened.shape), []
    for axis in plan.axes:
        axes.append(math.prod(next(lengths) for _ in axis))
    return opened.reshape(axes)
