"""One kind of control: networks pruned as the audited one was, and what as many of their weights keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bimt_train.showing import Shown

KEPT = 0.9
"""The share of what a network does that a faithful circuit keeps; a typical control of its size must keep less."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Control(Shown):
    """Networks in which a circuit would mean nothing, or which were trained again, pruned in the same way.

    Attributes
    ----------
    name : str
        What was pruned, and towards what.
    null : bool
        Whether a circuit must not be found here; networks trained again on the true targets are no such control.
    kept : tuple of float
        For each network, the share of what there is to do that as many of its weights do as the circuit has, the
        largest ones, without a refit. What there is to do is the audited network's gain over mean outputs, or the
        control's own where its own outputs are the targets.
    observed : float
        The circuit's share, taken in the same way on the same rows.
    refitted : float or None
        The same with a refit of these weights; of one network.
    weights : float or None
        Share of its weights that pruning leaves at the circuit's tolerance, without a refit; the median of two.
    refitted_weights : float or None
        The same with a refit, of one network.
    full_loss : float or None
        Loss of the network; the median of two.
    loss : float or None
        Loss of what pruning leaves of it without a refit; the median of two.
    refitted_loss : float or None
        Loss of what pruning leaves of one with a refit.

    Examples
    --------
    >>> fresh = Control(name="untrained, own outputs", null=True, kept=(0.2, 0.4, 0.99), observed=0.98)
    >>> fresh.median, fresh.reached, fresh.p
    (0.4, 1, 0.5)
    """

    name: str
    null: bool
    kept: tuple[float, ...]
    observed: float
    refitted: float | None = None
    weights: float | None = None
    refitted_weights: float | None = None
    full_loss: float | None = None
    loss: float | None = None
    refitted_loss: float | None = None

    @property
    def median(self) -> float:
        """The median of ``kept``; below 0 where most are worse than mean outputs."""
        return float(np.median(self.kept))

    @property
    def reached(self) -> int:
        """How many keep at least as much as the circuit."""
        return int((np.array(self.kept) >= self.observed).sum())

    @property
    def p(self) -> float:
        """(1 + reached) / (1 + networks): how often a network like these is as good by chance."""
        return (1 + self.reached) / (1 + len(self.kept))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        kept = {"median_kept": self.median, "most_kept": max(self.kept), "reached": self.reached, "p": self.p}
        names = ("name", "null", "observed", "refitted", "weights", "refitted_weights")
        plain = {name: getattr(self, name) for name in (*names, "full_loss", "loss", "refitted_loss")}
        return plain | {"networks": len(self.kept)} | kept


def median_of(values: Sequence[float]) -> float | None:
    """The median, or None of nothing.

    Parameters
    ----------
    values : sequence of float
        Numbers; any that are not finite are passed over.

    Returns
    -------
    float or None
        Their median.
    """
    finite = [value for value in values if np.isfinite(value)]
    return float(np.median(finite)) if finite else None
