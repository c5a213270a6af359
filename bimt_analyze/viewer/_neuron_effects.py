"""How far the outputs move without each hidden neuron."""

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network

from ..graph import MeanAblation, NodeId
from ..graph._edge_weights import Unfollowed

MOST_NEURONS, ROWS = 400, 200  # beyond so many hidden neurons nothing is tried; rows that are looked at


def neuron_effects(network: Network, x: Float64[np.ndarray, "rows inputs"]) -> dict[NodeId, float]:
    """The mean-ablation effect of each hidden neuron on all outputs.

    It is the root mean square, over rows and outputs, of how far an output moves when the neuron is set to its mean, in
    standard deviations of that output.

    Parameters
    ----------
    network : Network
        The network, which must run.
    x : array of shape (rows, inputs)
        Inputs in the network's own units.

    Returns
    -------
    dict of (str, int) to float
        Neuron -> effect. Empty where it would take long, or the network cannot be followed.
    """
    some = np.linspace(0, len(x) - 1, min(len(x), ROWS)).astype(np.int64)
    try:
        ablation = MeanAblation(network, x[some])
    except Unfollowed:
        return {}
    if len(ablation.neurons) > MOST_NEURONS:
        return {}
    whole = ablation.outputs()
    whole = whole.reshape(-1, whole.shape[-1])
    deviation = whole.std(axis=0)
    moving = deviation > 1e-12 * np.abs(whole).max(initial=0.0)
    effects = dict.fromkeys(ablation.neurons, 0.0)
    for neuron in ablation.alive if moving.any() else ():
        moved = (ablation.outputs([neuron]).reshape(whole.shape) - whole)[:, moving] / deviation[moving]
        effects[neuron] = float(np.sqrt((moved**2).mean()))
    return effects
