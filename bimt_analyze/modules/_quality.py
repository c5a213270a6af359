"""How modular a partition is: Newman's modularity."""

import numpy as np

from ..graph import NeuronGraph
from ._partition import NotAPartition, Partition


def modularity(graph: NeuronGraph, partition: Partition, *, resolution: float = 1.0) -> float:
    """Q = sum over modules c of [ L_c / m - resolution (K_c / 2m)^2 ], directions ignored.

    m is the weight of all edges, L_c that of the edges inside c, K_c the sum of strengths in c; the strength of a
    neuron is the weight of its edges, a loop on itself counting twice. (Newman and Girvan, arXiv cond-mat/0308217,
    equation 5; with the resolution of Reichardt and Bornholdt, arXiv cond-mat/0603718.) 0 for a graph without edges.

    High Q does not mean that modules are real: sparse random graphs have high Q too.

    Raises:
        NotAPartition: the partition is of other neurons than the graph's.
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

    Raises:
        NotAPartition: it is of others.
    """
    mine = set(graph.numbers)
    if strange := mine.symmetric_difference(partition.nodes):
        node = min(strange)
        side = "graph" if node in mine else "partition"
        raise NotAPartition("a partition of other neurons", where=f"{node}", got=f"in the {side} only")
