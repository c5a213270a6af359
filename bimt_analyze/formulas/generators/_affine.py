"""Sums y m = F(u) + v G(u) of monomials u, m and v; F and G are series first, then functions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
import sympy
from jaxtyping import Float64

from ..curves._curve_shapes import curve_shapes
from ..problem._inner import Inner
from ..problem._monomials import Exponents, direction, expression, length, monomials, value
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, total
from ..problem._template import product as times
from ..problem._univariate import Shape, shapes
from .decompositions._similarity import free_of, series

Rows = Float64[np.ndarray, "rows"]

_ARGUMENTS, _MULTIPLES = 60, 80  # monomials u and m, the simplest: each u takes one QR decomposition a column
_MONOMIALS, _OTHERS = 200, 125  # monomials m and v, the simplest, where v is no column
_DEGREE = 24  # of the series of F and G, as far as there are ten rows for each term
_ROUGH_ROWS, _ROUGH_DEGREE = 200, 6  # with which monomials v are compared
_JUDGED = 8  # of these that are fitted to all rows
_SEEN = 0.15  # of y left, above which there is no such form
_CLEAR = 1e-3  # with any monomial for v, which are many more choices
_BEST = 3  # choices of u, m and v for which F and G are looked up
_NAMED = 3  # shapes tried of F and of G
_POWERS = tuple(map(Fraction, (1, -1, 2, -2, 0.5, -0.5)))  # of u that F or G may hold as a factor
_POWERS_FROM = 1e-3  # error of a part up to which they are tried
_MET = 3.0  # times the error of a part: a shape within it is not bettered
_SHARE, _CLEAR_SHARE = 0.4, 0.3  # of the time; for any monomial v
_ROOM = 25.0  # units of work that must be left for any monomial v: to compare the choices takes up to three


@dataclass(frozen=True)
class _Affine:
    """One choice of u, m and v.

    Attributes
    ----------
    error : float
        What the two series leave of y (leave-one-out, over y's deviation).
    argument : tuple of Fraction
        The powers of u.
    multiple : tuple of Fraction
        The powers of m.
    other : tuple of Fraction
        The powers of v.
    """

    error: float
    argument: Exponents
    multiple: Exponents
    other: Exponents


def affine(problem: SearchProblem) -> Iterator[Template]:
    """Templates (F(u) + v G(u)) / m with a column v, and F and G from the library of one variable.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    yield from _answers(replace(problem, budget=problem.budget.share(_SHARE)), _with_columns, _SEEN)


def low_error_affine(problem: SearchProblem) -> Iterator[Template]:
    """Templates (F(u) + v G(u)) / m with any monomial v, where series leave less than 0.1 % of y.

    A search with little time does without.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if problem.budget.left > _ROOM:
        yield from _answers(replace(problem, budget=problem.budget.share(_CLEAR_SHARE)), _with_monomials, _CLEAR)


def _answers(
    problem: SearchProblem, choices: Callable[[SearchProblem], Iterator[_Affine]], most: float
) -> Iterator[Template]:
    """Templates of the best choices of u, m and v, of which series leave less than ``most`` of y."""
    seen = [choice for choice in choices(problem) if choice.error < most]
    for choice in sorted(seen, key=_rank)[:_BEST]:
        yield from _named(problem, choice)
        if problem.budget.over():
            return


def _rank(choice: _Affine) -> float:
    """What is tried first: small errors and short monomials; a decade of error is three powers long."""
    monomial = length(choice.argument) + length(choice.multiple) + length(choice.other)
    return float(np.log10(max(choice.error, 1e-7)) + 0.3 * monomial)


def _with_columns(problem: SearchProblem) -> Iterator[_Affine]:
    """Choices in which v is a column that u does not hold."""
    if problem.width < 2:
        return
    each = [tuple(map(Fraction, row)) for row in np.eye(problem.width, dtype=int).tolist()]
    for argument in _arguments(problem):
        others = [other for other, held in zip(each, argument, strict=True) if not held]
        yield from _fitted(problem, argument, others, monomials(problem.width, most=_MULTIPLES), _DEGREE)


def _with_monomials(problem: SearchProblem) -> Iterator[_Affine]:
    """Choices in which v is any monomial: compared by short series on a few rows, and the best fitted to all rows."""
    if problem.width < 3:
        return
    few = np.linspace(0, problem.rows - 1, min(_ROUGH_ROWS, problem.rows)).astype(np.int64)
    rough = replace(problem, x=problem.x[few], y=problem.y[few], weights=None)
    every = monomials(problem.width, most=_MONOMIALS)
    found: list[_Affine] = []
    for argument in _arguments(problem):
        others = [v for v in _but_powers(argument, every[:_OTHERS]) if any(v)]
        found += _fitted(rough, argument, others, _but_powers(argument, every), _ROUGH_DEGREE)
    for best in sorted(found, key=lambda choice: choice.error)[:_JUDGED]:
        yield from _fitted(problem, best.argument, [best.other], [best.multiple], _DEGREE)


def _arguments(problem: SearchProblem) -> list[Exponents]:
    """The powers of u: one of each direction, the simplest first."""
    every = {direction(e) for e in monomials(problem.width, most=_MULTIPLES) if any(e)}
    return sorted(every, key=lambda e: (length(e), e))[:_ARGUMENTS]


def _but_powers(argument: Exponents, every: Sequence[Exponents]) -> list[Exponents]:
    """The first of all monomials that differ by a power of u: F(u) u**k is a function of u too."""
    found: dict[Exponents, Exponents] = {}
    for exponents in every:
        found.setdefault(free_of(exponents, argument), exponents)
    return list(found.values())


def _fitted(
    problem: SearchProblem, argument: Exponents, others: Sequence[Exponents], multiples: Sequence[Exponents], most: int
) -> Iterator[_Affine]:
    """For each v, the two m with which series in one u, of a degree of at most ``most``, leave least of y."""
    u = value(problem.x, argument)
    scaled = [(e, m) for e in multiples if np.all(np.isfinite(m := value(problem.x, e))) and np.all(m != 0)]
    problem.budget.charge("columns", 60 * len(multiples) * problem.rows)
    if not scaled or not np.all(np.isfinite(u)):
        return
    table = np.stack([problem.y * m for _, m in scaled], axis=1)
    weights = np.stack([1 / m for _, m in scaled], axis=1)
    plain = _series(u, problem.rows, most)
    for other in others:
        v = value(problem.x, other)
        if problem.budget.over():
            return
        if not np.all(np.isfinite(v)) or not np.any(v):
            continue
        q = np.linalg.qr(_with_slope(plain, v))[0]
        leverage = np.minimum(np.sum(q**2, axis=1), 1 - 1e-9)[:, None]
        problem.budget.charge("decompose", problem.rows * q.shape[1] * (q.shape[1] + table.shape[1] + 20))
        left = (table - q @ (q.T @ table)) / (1 - leverage) * weights
        errors = np.sqrt(np.mean(left**2, axis=0)) / problem.unit
        for k in np.argsort(errors)[:2]:
            yield _Affine(float(errors[k]), argument, scaled[k][0], other)


def _series(u: Rows, rows: int, most: int) -> Float64[np.ndarray, "rows terms"]:
    """A series in u, or in its logarithm where u is positive: powers of u are smooth in it."""
    return series(np.log(u) if np.all(u > 0) else u, int(min(most, 0.1 * rows)))


def _with_slope(plain: Float64[np.ndarray, "rows terms"], v: Rows) -> Float64[np.ndarray, "rows twice"]:
    """The columns of a series in u, and of that series times v."""
    return np.concatenate([plain, plain * v[:, None]], axis=1)


def _named(problem: SearchProblem, choice: _Affine) -> Iterator[Template]:
    """Templates of one choice: F and G as values on the rows first, then as shapes; all pairs of the best."""
    u, v = value(problem.x, choice.argument), value(problem.x, choice.other)
    m = value(problem.x, choice.multiple)
    plain = _series(u, problem.rows, _DEGREE)
    terms = plain.shape[1]
    unit = float(np.max(np.abs(v)))
    coefficients = np.linalg.lstsq(_with_slope(plain, v / unit) / m[:, None], problem.y, rcond=1e-12)[0]
    problem.budget.charge("solve", problem.rows * (2 * terms) ** 2)
    parts = plain @ coefficients[:terms], plain @ coefficients[terms:] / unit
    inner = Inner((expression(problem.columns, choice.argument),), (1.0,), u)
    sizes = [float(np.sqrt(np.mean((part * w / m) ** 2))) / problem.unit for part, w in zip(parts, (1, v), strict=True)]
    options = []
    for part, size in zip(parts, sizes, strict=True):
        tolerance = max(choice.error / max(size, 1e-12), 1e-9)
        if tolerance > 0.5:
            options.append([Template(sympy.Integer(0), {})])
        else:
            options.append(_shapes(problem, inner, part, tolerance))
    slot = expression(problem.columns, choice.other)
    multiple = expression(problem.columns, choice.multiple)
    for first, second in product(*options):
        problem.budget.charge("build")
        joined = total([first, times([second, Template(slot, {})])], None)
        yield Template(joined.expression / multiple, joined.start, choice.error)


def _shapes(problem: SearchProblem, inner: Inner, part: Rows, tolerance: float) -> list[Template]:
    """The best shapes of a part, or a constant where the part does not vary; powers of u are set apart if need be."""
    if np.ptp(part) <= 3 * tolerance * np.sqrt(np.mean(part**2)):
        return [Template(sympy.Integer(0), {}).shifted(float(np.mean(part)))]
    found = curve_shapes(inner, part, tolerance=tolerance, budget=problem.budget, most=_NAMED)
    ranked = [(shape.rank(tolerance), _whole(shape)) for shape in found]
    for power in _POWERS if tolerance < _POWERS_FROM and np.all(inner.values > 0) else ():
        if problem.budget.over() or any(template.error <= _MET * tolerance for _, template in ranked):
            break
        multiple = inner.values ** float(power)
        for shape in shapes(inner, part / multiple, tolerance=tolerance, budget=problem.budget, most=_NAMED):
            whole = _whole(shape)
            factor = inner.parts[0] ** sympy.Rational(power)
            ranked.append((shape.rank(tolerance) + 0.2, Template(whole.expression * factor, whole.start, shape.error)))
    return [template for _, template in sorted(ranked, key=lambda one: one[0])[:_NAMED]]


def _whole(shape: Shape) -> Template:
    """A shape with its offset, or the offset alone."""
    return shape.whole() if shape.terms else Template(sympy.Integer(0), {}).shifted(shape.offset)
