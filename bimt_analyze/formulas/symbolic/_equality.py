"""Whether two expressions are the same function: cheap algebra first, then fifty digits at random points."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import sympy

from bimt_train.showing import Shown

_DIGITS = 50  # of both expressions: 20 more than the difference is judged by, for cancellation
_ZERO = sympy.Rational(1, 10**30)  # relative difference below which exact expressions agree
_STEEP = (sympy.exp, sympy.sinh, sympy.cosh, sympy.sin, sympy.cos, sympy.tan)  # these need all digits of their place
_LARGEST, _ROUGH_DIGITS = sympy.Float("1e300"), 15  # of such a place, and to find its size
_DECIMAL = 1e-12  # relative error of a decimal constant, which data in double precision fix no better
_SLACK = 30.0  # times the error of a decimal constant, for what it does to a value: rounding is no random noise
_TOO_VAGUE = 1e-2  # relative error of a value through its constants, beyond which the point shows nothing
_FAR = (0, 0, 0, 1, 2, 3, 4, 5, 6)  # decades beyond the range, at which forms with decimals are held against each other
_ROUNDS = 4  # of points, one in each of these ranges
_FEWEST_FAR = 6  # points at which two forms with decimals must agree
_POINTS = 24  # one shows a difference; several, since a point may be a chance zero
_ON_THE_WAY = 8  # from the ranges to 1, for forms with decimals
_OPERATIONS = 400  # of an expression, beyond which expanding it is slow
_TERMS = 3000  # of an expanded power, beyond which it is not expanded
_KEPT_DIGITS = (12, 11, 13)  # a constant's decimals that are compared; three tries against a rounding edge


@dataclass(frozen=True, repr=False)
class Equality(Shown):
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
    formula: sympy.Expr,
    truth: sympy.Expr,
    *,
    ranges: Mapping[str, tuple[float, float]],
    seed: int,
    error: float = 0.0,
) -> Equality:
    """Decide whether formula - truth is zero wherever the truth is real.

    First sympy's bounded identities are tried (expansion, for expressions where that is short). Then both are worked
    out to 50 digits at 24 random rational points over twice the ranges, where the truth is real, and at 24 on the way
    from there to about 1: in ranges of tiny or huge numbers sin(x) is x, and sqrt(1 + x**2) is x, to 50 digits.
    Formulas made of analytic pieces that agree there to 1e-30 agree; a difference is shown by one point. It is over in
    a fraction of a second: no simplify.

    Once a constant is a decimal, agreement within the ranges proves little: a function and its series agree there.
    Such forms are held against each other also on the way to about 1, and at points up to a million times further out,
    to what the errors of their decimals explain; points at which these explain anything are left out.

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
    error : float, default 0.0
        The largest relative error of the decimals in ``formula``; 1e-12 if that is more.

    Returns
    -------
    Equality
        With the method. Decimal constants are taken at 12 digits, since data in double precision fix no more.

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
    if formula.has(sympy.Float) or truth.has(sympy.Float):
        return _compare_far(formula, truth, ranges, seed, max(error, _DECIMAL))
    counted, differing = _compare(formula, truth, ranges, seed, _ZERO)
    if counted == 0:
        return Equality("undecided", "no point where the truth is real")
    return Equality("different" if differing else "equal", f"50 digits at {counted} points")


def _compare_far(
    formula: sympy.Expr, truth: sympy.Expr, ranges: Mapping[str, tuple[float, float]], seed: int, error: float
) -> Equality:
    """Two forms with decimals, within the ranges and far beyond them: all inputs together, and one after another."""
    rng = np.random.default_rng(seed)
    counted, furthest = 0, 0
    symbols = formula.free_symbols | truth.free_symbols
    alone = [{symbol} for symbol in sorted(symbols, key=str)] if len(symbols) > 1 else []  # ratios leave their range so
    for stretched in [symbols] * _ROUNDS + alone:
        for decades in _FAR:
            near = _point(symbols, ranges, rng, 1.0)
            point = near | _point(stretched, ranges, rng, 10.0**decades)
            expected, found = fifty_digits(truth, point), fifty_digits(formula, point)
            if expected is None:
                continue
            if found is None and not _within_reach(formula, point):
                continue
            if found is None:
                return Equality("different", "one is not real where the other is")
            vague = sum(_vagueness(form, point, error) for form in (formula, truth))
            part = _part(expected, found, vague, least=1 if decades == 0 else 0)
            if part:
                return Equality("different", f"they part at a point {10**decades} times as far as the range")
            if part is not None:
                counted, furthest = counted + 1, max(furthest, decades)
    for number in range(_ON_THE_WAY):
        point = _towards_one(_point(symbols, ranges, rng, 1.0), number / _ON_THE_WAY, rng)
        expected, found = fifty_digits(truth, point), fifty_digits(formula, point)
        if expected is None or found is None:
            continue
        if _part(expected, found, sum(_vagueness(form, point, error) for form in (formula, truth))):
            return Equality("different", "they part on the way from the ranges to 1")
    if counted < _FEWEST_FAR:
        return Equality("undecided", "the decimals are too vague to compare")
    return Equality(
        "equal", f"{counted} points up to {10**furthest} times as far as the range, to the decimals' errors"
    )


