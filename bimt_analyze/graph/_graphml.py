"""GraphML files."""

from pathlib import Path
from xml.etree.ElementTree import ParseError

import networkx as nx

from ._convert import assembled, to_networkx
from ._neuron_graph import GraphError, NeuronGraph


def write_graphml(graph: NeuronGraph, path: str | Path) -> None:
    """Write a GraphML file, as Gephi, Cytoscape, yEd, igraph and networkx read it.

    Node ids are ``group.index``; coordinates are one text of numbers parted by spaces.
    """
    named = nx.relabel_nodes(to_networkx(graph), {node.key: f"{node.group}.{node.index}" for node in graph.nodes})
    for _, data in named.nodes(data=True):
        data["coordinates"] = " ".join(repr(float(c)) for c in data["coordinates"])
    nx.write_graphml_xml(named, path, named_key_ids=True)


def read_graphml(path: str | Path) -> NeuronGraph:
    """The inverse of `write_graphml`, without loss.

    Raises:
        GraphError: there is no such file, it is no GraphML, or an attribute is missing.
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
