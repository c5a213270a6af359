"""Null networks whose edges stay and whose weights change places."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from ._null_models import NULL_MODELS, Matrices


@NULL_MODELS.register(
    "weight_permutation",
    label="weights permuted among the same edges, within each pair of groups",
    sentence="Edges stay, and their weights change places at random.",
    phrase="with their weights permuted",
)
def weight_permutation(
    matrix: Float64[np.ndarray, "targets sources"],
    *,
    schedule: np.random.Generator,
    generators: Sequence[np.random.Generator],
) -> Matrices:
    """Random matrices with the same entries other than 0 in the same places; which entry is where is random.

    Edges stay, so whatever falls apart stays apart. This asks whether the *sizes* of the weights say more than where
    the edges are.

    Parameters
    ----------
    matrix : array [targets, sources]
        Weights; 0 is no edge.
    schedule : numpy.random.Generator
        Not used, as samples share nothing.
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
    >>> (sample,) = weight_permutation(matrix, schedule=rng(0), generators=[rng(1)])
    >>> (sample > 0).tolist() == (matrix > 0).tolist(), sorted(sample.ravel().tolist())
    (True, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0])
    """
    drawn = np.repeat(matrix[None], len(generators), axis=0)
    there = matrix != 0
    for sample, generator in zip(drawn, generators, strict=True):
        sample[there] = generator.permutation(matrix[there])
    return drawn
