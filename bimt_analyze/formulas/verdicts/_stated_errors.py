"""Whether what a formula leaves of its rows is as large as their stated errors."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.special import chdtrc

from bimt_train.showing import Shown

UNLIKELY = 0.01  # a p below which the residual is not what the stated errors lead to


@dataclass(frozen=True, repr=False)
class ChiSquare(Shown):
    """The sum over all rows of ((y - formula) / sigma)**2, held against its distribution.

    Attributes
    ----------
    value : float
        The sum.
    freedom : int
        Rows less fitted constants: what the sum is on average, where the law and the errors are right.
    p : float
        How often it would be larger by chance.

    Examples
    --------
    >>> found = chi_square(np.array([0.1, -0.2, 0.1, 0.0]), np.full(4, 0.1), constants=1)
    >>> print(found.words())
    chi-square 6 for 3 degrees of freedom (p 0.11): the law fits within the stated errors
    """

    value: float
    freedom: int
    p: float

    @property
    def fits(self) -> bool:
        """Whether the rows are met within the stated errors: p is 0.01 or more."""
        return self.p >= UNLIKELY

    def words(self) -> str:
        """The test in one clause; also where the stated errors are larger than what is left."""
        if not self.fits:
            said = "the rows are missed by more than the stated errors"
        elif self.p > 1 - UNLIKELY:
            said = "the rows are met better than the stated errors lead to"
        else:
            said = "the law fits within the stated errors"
        return f"chi-square {self.value:.4g} for {self.freedom} degrees of freedom (p {self.p:.2g}): {said}"

    def _brief(self) -> str:
        return self.words()


def chi_square(
    residual: Float64[np.ndarray, "rows"], sigma: Float64[np.ndarray, "rows"], *, constants: int
) -> ChiSquare:
    """The test of a residual against stated errors.

    Parameters
    ----------
    residual : array of shape [rows]
        y less formula.
    sigma : array of shape [rows]
        The standard error of each y, in the same unit.
    constants : int
        How many constants were fitted.
    """
    freedom = max(len(residual) - constants, 1)
    with np.errstate(all="ignore"):
        value = float(np.sum((residual / sigma) ** 2))
    return ChiSquare(value, freedom, float(chdtrc(freedom, value)))
