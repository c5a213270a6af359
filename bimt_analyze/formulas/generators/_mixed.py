"""h(y) = p(x) + m F(u): a polynomial, and a monomial times one function of one thing, seen as a series first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from ..problem._inner import Inner, single, weighted
from ..problem._linear import needed, usable
from ..problem._monomials import Exponents, direction, expression, length, monomials, used, value
from ..problem._polynomial import Powers, count, evaluate, monomial, powers
from ..problem._search_problem import Problem
from ..problem._template import Form, linear, numeric, total
from ..problem._template import product as times
from ..problem._univariate import shapes
from ._inverted_targets import Target, targets
from ._similarity import series

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_ROWS = 300  # that readings are told apart on
_MULTIPLES, _ARGUMENTS = 120, 30
_DEGREE = 9
_FINE = 24
_SEEN = 0.1
_TOLERABLE, _CLEAR = 4.0, 1e-5  # times the least error, or below: as good as the best
_BEST = 3
_SHARE = 0.4


@dataclass(frozen=True)
class _Reading:
    """One way to read h(y): what the series leaves of it (relative to what p alone leaves), m and u."""

    error: float
    target: Target
    multiple: Exponents
    inner: Inner


def mixed(problem: Problem) -> Iterator[Form]:
    """Forms h(p + m F(u)) with h a function undone, p of degree two and F from the library of one variable."""
    problem = replace(problem, clock=problem.clock.share(_SHARE))
    exponents = next((powers(problem.width, d) for d in (2, 1) if 6 * count(problem.width, d) < problem.rows), ())
    if problem.width < 2 or not exponents:
        return
    for target in targets(problem):
        found = sorted(_readings(problem, target, exponents), key=lambda r: r.error)
        for reading in found[:_BEST]:
            yield from _named(problem, reading, exponents)
        if problem.clock.over():
            return


def _arguments(problem: Problem) -> Iterator[Inner]:
    """Columns, their sums and differences, and monomials."""
    width = problem.width
    for i in range(width):
        yield single(problem, i)
    for i in range(width):
        for j in range(i + 1, width):
            yield weighted(problem, (i, j), (1.0, -1.0))
            yield weighted(problem, (i, j), (1.0, 1.0))
    several = {direction(e) for e in monomials(width, most=_MULTIPLES) if used(e) > 1}
    for e in sorted(several, key=lambda e: (length(e), e)):
        values = value(problem.x, e)
        if np.all(np.isfinite(values)) and np.ptp(values) > 0:
            yield Inner((expression(problem.columns, e),), (1.0,), values)


def _readings(problem: Problem, target: Target, exponents: tuple[Powers, ...]) -> Iterator[_Reading]:
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    plain = evaluate(problem.x[some], exponents)
    if len(usable(plain)) < len(exponents):
        return
    basis = np.linalg.qr(plain / np.linalg.norm(plain, axis=0))[0]
    z = target.values[some] - basis @ (basis.T @ target.values[some])
    alone = float(np.linalg.norm(z))
    if not alone > 1e-9 * float(np.linalg.norm(target.values[some])):
        return
    every = [e for e in monomials(problem.width, most=_MULTIPLES) if _usable(value(problem.x, e))]
    multiples = np.stack([value(problem.x[some], e) for e in every])
    degree = int(min(_DEGREE, len(some) // 10))
    for inner, _ in zip(_arguments(problem), range(_ARGUMENTS), strict=False):
        if problem.clock.over():
            return
        columns = multiples[:, :, None] * series(inner.values[some], degree)[None]
        columns = columns - basis @ (basis.T @ columns)
        columns /= np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-300)
        q = np.linalg.qr(columns)[0]
        left = z - np.einsum("mnk,mk->mn", q, np.einsum("mnk,n->mk", q, z))
        errors = np.linalg.norm(left, axis=1) / alone
        least = float(np.min(errors))
        place = int(np.flatnonzero(errors <= max(_TOLERABLE * least, _CLEAR))[0])  # the simplest
        if least < _SEEN:
            yield _Reading(float(errors[place]), target, every[place], inner)


def _usable(values: Rows) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(values != 0))


def _named(problem: Problem, reading: _Reading, exponents: tuple[Powers, ...]) -> Iterator[Form]:
    """F's values from a finer series, its shapes, and for each of them the polynomial that is left."""
    plain, m = evaluate(problem.x, exponents), value(problem.x, reading.multiple)
    fine = series(reading.inner.values, int(min(_FINE, problem.rows // 12)))
    columns = np.concatenate([plain, fine * m[:, None]], axis=1)
    size = np.linalg.norm(columns, axis=0)
    z = reading.target.values
    coefficients = np.linalg.lstsq(columns / size, z, rcond=1e-11)[0] / size
    part = fine @ coefficients[len(exponents) :]
    left = float(np.sqrt(np.mean((z - columns @ coefficients) ** 2)))
    tolerance = max(left / max(float(np.std(part * m)), 1e-300), 1e-8)
    multiple = Form(expression(problem.columns, reading.multiple), {})
    for shape in shapes(reading.inner, part, tolerance=tolerance, most=4):
        named = shape.added()
        carried = numeric(named.filled(), problem.columns)(problem.x) * m
        if not np.all(np.isfinite(carried)):
            continue
        kept, found = needed(
            np.column_stack([plain, carried]), z, explained=lambda r: bool(np.max(np.abs(r)) <= 3 * left + 1e-10)
        )
        terms = [monomial(problem.columns, exponents[i]) for i in kept if i < len(exponents)]
        free = linear(terms, [float(c) for i, c in zip(kept, found, strict=True) if i < len(exponents)])
        joined = total([free, times([multiple, named])], None)
        yield Form(reading.target.spelled(joined.expression), joined.start, reading.error)
