"""Null networks that are wired anew: every neuron keeps its degrees and its weights."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ._edge_trades import ROUNDS, rewired_by_edges
from ._null_models import NULL_MODELS, Matrices

_LARGE = 1_000_000  # entries from which on a sparse matrix is rewired edge by edge
_FEW = 0.1  # of all entries: up to this share, sorting them one by one is faster than sorting whole rows


@NULL_MODELS.register(
    "degree_preserving",
    label="degree-preserving within each pair of groups",
    sentence="Each neuron keeps how many neurons it reads, with which weights, and by how many it is read.",
    phrase="wired anew with the same degrees and weights",
)
def degree_preserving(
    matrix: Float64[np.ndarray, "targets sources"],
    *,
    schedule: np.random.Generator,
    generators: Sequence[np.random.Generator],
) -> Matrices:
    """Random matrices with the pattern's row and column counts, each row's weights in random order on its entries.

    Every neuron keeps how many neurons it reads, with which weights, and by how many it is read; which ones is random.

    Parameters
    ----------
    matrix : array [targets, sources]
        Weights of at least 0; 0 is no edge.
    schedule : numpy.random.Generator
        Pairs the rows, for all samples alike. That is no bias, as the pairing ignores the state.
    generators : sequence of numpy.random.Generator
        One a sample, so that sample k does not depend on how many are drawn.

    Returns
    -------
    array [samples, targets, sources]
        The samples.

    Notes
    -----
    The patterns come from 20 global curveball trades [1]_: rows are paired at random, and what only one of the two rows
    has is divided between the two at random, each row keeping its number of entries. This samples uniformly from all
    patterns of these counts as the rounds grow. Sparse matrices of more than a million entries are traded edge by edge,
    with other draws.

    References
    ----------
    .. [1] Carstens, Hamann, Meyer, Penschuck, Tran and Wagner, "Parallel and I/O-efficient randomisation of massive
       networks using global curveball trades", arXiv 1804.08487.

    Examples
    --------
    >>> matrix = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
    >>> rng = np.random.default_rng
    >>> (sample,) = degree_preserving(matrix, schedule=rng(0), generators=[rng(1)])
    >>> (sample > 0).sum(axis=0).tolist(), (sample > 0).sum(axis=1).tolist()
    ([1, 2, 1], [2, 2])
    """
    if matrix.size > _LARGE and np.count_nonzero(matrix) < _FEW * matrix.size:
        return rewired_by_edges(matrix, schedule=schedule, generators=generators)
    pattern = np.repeat((matrix > 0)[None], len(generators), axis=0)
    keys = np.empty((len(generators), len(matrix) // 2, matrix.shape[1]))
    half, full = len(matrix) // 2, bool((matrix > 0).all())
    for _ in range(ROUNDS if half else 0):
        order = schedule.permutation(len(matrix))
        first, second = order[:half], order[half : 2 * half]
        _draw(keys, generators)
        if not full:  # else no row has what another has not
            _trade(pattern, first, second, keys)
    return _with_weights(matrix, pattern, _draw(np.empty(pattern.shape), generators))


def _draw(
    keys: Float64[np.ndarray, "samples rows columns"], generators: Sequence[np.random.Generator]
) -> Float64[np.ndarray, "samples rows columns"]:
    """Fill with numbers from 0 to below 1, a matrix of each generator's, in place."""
    for own, generator in zip(keys, generators, strict=True):
        generator.random(out=own)
    return keys


def _trade(
    pattern: Bool[np.ndarray, "samples targets sources"],
    first: Int64[np.ndarray, " pairs"],
    second: Int64[np.ndarray, " pairs"],
    keys: Float64[np.ndarray, "samples pairs sources"],
) -> None:
    """One global trade, in place."""
    mine, theirs = pattern[:, first], pattern[:, second]
    single, both = mine ^ theirs, mine & theirs
    given = _of_least_keys(single, keys, (mine & single).sum(axis=-1))
    pattern[:, first] = both | given
    pattern[:, second] = both | (single & ~given)


def _of_least_keys(
    those: Bool[np.ndarray, "samples rows columns"],
    keys: Float64[np.ndarray, "samples rows columns"],
    count: Int64[np.ndarray, "samples rows"],
) -> Bool[np.ndarray, "samples rows columns"]:
    """Of those of each row, so many as are counted, the ones of the least keys."""
    entries = np.flatnonzero(those)
    if len(entries) > _FEW * those.size:
        # the keys sorted end in 2.0, which no key is
        ranked = np.sort(np.where(those, keys, 2.0), axis=-1)
        least = np.take_along_axis(ranked, np.maximum(count[..., None] - 1, 0), axis=-1)
        return np.asarray(those & (keys <= least) & (count[..., None] > 0))
    row, order = _in_order(entries, keys)
    starts = np.searchsorted(row, np.arange(count.size))
    chosen = np.arange(len(row)) - starts[row] < count.ravel()[row]
    found = np.zeros(those.size, dtype=bool)
    found[order[chosen]] = True
    return found.reshape(those.shape)


def _in_order(
    entries: Int64[np.ndarray, " entries"], keys: Float64[np.ndarray, "samples rows columns"]
) -> tuple[Int64[np.ndarray, " entries"], Int64[np.ndarray, " entries"]]:
    """Row by row, the entries in the order of their keys: the number of each one's row, and the entries."""
    row = entries // keys.shape[-1]
    order = np.argsort(keys.reshape(-1)[entries])
    small = row[order].astype(np.int16 if len(row) and row[-1] < 2**15 else np.int64)  # small numbers sort much faster
    return row, entries[order[np.argsort(small, kind="stable")]]


def _with_weights(
    matrix: Float64[np.ndarray, "targets sources"],
    pattern: Bool[np.ndarray, "samples targets sources"],
    keys: Float64[np.ndarray, "samples targets sources"],
) -> Matrices:
    """Each row's weights on the row's entries of the pattern, in the order of the keys."""
    spread, entries = np.zeros(pattern.shape), np.flatnonzero(pattern)
    if len(entries) > _FEW * pattern.size:
        descending = -np.sort(-matrix, axis=-1)
        order = np.where(pattern, keys, 2.0).argsort(axis=-1)
        np.put_along_axis(spread, order, np.broadcast_to(descending, pattern.shape), axis=-1)
        return np.where(pattern, spread, 0.0)
    own = np.flatnonzero(matrix > 0)
    _, descending_entries = _in_order(own, -matrix[None])
    _, drawn = _in_order(entries, keys)
    spread.reshape(-1)[drawn] = np.tile(matrix.reshape(-1)[descending_entries], len(pattern))
    return spread
