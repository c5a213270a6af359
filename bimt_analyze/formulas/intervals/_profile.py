"""The profile likelihood of a constant: how badly the rows are met where it is held and the others are fitted again."""

from dataclasses import dataclass
from math import inf, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..problem._budget import Budget
from ..problem._constants import Model, Values

_MOST = 24  # fits for one end of an interval
_FITTING = 40  # evaluations for one of them, and
_EACH = 6  # more for each constant
EVALUATIONS = 14  # that one takes, about
_CLOSE = 0.01  # of the quantile: an end is known so well
_FAR = 1e4  # asymptotic half widths, beyond which the rows set no end
_SOON = 2  # trials that aim at the end; later ones look far out
_WIDER, _NARROWER = 4.0, 1.1  # factors between which a step that was too short grows
_STEEP = 8.0  # times the quantile: such a rise is a wall, and no parabola
_BETTER = 1e-2  # of the noise's variance, by which a sum of squares is clearly less than the least


@dataclass(frozen=True)
class Optimum:
    """The least sum of squares over all constants.

    Attributes
    ----------
    ready : Model
        The compiled formula.
    values : array of shape [constants]
        Where the sum of squares is least.
    squares : float
        That sum, in units of y's deviation.
    variance : float
        Of the noise of one row, in the same units.
    budget : Budget
        Is charged a fixed price for each trial: how many evaluations one takes is up to rounding.
    """

    ready: Model
    values: Values
    squares: float
    variance: float
    budget: Budget


class BetterOptimum(Exception):
    """The constants at a sum of squares that is less than the least one known."""

    def __init__(self, values: Values) -> None:
        self.values = values


def end_of_interval(
    optimum: Optimum, place: int, *, side: int, error: float, along: Values, quantile: float
) -> float | None:
    """Where the rows are met worse than the optimum by ``quantile`` standard errors, with the constant held there.

    That is where sqrt((sum of squares - least one) / variance) = quantile, the others fitted again at each trial.

    Parameters
    ----------
    optimum : Optimum
        Where the search for the end begins.
    place : int
        The number of the constant.
    side : int
        1 for the upper end, -1 for the lower one.
    error : float
        The constant's standard error, by which the first step is chosen.
    along : array of shape [constants]
        How the others change with the constant, to first order.
    quantile : float
        How many standard errors.

    Returns
    -------
    float or None
        Infinite where the rows set no end. None where the trials come to no end.

    Raises
    ------
    BetterOptimum
        A trial met the rows better than the optimum does.

    Notes
    -----
    D. M. Bates and D. G. Watts, Nonlinear Regression Analysis and Its Applications, 1988, section 6.1.
    """
    value = float(optimum.values[place])
    first = quantile * error if isfinite(error) and error > 0 else max(abs(value), 1e-12)
    low, high = (0.0, 0.0), (inf, inf)
    near, before, step = optimum.values, None, first
    for trial in range(_MOST):
        values, height = _height(optimum, _start(optimum.ready, near, before, along, place, value + side * step), place)
        if abs(height - quantile) <= _CLOSE * quantile:
            return value + side * step
        if height > quantile:
            high = (step, height)
        else:
            low, near, before = (step, height), values, near
            if step > _FAR * first:
                return side * inf
        step = _next_step(low, high, quantile, far=trial >= _SOON)
        if isfinite(high[0]) and high[0] - low[0] <= 1e-3 * high[0]:  # a wall: beyond it the formula is not real
            return value + side * low[0]
    return value + side * step if isfinite(high[0]) else None


def _start(ready: Model, near: Values, before: Values | None, along: Values, place: int, value: float) -> Values:
    """Where the others start: unchanged, along the valley at the optimum, or as they went last; the best of these."""
    gone = value - near[place]
    ways = [np.zeros(len(near)), along]
    if before is not None and near[place] != before[place]:
        ways.append((near - before) / (near[place] - before[place]))
    starts = [near + way * gone for way in ways]
    for start in starts:
        start[place] = value
    return min(starts, key=lambda start: float(np.sum(ready.evaluate(start)[0] ** 2)))


def _next_step(low: tuple[float, float], high: tuple[float, float], quantile: float, *, far: bool) -> float:
    """The next distance to try: longer until the end lies between two trials, then between them."""
    if not isfinite(high[0]) and far:
        return low[0] * _WIDER
    if not isfinite(high[0]):
        growth = quantile / low[1] if low[1] > 0 else _WIDER
        return low[0] * min(max(_NARROWER * growth, _NARROWER), _WIDER)
    if high[1] > _STEEP * quantile:
        return (low[0] + high[0]) / 2
    share = (quantile - low[1]) / (high[1] - low[1])
    return low[0] + min(max(share, 0.05), 0.95) * (high[0] - low[0])


def _height(optimum: Optimum, start: Values, place: int) -> tuple[Values, float]:
    """The other constants fitted again, and by how many standard errors the rows are met worse."""
    ready = optimum.ready
    values = _fitted(ready, start, place) if len(start) > 1 else start
    size = ready.problem.rows * (ready.nodes + len(start))
    optimum.budget.charge("evaluate", EVALUATIONS * size, calls=EVALUATIONS)
    squares = float(np.sum(ready.evaluate(values)[0] ** 2))
    if squares < optimum.squares - _BETTER * optimum.variance:
        raise BetterOptimum(values)
    return values, sqrt(max(squares - optimum.squares, 0.0) / optimum.variance)


def _fitted(ready: Model, start: Values, place: int) -> Values:
    """The constants but one at their least-squares values."""
    others = np.arange(len(start)) != place

    def spread(part: NDArray[np.float64]) -> NDArray[np.float64]:
        full = start.copy()
        full[others] = part
        return full

    with np.errstate(all="ignore"):
        fit = least_squares(
            lambda part: ready.evaluate(spread(part))[0],
            start[others],
            jac=lambda part: ready.evaluate(spread(part))[1][:, others],
            method="lm",
            x_scale="jac",
            ftol=1e-9,
            xtol=1e-9,
            gtol=1e-12,
            max_nfev=_FITTING + _EACH * len(start),
        )
    return spread(fit.x)
