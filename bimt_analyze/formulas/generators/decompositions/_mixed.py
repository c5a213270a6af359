"""Forms h(y) = p(x) + m F(u): a polynomial, and a monomial times one function, fitted as a series first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from ...curves._curve_shapes import curve_shapes
from ...problem._inner import Inner, single, weighted
from ...problem._least_squares import lengths, needed, usable
from ...problem._monomials import Exponents, direction, expression, length, monomials, used, value
from ...problem._polynomial import Powers, count, evaluate, monomial, powers
from ...problem._search_problem import SearchProblem
from ...problem._template import Template, linear, numeric, total
from ...problem._template import product as times
from .._inverted_targets import Target, targets
from ._similarity import series

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_ROWS = 300  # on which decompositions are compared
_MULTIPLES, _ARGUMENTS = 120, 30  # monomials m, and arguments u: every pair takes one QR decomposition
_DEGREE = 9  # of the series that decompositions are compared by
_FINE = 24  # degree of the series that F is read from, as far as there are twelve rows for each term
_SEEN = 0.1  # of what p alone leaves, above which there is no such decomposition
_TOLERABLE, _CLEAR = 4.0, 1e-5  # times the least error, or below: as good as the best
_ELEMENTWISE = 20  # columns of a decomposition that the operations on one are worth
_BEST = 3  # decompositions for which F is looked up
_SHARE = 0.4  # of the time


@dataclass(frozen=True)
class _Decomposed:
    """One choice of h, m and u.

    Attributes
    ----------
    error : float
        What the series leaves of h(y), relative to what p alone leaves.
    target : Target
        The values h(y).
    multiple : tuple of Fraction
        The powers of m.
    inner : Inner
        The argument u.
    """

    error: float
    target: Target
    multiple: Exponents
    inner: Inner


def mixed(problem: SearchProblem) -> Iterator[Template]:
    """Templates h(p + m F(u)) with h a function undone, p of degree two and F from the library of one variable.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    exponents = next((powers(problem.width, d) for d in (2, 1) if 6 * count(problem.width, d) < problem.rows), ())
    if problem.width < 2 or not exponents:
        return
    for target in targets(problem):
        found = sorted(_decompositions(problem, target, exponents), key=lambda r: r.error)
        for decomposed in found[:_BEST]:
            yield from _named(problem, decomposed, exponents)
        if problem.budget.over():
            return


def _arguments(problem: SearchProblem) -> Iterator[Inner]:
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


def _decompositions(problem: SearchProblem, target: Target, exponents: tuple[Powers, ...]) -> Iterator[_Decomposed]:
    """For each argument u, the simplest m whose series leaves about the least of h(y)."""
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    plain = evaluate(problem.x[some], exponents)
    if len(usable(plain)) < len(exponents):
        return
    basis = np.linalg.qr(plain / np.linalg.norm(plain, axis=0))[0]
    z = target.values[some] - basis @ (basis.T @ target.values[some])
    problem.budget.charge("columns", 30 * problem.rows * _MULTIPLES)
    alone = float(np.linalg.norm(z))
    if not alone > 1e-9 * float(np.linalg.norm(target.values[some])):
        return
    every = [e for e in monomials(problem.width, most=_MULTIPLES) if _usable(value(problem.x, e))]
    multiples = np.stack([value(problem.x[some], e) for e in every])
    degree = int(min(_DEGREE, len(some) // 10))
    for inner, _ in zip(_arguments(problem), range(_ARGUMENTS), strict=False):
        if problem.budget.over():
            return
        columns = multiples[:, :, None] * series(inner.values[some], degree)[None]
        columns = columns - basis @ (basis.T @ columns)
        columns /= np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-300)
        q = np.linalg.qr(columns)[0]
        size = columns.size * (columns.shape[2] + plain.shape[1] + _ELEMENTWISE)
        problem.budget.charge("decompose", 2 * size)
        left = z - np.einsum("mnk,mk->mn", q, np.einsum("mnk,n->mk", q, z))
        errors = np.linalg.norm(left, axis=1) / alone
        least = float(np.min(errors))
        place = int(np.flatnonzero(errors <= max(_TOLERABLE * least, _CLEAR))[0])  # the simplest
        if least < _SEEN:
            yield _Decomposed(float(errors[place]), target, every[place], inner)


def _usable(values: Rows) -> bool:
    """Whether all values are finite and not zero."""
    return bool(np.all(np.isfinite(values)) and np.all(values != 0))


def _named(problem: SearchProblem, decomposed: _Decomposed, exponents: tuple[Powers, ...]) -> Iterator[Template]:
    """Templates: F's values from a finer series, its shapes, and for each of them the polynomial that is left."""
    plain, m = evaluate(problem.x, exponents), value(problem.x, decomposed.multiple)
    fine = series(decomposed.inner.values, int(min(_FINE, problem.rows // 12)))
    columns = np.concatenate([plain, fine * m[:, None]], axis=1)
    size = lengths(columns)
    z = decomposed.target.values
    coefficients = np.linalg.lstsq(columns / size, z, rcond=1e-11)[0] / size
    problem.budget.charge("solve", problem.rows * columns.shape[1] ** 2)
    part = fine @ coefficients[len(exponents) :]
    left = float(np.sqrt(np.mean((z - columns @ coefficients) ** 2)))
    tolerance = max(left / max(float(np.std(part * m)), 1e-300), 1e-8)
    multiple = Template(expression(problem.columns, decomposed.multiple), {})
    for shape in curve_shapes(decomposed.inner, part, tolerance=tolerance, budget=problem.budget, most=4):
        named = shape.added()
        problem.budget.charge("lambdify")
        carried = numeric(named.filled(), problem.columns)(problem.x) * m
        if not np.all(np.isfinite(carried)):
            continue
        kept, found = needed(
            np.column_stack([plain, carried]), z, explained=lambda r: bool(np.max(np.abs(r)) <= 3 * left + 1e-10),
            budget=problem.budget,
        )  # fmt: skip
        terms = [monomial(problem.columns, exponents[i]) for i in kept if i < len(exponents)]
        free = linear(terms, [float(c) for i, c in zip(kept, found, strict=True) if i < len(exponents)])
        joined = total([free, times([multiple, named])], None)
        yield Template(decomposed.target.build(joined.expression), joined.start, decomposed.error)
