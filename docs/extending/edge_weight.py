"""An edge weight of your own: |weight| times the mean |activation| of its source.

Use it from Python as ``neuron_graph(network, weights="docs/extending/edge_weight.py:mean_activation", x=x)``, and on
the command line as ``bimt-analyze runs/NAME --edge-weight docs/extending/edge_weight.py:mean_activation``.
"""

import numpy as np

from bimt_analyze.graph import EDGE_WEIGHTS, Trace, along_source
from bimt_train.checkpoints import Network


@EDGE_WEIGHTS.register(
    "mean_activation",
    label="|weight| times the mean |activation| of the source",
    sentence="An edge is as strong as what the target hears of the source on average.",
    needs_rows=True,
    needs_gradients=False,
)
def mean_activation(network: Network, x: np.ndarray) -> dict[str, np.ndarray]:
    """One strength for each weight of each tensor: |w_ij| times the mean over rows of |a_j|."""
    trace = Trace(network, x)
    strengths = {}
    for tensor in trace.tensors:
        means = np.abs(trace.sources(tensor)).mean(axis=0)
        strengths[tensor] = np.abs(network.tensors[tensor]) * along_source(network, tensor, means)
    return strengths
