"""Null networks that are wired anew: every neuron keeps its degrees and its weights."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ._null_models import NULL_MODELS, Matrices

_ROUNDS = 20


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
    patterns of these counts as the rounds grow.

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
    pattern = np.repeat((matrix > 0)[None], len(generators), axis=0)
    half, full = len(matrix) // 2, bool((matrix > 0).all())
    for _ in range(_ROUNDS if half else 0):
        order = schedule.permutation(len(matrix))
        first, second = order[:half], order[half : 2 * half]
        keys = np.stack([g.random((half, matrix.shape[1])) for g in generators])
        if not full:  # else no row has what another has not
            _trade(pattern, first, second, keys)
    return _with_weights(matrix, pattern, np.stack([g.random(matrix.shape) for g in generators]))


def _trade(
    pattern: Bool[np.ndarray, "samples targets sources"],
    first: Int64[np.ndarray, " pairs"],
    second: Int64[np.ndarray, " pairs"],
    keys: Float64[np.ndarray, "samples pairs sources"],
) -> None:
    """One global trade, in place."""
    mine, theirs = pattern[:, first], pattern[:, second]
    single, both = mine ^ theirs, mine & theirs
    owed = (mine & single).sum(axis=-1, keepdims=True)
    # those of the least keys, as many as are owed; the keys sorted end in 2.0, which no key is
    ranked = np.sort(np.where(single, keys, 2.0), axis=-1)
    given = single & (keys <= np.take_along_axis(ranked, np.maximum(owed - 1, 0), axis=-1)) & (owed > 0)
    pattern[:, first] = both | given
    pattern[:, second] = both | (single & ~given)


def _with_weights(
    matrix: Float64[np.ndarray, "targets sources"],
    pattern: Bool[np.ndarray, "samples targets sources"],
    keys: Float64[np.ndarray, "samples targets sources"],
) -> Matrices:
    """Each row's weights on the row's entries of the pattern, in the order of the keys."""
    descending = -np.sort(-matrix, axis=-1)
    order = np.where(pattern, keys, 2.0).argsort(axis=-1)
    spread = np.zeros(pattern.shape)
    np.put_along_axis(spread, order, np.broadcast_to(descending, pattern.shape), axis=-1)
    return np.where(pattern, spread, 0.0)
