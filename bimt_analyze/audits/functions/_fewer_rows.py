"""Fewer rows for networks of many weights, each of whose runs takes long."""

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network

MANY_WEIGHTS = 200_000  # beyond, as many fewer rows are looked at as there are more weights


def fewer_rows(
    network: Network, x: Float[np.ndarray, "rows inputs"], *, most: int | None = None, fewest: int
) -> Float[np.ndarray, "some inputs"]:
    """Some of the rows, evenly spaced: of networks of many weights as many fewer as they have more.

    Parameters
    ----------
    network : Network
        The network that is run on them.
    x : array of float, shape (rows, inputs)
        All rows.
    most : int or None
        How many at most; all where None.
    fewest : int
        How many at least, as far as there are so many.

    Returns
    -------
    array of float, shape (some of the rows, inputs)
        The rows.
    """
    most = len(x) if most is None else min(most, len(x))
    weights = sum(network.tensors[name].size for name in network.layout.weights())
    count = min(most, max(fewest, most * MANY_WEIGHTS // max(weights, 1)))
    return x[np.linspace(0, len(x) - 1, count).astype(np.int64)]
