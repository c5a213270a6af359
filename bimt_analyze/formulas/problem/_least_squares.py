"""Least squares that keeps only the columns it needs."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int
from numpy.typing import NDArray
from scipy.linalg import lstsq, qr

from ._budget import Budget

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_SEVERAL = 4  # columns that leave at once, at least


def usable(columns: Matrix) -> Int[np.ndarray, "kept"]:
    """Which columns are finite and not zero.

    Parameters
    ----------
    columns : array of shape [rows, columns]
        What is judged.
    """
    with np.errstate(all="ignore"):
        size = np.max(np.abs(columns), axis=0, initial=0.0)
        return np.flatnonzero(np.isfinite(size) & (size > 1e-290) & (size < 1e290))


def solve(columns: Matrix, y: Rows, *, budget: Budget) -> Float64[np.ndarray, "columns"]:
    """Coefficients of least squares; the smallest solution if they are undetermined.

    Columns are scaled to unit size first. One step of iterative refinement brings the residual to rounding even for
    badly conditioned columns.

    Parameters
    ----------
    columns : array of shape [rows, columns]
        The regressors.
    y : array of shape [rows]
        What they explain.
    budget : Budget
        Is charged.
    """
    size = np.max(np.abs(columns), axis=0, initial=0.0)
    size[size == 0.0] = 1.0
    scaled = columns / size
    peak = float(np.max(np.abs(y), initial=0.0)) or 1.0
    target = y / peak
    found = lstsq(scaled, target, cond=1e-14, lapack_driver="gelsy", check_finite=False)[0]
    found = found + lstsq(scaled, target - scaled @ found, cond=1e-14, lapack_driver="gelsy", check_finite=False)[0]
    budget.charge("solve", columns.shape[0] * columns.shape[1] ** 2)
    with np.errstate(all="ignore"):
        return np.asarray(found * peak / size, dtype=np.float64)


def independent(columns: Matrix, *, budget: Budget, tolerance: float = 1e-11) -> Int[np.ndarray, "kept"]:
    """Columns, earlier ones first, none of which is a combination of the earlier kept ones.

    Parameters
    ----------
    columns : array of shape [rows, columns]
        What is chosen from.
    budget : Budget
        Is charged.
    tolerance : float
        What must be left of a column, scaled to length 1, without the earlier ones.
    """
    kept: list[int] = []
    basis = np.zeros((columns.shape[0], 0))
    for index in usable(columns):
        column = columns[:, index] / np.max(np.abs(columns[:, index]))
        column = column / np.linalg.norm(column)
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        if np.linalg.norm(rest) > tolerance:
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
            kept.append(int(index))
    rows, count = columns.shape
    budget.charge("decompose", rows * count**2, calls=count)
    return np.array(kept, dtype=np.int64)


def needed(
    columns: Matrix, y: Rows, *, explained: Callable[[NDArray[np.float64]], bool], budget: Budget
) -> tuple[Int[np.ndarray, "kept"], Float64[np.ndarray, "kept"]]:
    """The columns that y needs, and their coefficients.

    Where all columns together explain y (to rounding, or to a tolerance), columns leave while what is left still
    explains it, the least contribution first, and of many columns several at once. Elsewhere they leave while the
    Bayesian information criterion, n log(rss) + k log(n), falls.

    Parameters
    ----------
    columns : array of shape [rows, columns]
        The regressors.
    y : array of shape [rows]
        What they explain.
    explained : callable
        Whether a residual, an array of shape [rows], is small enough.
    budget : Budget
        Is charged.
    """
    kept = independent(columns, budget=budget)
    coefficients = solve(columns[:, kept], y, budget=budget)
    residual = y - columns[:, kept] @ coefficients
    exact = explained(residual)
    if exact:
        kept, coefficients = _without_many(columns, y, kept, coefficients, explained, budget)
    score = _information(residual, len(kept))
    refused: set[int] = set()
    while True:
        share = np.abs(coefficients) * (lengths(columns[:, kept]) / _peak(y))
        order = (
            [i for i in np.argsort(share) if int(kept[i]) not in refused]
            if exact
            else _weakest(columns[:, kept], y, budget)
        )
        for place in order:
            fewer = np.delete(kept, place)
            less = solve(columns[:, fewer], y, budget=budget)
            residual = y - columns[:, fewer] @ less
            lower = _information(residual, len(fewer))
            if explained(residual) if exact else lower <= score:
                kept, coefficients, score = fewer, less, lower
                break
            refused.add(int(kept[place]))
        else:
            return kept, coefficients


def _without_many(
    columns: Matrix,
    y: Rows,
    kept: Int[np.ndarray, "kept"],
    coefficients: Float64[np.ndarray, "kept"],
    explained: Callable[[NDArray[np.float64]], bool],
    budget: Budget,
) -> tuple[Int[np.ndarray, "left"], Float64[np.ndarray, "left"]]:
    """The columns that are left when half of them leave at once, or a quarter, and so on, while they can."""
    leaving = len(kept) // 2
    while leaving >= _SEVERAL:
        share = np.abs(coefficients) * lengths(columns[:, kept])
        fewer = np.sort(kept[np.argsort(share)[leaving:]])
        less = solve(columns[:, fewer], y, budget=budget)
        if explained(y - columns[:, fewer] @ less):
            kept, coefficients = fewer, less
            leaving = min(leaving, len(kept) // 2)
        else:
            leaving //= 2
    return kept, coefficients


def lengths(columns: Matrix) -> Float64[np.ndarray, "columns"]:
    """The length of each column, whose squares may overflow or vanish; 1 for a column of zeros.

    Parameters
    ----------
    columns : array of shape [rows, columns]
        Finite numbers.
    """
    peak = np.max(np.abs(columns), axis=0, initial=0.0)
    peak[peak == 0.0] = 1.0
    length = peak * np.linalg.norm(columns / peak, axis=0)
    return np.asarray(np.where(length > 0, length, 1.0))


def _peak(y: Rows) -> float:
    """The largest magnitude, or 1 where all is zero."""
    return float(np.max(np.abs(y), initial=0.0)) or 1.0


def _information(residual: Rows, count: int) -> float:
    """The Bayesian information criterion n log(rss) + k log(n)."""
    n = len(residual)
    with np.errstate(all="ignore"):
        return float(n * np.log(max(float(np.sum(residual**2)), 1e-300)) + count * np.log(max(n, 2)))


def _weakest(columns: Matrix, y: Rows, budget: Budget) -> list[int]:
    """The column of the smallest t value: the one that costs least to leave out."""
    if columns.shape[1] == 0:
        return []
    q, r = qr(columns / lengths(columns), mode="economic", check_finite=False)
    inverse = np.linalg.pinv(r)
    budget.charge("solve", columns.shape[0] * columns.shape[1] ** 2)
    coefficients = inverse @ (q.T @ (y / _peak(y)))
    return [int(np.argmin(np.abs(coefficients) / np.linalg.norm(inverse, axis=1)))]
