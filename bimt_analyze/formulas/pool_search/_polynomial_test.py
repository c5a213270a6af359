"""Test 3: y times a monomial or an expression of the pool against polynomials of low degree."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import sympy

from ..generators._inverted_targets import Target, targets
from ..problem._least_squares import needed, usable
from ..problem._monomials import expression, monomials, used, value
from ..problem._polynomial import Powers, count, evaluate, monomial, powers
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, linear
from ._candidate_match import (
    BEST,
    ELEMENTWISE,
    EXACT,
    LOOSE,
    MULTIPLES,
    BuildExpression,
    Match,
    Matrix,
    Rows,
    best_places,
    match_of,
)
from ._expression_pool import Pool

_Multiple = tuple[Rows, BuildExpression, int]  # values, how to build the expression, nodes


_COLUMNS = 60  # of a polynomial
_LAURENT = 90  # products of powers
_ROOTED = 4  # nodes of f in sqrt(1 - f)


def polynomial_multiples(problem: SearchProblem, pool: Pool) -> Iterator[Match]:
    """Test 3: y times a monomial or a feature, against polynomials of low degree.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    pool : Pool
        The short expressions.
    """
    powers_of = monomials(problem.width, most=MULTIPLES)
    multiples: list[_Multiple] = [
        (v, partial(expression, problem.columns, e), 2 * used(e))
        for e in powers_of
        if np.all(np.isfinite(v := value(problem.x, e)))
    ]
    multiples += list(_roots(pool))
    values = np.concatenate([np.stack([v for v, _, _ in multiples]), pool.values])
    sizes = np.concatenate([[s for _, _, s in multiples], pool.sizes]).astype(np.int64)
    spaces = [(space, np.linalg.qr(space[1] / np.linalg.norm(space[1], axis=0))[0]) for space in _spaces(problem)]
    problem.budget.charge("columns", 5 * values.size)
    for target in targets(problem):
        problem.budget.charge("columns", 5 * values.size)
        z = values * target.values
        with np.errstate(all="ignore"):
            whole = np.einsum("ij,ij->i", z, z)
            spread = whole - np.sum(z, axis=1) ** 2 / problem.rows
        for space, basis in spaces:
            if problem.budget.over():
                return
            problem.budget.charge("compare", values.size * (basis.shape[1] + 1) + ELEMENTWISE * len(values))
            along = z @ basis
            with np.errstate(all="ignore"):
                left = np.maximum(whole - np.einsum("ij,ij->i", along, along), 0.0)
                squares = left / np.maximum(spread, 1e-12 * whole)
            squares = np.where(np.isfinite(squares), squares, np.inf)
            for k in best_places(squares, [sizes], problem.rows, most=BEST):
                build = multiples[k][1] if k < len(multiples) else partial(pool.expression, k - len(multiples))
                match = _quotient(problem, target, values[k], build, space, int(sizes[k]))
                if match is not None:
                    yield match


def _spaces(problem: SearchProblem) -> Iterator[tuple[Sequence[Powers], Matrix]]:
    """Polynomials of growing degree; then products of powers, negative ones too."""
    whole = [e for e in monomials(problem.width, most=MULTIPLES) if all(v.denominator == 1 for v in e)]
    laurent = [tuple(int(v) for v in e) for e in whole]
    degrees = [powers(problem.width, d) for d in (1, 2, 3) if count(problem.width, d) <= _COLUMNS]
    for exponents in (*degrees, laurent[: min(_LAURENT, problem.rows // 3)]):
        with np.errstate(all="ignore"):
            columns = evaluate(problem.x, exponents)
        if len(usable(columns)) == len(exponents) and 3 * len(exponents) <= problem.rows:
            yield exponents, columns


def _roots(pool: Pool) -> Iterator[_Multiple]:
    """The features sqrt(1 + f), sqrt(1 - f), and one over them, which are too long for a pool of many columns."""
    for k in np.flatnonzero(pool.sizes <= _ROOTED):
        for sign in (1, -1):
            inside = 1 + sign * pool.values[k]
            if np.min(inside) > 0:
                root = np.sqrt(inside)
                size = int(pool.sizes[k])
                yield root, partial(_root, pool, int(k), sign, 1), size + 2
                yield 1 / root, partial(_root, pool, int(k), sign, -1), size + 3


def _root(pool: Pool, k: int, sign: int, power: int) -> sympy.Expr:
    """The expression of one of those features."""
    return sympy.sqrt(1 + sign * pool.expression(k)) ** power


def _quotient(
    problem: SearchProblem,
    target: Target,
    f: Rows,
    build: BuildExpression,
    space: tuple[Sequence[Powers], Matrix],
    size: int,
) -> Match | None:
    """The match y = h(p / f), p with as few terms as explain z f."""
    exponents, columns = space
    z = target.values * f
    problem.budget.charge("solve", problem.rows * len(exponents) ** 2)
    whole = columns @ np.linalg.lstsq(columns, z, rcond=1e-13)[0]
    with np.errstate(all="ignore"):
        error = float(target.misses(problem, (whole / f)[None])[0])
    if not error < (LOOSE if len(exponents) <= _COLUMNS and min(map(min, exponents)) >= 0 else EXACT):
        return None  # so many products of powers fit anything nearly

    def template() -> Template:
        limit = 1e-10 * float(np.max(np.abs(z)))  # else columns leave by the information criterion
        scale = np.ones(len(z))

        def met(r: Rows) -> bool:
            return bool(np.max(np.abs(r)) <= limit)

        explained: Callable[[Rows], bool] = met
        if problem.row_weights is not None and np.array_equal(target.values, problem.y):
            explained, scale = problem.explained, problem.row_weights / f  # in y, as rounding has it
        kept, coefficients = needed(columns * scale[:, None], z * scale, explained=explained, budget=problem.budget)
        terms = [monomial(problem.columns, exponents[i]) for i in kept]
        inner = linear(terms, [float(c) for c in coefficients], error=error)
        return Template(target.build(inner.expression / build()), inner.start, error)

    return match_of(problem, error, size + target.size + 2, len(exponents), template)
