"""Whether a found expression is the truth, or has at least its form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from benchmarks.laws.judging._refit import Curve, Opened, evaluator, opened, refit
from bimt_analyze.formulas import same_function

Array = NDArray[np.float64]

POINTS = 1000
NUMBERS = 1e-9  # the largest relative error that an exact formula may have
FORM = 1e-8  # and that the right form may have once its constants are fitted to the truth; a series leaves more
CONSTANT = 0.01  # how far a constant may be from what it is fitted to
UNFELT = 1e-3  # of y's deviation: a constant that moves y by less may be anywhere
VALUES = 0.02  # the largest relative error of a formula whose constants are right
MOST_CONSTANTS = 30  # a longer form may stand in for any function


@dataclass(frozen=True)
class Judgement:
    """What a found expression is worth, on the range that its rows came from.

    ``exact``: it is the same function, and its numbers agree to 1e-9. ``form``: with its constants fitted to the
    truth, it agrees to 1e-8. ``constants``: those that it came with are right. ``spare``: how many of its constants
    are fitted to nothing, so that a part of it should not be there. ``deviation`` and ``r2`` compare it with the truth
    as it came, on fresh points.
    """

    exact: bool
    form: bool
    constants: bool
    spare: int
    deviation: float
    r2: float
    note: str = ""

    @property
    def verdict(self) -> str:
        """The judgement in a word or two."""
        if self.exact:
            return "exact"
        if self.form:
            return "right form" if self.constants else "other constants"
        return "no"


def judge(
    found: sympy.Expr,
    truth: sympy.Expr,
    *,
    inputs: Sequence[str],
    ranges: Sequence[tuple[float, float]],
    seed: int = 0,
    constant: float = CONSTANT,
) -> Judgement:
    """Hold an expression against the truth, on the given range alone.

    sqrt(x**2) is x where x is positive. Errors are |found - truth| / (|truth| + deviation of the truth), the largest
    of 1,000 points; a point where the found expression is no real number is an infinite error. The constants that are
    opened are those of `opened`. ``constant`` is how far a constant may be from what it is fitted to.
    """
    x, y = _points(truth, inputs, ranges, seed)
    unit = float(np.std(y)) or float(np.max(np.abs(y))) or 1.0
    values = evaluator(found, inputs)(x)
    deviation, r2 = _worst(values, y, unit), _r2(values, y)
    if not np.isfinite(deviation):
        return Judgement(False, False, False, 0, deviation, r2, "not real on all of the range")
    note = ""
    if deviation <= NUMBERS:
        # same_function looks at twice the ranges it is given.
        half = {
            name: (0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high)
            for name, (low, high) in zip(inputs, ranges, strict=True)
        }
        said = same_function(found, truth, ranges=half, seed=seed)
        if said.canonical == "equal":
            return Judgement(True, True, True, 0, deviation, r2, said.method)
        note = f"numbers agree, but {said.canonical} ({said.method})"
    form = opened(found)
    if len(form.constants) > MOST_CONSTANTS:
        return Judgement(False, False, False, 0, deviation, r2, note or f"{len(form.constants)} constants")
    curve = Curve.of(form, inputs, x)
    fitted = refit(curve, form.start, y, unit=unit)
    if not _worst(curve.at(fitted), y, unit) <= FORM or not _holds(form, fitted, truth, inputs, ranges, seed + 1):
        return Judgement(False, False, False, 0, deviation, r2, note)
    right, spare = _constants(curve, form.start, fitted, unit, constant)
    return Judgement(False, True, right and deviation <= VALUES * constant / CONSTANT, spare, deviation, r2, note)


def _points(
    truth: sympy.Expr, inputs: Sequence[str], ranges: Sequence[tuple[float, float]], seed: int
) -> tuple[Array, Array]:
    """Fresh points where the truth is finite, and its values."""
    low, high = np.array(ranges, dtype=np.float64).T
    x = np.random.default_rng((seed, POINTS)).uniform(low, high, (POINTS, len(low)))
    y = evaluator(truth, inputs)(x)
    kept = np.isfinite(y)
    if not kept.any():
        raise ValueError(f"the truth is nowhere a real number: {truth}")
    return x[kept], y[kept]


def _worst(values: Array, y: Array, unit: float) -> float:
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(values - y) / (np.abs(y) + unit)))
    return worst if np.isfinite(worst) else float("inf")


def _r2(values: Array, y: Array) -> float:
    with np.errstate(all="ignore"):
        found = 1.0 - float(np.mean((values - y) ** 2) / (np.var(y) or 1.0))
    return found if np.isfinite(found) else float("-inf")


def _holds(
    form: Opened,
    fitted: Array,
    truth: sympy.Expr,
    inputs: Sequence[str],
    ranges: Sequence[tuple[float, float]],
    seed: int,
) -> bool:
    """Whether the fitted form agrees on points that it was not fitted to."""
    x, y = _points(truth, inputs, ranges, seed)
    return _worst(evaluator(form.filled(fitted), inputs)(x), y, float(np.std(y)) or 1.0) <= FORM


def _constants(curve: Curve, start: Array, fitted: Array, unit: float, constant: float) -> tuple[bool, int]:
    """Whether the constants are near what they are fitted to, and how many of them are fitted to nothing."""
    best = curve.at(fitted)
    right, spare = True, 0
    for place, (given, value) in enumerate(zip(start, fitted, strict=True)):
        moved, gone = fitted.copy(), fitted.copy()
        moved[place], gone[place] = given, 0.0
        vanishes = _shift(curve.at(gone), best, unit) <= FORM
        felt = _shift(curve.at(moved), best, unit)
        # What rounding leaves of a term is no term.
        spare += vanishes and felt > NUMBERS
        allowed = constant if vanishes else UNFELT
        right &= bool(abs(given - value) <= constant * abs(value) or felt <= allowed)
    return right, spare


def _shift(values: Array, best: Array, unit: float) -> float:
    with np.errstate(all="ignore"):
        shift = float(np.max(np.abs(values - best))) / unit
    return shift if np.isfinite(shift) else float("inf")
