"""Whether pruning finds the same edges on other draws of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bimt_train.showing import Shown

from ._circuit_edges import WeightMasks

OFTEN = 0.9
"""The share of draws in which an edge must be kept to count as found again."""


@dataclass(frozen=True, repr=False)
class EdgeStability(Shown):
    """How alike the edges are that pruning keeps on bootstrapped rows.

    Attributes
    ----------
    draws : int
        How many times rows were drawn.
    jaccard : float
        Edges that both keep, over edges that one of them keeps: of the circuit without refit and that of a draw, a mean
        over draws.
    found_again : float
        Share of the circuit's edges that at least nine draws in ten keep.

    Examples
    --------
    >>> whole, less = {"w": np.array([[True, True]])}, {"w": np.array([[True, False]])}
    >>> EdgeStability.of(whole, whole, [whole, less])
    EdgeStability(draws=2, jaccard=0.75, found_again=0.5)
    """

    draws: int
    jaccard: float
    found_again: float

    @classmethod
    def of(cls, circuit: WeightMasks, unfitted: WeightMasks, drawn: Sequence[WeightMasks]) -> "EdgeStability":
        """Compare edges.

        Parameters
        ----------
        circuit : mapping of str to array of bool
            The edges of the audited circuit.
        unfitted : mapping of str to array of bool
            The edges that the same pruning keeps without a refit, as on the draws.
        drawn : sequence of mapping of str to array of bool
            The edges that it keeps on each draw.

        Returns
        -------
        EdgeStability
            The two numbers.
        """
        ours, reference, each = _row(circuit), _row(unfitted), np.array([_row(one) for one in drawn])
        both, either = (each & reference).sum(axis=1), (each | reference).sum(axis=1)
        jaccard = np.where(either > 0, both / np.maximum(either, 1), 1.0)
        again = each.mean(axis=0)[ours] >= OFTEN
        return cls(len(drawn), float(jaccard.mean()), float(again.mean()) if ours.any() else 1.0)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return dict(vars(self))


def _row(edges: WeightMasks) -> np.ndarray:
    return np.concatenate([edges[name].ravel() for name in sorted(edges)])
