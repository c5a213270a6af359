"""The registry of cost terms: what a weight pays for the distance that it bridges."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from .._errors import InputError
from ..registry import Entry, Registry

Distances: TypeAlias = Float64[np.ndarray, "target source"]


@dataclass(frozen=True, kw_only=True)
class CostTerm(Entry):
    """One term of the price of a weight, as a function of distance.

    The function takes the L1 distances between the neurons that the weights of one tensor join, as an array
    ``[target, source]`` in units of the layer's width, and returns an array of the same shape: the price of one unit of
    ``|w|`` at a coefficient of 1. It must be pure and entry by entry, so that relocation stays a linear assignment.

    Attributes
    ----------
    name : str
        The word by which the term is chosen.
    label : str
        A few words for tables, pictures and reports.
    sentence : str
        One sentence that says what the term charges.
    function : callable
        From distances to prices.
    constant : bool
        True for a price that does not depend on distance. It is charged also where distances are off
        (`ConnectionCost.without_distance`), and relocation leaves it out.

    Examples
    --------
    >>> import numpy as np
    >>> COST_TERMS["length"].prices(np.array([[0.0, 0.5]]))
    array([[0. , 0.5]])
    """

    constant: bool = False

    def prices(self, distances: Distances) -> Distances:
        """The prices at these distances, checked.

        Parameters
        ----------
        distances : array of float, [target, source]
            L1 distances, in units of the layer's width.

        Returns
        -------
        array of float, [target, source]
            The price of one unit of ``|w|`` at a coefficient of 1.

        Raises
        ------
        InputError
            The term's function raises an error, or returns another shape, or prices that are negative or not finite.
        """
        try:
            found = np.asarray(self.function(distances), dtype=np.float64)
        except Exception as error:  # whatever a user's function raises is told in one line
            got = f"{type(error).__name__}: {error}"
            raise InputError("a cost term that cannot be computed", where=self.name, got=got) from error
        if found.shape != distances.shape:
            expected, got = str(list(distances.shape)), str(list(found.shape))
            raise InputError("a cost term of another shape", where=self.name, expected=expected, got=got)
        bad = found[~(np.isfinite(found) & (found >= 0))]
        if bad.size:
            expected = "finite numbers of 0 or more"
            raise InputError("a price that cannot be charged", where=self.name, expected=expected, got=f"{bad[0]:g}")
        return found


COST_TERMS: Registry[CostTerm] = Registry(
    "cost term", CostTerm, builtin={"length": __name__, "existence": __name__}, group="bimt.cost_terms"
)


@COST_TERMS.register("length", label="length", sentence="A weight pays for its length: d.")
def length(distances: Distances) -> Distances:
    """The distance itself (arXiv 2305.08746, section 2).

    Parameters
    ----------
    distances : array of float, [target, source]
        L1 distances, in units of the layer's width.

    Returns
    -------
    array of float, [target, source]
        The distances.
    """
    return distances


@COST_TERMS.register("existence", label="existence", sentence="A weight pays for being there: 1.", constant=True)
def existence(distances: Distances) -> Distances:
    """One, whatever the distance: plain L1.

    Parameters
    ----------
    distances : array of float, [target, source]
        L1 distances; only the shape is read.

    Returns
    -------
    array of float, [target, source]
        Ones.
    """
    return np.ones_like(distances)
