"""How much of a network's behaviour its circuit keeps, with the rest ablated in several ways."""

from dataclasses import dataclass
from typing import Any

from bimt_train.showing import Shown


@dataclass(frozen=True, kw_only=True, repr=False)
class KeptBehaviour(Shown):
    """Shares of what a network does beyond mean outputs, on held-out rows; 1 is all of it, 0 no more than means.

    Attributes
    ----------
    cut : float
        By the circuit's weights as they are in the network, all others being 0.
    refitted : float
        By the circuit as pruning left it, refitted where that was asked for.
    means : float
        By the circuit's weights as they are, all others sending their means.
    resampled : float
        The same, all others sending what they send in other rows.
    adversarial : float or None
        The same, all others sending the worst that they can; None where it was not searched for.

    Examples
    --------
    >>> kept = KeptBehaviour(cut=0.7, refitted=0.99, means=0.8, resampled=0.75, adversarial=-1.0)
    >>> kept.to_json()["refitted"]
    0.99
    """

    cut: float
    refitted: float
    means: float
    resampled: float
    adversarial: float | None

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return dict(vars(self))
