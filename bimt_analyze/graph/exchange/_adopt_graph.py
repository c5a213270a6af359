"""Graphs that somebody else made, as neuron graphs: what they do not say is inferred, and told."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from bimt_train.extras import need
from bimt_train.showing import Shown

from .._convert import GRAPH_FIELDS, assembled
from .._group_depths import longest_paths
from .._neuron_graph import Edges, GraphError, Neuron, NeuronGraph

GROUPS = ("group", "layer", "depth")  # attributes that tell the group of a node, the first that all have


@dataclass(frozen=True, repr=False)
class AdoptedGraph(Shown):
    """A graph that came from elsewhere, and what was inferred of it.

    Attributes
    ----------
    graph : NeuronGraph
        The graph.
    assumed : tuple of str
        What it did not say, and what stands in its place, a sentence each; empty for a graph that this project wrote.

    Examples
    --------
    >>> import networkx as nx
    >>> adopt_graph(nx.DiGraph([("a", "b")])).assumed[0]
    'groups: no node says its own, so they are layers: how many edges lead to a node, at most'
    """

    graph: NeuronGraph
    assumed: tuple[str, ...]


def adopt_graph(found: Any, *, group: str | None = None, weight: str = "weight") -> AdoptedGraph:
    """Make a neuron graph of anybody's graph.

    A graph of `to_networkx` or `to_igraph` comes back as it was. Of any other, groups, places, strengths and ends are
    taken from the attributes that usually hold them, and otherwise as below.

    Parameters
    ----------
    found : networkx graph or igraph.Graph
        The graph, directed or not, without parallel edges.
    group : str, optional
        The attribute of nodes that names their group; else ``group``, ``layer`` or ``depth``, whichever all nodes have;
        else the layers of a graph without circles, or one group of all.
    weight : str, default "weight"
        The attribute of edges that holds their weight, whose magnitude is the strength and whose sign the sign; of
        edges without weights each counts 1, and edges of weight 0 are left out.

    Returns
    -------
    AdoptedGraph
        The graph, its nodes in their order, and what was inferred. Places are ``coordinates`` or ``pos``, ``x``, ``y``
        and ``z``, or the position that GEXF stores; else nodes stand evenly in their group. What no group leads to are
        the inputs, what leads to no group the outputs.

    Raises
    ------
    GraphError
        No nodes, two edges between the same nodes, or an attribute that some nodes or edges lack, or that is no number.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph()
    >>> graph.add_nodes_from([("a", {"layer": 0, "pos": (0, 0)}), ("b", {"layer": 1, "pos": (2, 1)})])
    >>> graph.add_edge("a", "b", weight=-0.5)
    >>> adopted = adopt_graph(graph)
    >>> adopted.graph.edges.weight, adopted.graph.edges.sign, adopted.graph.nodes[1].coordinates
    (array([0.5]), array([-1], dtype=int8), (2.0, 1.0))
    """
    import igraph  # which imports all of matplotlib where it is installed

    if isinstance(found, igraph.Graph) and set(GRAPH_FIELDS[:3]) <= set(found.attributes()):
        return AdoptedGraph(_own_igraph(found), ())
    need("networkx", "a graph of somebody")
    if isinstance(found, igraph.Graph):
        found = found.to_networkx()
    if not len(found):
        raise GraphError("a graph without nodes", hint="give one with nodes and edges")
    if all(name in found.graph for name in GRAPH_FIELDS[:3]):
        return AdoptedGraph(_own(found), ())
    nodes = [dict(data) for _, data in found.nodes(data=True)]
    numbers = {node: number for number, node in enumerate(found)}
    pairs = [(numbers[source], numbers[target]) for source, target in found.edges()]
    for pair, times in Counter(pairs).items():
        if times > 1:
            ends = " and ".join(repr(list(found)[end]) for end in pair)
            raise GraphError("two edges between the same nodes", where=ends[:80], hint="add their weights up first")
    groups, said_of_groups = _groups(found, nodes, group)
    names = [_name(one) for one in groups]
    ranks = _ranks(groups, names)
    edges, said_of_weights = _edges([data for _, _, data in found.edges(data=True)], pairs, weight)
    said_of_direction = ""
    if not found.is_directed():
        edges, said_of_direction = _directed(edges, names, ranks)
    places, said_of_places = _places(nodes, names)
    joined = {(names[a], names[b]) for a, b in zip(edges.source, edges.target, strict=True) if names[a] != names[b]}
    depths = ranks or longest_paths(names, joined)
    counted = Counter[str]()
    neurons = []
    for name, data, node, place in zip(names, nodes, found, places, strict=True):
        neurons.append(Neuron(name, counted[name], _label(data, node), place, depths[name]))
        counted[name] += 1
    inputs, outputs, said_of_ends = _ends(names, joined, known=found.is_directed() or bool(ranks))
    graph = NeuronGraph(tuple(neurons), edges, weight, inputs, outputs)
    said = (said_of_groups, said_of_direction, said_of_weights, said_of_places, said_of_ends)
    return AdoptedGraph(graph, tuple(filter(None, said)))


def _own(found: Any) -> NeuronGraph:
    """The graph of one that has all attributes, coordinates as numbers or as a text of them."""
    numbers = {node: number for number, node in enumerate(found.nodes)}
    nodes = [dict(data) for _, data in found.nodes(data=True)]
    for number, data in enumerate(nodes):
        if isinstance(data.get("coordinates"), str):
            data["coordinates"] = _numbers(data["coordinates"], f"node {number}")
    edges = [(numbers[source], numbers[target], data) for source, target, data in found.edges(data=True)]
    return assembled(found.graph, nodes, edges)


def _own_igraph(found: Any) -> NeuronGraph:
    """The graph of one that has all attributes."""
    edges = [(edge.source, edge.target, edge.attributes()) for edge in found.es]
    about = {name: found[name] for name in found.attributes()}
    return assembled(about, [vertex.attributes() for vertex in found.vs], edges)


def _numbers(text: str, where: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        expected = "numbers parted by spaces"
        raise GraphError("coordinates that are no numbers", where=where, expected=expected, got=repr(text)) from error


def _groups(found: Any, nodes: Sequence[dict[str, Any]], group: str | None) -> tuple[list[float | str], str]:
    """The number or word that tells the group of each node."""
    for name in (group,) if group is not None else GROUPS:
        lacking = [number for number, data in enumerate(nodes) if data.get(name) is None]
        if not lacking:
            values = [data[name] for data in nodes]
            words = [value if isinstance(value, int | float) else str(value) for value in values]
            return words, f"groups: the values of {name!r}"
        if group is not None:
            raise GraphError("a node without its group", where=f"node {lacking[0]}", expected=name, got="nothing")
    import networkx as nx

    if found.is_directed() and nx.is_directed_acyclic_graph(found):
        layers = longest_paths(found.nodes, found.edges())
        said = "groups: no node says its own, so they are layers: how many edges lead to a node, at most"
        return [layers[node] for node in found], said
    return ["all"] * len(nodes), "groups: no node says its own, so there is one"


def _name(group: float | str) -> str:
    """A group's name, which has no spaces; layers by number are named so."""
    said = "_".join(group.split()) if isinstance(group, str) else f"layer{group:g}"
    if not said:
        raise GraphError("a group without a name", got=repr(group), hint="give it one")
    return said


