"""Edges weighted by the size of the weight."""

import numpy as np
from jaxtyping import Num

from bimt_train.checkpoints import Network

from ._edge_weights import EDGE_WEIGHTS
from ._strengths import Strength, magnitudes


@EDGE_WEIGHTS.register(
    "magnitude",
    label="|weight|",
    sentence="An edge is as strong as its weight is large.",
    needs_rows=False,
    needs_gradients=False,
)
def magnitude(network: Network, x: Num[np.ndarray, "rows ..."] | None = None) -> dict[str, Strength]:
    """The strength |w| of every weight w. It depends on how neurons happen to be scaled.

    Parameters
    ----------
    network : Network
        Pruned or not.
    x : array [rows, ...], optional
        Not looked at.

    Returns
    -------
    dict of str to array
        Weight tensor -> strengths, in the tensor's shape.
    """
    return magnitudes(network)
