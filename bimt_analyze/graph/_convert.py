"""To networkx and igraph, without loss; `adopt_graph` is the way back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bimt_train.extras import need

from ._neuron_graph import Edges, GraphError, Neuron, NeuronGraph

NODE_FIELDS = ("group", "index", "label", "coordinates", "depth")
GRAPH_FIELDS = ("weights", "inputs", "outputs", "left_out")


def to_networkx(graph: NeuronGraph) -> Any:
    """A ``networkx.DiGraph`` with (group, index) as nodes.

    Parameters
    ----------
    graph : NeuronGraph
        Any.

    Returns
    -------
    networkx.DiGraph
        Nodes carry ``group``, ``index``, ``label``, ``coordinates`` and ``depth``, edges ``weight`` and ``sign``, the
        graph ``weights``, ``inputs`` and ``outputs``.

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> to_networkx(neuron_graph(Network.of(MLP((2, 1), "tanh")))).nodes[("x", 0)]["depth"]
    0
    """
    need("networkx", "to_networkx")
    import networkx as nx

    found = nx.DiGraph(**{name: getattr(graph, name) for name in GRAPH_FIELDS})
    for node in graph.nodes:
        found.add_node(node.key, **{name: getattr(node, name) for name in NODE_FIELDS})
    for source, target, weight, sign in zip(*(column.tolist() for column in graph.edges), strict=True):
        found.add_edge(graph.nodes[source].key, graph.nodes[target].key, weight=weight, sign=sign)
    return found


def to_igraph(graph: NeuronGraph) -> Any:
    """A directed ``igraph.Graph``, vertices in the order of ``nodes``.

    Parameters
    ----------
    graph : NeuronGraph
        Any.

    Returns
    -------
    igraph.Graph
        With the attributes that `to_networkx` writes, and ``name`` for vertices, as "h1.3".

    Examples
    --------
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> to_igraph(neuron_graph(Network.of(MLP((2, 1), "tanh")))).vs["name"]
    ['x.0', 'x.1', 'y.0']
    """
    import igraph  # which imports all of matplotlib where it is installed

    pairs = list(zip(graph.edges.source.tolist(), graph.edges.target.tolist(), strict=True))
    found = igraph.Graph(len(graph.nodes), pairs, directed=True)
    for name in GRAPH_FIELDS:
        found[name] = getattr(graph, name)
    found.vs["name"] = [f"{node.group}.{node.index}" for node in graph.nodes]
    for name in NODE_FIELDS:
        found.vs[name] = [getattr(node, name) for node in graph.nodes]
    found.es["weight"] = graph.edges.weight.tolist()
    found.es["sign"] = graph.edges.sign.tolist()
    return found


def assembled(
    about: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], edges: Sequence[tuple[int, int, Mapping[str, Any]]]
) -> NeuronGraph:
    """A graph from the attributes of a foreign one, each checked.

    Parameters
    ----------
    about : mapping of str to object
        The graph's own attributes: ``weights``, ``inputs`` and ``outputs``, and ``left_out`` where it is a backbone.
    nodes : sequence of mapping of str to object
        The attributes of each neuron.
    edges : sequence of (int, int, mapping of str to object)
        Source and target as numbers into ``nodes``, and the edge's attributes.

    Returns
    -------
    NeuronGraph
        The graph.
    """
    neurons = []
    for number, data in enumerate(nodes):
        where = f"node {number}"
        coordinates = tuple(float(c) for c in _read(data, "coordinates", tuple, where))
        group, label = (_read(data, name, str, where) for name in ("group", "label"))
        index, depth = (_read(data, name, int, where) for name in ("index", "depth"))
        neurons.append(Neuron(group, index, label, coordinates, depth))
    named = [(source, target, data, f"edge {source} -> {target}") for source, target, data in edges]
    columns = Edges(
        np.array([source for source, _, _, _ in named], dtype=np.int64),
        np.array([target for _, target, _, _ in named], dtype=np.int64),
        np.array([_read(data, "weight", float, where) for _, _, data, where in named], dtype=np.float64),
        np.array([_read(data, "sign", int, where) for _, _, data, where in named], dtype=np.int8),
    )
    weights, inputs, outputs = (_read(about, name, str, "the graph") for name in GRAPH_FIELDS[:3])
    left_out = _read({"left_out": 0, **about}, "left_out", int, "the graph")
    return NeuronGraph(tuple(neurons), columns, weights, inputs, outputs, left_out)


def _read(data: Mapping[str, Any], name: str, kind: Callable[[Any], Any], where: str) -> Any:
    try:
        return kind(data[name])
    except (KeyError, TypeError, ValueError) as error:
        got = repr(data[name]) if name in data else "nothing"
        hint = "write the graph with to_networkx, to_igraph or write_graph"
        raise GraphError(
            "a graph without what a neuron graph has", where=where, expected=name, got=got, hint=hint
        ) from error
