"""Intervals of all measured constants of an expression."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri, stdtrit

from ..problem._budget import Budget
from ..problem._constants import Fit, Model, Values, model, settle
from ..problem._search_problem import SearchProblem
from ..problem._template import numeric
from ..verdicts._stated_errors import UNLIKELY
from ._constant_interval import FULL, ConstantInterval, Method, digits_of
from ._known_constants import agreeing
from ._opened import Opened, opened
from ._profile import EVALUATIONS, BetterOptimum, Optimum, end_of_interval

MOST_CONSTANTS = 20  # no law has so many
_ANEW = 2  # times that a better optimum is taken for the start
_SHIFT = 1.0  # of the noise's variance, by which the rounding of shown numbers may add to the sum of squares


def intervals_of(
    expression: sympy.Expr,
    problem: SearchProblem,
    *,
    level: float = 0.95,
    simple: Sequence[sympy.Expr] = (),
    sigma: float | None = None,
) -> tuple[ConstantInterval, ...]:
    """The interval of every measured constant, by profile likelihood.

    Parameters
    ----------
    expression : sympy.Expr
        A formula in the problem's columns.
    problem : SearchProblem
        The rows; its budget bounds the work. Constants whose turn does not come have intervals from standard errors.
    level : float
        The confidence.
    simple : sequence of sympy.Expr
        The simple numbers that took the place of fitted constants, which have intervals too.
    sigma : float, optional
        The standard error of a row of weight 1, in y's own unit, where it is known. Without it, and where the rows are
        missed by more than it allows, the residual tells it.

    Returns
    -------
    tuple of ConstantInterval
        In the order in which the formula is written; none where it has no measured constant, more than twenty, or too
        few rows.
    """
    form = opened(expression, simple)
    count = len(form.numbers)
    if not 0 < count <= MOST_CONSTANTS or problem.rows < count + 2:
        return ()
    ready = model(form.template, replace(problem, budget=Budget.of(inf)))
    problem.budget.charge("compile", ready.nodes + count)
    problem.budget.charge("evaluate", EVALUATIONS * problem.rows * (ready.nodes + count), calls=EVALUATIONS)
    start = np.array([form.template.start[c] for c in ready.constants], dtype=np.float64)
    fit = settle(ready, start, np.ones(count, dtype=bool))
    if fit is None:
        return ()
    for _ in range(_ANEW):
        likelihood = _Likelihood.of(fit, sigma, level, problem.budget)
        try:
            found = [likelihood.interval(form, place) for place in range(count)]
            break
        except BetterOptimum as better:
            again = settle(ready, better.values, np.ones(count, dtype=bool))
            if again is None:
                found = [likelihood.asymptotic(form, place) for place in range(count)]
                break
            fit = again
    else:
        likelihood = _Likelihood.of(fit, sigma, level, problem.budget)
        found = [likelihood.asymptotic(form, place) for place in range(count)]
    return _with_digits(expression, problem, _in_order(expression, found), likelihood.optimum.variance)


@dataclass(frozen=True)
class _Likelihood:
    """The rows around an optimum: covariance of the constants, and what counts as worse."""

    optimum: Optimum
    errors: Values
    along: NDArray[np.float64]
    quantile: float
    level: float

    @staticmethod
    def of(fit: Fit, sigma: float | None, level: float, budget: Budget) -> "_Likelihood":
        """From a fit of all constants at a ``level`` such as 0.95; without ``sigma``, the noise is the residual.

        Each trial of a constant is charged to the ``budget``.
        """
        ready: Model = fit.model
        residual, jacobian = ready.evaluate(fit.values)
        rank, along = _directions(jacobian)
        freedom = max(ready.problem.rows - rank, 1)
        squares, unit = float(np.sum(residual**2)), ready.problem.unit
        least = float(np.finfo(np.float64).eps * np.max(np.abs(ready.problem.y)) / unit) ** 2
        tail = (1 + level) / 2
        if sigma is None or chdtrc(freedom, squares * (unit / sigma) ** 2) < UNLIKELY:
            variance, quantile = max(squares / freedom, least), float(stdtrit(freedom, tail))
            errors = fit.errors
        else:
            variance, quantile = (sigma / unit) ** 2, float(ndtri(tail))
            errors = fit.errors * np.sqrt(variance / max(squares / freedom, least))
        return _Likelihood(Optimum(ready, fit.values, squares, variance, budget), errors, along, quantile, level)

    def interval(self, form: Opened, place: int) -> ConstantInterval:
        """The interval of the constant at a ``place`` of ``form``, by profile; `asymptotic` where that ends nowhere."""
        if self.optimum.budget.over():
            return self.asymptotic(form, place)
        ends = [
            end_of_interval(
                self.optimum, place, side=side, error=float(self.errors[place]), along=self.along[:, place],
                quantile=self.quantile,
            )
            for side in (-1, 1)
        ]  # fmt: skip
        low, high = ends
        if low is None or high is None:
            return self.asymptotic(form, place)
        return self._told(form, place, low, high, "profile")

    def asymptotic(self, form: Opened, place: int) -> ConstantInterval:
        """The constant at a ``place`` of ``form``, and so many standard errors to both sides."""
        value, half = float(self.optimum.values[place]), self.quantile * float(self.errors[place])
        return self._told(form, place, value - half, value + half, "asymptotic")

    def _told(self, form: Opened, place: int, low: float, high: float, method: Method) -> ConstantInterval:
        value, error = float(self.optimum.values[place]), float(self.errors[place])
        number = form.numbers[self.optimum.ready.constants[place]]
        names = agreeing(value, low, high, numbers=bool(number.is_Float))
        return ConstantInterval(number, value, low, high, self.level, error, method, digits_of(value, low, high), names)


def _directions(jacobian: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
    """The rank of the Jacobian, and how all constants change with each of them along the valley of the squares."""
    size = np.linalg.norm(jacobian, axis=0)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    _, values, right = np.linalg.svd(jacobian / size, full_matrices=False)
    kept = values > 1e-13 * max(values[0], 1e-300)
    inverse = (right[kept].T / values[kept] ** 2) @ right[kept]
    own = np.where(np.diag(inverse) > 0, np.diag(inverse), 1.0)
    return int(np.sum(kept)), np.asarray((inverse / own) / size[:, None] * size[None, :])


def _in_order(expression: sympy.Expr, found: Sequence[ConstantInterval]) -> list[ConstantInterval]:
    """As the formula is written, from left to right."""
    text = str(expression)
    return sorted(found, key=lambda one: text.find(sympy.sstr(abs(one.number), full_prec=False)))


def readable(expression: sympy.Expr, intervals: Sequence[ConstantInterval]) -> sympy.Expr:
    """The expression with each measured decimal to the digits that its interval justifies.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    intervals : sequence of ConstantInterval
        Of its constants; other decimals stay as they are.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> interval = ConstantInterval(sympy.Float(2.51327), 2.51327, 2.493, 2.533, 0.95, 0.01, "profile", 4)
    >>> readable(2.51327 * x, [interval])
    2.513*x
    """
    shown: dict[sympy.Expr, sympy.Expr] = {}
    for one in intervals:
        if one.number.is_Float:
            short = sympy.Float(f"{float(one.number):.{one.digits - 1}e}")
            shown |= {one.number: short, -one.number: -short}
    return expression.xreplace(shown)


def _with_digits(
    expression: sympy.Expr, problem: SearchProblem, found: Sequence[ConstantInterval], variance: float
) -> tuple[ConstantInterval, ...]:
    """The intervals with a digit more each, where the rounded formula would miss the rows by more than the full one.

    Constants that depend on each other need more digits than each by itself.
    """
    full = _squares(expression, problem)
    for _ in range(FULL):
        more = _squares(readable(expression, found), problem) - full
        if (isfinite(more) and more <= _SHIFT * variance) or all(one.digits == FULL for one in found):
            break
        found = [replace(one, digits=min(one.digits + 1, FULL)) for one in found]
    return tuple(found)


def _squares(expression: sympy.Expr, problem: SearchProblem) -> float:
    with np.errstate(all="ignore"):
        values = numeric(expression, problem.columns)(problem.x)
        return float(np.sum((problem.residual(values) / problem.unit) ** 2))