def _ranks(groups: Sequence[float | str], names: Sequence[str]) -> dict[str, int]:
    """The place of each group among layers by number; nothing where groups are words, or where there is one."""
    values = dict(zip(names, groups, strict=True))
    if len(values) < len(set(groups)):
        raise GraphError("two groups of one name", got=", ".join(sorted({repr(group) for group in groups}))[:80])
    numbers = {name: value for name, value in values.items() if not isinstance(value, str)}
    if len(values) == 1 or len(numbers) < len(values):
        return {}
    return {name: rank for rank, name in enumerate(sorted(numbers, key=lambda name: numbers[name]))}


def _edges(about: Sequence[dict[str, Any]], pairs: Sequence[tuple[int, int]], weight: str) -> tuple[Edges, str]:
    """Every edge that counts, with its magnitude and sign."""
    source, target = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    lacking = [number for number, data in enumerate(about) if data.get(weight) is None]
    if len(lacking) == len(about):
        ones = np.ones(len(about))
        return Edges(source, target, ones, ones.astype(np.int8)), f"weights: no edge has {weight!r}, so each counts 1"
    if lacking:
        raise GraphError("an edge without a weight", where=f"edge {lacking[0]}", expected=weight, got="nothing")
    values = np.array([_number(data[weight], f"edge {number}, {weight}") for number, data in enumerate(about)])
    signs = np.sign(values)
    said = [data.get("sign") for data in about]
    if (values >= 0).all() and all(isinstance(sign, int) and sign in (-1, 0, 1) for sign in said):
        signs = np.array(said)
    kept = values != 0
    edges = Edges(source[kept], target[kept], np.abs(values[kept]), signs[kept].astype(np.int8))
    return edges, "" if kept.all() else f"weights: {(~kept).sum()} edges of weight 0 are left out"


