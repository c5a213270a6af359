"""Every short expression held against y at once: alone, in pairs, and as a factor that makes y polynomial."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from heapq import nsmallest
from math import log2

import numpy as np
import sympy
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from ..generators._inverted_targets import Target, all_targets, targets
from ..problem._least_squares import needed, usable
from ..problem._monomials import expression, monomials, used, value
from ..problem._polynomial import Powers, count, evaluate, monomial, powers
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, linear
from ._expression_pool import Pool, build_pool

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "_ _"]
BuildExpression = Callable[[], sympy.Expr]
_Multiple = tuple[Rows, BuildExpression, int]  # values, how to build the expression, nodes

_ROWS = 300  # on which candidates are compared; the best are decided on all
_LARGE, _ENOUGH = 0.1, 120  # share of the largest |y|, and rows
_FEATURES = 24_000  # of the pool: 58 MB at 300 rows
_LEFT, _RIGHT = 1200, 5000  # features of a product
_SUMMED = 2500  # features of a sum of two
_MULTIPLES = 400  # monomials that y is multiplied by
_COLUMNS = 60  # of a polynomial
_LAURENT = 90  # products of powers
_ROOTED = 4  # nodes of f in sqrt(1 - f)
_EXACT = 1e-6  # relative error below which a match is no chance
_SEEN = 1e-8  # relative error that products of unit vectors can tell from none
_BEST = 24  # candidates a test
_LOOSE = 0.5  # relative error in y above which a match is dropped
_SHARE = 0.5  # of the time
_NODE, _CONSTANT = 3.0, 10.0  # bits


@dataclass(frozen=True)
class _Match:
    """A candidate.

    Attributes
    ----------
    bits : float
        Its description length on the rows seen.
    error : float
        Its relative error.
    template : callable
        Gives its template.
    """

    bits: float
    error: float
    template: Callable[[], Template]


Test = Callable[[SearchProblem, Pool], Iterator[_Match]]


def matched(problem: SearchProblem, tests: Sequence[Test] | None = None) -> Iterator[Template]:
    """Templates from a pool of short expressions f, g of the columns, y undone by each function h in turn.

    1. h(y m) = a times a product of powers, for monomials m;
    2. h(y m) = a f + d;
    3. h(y) f = a polynomial of low degree;
    4. h(y) = a f g + b f;
    5. h(y) = a f + b g + d.

    Matches that no chance explains come at once, the shortest first; the best of the others at the end. On noisy rows
    "best" is the shortest description: rows * log2(error) and three bits for each node.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the clock.
    tests : sequence of callables, optional
        Some of these tests; all of them where none are named.
    """
    if problem.width == 0 or problem.rows < 8:
        return
    problem = replace(problem, clock=problem.clock.share(_SHARE))
    some = _telling(problem.y)
    seen = replace(problem, x=problem.x[some], y=problem.y[some])
    pool = build_pool(seen.x, problem.columns, limit=_FEATURES, clock=problem.clock.share(0.2))
    later: list[_Match] = []
    for test in TESTS if tests is None else tests:
        if problem.clock.over():
            break
        found = list(test(seen, pool))
        sure = [match for match in found if match.error < _EXACT]
        yield from (match.template() for match in nsmallest(_BEST, sure, key=lambda m: m.bits))
        later += nsmallest(_BEST, (m for m in found if m.error >= _EXACT), key=lambda m: m.bits)
    yield from (match.template() for match in nsmallest(_BEST, later, key=lambda m: m.bits))


def _telling(y: Rows) -> Int64[np.ndarray, " some"]:
    """Rows on which candidates are compared: of those where y is not small, if there are enough.

    Functions are undone there, and noise that is small beside y stays small.
    """
    large = np.flatnonzero(np.abs(y) >= _LARGE * np.max(np.abs(y)))
    rows = large if len(large) >= _ENOUGH else np.arange(len(y))
    return rows[np.linspace(0, len(rows) - 1, min(_ROWS, len(rows))).astype(np.int64)]


def _match(problem: SearchProblem, error: float, size: int, constants: int, template: Callable[[], Template]) -> _Match:
    """A candidate with its description length."""
    bits = problem.rows * log2(max(error, _SEEN, problem.tolerance)) + _NODE * size + _CONSTANT * constants
    return _Match(bits, error, template)


def _unit(values: Matrix) -> Matrix:
    """The rows of a matrix with mean zero and length one; zero where they do not vary."""
    centred = values - np.mean(values, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        flat = ~(length > 1e-9 * np.linalg.norm(values, axis=1, keepdims=True))
        return np.where(flat | ~np.isfinite(length), 0.0, centred / length)


def _best(
    errors: Float64[np.ndarray, "..."], sizes: Int64[np.ndarray, "..."], rows: int, *, most: int = 4 * _BEST
) -> list[int]:
    """The flat places of the least description lengths."""
    bits = (rows * np.log2(np.maximum(errors, _SEEN)) + _NODE * sizes).ravel()
    most = min(most, bits.size)
    return [int(place) for place in np.argpartition(bits, most - 1)[:most]] if most else []


def _fitted(target: Target, columns: Float64[np.ndarray, "rows columns"]) -> tuple[list[float], Rows]:
    """Least squares on z: the coefficients, and z at these."""
    size = np.max(np.abs(columns), axis=0)
    size[size == 0] = 1.0
    coefficients = np.linalg.lstsq(columns / size, target.values, rcond=1e-13)[0] / size
    return [float(c) for c in coefficients], columns @ coefficients


def _solved(
    problem: SearchProblem,
    target: Target,
    terms: Sequence[BuildExpression],
    columns: Sequence[Rows],
    size: int,
) -> _Match | None:
    """The match y = h(sum of terms, each times a constant) / m, judged by its error in y."""
    coefficients, z = _fitted(target, np.stack(columns, axis=1))
    error = float(target.misses(problem, z[None])[0])
    if not error < _LOOSE:
        return None

    def template() -> Template:
        inner = linear([term() for term in terms], coefficients, error=error)
        return Template(target.build(inner.expression), inner.start, error)

    return _match(problem, error, size, len(terms), template)


def _one() -> sympy.Expr:
    """The number 1, as the expression of a constant column."""
    return sympy.Integer(1)


def _power_laws(problem: SearchProblem, pool: Pool) -> Iterator[_Match]:
    """Test 1: log|h(y m)| is linear in the logarithms of the columns.

    Powers are put to sixths where they are close.
    """
    used = [i for i in range(problem.width) if np.all(problem.x[:, i] != 0)]
    if not used or 2 * len(used) >= problem.rows:
        return
    logs = np.column_stack([np.ones(problem.rows), np.log(np.abs(problem.x[:, used]))])
    basis = np.linalg.qr(logs)[0]
    asked = [t for t in all_targets(problem, monomials(problem.width, most=_MULTIPLES)) if np.all(t.values != 0)]
    if not asked:
        return
    z = np.log(np.abs(np.stack([t.values for t in asked])))
    left = np.sqrt(np.mean((z - (z @ basis) @ basis.T) ** 2, axis=1))
    sizes = np.array([t.size for t in asked]) + 4 * len(used)
    for place in _best(left / np.maximum(np.std(z, axis=1), 1e-12), sizes, problem.rows, most=_BEST):
        if problem.clock.over():
            return
        target, found = asked[place], np.linalg.lstsq(logs, z[place], rcond=1e-12)[0][1:]
        near = np.round(found * 6) / 6
        near = np.where(np.abs(near - found) < 0.05, near, np.round(found, 3))
        base = problem.x[:, used] if np.all(near == np.round(near)) else np.abs(problem.x[:, used])
        with np.errstate(all="ignore"):
            column = np.prod(base**near, axis=1)
        if not np.all(np.isfinite(column)):
            continue
        terms = [
            problem.columns[i] ** sympy.Rational(str(round(float(p), 3))).limit_denominator(6)
            for i, p in zip(used, near, strict=True)
        ]
        size = target.size + 3 * int(np.count_nonzero(near))
        match = _solved(problem, target, [partial(sympy.Mul, *terms)], [column], size)
        if match is not None:
            yield match


def _alone(problem: SearchProblem, pool: Pool) -> Iterator[_Match]:
    """Test 2: one feature, against y times every monomial."""
    features = _unit(pool.values)
    every = monomials(problem.width, most=_MULTIPLES)
    for start in range(0, len(every), 40):
        asked = all_targets(problem, every[start : start + 40])
        if not asked or problem.clock.over():
            return
        cosines = _unit(np.stack([t.values for t in asked])) @ features.T
        errors = np.sqrt(np.maximum(1 - cosines**2, 0.0))
        sizes = pool.sizes[None, :] + np.array([t.size for t in asked])[:, None]
        for place in _best(errors, sizes, problem.rows, most=_BEST):
            t, k = divmod(place, len(pool))
            match = _solved(
                problem,
                asked[t],
                [partial(pool.expression, k), _one],
                [pool.values[k], np.ones(problem.rows)],
                int(sizes[t, k]),
            )
            if match is not None:
                yield match


def _polynomial_multiples(problem: SearchProblem, pool: Pool) -> Iterator[_Match]:
    """Test 3: y times a monomial or a feature, against polynomials of low degree."""
    powers_of = monomials(problem.width, most=_MULTIPLES)
    multiples: list[_Multiple] = [
        (v, partial(expression, problem.columns, e), 2 * used(e))
        for e in powers_of
        if np.all(np.isfinite(v := value(problem.x, e)))
    ]
    multiples += list(_roots(pool))
    values = np.concatenate([np.stack([v for v, _, _ in multiples]), pool.values])
    sizes = np.concatenate([[s for _, _, s in multiples], pool.sizes]).astype(np.int64)
    for exponents, columns in _spaces(problem):
        basis = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))[0]
        for target in targets(problem):
            if problem.clock.over():
                return
            with np.errstate(all="ignore"):
                z = values * target.values
                whole = np.sum(z**2, axis=1)
                spread = whole - np.sum(z, axis=1) ** 2 / problem.rows
                left = np.maximum(whole - np.sum((z @ basis) ** 2, axis=1), 0.0)
                errors = np.sqrt(left / np.maximum(spread, 1e-12 * whole))
            errors = np.where(np.isfinite(errors), errors, np.inf)
            for k in _best(errors, sizes, problem.rows, most=_BEST):
                build = multiples[k][1] if k < len(multiples) else partial(pool.expression, k - len(multiples))
                match = _quotient(problem, target, values[k], build, (exponents, columns), int(sizes[k]))
                if match is not None:
                    yield match


def _spaces(problem: SearchProblem) -> Iterator[tuple[Sequence[Powers], Matrix]]:
    """Polynomials of growing degree; then products of powers, negative ones too."""
    whole = [e for e in monomials(problem.width, most=_MULTIPLES) if all(v.denominator == 1 for v in e)]
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
) -> _Match | None:
    """The match y = h(p / f), p with as few terms as explain z f."""
    exponents, columns = space
    z = target.values * f
    whole = columns @ np.linalg.lstsq(columns, z, rcond=1e-13)[0]
    with np.errstate(all="ignore"):
        error = float(target.misses(problem, (whole / f)[None])[0])
    if not error < (_LOOSE if len(exponents) <= _COLUMNS and min(map(min, exponents)) >= 0 else _EXACT):
        return None  # so many products of powers fit anything nearly

    def template() -> Template:
        limit = 1e-10 * float(np.max(np.abs(z)))  # else columns leave by the information criterion
        kept, coefficients = needed(columns, z, explained=lambda r: bool(np.max(np.abs(r)) <= limit))
        terms = [monomial(problem.columns, exponents[i]) for i in kept]
        inner = linear(terms, [float(c) for c in coefficients], error=error)
        return Template(target.build(inner.expression / build()), inner.start, error)

    return _match(problem, error, size + target.size + 2, len(exponents), template)


def _products(problem: SearchProblem, pool: Pool) -> Iterator[_Match]:
    """Test 4: one feature times another, plus the first."""
    left, right = pool.first(_LEFT), _unit(pool.first(_RIGHT))
    for target in targets(problem):
        if problem.clock.over():
            return
        with np.errstate(all="ignore"):
            quotients = target.values / left
            weight = np.std(quotients, axis=1) * np.sqrt(np.mean(left**2, axis=1)) / np.std(target.values)
        usable_ = np.all(np.isfinite(quotients), axis=1) & np.isfinite(weight)
        quotients = np.where(usable_[:, None], quotients, 0.0)
        cosines = _unit(quotients) @ right.T
        errors = np.sqrt(np.maximum(1 - cosines**2, 0.0)) * np.where(usable_, weight, np.inf)[:, None]
        sizes = pool.sizes[: len(left), None] + pool.sizes[None, : len(right)] + target.size + 1
        for place in _best(errors, sizes, problem.rows):
            f, g = divmod(place, len(right))
            one, two = pool.values[f], pool.values[g]
            match = _solved(
                problem,
                target,
                [partial(_product, pool, f, g), partial(pool.expression, f)],
                [one * two, one],
                int(sizes[f, g]),
            )
            if match is not None:
                yield match


def _product(pool: Pool, f: int, g: int) -> sympy.Expr:
    """The expression of two features' product."""
    return pool.expression(f) * pool.expression(g)


