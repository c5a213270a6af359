"""The rows that a formula is held against, and what it leaves of them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from .._formula import Formula
from .._row_bounds import distinct_rows, own_rounding, row_fit
from .._rows import Rows
from ..problem._precision import UNKNOWN_PRECISION, RowPrecision, allowances, column_precision, row_precision
from ..problem._search_problem import deviation
from ..verdicts._data_words import PREDICTS, DataWord


@dataclass(frozen=True)
class Evidence:
    """The rows that a formula is held against, and what it leaves of them; residuals are in units of y's deviation.

    Attributes
    ----------
    x, y : arrays of shape [all, inputs] and [all]
        All rows: those that were searched, where they are known, and those held out.
    precision : RowPrecision
        How they are written, as far as the formula needs it: doubles, where it meets them as such.
    worst : float
        The largest residual on a held-out row.
    bound : float
        The largest that rounding in double precision explains.
    own : float
        The largest that the formula's own rounding explains.
    met_to_rounding : bool
        Whether no row is missed by more than that.
    met : bool
        Whether every held-out row is met to rounding, or to its precision.
    count : int
        How many rows are held out.
    distinct : int
        How many of them are different, and repeat no row that was searched.
    hidden : float
        How large a further term may be, on some row at least, without being seen.
    r2 : float
        On the held-out rows; of one row alone, and of equal ones, over the deviation of all rows.
    """

    x: Float64[np.ndarray, "all inputs"]
    y: Float64[np.ndarray, "all"]
    precision: RowPrecision
    worst: float
    bound: float
    own: float
    met_to_rounding: bool
    met: bool
    count: int
    distinct: int
    hidden: float
    r2: float

    @classmethod
    def of(cls, formula: Formula, held: Rows, searched: Rows | None) -> "Evidence":
        """What a formula leaves of its rows.

        Parameters
        ----------
        formula : Formula
            What is held against them.
        held : Rows
            The rows held out.
        searched : Rows or None
            The rows that were searched, where they are known.
        """
        x, y = held.x, held.y
        before = [] if searched is None else [searched]
        every_x, every_y = (np.concatenate([getattr(rows, end) for rows in [*before, held]]) for end in "xy")
        precision = formula.precision if formula.precision.inputs else row_precision(every_x, every_y)
        fit = row_fit(formula.expression, formula.inputs, x, y, precision=precision)
        precision = fit.precision
        if formula.worst <= formula.bound and fit.worst <= fit.bound and not _as_short(every_x, every_y):
            precision = UNKNOWN_PRECISION  # what is met as doubles are was written as doubles are
        own = own_rounding(formula.expression, formula.inputs, every_x, every_y) if len(every_y) else 0.0
        with np.errstate(all="ignore"):
            residual = every_y - formula.predict(every_x)
            spread = deviation(y if len(y) and np.ptp(y) > 0 else every_y) if len(every_y) else 1.0
            left = (y - formula.predict(x)) / spread
        worst = float(np.max(np.abs(residual))) / deviation(every_y) if len(every_y) else 0.0
        r2 = 1.0 - float(np.mean(left**2)) if len(y) else float("-inf")
        hidden = own
        if precision.coarse and len(every_y):
            open_by = allowances(formula.predict, precision, every_x, every_y)
            hidden = max(own, float(np.max(open_by)) / deviation(every_y))
        return cls(
            x=every_x, y=every_y, precision=precision, worst=fit.worst, bound=max(fit.bound, formula.bound), own=own,
            met_to_rounding=worst <= own, met=fit.within_precision, count=len(y),
            distinct=distinct_rows(x, besides=None if searched is None else searched.x), hidden=hidden,
            r2=r2 if np.isfinite(r2) else float("-inf"),
        )  # fmt: skip

    @property
    def predicts(self) -> DataWord:
        """The word for a formula that is no law: whether it predicts the held-out rows at all."""
        return "interpolation" if self.r2 >= PREDICTS and self.distinct else "none"


def _as_short(x: Float64[np.ndarray, "all inputs"], y: Float64[np.ndarray, "all"]) -> bool:
    """Whether y is written as coarsely as an input: then it may have been rounded, and meeting it shows no more.

    A product of two numbers of three digits has six, which nobody would write of a measurement; a copy has three.
    """
    output = column_precision(y)
    if output.kind != "decimal":
        return output.coarse
    digits = [column_precision(x[:, place]).digits for place in range(x.shape[1])]
    return output.digits <= max(digits, default=0)
