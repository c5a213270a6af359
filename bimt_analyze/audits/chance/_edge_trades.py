"""Degree-preserving random wiring of one large, sparse matrix, edge by edge: a trade looks at edges alone."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

ROUNDS = 20
"""Global trades of a sample."""

_PADDED = 4  # times as many places as edges: up to here, short rows of a matrix are sorted faster than one long row


def rewired_by_edges(
    matrix: Float64[np.ndarray, "targets sources"],
    *,
    schedule: np.random.Generator,
    generators: Sequence[np.random.Generator],
) -> Float64[np.ndarray, "samples targets sources"]:
    """What `degree_preserving` says; the trades take time that grows with the edges, not with the entries.

    Parameters
    ----------
    matrix : array [targets, sources]
        Weights of at least 0; 0 is no edge.
    schedule : numpy.random.Generator
        Pairs the rows, for all samples alike.
    generators : sequence of numpy.random.Generator
        One a sample.

    Returns
    -------
    array [samples, targets, sources]
        The samples.

    Examples
    --------
    >>> matrix = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
    >>> rng = np.random.default_rng
    >>> (sample,) = rewired_by_edges(matrix, schedule=rng(0), generators=[rng(1)])
    >>> (sample > 0).sum(axis=0).tolist(), (sample > 0).sum(axis=1).tolist()
    ([1, 2, 1], [2, 2])
    """
    row, column = np.nonzero(matrix > 0)
    columns = [column.copy() for _ in generators]
    half, width = len(matrix) // 2, matrix.shape[1]
    ends = np.searchsorted(row, np.arange(len(matrix) + 1))
    marks = np.zeros(half * width, dtype=bool)
    for _ in range(ROUNDS):
        order = schedule.permutation(len(matrix))
        rows = np.sort(order[: 2 * half].reshape(2, half), axis=0).T.ravel()  # pair after pair; one left over rests
        begin, length = ends[rows], np.diff(ends)[rows]
        places = _one_after_another(begin, length)
        pair, second = np.repeat(np.arange(2 * half) // 2, length), np.repeat(np.arange(2 * half) % 2 == 1, length)
        for own, generator in zip(columns, generators, strict=True):
            traded = own[places]
            single = ~_shared(pair * width + traded, second, marks)
            drawn = generator.random(np.count_nonzero(single))
            traded[single] = traded[single][_in_order(drawn, np.bincount(pair[single], minlength=half))]
            own[places] = traded
    found, weight = np.zeros((len(generators), *matrix.shape)), matrix[row, column]
    for sample, own, generator in zip(found, columns, generators, strict=True):
        sample[row, own] = weight[_in_order(generator.random(len(row)), np.diff(ends))]
    return found


def _one_after_another(begin: Int64[np.ndarray, " runs"], length: Int64[np.ndarray, " runs"]) -> Int64[np.ndarray, "_"]:
    """The numbers of each run, which go up by one."""
    before = np.cumsum(length) - length
    return np.repeat(begin - before, length) + np.arange(int(length.sum()))


def _shared(
    key: Int64[np.ndarray, " edges"], second: Bool[np.ndarray, " edges"], marks: Bool[np.ndarray, "_"]
) -> Bool[np.ndarray, " edges"]:
    """Which keys both rows of a pair have, each of them once; all marks are false, before and after."""
    found = np.zeros(len(key), dtype=bool)
    for mine in (second, ~second):
        others = key[~mine]
        marks[others] = True
        found[mine] = marks[key[mine]]
        marks[others] = False
    return found


def _in_order(keys: Float64[np.ndarray, " edges"], counts: Int64[np.ndarray, " runs"]) -> Int64[np.ndarray, " edges"]:
    """The places of the keys, those of each run in order; keys are from 0 to below 1."""
    longest, before = int(counts.max(initial=0)), np.cumsum(counts) - counts
    if len(counts) * longest > _PADDED * len(keys):
        return np.argsort(np.repeat(np.arange(len(counts)), counts) + 0.5 * keys)  # a half: no sum is rounded up
    filled = np.arange(longest) < counts[:, None]
    padded = np.full(filled.shape, 2.0)
    padded[filled] = keys
    return np.asarray((padded.argsort(axis=1) + before[:, None])[filled])
