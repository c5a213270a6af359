"""The backbone of two groups that very many weights join: the strongest edges of each neuron."""

import numpy as np
from jaxtyping import Bool, Float


def among_strongest(strengths: Float[np.ndarray, "targets sources"], count: int) -> Bool[np.ndarray, "targets sources"]:
    """Which edges are among the strongest of the neuron that reads, or of the neuron that is read.

    Parameters
    ----------
    strengths : array of float, [targets, sources]
        At least 0, where 0 is no edge.
    count : int
        How many of each neuron's edges are kept; more where several are equally strong.

    Returns
    -------
    array of bool, [targets, sources]
        The edges that stay.

    Examples
    --------
    >>> among_strongest(np.array([[3.0, 2.0, 1.0], [9.0, 8.0, 0.0]]), 1)
    array([[ True, False,  True],
           [ True,  True, False]])
    """
    targets, sources = strengths.shape
    stays = strengths > 0
    if min(targets, sources) <= count:
        return stays
    least_read = np.partition(strengths, sources - count, axis=1)[:, sources - count, None]
    least_given = np.partition(strengths, targets - count, axis=0)[targets - count]
    return np.asarray(stays & ((strengths >= least_read) | (strengths >= least_given)))
