"""Edges weighted by how far the outputs move without them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Num

from bimt_train.checkpoints import Network
from bimt_train.extras import need

from ._activation import activation
from ._edge_weights import EDGE_WEIGHTS
from ._strengths import Strength, deviation, magnitudes, rows_are_targets

_SATURATED = 1e-3


@EDGE_WEIGHTS.register(
    "attribution",
    label="effect on the outputs, to first order",
    sentence="An edge is as strong as the outputs move when its source is replaced by its mean on this edge alone.",
    needs_rows=True,
    needs_gradients=True,
)
def attribution(network: Network, x: Num[np.ndarray, "rows ..."]) -> dict[str, Strength]:
    """How far the outputs move, to first order, when the source is set to its mean on one edge.

    `neuron_graph` has the formula, and what leaves it unchanged.

    Parameters
    ----------
    network : Network
        Pruned or not.
    x : array [rows, ...]
        Probe rows as the network sees them.

    Returns
    -------
    dict of str to array
        Weight tensor -> strengths, in the tensor's shape.

    Raises
    ------
    InputError
        A module around a weight tensor is not affine (`Trace`).
    """
    need("torch", "the edge weight attribution")
    from ._forward_trace import Trace

    trace = Trace(network, x)
    spreads = deviation(trace.outputs())
    squares: dict[str, Strength] = dict.fromkeys(trace.tensors, np.zeros(()))
    for spread, slopes in zip(spreads, trace.output_gradients(), strict=True):
        if spread > 0:
            squares = {name: square + (slopes[name] / spread) ** 2 for name, square in squares.items()}
    found = {}
    for name, size in magnitudes(network).items():
        target_first = rows_are_targets(network, name)
        moved = trace.sources(name)
        moved = np.abs(moved - moved.mean(0))
        slope = np.broadcast_to(np.sqrt(squares[name]), (len(moved), size.shape[0 if target_first else 1]))
        effect = slope.T @ moved / len(moved)
        found[name] = size * (effect if target_first else effect.T).reshape(size.shape)
    return _with_saturated(network, found, activation(network, x))


def _with_saturated(
    network: Network, attributions: dict[str, Strength], activations: Mapping[str, Strength]
) -> dict[str, Strength]:
    """Neurons without a gradient get their edges back, in proportion to activation."""
    axis = {
        name: tuple(range(1, strength.ndim)) if rows_are_targets(network, name) else 0
        for name, strength in attributions.items()
    }
    totals = {name: strength.sum(axis=axis[name], keepdims=True) for name, strength in attributions.items()}
    least = min((float(total[total > 0].min()) for total in totals.values() if (total > 0).any()), default=1.0)
    found = {}
    for name, strength in attributions.items():
        heard = activations[name].sum(axis=axis[name], keepdims=True)
        shares = np.divide(activations[name], heard, out=np.zeros_like(strength), where=heard > 0)
        found[name] = np.where(totals[name] > 0, strength, _SATURATED * least * shares)
    return found
