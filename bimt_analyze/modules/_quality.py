"""How modular a partition is: Newman's modularity."""

import numpy as np

from ..graph import NeuronGraph
from ._partition import NotAPartition, Partition


def modularity(graph: NeuronGraph, partition: Partition, *, resolution: float = 1.0) -> float:
    """Newman's modularity Q of a partition, directions ignored.

    High Q does not mean that modules are real: sparse random graphs have high Q too.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    partition : Partition
        Of its neurons.
    resolution : float, default 1.0
        The higher, the smaller the modules that it favours.

    Returns
    -------
    float
        Q; 0 for a graph without edges.

    Raises
    ------
    NotAPartition
        The partition is of other neurons than the graph's.

    Notes
    -----
    Q = sum over modules c of [ L_c / m - resolution (K_c / 2m)^2 ]

    m is the weight of all edges, L_c that of the edges inside c, K_c the sum of strengths in c; the strength of a
    neuron is the weight of its edges, a loop on itself counting twice. Equation 5 of [1]_, with the resolution of [2]_.

    References
    ----------
    .. [1] Newman and Girvan, "Finding and evaluating community structure in networks", arXiv cond-mat/0308217.
    .. [2] Reichardt and Bornholdt, "Statistical mechanics of community detection", arXiv cond-mat/0603718.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> made = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> modularity(neuron_graph(made.network), made.partition) > 0.3
    True
    """
    check_covers(graph, partition)
    total = float(graph.edges.weight.sum())
    if total == 0:
        return 0.0
    labels = partition.labels(graph.nodes)
    source, target, weight = labels[graph.edges.source], labels[graph.edges.target], graph.edges.weight
    # a loop on an unused neuron has a strength, though no module has the neuron: a module of its own
    alone = np.flatnonzero(labels < 0)
    if alone.size:
        labels = labels.copy()
        labels[alone] = len(partition.modules) + np.arange(len(alone))
        source, target = labels[graph.edges.source], labels[graph.edges.target]
    size = int(labels.max(initial=0)) + 1
    inside = float(weight[source == target].sum())
    strengths = np.bincount(source, weight, size) + np.bincount(target, weight, size)
    return inside / total - resolution * float(((strengths / (2 * total)) ** 2).sum())


def check_covers(graph: NeuronGraph, partition: Partition) -> None:
    """Pass if the partition is of this graph's neurons.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    partition : Partition
        To look at.

    Raises
    ------
    NotAPartition
        It is of others.
    """
    mine = set(graph.numbers)
    if strange := mine.symmetric_difference(partition.nodes):
        node = min(strange)
        side = "graph" if node in mine else "partition"
        raise NotAPartition("a partition of other neurons", where=f"{node}", got=f"in the {side} only")
