"""Cleaning a network whose weights were cut: what no longer carries anything from input to output is taken out."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int32, Int64
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..checkpoints import Connection, Network
from ..layouts import Group, Layout, Pattern, Placement
from ..layouts.fold import fold, spread
from ..models import Neurons, Stream
from ..models._hidden_parts import Heads
from ..models.from_spec import options_of
from ._liveness import V, hidden_parts, liveness, normed


def count_components(layout: Layout, connections: tuple[Connection, ...]) -> int:
    """Count the connected components among the neurons that have an edge at all.

    Parameters
    ----------
    layout : Layout
        The groups.
    connections : tuple of Connection
        Weights between them; those that are 0 are no edges.

    Returns
    -------
    int
        The number of components.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 2]))
    >>> network = network.with_tensors({"layers.0.weight": np.eye(2)})
    >>> count_components(network.layout, network.connections())
    2
    """
    starts = dict(zip(layout.sizes, np.cumsum([0, *layout.sizes.values()]).tolist(), strict=False))
    masks = [(c.matrix != 0, starts[c.target], starts[c.source]) for c in connections]
    total = sum(layout.sizes.values())
    # one edge of each neuron joins most of them, and few of the others lead from one part to another
    some = [_one_edge_each(mask) + np.array([[target], [source]]) for mask, target, source in masks]
    labels = _components(some, total)
    further, wired = [], np.zeros(total, dtype=bool)
    for mask, target, source in masks:
        rows, columns = (labels[start : start + size] for start, size in zip((target, source), mask.shape, strict=True))
        i, j = np.nonzero(mask & (rows[:, None] != columns))
        further.append(np.unique(np.stack([rows[i], columns[j]]), axis=1).astype(np.int64))
        wired[target : target + len(rows)] |= mask.any(axis=1)
        wired[source : source + len(columns)] |= mask.any(axis=0)
    parts = _components(further, total)
    return len(np.unique(parts[labels[wired]]))


def _one_edge_each(mask: Bool[np.ndarray, "targets sources"]) -> Int64[np.ndarray, "2 edges"]:
    """Row and column of one edge of each row, and of one of each column, that has any."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    by_rows = np.stack([rows, mask[rows].argmax(axis=1)])
    return np.concatenate([by_rows, np.stack([mask[:, columns].argmax(axis=0), columns])], axis=1)


def _components(pairs: list[Int64[np.ndarray, "2 pairs"]], total: int) -> Int32[np.ndarray, " nodes"]:
    """The number of the part that each node is in."""
    ends = np.concatenate([np.zeros((2, 0), dtype=np.int64), *pairs], axis=1)
    graph = coo_matrix((np.ones(ends.shape[1], dtype=bool), (ends[0], ends[1])), (total, total))
    labels: Int32[np.ndarray, " nodes"] = connected_components(graph, directed=False)[1]
    return labels


def without_dead_ends(network: Network) -> Network:
    """Compute the same function with fewer weights: edges into nothing are cut, constants are folded into biases.

    Parameters
    ----------
    network : Network
        A network of which weights were cut.

    Returns
    -------
    Network
        A network of the same shapes. One of a kind that does not declare its hidden parts comes back as it is.

    Notes
    -----
    A neuron that no input drives has a constant activation ``a = f(b)``; its readers' biases become ``b + W a`` and its
    edges go. Of an attention, a neuron whose row of v is not driven gives ``a = b_v``, since attention weights add up
    to 1. Rows of q and k go where they shape no attention that matters (`liveness`). What writes to a residual stream
    under a norm stays as long as anything reads the stream: each of its neurons moves the mean and the deviation.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 3, 1]))
    >>> weight = network.tensors["layers.0.weight"] * [[1], [0], [1]]
    >>> without_dead_ends(network.with_tensors({"layers.0.weight": weight})).edges()
    6
    """
    parts = hidden_parts(network)
    if parts is None:
        return network
    network = _fold_constants(network)
    layout, live = network.layout, liveness(network)
    streams = {part.group for part in parts if isinstance(part, Stream)}  # what nothing adds to is 0, carries nothing
    queries = {f"{part.qkv}.weight": part for part in parts if isinstance(part, Heads)}
    cut = {}
    for name in layout.weights():
        plan, tensor = layout.tensors[name].plan, network.tensors[name]
        target, source = plan.groups
        if name in queries:
            rows = np.concatenate([live.asking[target], live.asking[target], live.reaching[target]])
            bias = f"{queries[name].qkv}.bias"
            cut[bias] = np.where(rows, network.tensors[bias], 0)
            useful = np.repeat(rows[:, None], tensor.shape[1], axis=1)
        else:
            joined = np.repeat(live.reaching[target][:, None], layout.sizes[source], axis=1).astype(float)
            useful = spread(joined, plan, tensor.shape, layout.sizes) > 0
        if source in streams:
            carrying = np.repeat(live.driven[source][None], layout.sizes[target], axis=0).astype(float)
            useful = useful & (spread(carrying, plan, tensor.shape, layout.sizes) > 0)
        cut[name] = np.where(useful, tensor, 0)
    return network.with_tensors(cut)