def _part(expected: sympy.Number, found: sympy.Number, vague: float, *, least: int = 0) -> bool | None:
    """Whether two values differ by more than the errors of decimals explain; None where these explain anything.

    The difference is held against ``vague``, how far these errors may move the values, and against the expected value,
    ``least`` added to it.
    """
    size = abs(expected) + least
    if size == 0 or vague > _TOO_VAGUE * size:
        return None
    return bool(abs(found - expected) > _SLACK * vague + _DECIMAL * size)


def _vagueness(form: sympy.Expr, point: Mapping[sympy.Symbol, sympy.Expr], error: float) -> float:
    """How far the errors of its decimals may move the value of a form, to first order."""
    value, moved = fifty_digits(form, point), 0.0
    for number in sorted(form.atoms(sympy.Float), key=str):
        other = fifty_digits(form.xreplace({number: sympy.Float(number * (1 + error), 30)}), point)
        if value is None or other is None:
            return float("inf")
        moved += abs(float(other - value))
    return moved


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
    symbols = formula.free_symbols | truth.free_symbols
    rng = np.random.default_rng(seed)
    counted = 0
    for _ in range(4 * _POINTS):
        if counted == _POINTS:
            break
        point = _point(symbols, ranges, rng, 1.0)
        expected = fifty_digits(truth, point)
        if expected is None:
            continue
        found = fifty_digits(formula, point)
        if found is None and not _within_reach(formula, point):
            continue
        counted += 1
        if found is None or abs(found - expected) > zero * (1 + abs(expected)):
            return counted, True
        point = _towards_one(point, counted / _POINTS, rng)
        expected, found = fifty_digits(truth, point), fifty_digits(formula, point)
        if expected is not None and found is not None and abs(found - expected) > zero * (1 + abs(expected)):
            return counted, True
    return counted, False


def _towards_one(
    point: Mapping[sympy.Symbol, sympy.Expr], left: float, rng: np.random.Generator
) -> dict[sympy.Symbol, sympy.Expr]:
    """A point on the way to coordinates between 0.1 and 3, counted in decades; a share of the way is ``left``."""
    moved = {}
    for symbol, spot in point.items():
        size = abs(float(spot)) ** left * (10.0 ** rng.uniform(-1.0, 0.5)) ** (1 - left)
        moved[symbol] = sympy.Rational(f"{np.copysign(size, float(spot)):.6e}") if spot else spot
    return moved


def _point(
    symbols: AbstractSet[sympy.Basic],
    ranges: Mapping[str, tuple[float, float]],
    rng: np.random.Generator,
    further: float,
) -> dict[sympy.Symbol, sympy.Expr]:
    """A random rational point of ranges that are twice as wide, times a factor."""
    point = {}
    for symbol in sorted(symbols, key=str):
        low, high = ranges.get(str(symbol), (-1.0, 1.0))
        spot = 0.5 * (low + high) + further * (high - low) * float(rng.uniform(-1.0, 1.0))
        point[symbol] = sympy.Rational(f"{spot:.6e}")
    return point


def fifty_digits(expression: sympy.Expr, point: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Number | None:
    """The value of an expression to 50 digits; None where it is not finite and real, or out of reach.

    Parameters
    ----------
    expression : sympy.Expr
        What is evaluated.
    point : mapping of sympy.Symbol to sympy.Expr
        An exact number for each symbol.
    """
    if not _within_reach(expression, point):
        return None
    try:
        value = expression.evalf(_DIGITS, subs=dict(point))
    except (ZeroDivisionError, TypeError):  # of a pole itself, and of a function at one
        return None
    return value if value.is_Number and value.is_finite else None


def _within_reach(expression: sympy.Expr, point: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Whether no function is taken at a place so large that its digits would fill the memory, as in exp(-exp(1e7))."""
    for part in sympy.postorder_traversal(expression):  # a place is asked for after the functions within it
        if isinstance(part, _STEEP):
            place = part.args[0]
        elif isinstance(part, sympy.Pow) and part.exp.free_symbols:
            place = part.exp
        else:
            continue
        try:
            value = place.evalf(_ROUGH_DIGITS, subs=dict(point))
        except (ZeroDivisionError, TypeError):
            continue
        if value.is_Number and abs(value) > _LARGEST:
            return False
    return True
