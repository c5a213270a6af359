"""How much partitions of the same neurons agree with each other."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from bimt_train import InputError

from ..graph import NodeId
from ._partition import NotAPartition, Partition


def stability(partitions: Sequence[Partition]) -> float:
    """Mean over all pairs of partitions of their adjusted mutual information, on the neurons that have connections.

    1 when all are equal, about 0 when they agree no better than chance (scikit-learn's ``adjusted_mutual_info_score``:
    arithmetic mean of the entropies as normaliser, expectation over random labels of the same counts). 1 as well when
    all are the same trivial partition: stability alone does not make a partition worth having.

    Raises:
        InputError: fewer than two partitions.
        NotAPartition: they are of different neurons.
    """
    if len(partitions) < 2:
        mend = "search with several seeds"
        raise InputError("stability of what?", expected="2 or more partitions", got=str(len(partitions)), mend=mend)
    nodes = same_nodes(partitions)
    alike: dict[bytes, int] = {}
    distinct: list[np.ndarray] = []
    for partition in partitions:
        labels = partition.labels(nodes)
        if labels.tobytes() not in alike:
            alike[labels.tobytes()] = 0
            distinct.append(labels)
        alike[labels.tobytes()] += 1
    counts = list(alike.values())
    total = float(sum(count * (count - 1) / 2 for count in counts))
    for (a, first), (b, second) in combinations(zip(counts, distinct, strict=True), 2):
        total += a * b * float(adjusted_mutual_info_score(first, second))
    return total / (len(partitions) * (len(partitions) - 1) / 2)


def same_nodes(partitions: Sequence[Partition]) -> tuple[NodeId, ...]:
    """The connected neurons of all of them, in order.

    Raises:
        NotAPartition: they are of different neurons.
    """
    first = partitions[0]
    for other in partitions[1:]:
        if (other.nodes, other.unused) != (first.nodes, first.unused):
            node = min(other.nodes.symmetric_difference(first.nodes) | other.unused.symmetric_difference(first.unused))
            raise NotAPartition("partitions of different neurons", where=f"{node}", mend="compare those of one graph")
    return tuple(sorted(first.nodes - first.unused))
