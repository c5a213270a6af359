"""How far the rows may lie from a formula that is right: by its own rounding, and by the rounding of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.linalg import norm

from .problem._precision import RowPrecision, allowances
from .problem._search_problem import deviation, rounding
from .problem._template import numeric
from .symbolic._equality import fifty_digits

_WORST_ROWS = 12  # at which a formula's own rounding is measured: fifty digits are slow
_ULPS = 64  # of y's largest value: what some dozen operations lose
_APART, _GAP, _DEVIATIONS = 0.1, 10.0, 8.0  # share of rows that may stand apart, and by how much each must
_SETTINGS = 0.1  # of what rounding may leave: inputs that leave less are settings (one rounded input leaves 0.58)
_LOST = 100  # times what double precision loses at the worst rows


@dataclass(frozen=True)
class RowFit:
    """How a formula meets some rows; residuals are in units of y's standard deviation.

    Attributes
    ----------
    worst : float
        The largest residual.
    bound : float
        The largest residual that rounding in double precision explains, whatever the formula.
    within_precision : bool
        Whether every row is met to half a unit of its last place, and of that of its inputs.
    precision : RowPrecision
        How the rows are written, with inputs as doubles where they prove to be settings.
    """

    worst: float
    bound: float
    within_precision: bool
    precision: RowPrecision


def row_fit(
    expression: sympy.Expr,
    inputs: Sequence[str],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    precision: RowPrecision,
) -> RowFit:
    """How an expression meets some rows.

    Parameters
    ----------
    expression : sympy.Expr
        In real symbols of the inputs.
    inputs : sequence of str
        The names of the columns of ``x``.
    x : array of shape [rows, inputs]
        The inputs; there may be no rows.
    y : array of shape [rows]
        The output.
    precision : RowPrecision
        How the rows are written.
    """
    if len(y) == 0:
        return RowFit(0.0, 0.0, True, precision)
    unit, bound = deviation(y), rounding(y)
    predict = numeric(expression, [sympy.Symbol(name, real=True) for name in inputs])
    with np.errstate(all="ignore"):
        residual = np.abs(y - predict(x))
    worst = float(np.max(residual))
    if not np.isfinite(worst):
        return RowFit(float("inf"), bound / unit, False, precision)
    within = worst <= bound
    if not within and precision.coarse:
        allowed = allowances(predict, precision, x, y) + bound
        within = bool(np.all(residual <= allowed))
        if within and precision.rounded_inputs and norm(residual) < _SETTINGS * norm(allowed):
            precision = precision.with_settings()
            within = bool(np.all(residual <= allowances(predict, precision, x, y) + bound))
    return RowFit(worst / unit, bound / unit, within, precision)


def rows_missed(
    expression: sympy.Expr,
    inputs: Sequence[str],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
) -> tuple[int, ...]:
    """The few rows that a formula misses by far more than it misses any other row.

    They are at most a tenth of the rows, and each is missed by ten times the largest residual of the others, by more
    than rounding explains, and by eight deviations as the median residual has them.

    Parameters
    ----------
    expression : sympy.Expr
        In real symbols of the inputs.
    inputs : sequence of str
        The names of the columns of ``x``.
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.

    Returns
    -------
    tuple of int
        Their numbers, growing; none where there is no such gap.

    Examples
    --------
    >>> x = np.arange(20.0)[:, None]
    >>> y = 2 * x[:, 0]
    >>> y[3] += 1
    >>> rows_missed(2 * sympy.Symbol("a", real=True), ["a"], x, y)
    (3,)
    """
    with np.errstate(all="ignore"):
        residual = np.abs(y - numeric(expression, [sympy.Symbol(name, real=True) for name in inputs])(x))
    residual[~np.isfinite(residual)] = np.inf
    scale = float(np.median(residual)) if len(y) else 0.0
    if not np.isfinite(scale):
        return ()
    far = residual > max(_DEVIATIONS * 1.4826 * scale, rounding(y))
    if not 0 < np.sum(far) <= _APART * len(y):
        return ()
    near = max(float(np.max(residual[~far])), rounding(y[~far]))
    return tuple(int(i) for i in np.flatnonzero(far)) if np.min(residual[far]) > _GAP * near else ()


def own_rounding(
    expression: sympy.Expr,
    inputs: Sequence[str],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
) -> float:
    """The largest residual over y's deviation that this very formula's rounding in double precision explains.

    That is 64 ulp of y's largest value, or a hundred times what double precision loses against 50 digits on the rows
    that are worst, whichever is more.

    Parameters
    ----------
    expression : sympy.Expr
        In real symbols of the inputs.
    inputs : sequence of str
        The names of the columns of ``x``.
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    """
    symbols = [sympy.Symbol(name, real=True) for name in inputs]
    value = numeric(expression, symbols)(x)
    lost = _ULPS * float(np.finfo(np.float64).eps) * max(float(np.max(np.abs(y))), deviation(y))
    for row in np.argsort(-np.abs(y - value))[:_WORST_ROWS]:
        exact = fifty_digits(expression, {s: sympy.Float(float(v), 17) for s, v in zip(symbols, x[row], strict=True)})
        if exact is not None:
            lost = max(lost, _LOST * abs(float(exact - sympy.Float(float(value[row]), 30))))
    return lost / deviation(y)


def distinct_rows(
    x: Float64[np.ndarray, "rows inputs"], *, besides: Float64[np.ndarray, "others inputs"] | None = None
) -> int:
    """How many different rows there are, without those that repeat one of some others.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    besides : array of shape [others, inputs], optional
        Rows that count already.

    Examples
    --------
    >>> distinct_rows(np.array([[1.0], [1.0], [2.0]]), besides=np.array([[2.0]]))
    1
    """
    found = {row.tobytes() for row in x + 0.0}
    return len(found) if besides is None else len(found - {row.tobytes() for row in besides + 0.0})
