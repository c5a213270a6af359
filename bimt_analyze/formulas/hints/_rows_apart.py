"""Rows that stand apart from all others, seen before any formula is known: a smooth fit that no few rows can sway."""

import numpy as np
from jaxtyping import Bool, Float64

from ..problem._budget import Budget
from ..problem._polynomial import count, powers
from ..problem._smooth import centred, legendre

_FEWEST = 30  # rows
_HIGHEST, _COLUMNS_A_ROW, _COLUMNS = 6, 0.12, 60  # total degree of the fit, its columns a row, and at most
_ROUNDS = 25  # of reweighting
_GAP = 2.5  # times the largest residual of all other rows
_FLOOR = 4.0  # times the median residual, below which no gap counts
_AGAIN = 5  # fits without the rows that stand apart
_MOST = 0.1  # share of the rows

Rows = Float64[np.ndarray, "rows"]


def rows_apart(x: Float64[np.ndarray, "rows columns"], y: Rows, *, budget: Budget) -> tuple[int, ...]:
    """The rows that a smooth fit of least absolute residuals misses by far more than every other row.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs that matter.
    y : array of shape [rows]
        The output.
    budget : Budget
        Is charged.

    Returns
    -------
    tuple of int
        Their numbers, growing: at most a tenth of the rows, and none where there is no gap between them and the others.
    """
    rows, width = x.shape
    most = int(min(_COLUMNS_A_ROW * rows, _COLUMNS))
    degrees = [d for d in range(_HIGHEST + 1) if count(width, d) <= most]
    if rows < _FEWEST or width == 0 or not degrees:
        return ()
    for degree in sorted({degrees[-1], degrees[len(degrees) // 2]}, reverse=True):
        if budget.over():
            break
        columns = np.linalg.qr(np.asarray(legendre(centred(x), powers(width, degree))))[0]
        budget.charge("decompose", rows * columns.shape[1] ** 2 * (_ROUNDS + 2), calls=_ROUNDS)
        found = _far(columns, y)
        if found:
            return found
    return ()


def _far(columns: Float64[np.ndarray, "rows columns"], y: Rows) -> tuple[int, ...]:
    """The rows that stand apart from the span of some columns: once left out, they are missed by far more."""
    far = _beyond_gap(np.abs(_least_absolute(columns, y)))
    for _ in range(_AGAIN):
        if not np.any(far):
            return ()
        fit = np.linalg.lstsq(columns[~far], y[~far], rcond=1e-12)[0]
        far, before = _beyond_gap(np.abs(y - columns @ fit)), far
        if np.array_equal(far, before):
            break
    return tuple(int(i) for i in np.flatnonzero(far))


def _beyond_gap(residual: Rows) -> Bool[np.ndarray, "rows"]:
    """The few rows above the widest gap between residuals; none where no gap is wide."""
    order = np.argsort(-residual)
    most = int(_MOST * len(residual))
    floor = max(_FLOOR * float(np.median(residual)), 1e-12 * float(residual[order[0]]), 1e-300)
    ordered = np.maximum(residual[order[: most + 1]], floor)
    ratio = ordered[:-1] / ordered[1:]
    place = int(np.argmax(ratio))
    far = np.zeros(len(residual), dtype=bool)
    if ratio[place] > _GAP:
        far[order[: place + 1]] = True
    return far


def _least_absolute(columns: Float64[np.ndarray, "rows columns"], y: Rows) -> Rows:
    """What a fit of least absolute residuals leaves, by reweighted least squares."""
    weights = np.ones(len(y))
    residual = y.copy()
    floor = 1e-9 * (float(np.median(np.abs(y - np.median(y)))) or 1.0)
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        fit = np.linalg.lstsq(columns * root[:, None], y * root, rcond=1e-12)[0]
        residual = y - columns @ fit
        weights = 1 / np.maximum(np.abs(residual), floor)
        weights = weights / np.max(weights)
    return np.asarray(residual)
