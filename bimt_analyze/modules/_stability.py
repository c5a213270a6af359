"""How much partitions of the same neurons agree with each other."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from bimt_train import InputError

from ..graph import NodeId
from ._labelling_agreement import adjusted_mutual_information
from ._partition import NotAPartition, Partition


def stability(partitions: Sequence[Partition]) -> float:
    """Mean over all pairs of partitions of their adjusted mutual information, on the neurons that have connections.

    1 when all are equal, about 0 when they agree no better than chance (`adjusted_mutual_information`:
    arithmetic mean of the entropies as normaliser, expectation over random labels of the same counts). 1 as well when
    all are the same trivial partition: stability alone does not make a partition worth having.

    Parameters
    ----------
    partitions : sequence of Partition
        Two or more, of the same neurons.

    Returns
    -------
    float
        Mean adjusted mutual information.

    Raises
    ------
    InputError
        Fewer than two partitions.
    NotAPartition
        They are of different neurons.

    Examples
    --------
    >>> halves = Partition((frozenset({("n", 0), ("n", 1)}), frozenset({("n", 2), ("n", 3)})))
    >>> stability([halves, halves])
    1.0
    """
    if len(partitions) < 2:
        hint = "search with several seeds"
        raise InputError("stability of what?", expected="2 or more partitions", got=str(len(partitions)), hint=hint)
    nodes = same_nodes(partitions)
    how_often: dict[bytes, int] = {}
    distinct: list[np.ndarray] = []
    for partition in partitions:
        labels = partition.labels(nodes)
        if labels.tobytes() not in how_often:
            how_often[labels.tobytes()] = 0
            distinct.append(labels)
        how_often[labels.tobytes()] += 1
    counts = list(how_often.values())
    total = float(sum(count * (count - 1) / 2 for count in counts))
    for (a, first), (b, second) in combinations(zip(counts, distinct, strict=True), 2):
        total += a * b * adjusted_mutual_information(first, second)
    return total / (len(partitions) * (len(partitions) - 1) / 2)


def same_nodes(partitions: Sequence[Partition]) -> tuple[NodeId, ...]:
    """The connected neurons of all of them, in order.

    Parameters
    ----------
    partitions : sequence of Partition
        One or more.

    Returns
    -------
    tuple of (str, int)
        The neurons.

    Raises
    ------
    NotAPartition
        They are of different neurons.
    """
    first = partitions[0]
    for other in partitions[1:]:
        if (other.nodes, other.unused) != (first.nodes, first.unused):
            node = min(other.nodes.symmetric_difference(first.nodes) | other.unused.symmetric_difference(first.unused))
            raise NotAPartition("partitions of different neurons", where=f"{node}", hint="compare those of one graph")
    return tuple(sorted(first.nodes - first.unused))
