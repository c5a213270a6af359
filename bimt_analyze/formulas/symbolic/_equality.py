"""Whether two expressions are the same function: cheap algebra first, then fifty digits at random points."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy

_DIGITS = 50  # of both expressions: 20 more than the difference is judged by, for cancellation
_ZERO = sympy.Rational(1, 10**30)  # relative difference below which exact expressions agree
_ZERO_DECIMAL = sympy.Rational(1, 10**12)  # and those with decimals, which data fix no better
_POINTS = 24  # one shows a difference; several, since a point may be a chance zero
_OPERATIONS = 400  # of an expression, beyond which expanding it is slow
_TERMS = 3000  # of an expanded power, beyond which it is not expanded
_KEPT_DIGITS = (12, 11, 13)  # a constant's decimals that are compared; three tries against a rounding edge


@dataclass(frozen=True)
class Equality:
    """Whether two expressions are the same function, and how that was found.

    Attributes
    ----------
    canonical : str
        ``"equal"``, ``"different"`` or ``"undecided"``.
    method : str
        How it was found, such as ``"expanded difference is zero"``.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> found = same_function(x * (x + 1), x**2 + x, ranges={"x": (0, 1)}, seed=0)
    >>> found.canonical, found.method
    ('equal', 'expanded difference is zero')
    """

    canonical: str
    method: str


def same_function(
    formula: sympy.Expr, truth: sympy.Expr, *, ranges: Mapping[str, tuple[float, float]], seed: int
) -> Equality:
    """Decide whether formula - truth is zero wherever the truth is real.

    First sympy's bounded identities are tried (expansion, for expressions where that is short). Then both are worked
    out to 50 digits at 24 random rational points over twice the ranges, where the truth is real: formulas made of
    analytic pieces that agree there to 1e-30 agree; a difference is shown by one point. It is over in a fraction of a
    second: no simplify.

    Parameters
    ----------
    formula : sympy.Expr
        What was found.
    truth : sympy.Expr
        What it is held against, in the same symbols.
    ranges : mapping of str to (float, float)
        The least and the largest value of each input, by name; from -1 to 1 for names that are not in it.
    seed : int
        Of the random points.

    Returns
    -------
    Equality
        With the method. Decimal constants are taken at 12 digits, since data in double precision fix no more; a formula
        that holds decimals is held to 1e-12 at the points, and the method says so.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> same_function((x + 1) ** 2, x**2 + 2 * x + 1, ranges={"x": (0, 1)}, seed=0)
    Equality(canonical='equal', method='expanded difference is zero')
    >>> same_function(sympy.sin(x), x, ranges={"x": (0, 1)}, seed=0).canonical
    'different'
    """
    for digits in _KEPT_DIGITS:
        left, right = _rounded(formula, digits), _rounded(truth, digits)
        noted = "" if left == formula and right == truth else f", decimal constants at {digits} digits"
        if left == right:
            return Equality("equal", "same expression" + noted)
        if _short(left) and _short(right) and sympy.expand(left - right) == 0:
            return Equality("equal", "expanded difference is zero" + noted)
    decimal = formula.has(sympy.Float)
    left = formula if decimal else _rounded(formula, _KEPT_DIGITS[0])
    right = truth if decimal else _rounded(truth, _KEPT_DIGITS[0])
    counted, differing = _compare(left, right, ranges, seed, _ZERO_DECIMAL if decimal else _ZERO)
    if counted == 0:
        return Equality("undecided", "no point where the truth is real")
    noted = ", to 12 of them since constants are decimals" if decimal else ""
    return Equality("different" if differing else "equal", f"50 digits at {counted} points{noted}")


def _rounded(expression: sympy.Expr, digits: int) -> sympy.Expr:
    """Decimals as exact fractions of so many digits."""
    floats = expression.atoms(sympy.Float)
    return expression.xreplace({f: sympy.Rational(f"{float(f):.{digits - 1}e}") for f in floats})


def _short(expression: sympy.Expr) -> bool:
    """Whether expanding is quick: few operations, and powers that do not explode."""
    terms = 1
    for power in expression.atoms(sympy.Pow):
        if power.base.is_Add and power.exp.is_Integer and power.exp > 0:
            terms *= int(sympy.binomial(power.exp + len(power.base.args) - 1, len(power.base.args) - 1))
        if terms > _TERMS:
            return False
    return bool(sympy.count_ops(expression) <= _OPERATIONS)


def _compare(
    formula: sympy.Expr,
    truth: sympy.Expr,
    ranges: Mapping[str, tuple[float, float]],
    seed: int,
    zero: sympy.Rational,
) -> tuple[int, bool]:
    """How many points counted, and whether one of them showed a difference."""
    symbols = sorted(formula.free_symbols | truth.free_symbols, key=str)
    rng = np.random.default_rng(seed)
    counted = 0
    for _ in range(4 * _POINTS):
        if counted == _POINTS:
            break
        point = {}
        for symbol in symbols:
            low, high = ranges.get(str(symbol), (-1.0, 1.0))
            spot = 0.5 * (low + high) + (high - low) * float(rng.uniform(-1.0, 1.0))
            point[symbol] = sympy.Rational(f"{spot:.6e}")
        expected = fifty_digits(truth, point)
        if expected is None:
            continue
        found = fifty_digits(formula, point)
        counted += 1
        if found is None or abs(found - expected) > zero * (1 + abs(expected)):
            return counted, True
    return counted, False


def fifty_digits(expression: sympy.Expr, point: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Number | None:
    """The value of an expression to 50 digits; None where it is not finite and real.

    Parameters
    ----------
    expression : sympy.Expr
        What is evaluated.
    point : mapping of sympy.Symbol to sympy.Expr
        An exact number for each symbol.
    """
    value = expression.evalf(_DIGITS, subs=dict(point))
    return value if value.is_Number and value.is_finite else None
