"""GraphML files."""

from pathlib import Path
from xml.etree.ElementTree import ParseError

import networkx as nx

from ._convert import assembled, to_networkx
from ._neuron_graph import GraphError, NeuronGraph


def write_graphml(graph: NeuronGraph, path: str | Path) -> None:
    """Write a GraphML file, as Gephi, Cytoscape, yEd, igraph and networkx read it.

    Node ids are ``group.index``; coordinates are one text of numbers parted by spaces.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    path : str or Path
        The file, which is overwritten.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(Network.of(MLP((2, 1), "tanh")))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_graphml(graph, f"{folder}/graph.graphml")
    ...     read_graphml(f"{folder}/graph.graphml") == graph
    True
    """
    named = nx.relabel_nodes(to_networkx(graph), {node.key: f"{node.group}.{node.index}" for node in graph.nodes})
    for _, data in named.nodes(data=True):
        data["coordinates"] = " ".join(repr(float(c)) for c in data["coordinates"])
    nx.write_graphml_xml(named, path, named_key_ids=True)


def read_graphml(path: str | Path) -> NeuronGraph:
    """The inverse of `write_graphml`, without loss.

    Parameters
    ----------
    path : str or Path
        A file that `write_graphml` wrote, or one with its attributes.

    Returns
    -------
    NeuronGraph
        The graph.

    Raises
    ------
    GraphError
        There is no such file, it is no GraphML, or an attribute is missing.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> from bimt_analyze.graph import neuron_graph
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_graphml(neuron_graph(Network.of(MLP((2, 1)))), f"{folder}/graph.graphml")
    ...     [node.label for node in read_graphml(f"{folder}/graph.graphml").nodes]
    ['x.0', 'x.1', 'y.0']
    """
    try:
        found = nx.read_graphml(path)
    except (OSError, ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        raise GraphError("a file that cannot be read as GraphML", where=str(path), got=str(error)) from error
    numbers = {node: number for number, node in enumerate(found.nodes)}
    nodes = [
        {**data, "coordinates": _numbers(data.get("coordinates", ""), f"{path}, node {node}")}
        for node, data in found.nodes(data=True)
    ]
    edges = [(numbers[source], numbers[target], data) for source, target, data in found.edges(data=True)]
    return assembled(found.graph, nodes, edges)


def _numbers(text: object, where: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in str(text).split())
    except ValueError as error:
        expected = "numbers parted by spaces"
        raise GraphError("coordinates that are no numbers", where=where, expected=expected, got=repr(text)) from error