def _fold_constants(network: Network) -> Network:
    """Fold onwards, part by part, the neurons without a driven input."""
    layout, driven = network.layout, liveness(network).driven
    tensors = {name: np.array(tensor) for name, tensor in network.tensors.items()}
    for part in hidden_parts(network) or ():
        if isinstance(part, Stream) or not foldable(part, layout):
            continue
        idle = ~driven[part.group]
        if isinstance(part, Heads):
            constant = tensors[f"{part.qkv}.bias"].reshape(3, -1)[V][idle].astype(np.float64)
        else:
            assert part.constant is not None
            constant = part.constant(tensors, idle)
        for name, bias in _readers(part.group, layout).items():
            plan, weight = layout.tensors[name].plan, tensors[name]
            if constant.any():
                added = fold(weight, plan, layout.sizes)[:, idle].astype(np.float64) @ constant
                tensors[bias] = tensors[bias] + added.astype(tensors[bias].dtype)
            columns = np.repeat(idle[None].astype(float), layout.sizes[plan.groups[0]], axis=0)
            tensors[name] = np.where(spread(columns, plan, weight.shape, layout.sizes) > 0, 0, weight)
        for name, rows in _written(part, idle, tensors, layout).items():
            tensors[name][rows] = 0
    return network.with_tensors(tensors)


def foldable(part: Neurons | Heads, layout: Layout) -> bool:
    """Say whether constants of a part's neurons can be added to biases of all that read them.

    Parameters
    ----------
    part : Neurons or Heads
        A hidden group.
    layout : Layout
        The layout.

    Returns
    -------
    bool
        False where the constant is not told, a norm joins the neurons, or a reader has no bias of its own.
    """
    told = isinstance(part, Heads) or part.constant is not None
    return told and part.group not in normed(layout) and all(_readers(part.group, layout).values())


def _readers(group: str, layout: Layout) -> dict[str, str]:
    """Every weight that reads the group, and the bias beside it; empty text where there is none for each neuron."""
    found = {}
    for name in layout.weights():
        target, source = layout.tensors[name].plan.groups
        if source == group:
            bias = f"{name.removesuffix('weight')}bias"
            fits = bias in layout.tensors and layout.tensors[bias].plan.factors == (target,)
            found[name] = bias if fits else ""
    return found


def _written(
    part: Neurons | Heads, idle: Bool[np.ndarray, "_"], tensors: Mapping[str, np.ndarray], layout: Layout
) -> dict[str, Bool[np.ndarray, "..."]]:
    """For each tensor that makes the neurons what they are, where it belongs to the idle ones; of q, k and v only v."""
    if isinstance(part, Heads):
        rows = np.concatenate([np.zeros(V * len(idle), dtype=bool), idle])
        return {f"{part.qkv}.weight": rows, f"{part.qkv}.bias": rows}
    found = {}
    for name in layout.touching(part.group):
        spec, shape = layout.tensors[name], tensors[name].shape
        if spec.role == "weight" and spec.plan.groups[0] == part.group:
            rows = np.repeat(idle[:, None], layout.sizes[spec.plan.groups[1]], axis=1)
        elif spec.role == "bias" and spec.plan.groups == (part.group,):
            rows = idle
        else:
            continue
        found[name] = spread(rows.astype(float), spec.plan, shape, layout.sizes) > 0
    return found


