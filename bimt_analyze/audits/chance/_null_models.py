"""Null networks: the same layers and weights, wired anew, or with the weights dealt anew to the same wires."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

Matrices = Float64[np.ndarray, "samples targets sources"]

_ROUNDS = 20


def rewired(
    matrix: Float64[np.ndarray, "targets sources"],
    *,
    schedule: np.random.Generator,
    generators: Sequence[np.random.Generator],
) -> Matrices:
    """Random matrices with the pattern's row and column counts, and each row's weights dealt anew to its entries.

    Every neuron keeps how many neurons it reads, with which weights, and by how many it is read; which ones is random.
    The patterns come from 20 global curveball trades (Carstens, Hamann, Meyer, Penschuck, Tran and Wagner, arXiv
    1804.08487): rows are paired at random, and each pair deals what only one of the two has to the two at random, each
    row keeping its number. This samples uniformly from all patterns of these counts as the rounds grow.

    Args:
        matrix: weights of at least 0; 0 is no edge.
        schedule: pairs the rows, for all samples alike; that is no bias, as the pairing ignores the state.
        generators: one a sample, so that sample k does not depend on how many are drawn.
    """
    pattern = np.repeat((matrix > 0)[None], len(generators), axis=0)
    half = len(matrix) // 2
    for _ in range(_ROUNDS if half else 0):
        order = schedule.permutation(len(matrix))
        first, second = order[:half], order[half : 2 * half]
        _trade(pattern, first, second, np.stack([g.random((half, matrix.shape[1])) for g in generators]))
    keys = np.stack([g.random(matrix.shape) for g in generators])
    return _dealt(matrix, pattern, keys)


def shuffled(matrix: Float64[np.ndarray, "targets sources"], *, generators: Sequence[np.random.Generator]) -> Matrices:
    """Random matrices with the same entries other than 0 in the same places, which of them where being random.

    Wires stay, so whatever falls apart stays apart: this asks whether the *sizes* of the weights say more than where
    they are.

    Args:
        matrix: weights; 0 is no edge.
        generators: one a sample.
    """
    drawn = np.repeat(matrix[None], len(generators), axis=0)
    there = matrix != 0
    for sample, generator in zip(drawn, generators, strict=True):
        sample[there] = generator.permutation(matrix[there])
    return drawn


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
    ranks = np.where(single, keys, 2.0).argsort(axis=-1).argsort(axis=-1)
    dealt = single & (ranks < owed)
    pattern[:, first] = both | dealt
    pattern[:, second] = both | (single & ~dealt)


def _dealt(
    matrix: Float64[np.ndarray, "targets sources"],
    pattern: Bool[np.ndarray, "samples targets sources"],
    keys: Float64[np.ndarray, "samples targets sources"],
) -> Matrices:
    """Each row's weights on the row's entries of the pattern, in the order of the keys."""
    descending = -np.sort(-matrix, axis=-1)
    ranks = np.where(pattern, keys, 2.0).argsort(axis=-1).argsort(axis=-1)
    spread = np.take_along_axis(np.broadcast_to(descending, pattern.shape), ranks, axis=-1)
    return np.where(pattern, spread, 0.0)
