"""y m = F(u) + v G(u): monomials u and m and a column v, seen as series first, F and G named after."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._inner import Inner
from ..problem._monomials import Exponents, direction, expression, length, monomials, value
from ..problem._search_problem import Problem
from ..problem._template import Form, total
from ..problem._template import product as times
from ..problem._univariate import Shape, shapes
from ._similarity import series

Rows = Float64[np.ndarray, "rows"]

_ARGUMENTS, _MULTIPLES = 60, 80
_DEGREE = 24
_SEEN = 0.15  # of y left, above which there is no such form
_BEST = 3
_NAMED = 3  # shapes tried of F and of G
_SHARE = 0.4  # of the time


@dataclass(frozen=True)
class _Affine:
    """A reading of y, and what it leaves (leave-one-out, over y's deviation)."""

    error: float
    argument: Exponents
    multiple: Exponents
    other: int


def affine(problem: Problem) -> Iterator[Form]:
    """Forms (F(u) + v G(u)) / m, F and G from the library of one variable."""
    problem = replace(problem, clock=problem.clock.share(_SHARE))
    for reading in _readings(problem)[:_BEST]:
        yield from _named(problem, reading)
        if problem.clock.over():
            return


def _readings(problem: Problem) -> list[_Affine]:
    if problem.width < 2:
        return []
    degree = int(min(_DEGREE, 0.1 * problem.rows))
    every = monomials(problem.width, most=_MULTIPLES)
    multiples = [e for e in every if np.all(np.isfinite(value(problem.x, e))) and np.all(value(problem.x, e) != 0)]
    arguments = sorted({direction(e) for e in every if any(e)}, key=lambda e: (length(e), e))[:_ARGUMENTS]
    table = np.stack([problem.y * value(problem.x, e) for e in multiples], axis=1)
    weights = np.stack([1 / value(problem.x, e) for e in multiples], axis=1)
    found: list[_Affine] = []
    for argument in arguments:
        u = value(problem.x, argument)
        if not np.all(np.isfinite(u)):
            continue
        for other in range(problem.width):
            if argument[other] or problem.clock.over():
                continue
            q = np.linalg.qr(_basis(u, problem.x[:, other], degree))[0]
            leverage = np.minimum(np.sum(q**2, axis=1), 1 - 1e-9)[:, None]
            left = (table - q @ (q.T @ table)) / (1 - leverage) * weights
            errors = np.sqrt(np.mean(left**2, axis=0)) / problem.unit
            for k in np.argsort(errors)[:2]:
                found.append(_Affine(float(errors[k]), argument, multiples[k], other))
    seen = [reading for reading in found if reading.error < _SEEN]
    return sorted(seen, key=lambda r: np.log10(max(r.error, 1e-7)) + 0.3 * (length(r.argument) + length(r.multiple)))


def _basis(u: Rows, v: Rows, degree: int) -> Float64[np.ndarray, "rows terms"]:
    plain = series(u, degree)
    return np.concatenate([plain, plain * v[:, None]], axis=1)


def _named(problem: Problem, reading: _Affine) -> Iterator[Form]:
    """F and G, as values on the rows first, then as shapes of the library; all pairs of the best."""
    u, v = value(problem.x, reading.argument), problem.x[:, reading.other]
    m = value(problem.x, reading.multiple)
    degree = int(min(_DEGREE, 0.1 * problem.rows))
    plain = series(u, degree)
    coefficients = np.linalg.lstsq(_basis(u, v, degree) / m[:, None], problem.y, rcond=1e-12)[0]
    parts = plain @ coefficients[: degree + 1], plain @ coefficients[degree + 1 :]
    inner = Inner((expression(problem.columns, reading.argument),), (1.0,), u)
    sizes = [float(np.sqrt(np.mean((part * w / m) ** 2))) / problem.unit for part, w in zip(parts, (1, v), strict=True)]
    options = []
    for part, size in zip(parts, sizes, strict=True):
        tolerance = max(reading.error / max(size, 1e-12), 1e-9)
        if tolerance > 0.5:
            options.append([Form(sympy.Integer(0), {})])
        else:
            options.append([_whole(shape) for shape in _shapes(inner, part, tolerance)])
    slot = problem.columns[reading.other]
    multiple = expression(problem.columns, reading.multiple)
    for first, second in product(*options):
        joined = total([first, times([second, Form(slot, {})])], None)
        yield Form(joined.expression / multiple, joined.start, reading.error)


def _shapes(inner: Inner, part: Rows, tolerance: float) -> list[Shape]:
    if np.ptp(part) <= 3 * tolerance * np.sqrt(np.mean(part**2)):
        return [Shape((), float(np.mean(part)), 0.0)]
    return shapes(inner, part, tolerance=tolerance, most=_NAMED)


def _whole(shape: Shape) -> Form:
    return shape.whole() if shape.terms else Form(sympy.Integer(0), {}).shifted(shape.offset)
