"""One partition that speaks for many."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError

from ._labelling_agreement import adjusted_mutual_information
from ._leiden_searches import VERSIONS, Ready
from ._partition import Partition
from ._stability import same_nodes

_ROUNDS = 20


def consensus(partitions: Sequence[Partition], *, threshold: float = 0.5, seed: int = 0) -> Partition:
    """The partition that many partitions of the same neurons agree on most.

    Parameters
    ----------
    partitions : sequence of Partition
        Of the same neurons.
    threshold : float, default 0.5
        In [0, 1]: in how many of the partitions two neurons must be together to count as joined.
    seed : int, default 0
        Of the searches.

    Returns
    -------
    Partition
        The consensus; ``quality`` is its mean adjusted mutual information with the given partitions.

    Raises
    ------
    InputError
        No partitions, or an impossible threshold.
    NotAPartition
        They are of different neurons.

    Notes
    -----
    The method is that of Lancichinetti and Fortunato [1]_: how often neurons are together is cut off and searched again
    until it is stable.

    1. D[i, j] is the share of partitions in which i and j are together. Entries below ``threshold`` become 0; a neuron
       that loses all keeps its largest.
    2. The weighted graph D is searched by Leiden (modularity at resolution 1), as often as there are partitions.
    3. Repeat until all of these agree.

    If they still disagree after 20 rounds, the given partition that agrees best with all others (mean adjusted mutual
    information) is returned; ``parameters["rounds"]`` is then None.

    References
    ----------
    .. [1] Lancichinetti and Fortunato, "Consensus clustering in complex networks", arXiv 1203.6093.

    Examples
    --------
    >>> usual = Partition((frozenset({("n", 0), ("n", 1)}), frozenset({("n", 2), ("n", 3)})))
    >>> other = Partition((frozenset({("n", 0), ("n", 1), ("n", 2)}), frozenset({("n", 3)})))
    >>> consensus([usual, usual, other]).same_modules(usual)
    True
    """
    if not partitions:
        raise InputError("a consensus of nothing", expected="1 or more partitions", got="0")
    if not 0 <= threshold <= 1:
        raise InputError("an impossible threshold", expected="0 to 1", got=str(threshold))
    nodes = same_nodes(partitions)
    given = np.array([partition.labels(nodes) for partition in partitions]).reshape(len(partitions), len(nodes))
    labels, rounds = given, 0
    streams = np.random.SeedSequence(seed)
    while rounds < _ROUNDS and not _agree(labels):
        seeds = [int(stream.generate_state(1)[0]) for stream in streams.spawn(len(partitions))]
        labels = _next(labels, threshold, seeds)
        rounds += 1
    agreed = _agree(labels)
    means = _mean_agreement(given, labels[:1] if agreed else given)
    best = int(np.argmax(means))
    chosen = labels[0] if agreed else given[best]
    modules: dict[int, set[tuple[str, int]]] = {}
    for node, label in zip(nodes, chosen.tolist(), strict=True):
        modules.setdefault(label, set()).add(node)
    parameters = {
        "of": partitions[0].method,
        "partitions": len(partitions),
        "threshold": threshold,
        "rounds": rounds if agreed else None,
    }
    found = tuple(map(frozenset, modules.values()))
    return Partition(found, partitions[0].unused, "consensus", parameters, seed, VERSIONS, float(means[best]))


def _next(
    labels: Int64[np.ndarray, "runs nodes"], threshold: float, seeds: Sequence[int]
) -> Int64[np.ndarray, "runs nodes"]:
    """One round.

    Nodes that all runs put together have one row in D and D = 1 among them, so they are searched as one: runs that
    nearly agree leave a graph of few cores, however large the network.
    """
    cores, core_of, sizes = np.unique(labels, axis=1, return_inverse=True, return_counts=True)
    together = _thresholded(_together(cores), sizes, threshold)
    searches = _searches(together, sizes)
    found = np.array([searches.labels(0.5, seed) for seed in seeds])
    return np.array(found[:, core_of.ravel()], dtype=np.int64)


def _together(labels: Int64[np.ndarray, "runs nodes"]) -> Float64[np.ndarray, "nodes nodes"]:
    shares = np.zeros((labels.shape[1], labels.shape[1]))
    for row in labels:
        shares += row[:, None] == row[None, :]
    np.fill_diagonal(shares, 0)
    return shares / len(labels)


def _thresholded(
    together: Float64[np.ndarray, "cores cores"], sizes: Int64[np.ndarray, " cores"], threshold: float
) -> Float64[np.ndarray, "cores cores"]:
    kept = np.where(together >= threshold, together, 0.0)
    for i in np.flatnonzero((kept.sum(1) == 0) & (sizes == 1)):
        j = int(np.argmax(together[i]))
        kept[i, j] = kept[j, i] = together[i, j]
    return kept


def _searches(together: Float64[np.ndarray, "cores cores"], sizes: Int64[np.ndarray, " cores"]) -> Ready:
    weight = together * sizes[:, None] * sizes[None, :]
    strengths = weight.sum(1) + sizes * (sizes - 1)
    total = float(strengths.sum()) / 2 or 1.0
    i, j = np.nonzero(np.triu(together))
    pairs = np.stack([i, j], axis=1).astype(np.int64)
    return Ready.of(pairs, weight[i, j] / total, strengths / total)


def _agree(labels: Int64[np.ndarray, "runs nodes"]) -> bool:
    """Whether all rows are one partition, however its modules are numbered."""
    return len({tuple(_first_places(row).tolist()) for row in labels}) == 1


def _first_places(row: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, " nodes"]:
    """For each node, the first one that shares its module: the same for all numberings."""
    _, first, module = np.unique(row, return_index=True, return_inverse=True)
    return np.array(first[module], dtype=np.int64)


def _mean_agreement(
    given: Int64[np.ndarray, "runs nodes"], candidates: Int64[np.ndarray, "candidates nodes"]
) -> Float64[np.ndarray, " candidates"]:
    """Mean adjusted mutual information of each candidate with all that are given, each partition asked about once."""
    rows, counts = np.unique([_first_places(row) for row in given], axis=0, return_counts=True)
    return np.array([np.average([_agreement(row, one) for row in rows], weights=counts) for one in candidates])


def _agreement(row: Int64[np.ndarray, " nodes"], other: Int64[np.ndarray, " nodes"]) -> float:
    same = bool((row == _first_places(other)).all())
    return 1.0 if same else adjusted_mutual_information(row, other)
