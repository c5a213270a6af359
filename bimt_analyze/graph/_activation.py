"""Edges weighted by how much the target hears of the source."""

import numpy as np
from jaxtyping import Num

from bimt_train.checkpoints import Network
from bimt_train.extras import need

from ._edge_weights import EDGE_WEIGHTS
from ._strengths import Strength, along_source, deviation, magnitudes


@EDGE_WEIGHTS.register(
    "activation",
    label="|weight| times the deviation of the source's activation",
    sentence="An edge is as strong as the target's pre-activation moves because of the source.",
    needs_rows=True,
    needs_gradients=False,
)
def activation(network: Network, x: Num[np.ndarray, "rows ..."]) -> dict[str, Strength]:
    """The strength |w| sd(a_j) of every weight w from source j.

    Parameters
    ----------
    network : Network
        Pruned or not.
    x : array [rows, ...]
        Probe rows as the network sees them; sd is the standard deviation over them.

    Returns
    -------
    dict of str to array
        Weight tensor -> strengths, in the tensor's shape.

    Raises
    ------
    InputError
        A module around a weight tensor is not affine (`Trace`).
    """
    need("torch", "the edge weight activation")
    from ._forward_trace import Trace

    trace = Trace(network, x)
    spreads = {name: deviation(trace.sources(name)) for name in trace.tensors}
    return {name: size * along_source(network, name, spreads[name]) for name, size in magnitudes(network).items()}
