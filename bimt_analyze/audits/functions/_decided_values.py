"""Outputs as what they decide: a network that is only more or less sure of one answer gives one answer."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float64

Outputs = Float64[np.ndarray, "rows outputs"]
Decide = Callable[[Outputs], Outputs]


def decided_values(outputs: Outputs, targets: Float[np.ndarray, "rows outputs"] | None) -> Decide:
    """How to read outputs as decisions, where their targets have two values.

    Parameters
    ----------
    outputs : array of float64, shape (rows, outputs)
        What the network gives: logits, probabilities, or values fitted to the targets.
    targets : array of float, shape (rows, outputs), or None
        What it should give.

    Returns
    -------
    callable
        Takes outputs on any rows. An output whose targets have two values becomes 1 above a cut and 0 below; others
        stay as they are, and so does one that decides alike on all of the given rows.

    Notes
    -----
    The cut is the midpoint between two neighbouring values of the output that gets the most targets right; of equally
    good ones, the one in the widest gap. So nothing need be known of the loss.

    Examples
    --------
    >>> logits, targets = np.array([[-3.0], [-1.0], [2.0]]), np.array([[0.0], [0.0], [1.0]])
    >>> decided_values(logits, targets)(np.array([[0.4], [0.6]])).tolist()
    [[0.0], [1.0]]
    """
    cuts = np.full(outputs.shape[1], np.nan)
    if targets is not None:
        for k in range(outputs.shape[1]):
            if len(np.unique(targets[:, k])) == 2:
                cuts[k] = _cut(outputs[:, k], targets[:, k] == targets[:, k].max())

    def decide(values: Outputs) -> Outputs:
        return np.where(np.isnan(cuts), values, np.greater(values, cuts))

    return decide


def _cut(values: Float64[np.ndarray, " rows"], high: np.ndarray) -> float:
    """Midpoint of the gap that parts best; not a number where all values are equal."""
    order = np.argsort(values, kind="stable")
    ranked, wanted = values[order], high[order]
    gaps = np.diff(ranked)
    right = np.cumsum(~wanted)[:-1] + wanted.sum() - np.cumsum(wanted)[:-1]
    best = max((n for n in range(len(gaps)) if gaps[n] > 0), key=lambda n: (right[n], gaps[n]), default=None)
    return float("nan") if best is None else float((ranked[best] + ranked[best + 1]) / 2)
