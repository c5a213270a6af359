"""How finely the numbers of a table are written: in full double precision, as float32, or with a few digits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64
from scipy.special import chdtr

from ._budget import Budget
from ._search_problem import COVERED, deviation, rounding
from ._smooth import gradients

Values = Float64[np.ndarray, "rows"]

_FEWEST = 10  # different values below which the way they are written says nothing
_FULL = 15  # significant digits from which a decimal is as good as a double
_PLAIN = 7  # significant digits up to which numbers that float16 holds too were written by hand
Kind = Literal["double", "float32", "float16", "decimal"]

_BINARY: Mapping[Kind, type[np.floating[Any]]] = {"float16": np.float16, "float32": np.float32}
_READ = 20_000  # different values that are looked at
_EVEN = 1e-4  # chance that rounded measurements would be spread so evenly
_FINEST = 1e-4  # of the largest rounding: no row is known better
_ARITHMETIC = 4.0  # times the rounding of the result, for a value that was computed in so few bits


@dataclass(frozen=True)
class ColumnPrecision:
    """How one column is written.

    Attributes
    ----------
    kind : {"double", "float32", "float16", "decimal"}
        Which numbers its values are rounded to.
    decimals : int
        Of decimal numbers: the most digits behind the point.
    digits : int
        Of decimal numbers: the most significant digits.

    Examples
    --------
    >>> column = column_precision(np.round(np.linspace(1, 2, 30) ** 3, 2))
    >>> column.words, column.half(np.array([1.5]))
    ('2 decimals', array([0.005]))
    """

    kind: Kind = "double"
    decimals: int = 0
    digits: int = 0

    @property
    def coarse(self) -> bool:
        """Whether the values are known less well than a double is."""
        return self.kind != "double"

    @property
    def words(self) -> str:
        """The precision in words, such as ``"float32"`` or ``"3 decimals"``."""
        return self.kind if self.kind != "decimal" else f"{self.decimals} decimals"

    def half(self, values: Values) -> Values:
        """Half a unit of each value's last place: how far it may lie from what was rounded.

        Parameters
        ----------
        values : array of shape [rows]
            Values of the column.

        Returns
        -------
        array of shape [rows]
            Zero for doubles. Of decimals the coarser of the last place of the column and the last digit of the value.
        """
        if self.kind == "double":
            return np.zeros(len(values))
        if self.kind != "decimal":
            return np.asarray(_ARITHMETIC * 0.5 * np.spacing(np.abs(values).astype(_BINARY[self.kind])), np.float64)
        with np.errstate(divide="ignore"):
            size = np.floor(np.log10(np.abs(values)))
        last = np.where(np.isfinite(size), 10.0 ** (size + 1 - self.digits), 0.0)
        return 0.5 * np.maximum(last, 10.0**-self.decimals)


DOUBLE = ColumnPrecision()


@dataclass(frozen=True)
class RowPrecision:
    """How the rows of a table are written, column by column.

    Attributes
    ----------
    inputs : tuple of ColumnPrecision
        One for each input.
    output : ColumnPrecision
        Of the output.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(size=(30, 1))
    >>> row_precision(x, np.float32(x[:, 0] ** 2).astype(float)).words
    'float32'
    """

    inputs: tuple[ColumnPrecision, ...]
    output: ColumnPrecision

    @property
    def coarse(self) -> bool:
        """Whether any column is known less well than doubles are."""
        return self.output.coarse or any(column.coarse for column in self.inputs)

    @property
    def words(self) -> str:
        """The precision of the output in words, or of the inputs where only they are coarse."""
        coarse = [column.words for column in (self.output, *self.inputs) if column.coarse]
        return coarse[0] if coarse else self.output.words

    @property
    def rounded_inputs(self) -> bool:
        """Whether some inputs are written in few decimals, and none as single precision."""
        kinds = {column.kind for column in self.inputs}
        return "decimal" in kinds and kinds <= {"decimal", "double"}

    def with_settings(self) -> "RowPrecision":
        """Give the precision of the same rows with inputs that are exactly what they say."""
        return RowPrecision((DOUBLE,) * len(self.inputs), self.output)

    def input_halves(self, x: Float64[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows inputs"]:
        """Half a unit of the last place of every input.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            The inputs.
        """
        columns = [column.half(x[:, place]) for place, column in enumerate(self.inputs)]
        return np.stack(columns, axis=1) if columns else np.zeros(x.shape)


UNKNOWN_PRECISION = RowPrecision((), DOUBLE)


def row_precision(x: Float64[np.ndarray, "rows inputs"], y: Values) -> RowPrecision:
    """How the rows of a table are written.

    Inputs on a grid, such as 0, 0.01, 0.02, ..., are settings, and count as exact: their values are spread more evenly
    than rounded measurements could be.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    """
    inputs = tuple(
        DOUBLE if _is_designed(x[:, place], column) else column
        for place, column in enumerate(column_precision(x[:, place]) for place in range(x.shape[1]))
    )
    output = column_precision(y)
    if not output.coarse and _whole(y) and len(np.unique(y)) >= _FEWEST and not _whole(x):
        output = ColumnPrecision("decimal", 0, len(str(int(np.max(np.abs(y))))))
    return RowPrecision(inputs, output)


def rounding_of(
    precision: RowPrecision, x: Float64[np.ndarray, "rows inputs"], y: Values, *, budget: Budget
) -> Values | None:
    """How coarsely each y is known, as half a unit of its last place; None where y is written as doubles.

    The numbers of a row are rounded independently, so the squares of what each rounding may do add up. What rounding
    of the inputs does is estimated by the slopes of a polynomial fit, and is the larger the less that fit is to be
    trusted. Rows whose y is written as doubles are searched as exact, however their inputs are written.

    Parameters
    ----------
    precision : RowPrecision
        How the rows are written.
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    budget : Budget
        Is charged.
    """
    if not precision.output.coarse:
        return None
    fits = [(gradients(x, y, budget=budget), np.ones(len(y)))]
    if np.all(y > 0) or np.all(y < 0):  # the logarithm of a law over decades is the smoother
        fits.append((gradients(x, np.log(np.abs(y)), budget=budget), np.abs(y)))
    moved = precision.output.half(y)
    seen = [(fit.missed, fit.bounds * size[:, None]) for fit, size in fits if fit is not None]
    if seen:
        _, slopes = min(seen, key=lambda one: one[0])
        moved = np.hypot(moved, np.linalg.norm(slopes * precision.input_halves(x), axis=1))
    # no row counts beyond what arithmetic leaves of y, nor alone
    return np.asarray(np.maximum(moved, max(sqrt(3.0) * rounding(y), _FINEST * float(np.max(moved)))))


def tolerance_of(rounded: Values | None, y: Values) -> float:
    """The root mean square that rounding of the rows leaves of y, in units of its deviation; 0 without rounding.

    Parameters
    ----------
    rounded : array of shape [rows] or None
        How coarsely each ``y`` is known (`rounding_of`).
    y : array of shape [rows]
        The output.
    """
    return 0.0 if rounded is None else float(np.quantile(rounded, COVERED)) / sqrt(3.0) / deviation(y)


def allowances(
    predict: Callable[[Float64[np.ndarray, "rows inputs"]], Values],
    precision: RowPrecision,
    x: Float64[np.ndarray, "rows inputs"],
    y: Values,
) -> Values:
    """How far each row may lie from a formula for no other reason than the rounding of its numbers.

    Parameters
    ----------
    predict : callable
        The formula, from [rows, inputs] to [rows].
    precision : RowPrecision
        How the rows are written.
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.

    Returns
    -------
    array of shape [rows]
        In y's own units: half a unit of y's last place, and what half a unit of each input's last place does to the
        formula.
    """
    allowed = precision.output.half(y)
    halves = precision.input_halves(x)
    with np.errstate(all="ignore"):
        value = predict(x)
        for place in range(x.shape[1]):
            if not np.any(halves[:, place]):
                continue
            changes = []
            for sign in (-1.0, 1.0):
                moved = x.copy()
                moved[:, place] += sign * halves[:, place]
                changes.append(np.nan_to_num(np.abs(predict(moved) - value), posinf=0.0))
            allowed = allowed + np.maximum(*changes)
    return allowed


def counted_errors(sigma: Values, y: Values, column: ColumnPrecision) -> Values:
    """The standard errors that rows count by: those stated, and on top of them the rounding of y.

    No row is known better than it is written. Without this, a row whose stated error is far below all others decides a
    fit alone, and any constant that meets that row seems to explain y.

    Parameters
    ----------
    sigma : array of shape [rows]
        The stated standard error of each row.
    y : array of shape [rows]
        The output.
    column : ColumnPrecision
        How ``y`` is written.

    Examples
    --------
    >>> [f"{error:.4g}" for error in counted_errors(np.array([1e-300, 0.5]), np.array([1.0, 2.0]), DOUBLE)]
    ['5.007e-12', '0.5']
    """
    return np.asarray(np.hypot(sigma, np.hypot(rounding(y), column.half(y) / sqrt(3.0))))


def _is_designed(values: Values, column: ColumnPrecision) -> bool:
    """Whether decimals lie on a grid whose places are taken more evenly than by chance (a chi-squared test)."""
    if column.kind != "decimal":
        return False
    places = np.round((values - np.min(values)) * 10.0**column.decimals)
    step = float(np.gcd.reduce(places[places > 0].astype(np.int64))) if np.max(places) < 2**53 else 1.0
    count = int(np.max(places) / step) + 1
    if count > len(values) ** 2:  # so many places that none would be taken twice
        return False
    taken = np.unique(places, return_counts=True)[1]
    expected = len(values) / count
    spread = float(np.sum((taken - expected) ** 2)) / expected + (count - len(taken)) * expected
    return bool(chdtr(count - 1, spread) < _EVEN)


def _whole(values: Float64[np.ndarray, "..."]) -> bool:
    """Whether all are whole numbers."""
    return bool(np.all(values == np.floor(values)))


def column_precision(values: Values) -> ColumnPrecision:
    """How the values of one column are written.

    A column counts as decimal where none of its values needs 15 significant digits, and as float32 or float16 where
    all are such numbers. Whole numbers count as exact, since most are counts or labels, and so does a column of fewer
    than ten different values.

    Parameters
    ----------
    values : array of shape [rows]
        Finite numbers.
    """
    different = np.unique(values)
    if len(different) < _FEWEST or _whole(different):
        return DOUBLE
    decimal = _decimal(different[:: max(1, len(different) // _READ)])
    if decimal is not None and decimal.digits <= _PLAIN:
        return decimal
    for kind, dtype in _BINARY.items():
        with np.errstate(over="ignore"):
            if np.all(different.astype(dtype).astype(np.float64) == different):
                return ColumnPrecision(kind)
    return decimal or DOUBLE


def _decimal(values: Values) -> ColumnPrecision | None:
    """The decimal precision of some values; None where one of them needs the digits of a double."""
    decimals = digits = 0
    for value in values:
        mantissa, _, exponent = f"{abs(float(value))!r}".partition("e")
        whole, _, behind = mantissa.partition(".")
        behind = "" if behind == "0" else behind
        digits = max(digits, len((whole + behind).strip("0")))
        decimals = max(decimals, len(behind) - int(exponent or 0))
        if digits >= _FULL:
            return None
    return ColumnPrecision("decimal", decimals, digits)
