"""A sum within a function is fitted to y itself, in steps of Gauss and Newton."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from ...problem._budget import Budget
from ...problem._least_squares import solve
from ...problem._operators import Operator

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

UNDONE = 0.8  # share of the rows where the function can be undone
_STEPS = 4  # of Gauss and Newton


@dataclass(frozen=True, eq=False)
class SumFit:
    """A sum within a function, fitted to rows.

    Attributes
    ----------
    coefficients : array of shape [terms]
        Of the sum.
    slope : array of shape [rows]
        The slope of y by the sum.
    target : array of shape [rows]
        What the sum times the slope should be: linear in the coefficients.
    error : float
        Root mean square of what is left, over y's deviation.
    """

    coefficients: NDArray[np.float64]
    slope: Rows
    target: Rows
    error: float


def descended(
    columns: Matrix, start: NDArray[np.float64], m: Rows, y: Rows, outer: Operator, budget: Budget
) -> SumFit | None:
    """The sum of columns whose function, times m, meets y; None where that is not defined on most rows.

    A row where the function is not defined counts as met by y's mean.

    Parameters
    ----------
    columns : array of shape [rows, terms]
        What is summed.
    start : array of shape [terms]
        The coefficients to begin with.
    m : array of shape [rows]
        What the function is multiplied by.
    y : array of shape [rows]
        What is met.
    outer : Operator
        The function.
    budget : Budget
        The work that may be done.
    """
    best, unit = None, float(np.std(y)) or 1.0
    for _ in range(_STEPS):
        z = columns @ start
        with np.errstate(all="ignore"):
            met, slope = m * outer(z), m * outer.slope(z)
        off = ~(np.isfinite(met) & np.isfinite(slope))
        if np.mean(off) > 1 - UNDONE:
            break
        met, slope, z = np.where(off, np.mean(y), met), np.where(off, 0.0, slope), np.where(off, 0.0, z)
        error = float(np.sqrt(np.mean((y - met) ** 2))) / unit
        if best is not None and not error < best.error:
            break
        best = SumFit(start, slope, y - met + slope * z, error)
        start = solve(columns * slope[:, None], best.target, budget=budget)
    return best