def shrink(network: Network) -> tuple[Network, dict[str, tuple[int, ...]]]:
    """Take dead neurons out of the hidden groups; those that stay keep their names and their places.

    Neurons that act one by one go one by one. Of an attention, dead heads go whole, and dead neurons inside the heads
    go down to the largest number that any head of the group still needs: heads keep equal sizes, and scores the scale
    that they had. A residual stream keeps its width. A neuron of a state that nothing drives need not be constant,
    since it may grow or fade from step to step: it is dead only if it reaches no output.

    Parameters
    ----------
    network : Network
        A network that `without_dead_ends` has cleaned.

    Returns
    -------
    smaller : Network
        The smaller network. A group that would be empty keeps one neuron without edges. Networks of a kind that does
        not declare its hidden parts come back as they are.
    kept : dict of str to tuple of int
        For each group the kept neurons' numbers in the given network.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 3, 1]))
    >>> weight = network.tensors["layers.0.weight"] * [[1], [0], [1]]
    >>> smaller, kept = shrink(without_dead_ends(network.with_tensors({"layers.0.weight": weight})))
    >>> smaller.layout.sizes["h1"], kept["h1"]
    (2, (0, 2))
    """
    layout, parts = network.layout, hidden_parts(network)
    kept = {group.name: tuple(range(group.size)) for group in layout.groups}
    if parts is None:
        return network, kept
    live, heads = liveness(network), {group.name: group.heads for group in layout.groups}
    for part in parts:
        if isinstance(part, Heads):
            kept[part.group], heads[part.group] = _kept_of_heads(live.alive(part.group), heads[part.group])
        elif isinstance(part, Neurons) and part.group not in normed(layout):
            flags = live.alive(part.group) if foldable(part, layout) else live.reaching[part.group]
            kept[part.group] = tuple(np.flatnonzero(flags).tolist()) or (0,)
    removable = {part.group for part in parts if not isinstance(part, Stream)}
    groups, slots = [], {}
    for group in layout.groups:
        if group.name not in {*removable, layout.inputs, layout.outputs}:
            groups.append(group)
            slots[group.name] = network.placement.slots[group.name]
            continue
        members = list(kept[group.name])
        places = network.placement.coordinates(layout, group.name)[members]
        if group.heads > 1:  # heads lie in blocks of slots, one after the other
            order = np.argsort(np.array(network.placement.slots[group.name])[members])
        else:
            order = np.lexsort(places.T[::-1])  # slots from left to right, as they were
        names = tuple(group.label(i) for i in members)
        slot_places = tuple(tuple(places[i].tolist()) for i in order)
        groups.append(Group(group.name, slot_places, group.movable, heads[group.name], names))
        slots[group.name] = tuple(np.argsort(order).tolist())
    tensors = {
        name: _taken(tensor, layout.tensors[name].plan, layout, kept) for name, tensor in network.tensors.items()
    }
    options = options_of(network.model)
    assert options is not None
    resized = options.resized({group.name: group for group in groups}).to_json()
    smaller = Network(replace(network.model, options=resized), layout.with_groups(groups), Placement(slots), tensors)
    return smaller, kept


def _kept_of_heads(alive: Bool[np.ndarray, "_"], heads: int) -> tuple[tuple[int, ...], int]:
    """The neurons that stay and the number of heads that they make, all of the size of the largest.

    >>> _kept_of_heads(np.array([True, False, True, False, False, False, False, True, False]), 3)
    ((0, 2, 6, 7), 2)
    """
    blocks = alive.reshape(heads, -1)
    size = int(blocks.sum(axis=1).max())
    if size == 0:
        return (0,), 1
    kept = []
    for head in np.flatnonzero(blocks.any(axis=1)):
        first = np.argsort(~blocks[head], kind="stable")[:size]  # the living, then as many others as it takes
        kept += (head * blocks.shape[1] + np.sort(first)).tolist()
    return tuple(kept), len(kept) // size


def unwired(network: Network) -> int:
    """Count the hidden neurons beside a residual stream that no edge touches.

    They fill up a head to the size of its group's largest, or stand in a group that would be empty. In a chain of
    layers, which such a neuron keeps whole, it is counted like any other. In a network of a kind that does not declare
    its hidden parts, they are all hidden neurons without an edge, ends aside.

    Parameters
    ----------
    network : Network
        A network that `shrink` has made smaller.

    Returns
    -------
    int
        The number of such neurons.

    Examples
    --------
    >>> from bimt_train.models import GPT
    >>> network = Network.of(GPT(tokens=3, context=2, width=4, heads=2, layers=1, hidden=5))
    >>> empty, _ = shrink(without_dead_ends(network.with_tensors({"write.weight": np.zeros((3, 4))})))
    >>> sum(empty.layout.sizes.values()), unwired(empty)
    (9, 2)
    """
    parts = hidden_parts(network)
    if parts is None:
        return _edgeless(network)
    if not any(isinstance(part, Stream) for part in parts):
        return 0
    live = liveness(network)
    return sum(int((~live.alive(part.group)).sum()) for part in parts if not isinstance(part, Stream))


def _edgeless(network: Network) -> int:
    """Hidden neurons that no weight touches."""
    layout = network.layout
    touched = {group: np.zeros(size, dtype=bool) for group, size in layout.sizes.items()}
    for name in layout.weights():
        plan = layout.tensors[name].plan
        joined = fold((network.tensors[name] != 0).astype(float), plan, layout.sizes)
        for axis, group in enumerate(plan.groups):
            touched[group] |= joined.any(axis=1 - axis)
    ends = (layout.inputs, layout.outputs)
    return sum(int((~flags).sum()) for group, flags in touched.items() if group not in ends)


def _taken(tensor: np.ndarray, plan: Pattern, layout: Layout, kept: Mapping[str, tuple[int, ...]]) -> np.ndarray:
    """The tensor with only the kept neurons along each axis that neurons index, in every copy of a fold."""
    opened = tensor.reshape(plan.open_shape(tensor.shape, layout.sizes))
    for place, part in plan.group_factors():
        own = range(layout.sizes[part.group])[part.neurons]
        opened = opened.take([own.index(neuron) for neuron in kept[part.group] if neuron in own], axis=place)
    lengths, axes = iter(opened.shape), []
    for axis in plan.axes:
        axes.append(math.prod(next(lengths) for _ in axis))
    return opened.reshape(axes)
