"""Sums y m = F(u) + v G(u): monomials u and m and a column v; F and G are series first, then functions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from ..problem._univariate import Shape
from .decompositions._similarity import series

Rows = Float64[np.ndarray, "rows"]

_ARGUMENTS, _MULTIPLES = 60, 80  # monomials u and m, the simplest: each u takes one QR decomposition a column
_DEGREE = 24  # of the series of F and G, as far as there are ten rows for each term
_SEEN = 0.15  # of y left, above which there is no such form
_BEST = 3  # choices of u, m and v for which F and G are looked up
_NAMED = 3  # shapes tried of F and of G
_SHARE = 0.4  # of the time


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
    other : int
        The column v.
    """

    error: float
    argument: Exponents
    multiple: Exponents
    other: int


def affine(problem: SearchProblem) -> Iterator[Template]:
    """Templates (F(u) + v G(u)) / m, with F and G from the library of one variable.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    for candidate in _candidates(problem)[:_BEST]:
        yield from _named(problem, candidate)
        if problem.budget.over():
            return


def _candidates(problem: SearchProblem) -> list[_Affine]:
    """The choices of u, m and v of which series leave less than 15 % of y, the best first."""
    if problem.width < 2:
        return []
    degree = int(min(_DEGREE, 0.1 * problem.rows))
    every = monomials(problem.width, most=_MULTIPLES)
    multiples = [e for e in every if np.all(np.isfinite(value(problem.x, e))) and np.all(value(problem.x, e) != 0)]
    arguments = sorted({direction(e) for e in every if any(e)}, key=lambda e: (length(e), e))[:_ARGUMENTS]
    problem.budget.charge("columns", 60 * len(every) * problem.rows)
    table = np.stack([problem.y * value(problem.x, e) for e in multiples], axis=1)
    weights = np.stack([1 / value(problem.x, e) for e in multiples], axis=1)
    found: list[_Affine] = []
    for argument in arguments:
        u = value(problem.x, argument)
        if not np.all(np.isfinite(u)):
            continue
        for other in range(problem.width):
            if argument[other] or problem.budget.over():
                continue
            q = np.linalg.qr(_basis(u, problem.x[:, other], degree))[0]
            leverage = np.minimum(np.sum(q**2, axis=1), 1 - 1e-9)[:, None]
            problem.budget.charge("decompose", problem.rows * q.shape[1] * (q.shape[1] + table.shape[1] + 20))
            left = (table - q @ (q.T @ table)) / (1 - leverage) * weights
            errors = np.sqrt(np.mean(left**2, axis=0)) / problem.unit
            for k in np.argsort(errors)[:2]:
                found.append(_Affine(float(errors[k]), argument, multiples[k], other))
    seen = [candidate for candidate in found if candidate.error < _SEEN]
    return sorted(seen, key=lambda r: np.log10(max(r.error, 1e-7)) + 0.3 * (length(r.argument) + length(r.multiple)))


def _basis(u: Rows, v: Rows, degree: int) -> Float64[np.ndarray, "rows terms"]:
    """The columns of a series in u, and of that series times v."""
    plain = series(u, degree)
    return np.concatenate([plain, plain * v[:, None]], axis=1)


def _named(problem: SearchProblem, candidate: _Affine) -> Iterator[Template]:
    """Templates of one choice: F and G as values on the rows first, then as shapes; all pairs of the best."""
    u, v = value(problem.x, candidate.argument), problem.x[:, candidate.other]
    m = value(problem.x, candidate.multiple)
    degree = int(min(_DEGREE, 0.1 * problem.rows))
    plain = series(u, degree)
    coefficients = np.linalg.lstsq(_basis(u, v, degree) / m[:, None], problem.y, rcond=1e-12)[0]
    problem.budget.charge("solve", problem.rows * (2 * degree + 2) ** 2)
    parts = plain @ coefficients[: degree + 1], plain @ coefficients[degree + 1 :]
    inner = Inner((expression(problem.columns, candidate.argument),), (1.0,), u)
    sizes = [float(np.sqrt(np.mean((part * w / m) ** 2))) / problem.unit for part, w in zip(parts, (1, v), strict=True)]
    options = []
    for part, size in zip(parts, sizes, strict=True):
        tolerance = max(candidate.error / max(size, 1e-12), 1e-9)
        if tolerance > 0.5:
            options.append([Template(sympy.Integer(0), {})])
        else:
            options.append([_whole(shape) for shape in _shapes(problem, inner, part, tolerance)])
    slot = problem.columns[candidate.other]
    multiple = expression(problem.columns, candidate.multiple)
    for first, second in product(*options):
        problem.budget.charge("build")
        joined = total([first, times([second, Template(slot, {})])], None)
        yield Template(joined.expression / multiple, joined.start, candidate.error)


def _shapes(problem: SearchProblem, inner: Inner, part: Rows, tolerance: float) -> list[Shape]:
    """The best shapes of a part, or a constant where the part does not vary."""
    if np.ptp(part) <= 3 * tolerance * np.sqrt(np.mean(part**2)):
        return [Shape((), float(np.mean(part)), 0.0)]
    return curve_shapes(inner, part, tolerance=tolerance, budget=problem.budget, most=_NAMED)


def _whole(shape: Shape) -> Template:
    """A shape with its offset, or the offset alone."""
    return shape.whole() if shape.terms else Template(sympy.Integer(0), {}).shifted(shape.offset)