def _directed(edges: Edges, names: Sequence[str], ranks: dict[str, int]) -> tuple[Edges, str]:
    """Edges that have no direction: upwards between layers by number, both ways else."""
    rank = np.array([ranks.get(name, 0) for name in names], dtype=np.int64)
    down = rank[edges.source] > rank[edges.target]
    level = rank[edges.source] == rank[edges.target]
    loop = edges.source == edges.target  # which is one edge, and twice as heavy where all others are two
    turned = Edges(
        np.where(down, edges.target, edges.source),
        np.where(down, edges.source, edges.target),
        np.where(loop, 2 * edges.weight, edges.weight),
        edges.sign,
    )
    back = Edges(edges.target, edges.source, edges.weight, edges.sign)
    both = Edges(*(np.concatenate([one, other[level & ~loop]]) for one, other in zip(turned, back, strict=True)))
    upwards = ", but between layers, where they lead to the higher one" if ranks else ""
    return both, f"directions: edges have none, so each counts both ways{upwards}"


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number):
        raise GraphError(
            "an attribute that is no number", where=where, expected="a finite number", got=repr(value)[:60]
        )
    return number


def _label(data: dict[str, Any], node: Any) -> str:
    said = [data.get(name) for name in ("label", "name")]
    return next((one for one in said if isinstance(one, str) and one), str(node))


def _texts(data: dict[str, Any], name: str) -> Any:
    said = data.get(name)
    return _numbers(said, name) if isinstance(said, str) else said


def _xyz(data: dict[str, Any]) -> Any:
    return tuple(data[axis] for axis in "xyz" if data.get(axis) is not None) if data.get("x") is not None else None


def _viz(data: dict[str, Any]) -> Any:
    viz = data.get("viz")
    place = viz.get("position") if isinstance(viz, dict) else None
    return None if place is None else tuple(place[axis] for axis in "xyz")


PLACES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "'coordinates'": lambda data: _texts(data, "coordinates"),
    "'pos'": lambda data: _texts(data, "pos"),
    "'x', 'y' and 'z'": _xyz,
    "its place in the drawing": _viz,
}


def _places(nodes: Sequence[dict[str, Any]], names: Sequence[str]) -> tuple[list[tuple[float, ...]], str]:
    """Where every node is."""
    for said, read in PLACES.items():
        found = [read(data) for data in nodes]
        if all(isinstance(place, tuple | list | np.ndarray) and len(place) for place in found):
            if len({len(place) for place in found}) > 1:
                raise GraphError("places with unequal numbers of coordinates", where=said)
            where = (f"node {number}, {said}" for number in range(len(found)))
            return [tuple(_number(c, at) for c in place) for place, at in zip(found, where, strict=True)], ""
    sizes, seen, places = Counter(names), Counter[str](), list[tuple[float, ...]]()
    for name in names:
        places.append(((seen[name] + 0.5) / sizes[name],))
        seen[name] += 1
    return places, "places: not every node says its own, so they stand evenly in their group"


def _ends(names: Sequence[str], joined: set[tuple[str, str]], *, known: bool) -> tuple[str, str, str]:
    """The groups that no other leads to, and those that lead to no other."""
    reading, read = {target for _, target in joined}, {source for source, _ in joined}
    inputs, outputs = (" ".join(name for name in dict.fromkeys(names) if name in one - other)
                       for one, other in ((read, reading), (reading, read)))  # fmt: skip
    if not known or not inputs or not outputs:
        return "", "", "inputs and outputs: nothing tells them"
    return inputs, outputs, f"inputs: {inputs}; outputs: {outputs}: what no group leads to, and what leads to none"