def _sums(problem: SearchProblem, pool: Pool) -> Iterator[_Match]:
    """Test 5: two features, from the correlations of all pairs."""
    features = _unit(pool.first(_SUMMED))
    inner = features @ features.T
    apart = 1 - inner**2
    apart[apart < 1e-6] = np.inf
    sizes = pool.sizes[: len(features), None] + pool.sizes[None, : len(features)]
    above: tuple[NDArray[np.intp], NDArray[np.intp]] = np.triu_indices(len(features), 1)
    for target in targets(problem):
        if problem.clock.over():
            return
        r = features @ _unit(target.values[None])[0]
        left = 1 - (r[:, None] ** 2 + r[None, :] ** 2 - 2 * inner * np.outer(r, r)) / apart
        errors = np.sqrt(np.maximum(left[above], 0.0))
        for place in _best(errors, sizes[above] + target.size + 1, problem.rows):
            f, g = int(above[0][place]), int(above[1][place])
            match = _solved(
                problem,
                target,
                [partial(pool.expression, f), partial(pool.expression, g), _one],
                [pool.values[f], pool.values[g], np.ones(problem.rows)],
                int(sizes[f, g]) + target.size + 1,
            )
            if match is not None:
                yield match


QUICK_TESTS: tuple[Test, ...] = (_power_laws, _polynomial_multiples)
SLOW_TESTS: tuple[Test, ...] = (_alone, _products, _sums)
TESTS = (*QUICK_TESTS, *SLOW_TESTS)
