"""The graph of a partition: modules as nodes."""

from typing import Any

import networkx as nx
import numpy as np

from ..graph import NeuronGraph
from ._partition import Partition


def quotient_graph(graph: NeuronGraph, partition: Partition) -> Any:
    """A ``networkx.DiGraph`` with the modules' numbers as nodes, and summed weights between them.

    Node k has ``neurons`` (their number), ``groups`` (group -> how many of them) and ``within`` (the weight of the
    edges inside module k); the edge (k, l) has ``weight``, the sum over all edges from a neuron of k to one of l.
    Neurons that the partition calls unused are left out.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    partition : Partition
        Of its neurons.

    Returns
    -------
    networkx.DiGraph
        One node a module.

    Raises
    ------
    NotAPartition
        The graph has a neuron that the partition does not have.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> made = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> found = quotient_graph(neuron_graph(made.network), made.partition)
    >>> found.nodes[0]["neurons"], found.number_of_edges()
    (6, 0)
    """
    labels = partition.labels(graph.nodes)
    count = len(partition.modules)
    source, target = labels[graph.edges.source], labels[graph.edges.target]
    both = (source >= 0) & (target >= 0)
    between = np.zeros((count, count))
    np.add.at(between, (source[both], target[both]), graph.edges.weight[both])
    found = nx.DiGraph(weights=graph.weights)
    for number, module in enumerate(partition.modules):
        names = [group for group, _ in module]
        groups = {group: names.count(group) for group in graph.groups if group in names}
        found.add_node(number, neurons=len(module), groups=groups, within=float(between[number, number]))
    found.add_weighted_edges_from((int(a), int(b), float(between[a, b])) for a, b in np.argwhere(between > 0) if a != b)
    return found
