"""Rows of one output as a value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.showing import Shown


@dataclass(frozen=True, eq=False, repr=False)
class Rows(Shown):
    """Rows of one output, with the standard error of each where that is known.

    Attributes
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    sigma : array of shape [rows] or None
        The standard error of each ``y``, in its own unit; None where it is not known.

    Examples
    --------
    >>> Rows(np.ones((3, 2)), np.ones(3)).without([0]).y
    array([1., 1.])
    """

    x: Float64[np.ndarray, "rows inputs"]
    y: Float64[np.ndarray, "rows"]
    sigma: Float64[np.ndarray, "rows"] | None = None

    def without(self, places: Sequence[int]) -> "Rows":
        """All rows but some.

        Parameters
        ----------
        places : sequence of int
            The numbers of the rows that are left out.
        """
        sigma = None if self.sigma is None else np.delete(self.sigma, places)
        return Rows(np.delete(self.x, places, 0), np.delete(self.y, places), sigma)
