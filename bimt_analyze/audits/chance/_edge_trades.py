"""Degree-preserving random wiring of one large, sparse matrix, edge by edge: a trade looks at edges alone."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

ROUNDS = 20
"""Global trades of a sample."""


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
    half = len(matrix) // 2
    for _ in range(ROUNDS):
        order = schedule.permutation(len(matrix))
        pair = np.full(len(matrix), half)  # of a row that is left over: it trades with none
        pair[order[: 2 * half]] = np.tile(np.arange(half), 2)
        of = pair[row]
        places = np.argsort(of.astype(np.int16) if half < 2**15 else of, kind="stable")  # small numbers sort faster
        for own, generator in zip(columns, generators, strict=True):
            _trade(own, of, places, half, matrix.shape[1], generator)
    found, weight = np.zeros((len(generators), *matrix.shape)), matrix[row, column]
    for sample, own, generator in zip(found, columns, generators, strict=True):
        sample[row, own] = weight[np.argsort(row + 0.5 * generator.random(len(row)))]
    return found


def _trade(
    column: Int64[np.ndarray, " edges"],
    pair: Int64[np.ndarray, " edges"],
    places: Int64[np.ndarray, " edges"],
    pairs: int,
    width: int,
    generator: np.random.Generator,
) -> None:
    """One global trade, in place: in each pair of rows, columns that only one row has change places at random."""
    single = places[(~_shared(pair * width + column) & (pair < pairs))[places]]  # pair after pair
    drawn = np.argsort(pair[single] + 0.5 * generator.random(len(single)))  # a half: no sum is rounded to the next pair
    column[single] = column[single[drawn]]


def _shared(key: Int64[np.ndarray, " edges"]) -> Bool[np.ndarray, " edges"]:
    """Which keys occur twice."""
    order = np.argsort(key)
    twice = np.flatnonzero(np.diff(key[order]) == 0)
    found = np.zeros(len(key), dtype=bool)
    found[order[twice]] = found[order[twice + 1]] = True
    return found
