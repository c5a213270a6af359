"""The rows that would decide between two formulas: where they part most, as near to the range as may be."""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._template import numeric

_POINTS = 2000  # in each widening of the range
_WIDER = (1.0, 2.0, 5.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)  # times the range
_SEEN = 1e-3  # of the larger of the two values and y's deviation: a gap that a measurement sees
_ONE_FUNCTION = 1e-7  # of the same: forms that part by less wherever they are looked at differ by errors of constants
_TOLD = 3  # rows


def deciding_rows(
    first: sympy.Expr,
    second: sympy.Expr,
    names: Sequence[str],
    ranges: Sequence[tuple[float, float]],
    *,
    x: Float64[np.ndarray, "rows inputs"],
    unit: float,
    bound: float,
    seed: int,
) -> tuple[tuple[Mapping[str, float], ...], float]:
    """Up to three rows at which two formulas part, and by how much at the first of them; none where they never do.

    Rows are drawn within the ranges, each input by itself, then in ranges that grow up to a hundred million times,
    until the two differ by a thousandth of their size and by a hundred times what rounding leaves. Where no such row is
    found, one input alone leaves its range: what depends on a ratio stays as it is where both of its parts grow. Two
    forms that never part by more than 1e-7 of their size are one function, with constants of two fits.

    Parameters
    ----------
    first, second : sympy.Expr
        The formulas.
    names : sequence of str
        The names of the inputs.
    ranges : sequence of (float, float)
        The least and the largest value of each input.
    x : array of shape [rows, inputs]
        Rows that there are: inputs that neither formula uses keep the values of the first.
    unit : float
        The deviation of y.
    bound : float
        What rounding leaves, over y's deviation.
    seed : int
        Of the rows.
    """
    symbols = [sympy.Symbol(name, real=True) for name in names]
    used = [symbol in first.free_symbols | second.free_symbols for symbol in symbols]
    low, high = np.array(ranges, dtype=np.float64).reshape(-1, 2).T
    high = np.where(high > low, high, low + np.maximum(np.abs(low), 1.0))  # a constant input has to be varied
    rng = np.random.default_rng(seed)
    one, two = numeric(first, symbols), numeric(second, symbols)
    best: tuple[tuple[Mapping[str, float], ...], float] = ((), 0.0)
    largest = 0.0
    varied = np.array(used, dtype=bool)
    alone = [np.arange(len(names)) == place for place in np.flatnonzero(varied)] if np.sum(varied) > 1 else []
    for grown in [varied, *alone]:
        for wider in _WIDER if grown is varied else _WIDER[1:]:
            middle, half = 0.5 * (low + high), 0.5 * np.where(grown, wider, 1.0) * (high - low)
            points = rng.uniform(middle - half, middle + half, (_POINTS, len(names)))
            points[:, ~varied] = x[0, ~varied]
            points = _written(points)
            with np.errstate(all="ignore"):
                a, b = one(points), two(points)
                gap = np.abs(a - b)
                size = np.maximum(np.maximum(np.abs(a), np.abs(b)), unit)
                share = gap / size
            usable = np.isfinite(share) & (gap > 100 * bound * unit)
            if not np.any(usable):
                continue
            order = np.argsort(np.where(usable, -share, np.inf))[:_TOLD]
            if share[order[0]] > largest:
                rows = tuple(dict(zip(names, map(float, points[k]), strict=True)) for k in order if usable[k])
                best, largest = (rows, float(gap[order[0]] / unit)), float(share[order[0]])
            if largest >= _SEEN:
                return best
    return best if largest > _ONE_FUNCTION else ((), 0.0)


def _written(points: Float64[np.ndarray, "points inputs"]) -> Float64[np.ndarray, "points inputs"]:
    """The points with four significant digits, as a person would choose them."""
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(np.abs(points)))
    step = 10.0 ** np.where(np.isfinite(size), size - 3, 0.0)
    return np.asarray(np.round(points / step) * step, dtype=np.float64)
