"""Where neurons and modules stand in the space of the viewer."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int32

from ..graph import NeuronGraph

LOWEST, HIGHEST = 0.14, 0.62  # of the distance between layers, in widths of a layer
GAP = 0.3  # between groups of one depth, in widths
APART, ROUNDS = 0.17, 80  # distance of the modules' centres; how often those that are closer are pushed apart


def layers_of(graph: NeuronGraph) -> tuple[tuple[str, ...], ...]:
    """The groups of each layer of the picture, from the inputs on.

    Groups of one depth stand side by side, unless one of them reads another, as around a residual stream: then each has
    a layer of its own, in the order of the graph.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.

    Returns
    -------
    tuple of tuple of str
        Layers, each with its groups.
    """
    depth, number = {node.group: node.depth for node in graph.nodes}, {name: k for k, name in enumerate(graph.groups)}
    group = np.array([number[node.group] for node in graph.nodes], dtype=np.int64)
    pairs = np.unique(group[graph.edges.source] * len(number) + group[graph.edges.target])
    names = graph.groups
    joined = [(names[pair // len(names)], names[pair % len(names)]) for pair in pairs.tolist()]
    apart = {depth[one] for one, other in joined if one != other and depth[one] == depth[other]}
    layers: list[tuple[str, ...]] = []
    for level in sorted(set(depth.values())):
        own = tuple(name for name in names if depth[name] == level)
        layers += [(name,) for name in own] if level in apart else [own]
    return tuple(layers)


def neuron_places(graph: NeuronGraph) -> Float32[np.ndarray, "nodes 3"]:
    """The place of every neuron: across, into the depth, and up.

    Layers lie above each other, inputs at the bottom. Inside a layer neurons stand at their coordinates, a plane's
    first row at the back.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.

    Returns
    -------
    array of float32, shape (nodes, 3)
        The middle of the network is at 0.
    """
    if not graph.nodes:
        return np.zeros((0, 3), dtype=np.float32)
    flat = np.zeros((len(graph.nodes), 3))
    for number, node in enumerate(graph.nodes):
        flat[number, : min(3, len(node.coordinates))] = node.coordinates[:3]
    planar = is_planar(graph)
    places = np.zeros_like(flat)
    layers = layers_of(graph)
    step = HIGHEST if planar else float(np.clip(1.1 / max(1, len(layers) - 1), LOWEST, HIGHEST))
    for level, groups in enumerate(layers):
        for place, group in enumerate(groups):
            own = graph.members(group)
            side = (1 + GAP) * (place - (len(groups) - 1) / 2)
            places[own, 0] = flat[own, 0] - 0.5 + side
            places[own, 1] = 0.5 - flat[own, 1] if np.ptp(flat[own, 1]) > 0 else 0.0
            places[own, 2] = step * (level - (len(layers) - 1) / 2 + 0.6 * (flat[own, 2] if planar else 0.0))
    return places.astype(np.float32)


def is_planar(graph: NeuronGraph) -> bool:
    """Whether some neurons stand on a plane and not on a line.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.
    """
    return any(len(node.coordinates) > 1 for node in graph.nodes)


def module_places(
    places: Float32[np.ndarray, "nodes 3"], module: Int32[np.ndarray, " nodes"], inside: Sequence[bool], count: int
) -> Float32[np.ndarray, "modules 3"]:
    """The centre of each module, pushed apart where they would lie on each other.

    Parameters
    ----------
    places : array of float32, shape (nodes, 3)
        The neurons' places.
    module : array of int32, shape (nodes,)
        The module of each neuron.
    inside : sequence of bool
        Which neurons are hidden; a module that has some has its centre among these.
    count : int
        How many modules there are.

    Returns
    -------
    array of float32, shape (modules, 3)
        The centres.
    """
    hidden = np.asarray(inside, dtype=bool)
    centres = np.zeros((count, 3))
    for number in range(count):
        own = module == number
        some = own & hidden
        centres[number] = places[some if some.any() else own].mean(axis=0) if own.any() else 0.0
    least = min(APART, 1.2 / max(1.0, np.sqrt(count)))
    for _ in range(ROUNDS if 1 < count <= 400 else 0):
        apart = centres[:, None, ::2] - centres[None, :, ::2]
        # those on one point part to the sides, in their order
        apart[..., 0] += 1e-4 * np.sign(np.arange(count)[:, None] - np.arange(count))
        away = np.linalg.norm(apart, axis=2)
        push = np.where((away > 0) & (away < least), (least - away) / np.maximum(away, 1e-9) / 2, 0.0)
        moves = (apart * push[..., None]).sum(axis=1)
        if not push.any():
            break
        centres[:, ::2] += 0.5 * moves
    return centres.astype(np.float32)
