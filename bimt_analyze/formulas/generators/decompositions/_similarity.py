"""Forms y = F(u) / m with monomials u and m: found by sorting, whatever F is, then solved in one variable."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import sympy
from jaxtyping import Float64

from ...problem._budget import Budget
from ...problem._monomials import Exponents, direction, expression, length, monomials, used, value
from ...problem._search_problem import SearchProblem, deviation
from ...problem._template import Template

Rows = Float64[np.ndarray, "rows"]
Stages = Sequence[Callable[[SearchProblem], Iterator[Template]]]

_ARGUMENTS, _MULTIPLES = 160, 400  # monomials u and m, the simplest: every pair is one sort and one mean
_ROWS = 1000  # that are sorted, spread over all
_FEWEST = 30  # rows below which neighbours are too far apart to say anything
_NEAR = 4  # multiples kept of an argument
_ROUGH = 0.25  # of the variance left between neighbours, above which y m is no function of u
_FAMILIES = 2  # of pairs that differ by a power of u
_BEST = 4  # questions that are asked of each
_POWERS = tuple(map(Fraction, (0, 1, -1, 2, -2, 0.5, -0.5)))  # k of m u**k, the simple ones
_TOLERABLE = 5.0  # times the smallest roughness: what else is worth a question
_PLAIN = 0.03  # error of a series, or roughness, from which it is worth the slow generators
_QUICK = 4  # generators that are quick
_SHARE, _SURE = 0.3, 0.6  # of the time; where y m is a function of u for all that a series shows
_JUDGED = 80  # pairs that a series is fitted to
_DEGREE = 36  # of the series, as far as there are five rows for each term: it follows a wave of ten periods
_NOISY = 1e-3  # an error from which noise is likely, and then
_LIMITED = 0.2  # of what rounding leaves, from which on rounding decides what a series leaves
_ALIKE = 1.15  # times the least error: as good as the best
_POWERS_OF = 30  # operations on a row that a product of powers takes
_CLEAR = 1e-5  # what a series may leave of an exact function


@dataclass(frozen=True)
class Similarity:
    """A pair of monomials u and m for which y m is nearly a function of u alone.

    Attributes
    ----------
    argument : tuple of Fraction
        The powers of u.
    multiple : tuple of Fraction
        The powers of m.
    rough : float
        The share of the variance of y m that lies between neighbours in the order of u.
    """

    argument: Exponents
    multiple: Exponents
    rough: float


@dataclass(frozen=True)
class _Judged:
    """A pair, and what a series of u over m leaves of y."""

    left: float
    pair: Similarity


def similarities(problem: SearchProblem) -> list[Similarity]:
    """Pairs of monomials u, m for which y m, in the order of u, goes up and down the least; the best first.

    The measure is von Neumann's: the mean squared difference of neighbours over twice the variance, about 1 where
    y m does not depend on u, and about noise**2 / variance where it is a function of u and the rows are dense.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if problem.width < 2 or problem.rows < _FEWEST:
        return []
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    x, y = problem.x[some], problem.y[some]
    multiples, scaled = [], []
    for e in monomials(problem.width, most=_MULTIPLES):
        if problem.budget.over():
            return []
        m = value(x, e)
        problem.budget.charge("columns", _POWERS_OF * len(y))
        if not np.all(np.isfinite(m)) or np.any(m == 0):
            continue
        with np.errstate(all="ignore"):
            z = y * m
        if np.all(np.isfinite(z)) and np.std(z) > 1e-9 * np.max(np.abs(z)):
            multiples.append(e)
            scaled.append((z - np.mean(z)) / np.std(z))
    if not multiples:
        return []
    table = np.stack(scaled)
    arguments = {direction(e) for e in monomials(problem.width, most=_MULTIPLES) if used(e) > 1}
    found: list[Similarity] = []
    for argument in sorted(arguments, key=lambda e: (length(e), e))[:_ARGUMENTS]:
        u = value(x, argument)
        if problem.budget.over() or not np.all(np.isfinite(u)):
            continue
        problem.budget.charge("columns", 4 * table.size)
        ordered = table[:, np.argsort(u, kind="stable")]
        rough = np.mean(np.diff(ordered, axis=1) ** 2, axis=1) / 2
        near = np.flatnonzero(rough <= _TOLERABLE * max(float(np.min(rough)), 1e-5))[:_NEAR]  # simplest first
        found += [Similarity(argument, multiples[k], float(rough[k])) for k in near]
    return sorted(found, key=lambda s: s.rough)


def similar(problem: SearchProblem, stages: Stages) -> Iterator[Template]:
    """Templates of y m over u in place of the columns; each generator is asked of every pair in turn.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    stages : sequence of callables
        The generators that are asked about the smaller problem, in their order.
    """
    yield from _answers(problem, stages, _judged(problem))


def low_error_similar(problem: SearchProblem, stages: Stages) -> Iterator[Template]:
    """The templates of `similar`, where a series leaves less than 0.1 % of y, so that some y m is a function of u.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    stages : sequence of callables
        The generators that are asked about the smaller problem, in their order.
    """
    judged = _judged(problem)
    if judged and judged[0].left < _noisy(problem):
        yield from _answers(problem, stages, judged)


def _judged(problem: SearchProblem) -> list[_Judged]:
    """The pairs worth a search with what a series leaves, the least first."""
    found = [s for s in similarities(problem)[:_JUDGED] if s.rough < _ROUGH]
    judged = [_Judged(smooth_error(problem, pair), pair) for pair in found if not problem.budget.over()]
    return sorted(judged, key=lambda j: j.left)


def _answers(problem: SearchProblem, stages: Stages, judged: Sequence[_Judged]) -> Iterator[Template]:
    """Templates for the simplest of the best pairs; slow generators only where a pair is clear."""
    if not judged:
        return
    least = judged[0].left
    problem = replace(problem, budget=problem.budget.share(_SURE if least < _noisy(problem) else _SHARE))
    sharp = (
        least < _noisy(problem) and least < _LIMITED * problem.floor / _spread(problem)
        if problem.tolerance
        else least < _NOISY
    )
    most = max((_TOLERABLE if sharp else _ALIKE) * least, _CLEAR)
    families = sorted(
        {(j.pair.argument, free_of(j.pair.multiple, j.pair.argument)) for j in judged if j.left <= most},
        key=lambda f: length(f[0]) + length(f[1]),
    )
    chosen = [pair for family in families[:_FAMILIES] for pair in _members(problem, *family)[:_BEST]]
    clear = least < _PLAIN or min(j.pair.rough for j in judged) < _PLAIN
    for generate in stages if clear else stages[:_QUICK]:
        for template in _in_turn([_asked(problem, pair, generate) for pair in chosen]):
            yield template
            if problem.budget.over():
                return


def _noisy(problem: SearchProblem) -> float:
    """What a series may leave of y where y m is a function of u: more where rounding alone leaves more."""
    return max(_NOISY, 2 * problem.floor / _spread(problem) if problem.tolerance else 0.0)


def _spread(problem: SearchProblem) -> float:
    """The deviation of y as its rows count: over decades that of most rows is far less than that of all alike."""
    if problem.row_weights is None:
        return problem.unit
    middle = np.average(problem.y, weights=problem.row_weights**2)
    return deviation((problem.y - middle) * problem.row_weights)


def _in_turn(questions: Sequence[Iterator[Template]]) -> Iterator[Template]:
    """One template of each search at a time: a slow search of one pair does not hold up the right one."""
    left = list(questions)
    while left:
        for question in list(left):
            template = next(question, None)
            if template is None:
                left.remove(question)
            else:
                yield template


def smooth_error(problem: SearchProblem, pair: Similarity) -> float:
    """What a Legendre series of u, or of log u, over m leaves of y (leave-one-out, over its deviation as rows count).

    It is far sharper than the order of neighbours, but blind to functions that go up and down too often for the series.

    Parameters
    ----------
    problem : SearchProblem
        The rows.
    pair : Similarity
        The monomials u and m.
    """
    u, m = value(problem.x, pair.argument), value(problem.x, pair.multiple)
    highest = int(min(_DEGREE, 0.2 * problem.rows))
    weights = np.ones(len(u)) if problem.row_weights is None else problem.row_weights
    degrees = [highest] if not problem.tolerance else [highest // 6, highest // 3, highest]  # a long one follows noise
    problem.budget.charge("columns", 4 * sum(degrees) * len(u))
    scales = [u, np.log(u)] if np.all(u > 0) else [u]
    bases = (series(t, degree) * (weights / m)[:, None] for t in scales for degree in degrees)
    return min(left_out_error(basis, weights * problem.y, budget=problem.budget) for basis in bases) / _spread(problem)


def series(t: Rows, degree: int) -> Float64[np.ndarray, "rows terms"]:
    """Legendre polynomials over the range of t.

    Parameters
    ----------
    t : array of shape [rows]
        The argument.
    degree : int
        The highest degree.
    """
    low, high = float(np.min(t)), float(np.max(t))
    return np.asarray(np.polynomial.legendre.legvander((2 * t - low - high) / max(high - low, 1e-300), degree))


def left_out_error(basis: Float64[np.ndarray, "rows columns"], y: Rows, *, budget: Budget) -> float:
    """Root mean square of the leave-one-out residuals of least squares (Allen's PRESS).

    Parameters
    ----------
    basis : array of shape [rows, columns]
        The regressors.
    y : array of shape [rows]
        What they explain.
    budget : Budget
        Is charged.
    """
    q = np.linalg.qr(basis)[0]
    budget.charge("decompose", basis.size * basis.shape[1])
    leverage = np.minimum(np.sum(q**2, axis=1), 1 - 1e-9)
    return float(np.sqrt(np.mean(((y - q @ (q.T @ y)) / (1 - leverage)) ** 2)))


def free_of(multiple: Exponents, argument: Exponents) -> Exponents:
    """The multiple without its share of the argument: where y m is a function of u, so is y m u**k.

    Parameters
    ----------
    multiple : tuple of Fraction
        The powers of m.
    argument : tuple of Fraction
        The powers of u.
    """
    place = next(i for i, e in enumerate(argument) if e)
    share = multiple[place] / argument[place]
    return tuple(m - share * e for m, e in zip(multiple, argument, strict=True))


def _members(problem: SearchProblem, argument: Exponents, multiple: Exponents) -> list[Similarity]:
    """The monomial u with m u**k for small powers k, the simplest first; 1/u too, which may be the better name."""
    found = []
    upside_down = tuple(-e for e in argument)
    for k in _POWERS:
        m = tuple(e + k * a for e, a in zip(multiple, argument, strict=True))
        values = value(problem.x, m)
        if np.all(np.isfinite(values)) and np.all(values != 0):
            found += [Similarity(argument, m, 0.0), Similarity(upside_down, m, 0.0)]
    return sorted(found, key=lambda pair: length(pair.multiple))


def _asked(
    problem: SearchProblem, pair: Similarity, generate: Callable[[SearchProblem], Iterator[Template]]
) -> Iterator[Template]:
    """The templates of one generator for y m = F(u), written in the columns."""
    u, m = value(problem.x, pair.argument), value(problem.x, pair.multiple)
    slot = sympy.Symbol("u_", real=True, positive=True if np.all(u > 0) else None)
    whole, multiple = expression(problem.columns, pair.argument), expression(problem.columns, pair.multiple)
    depth = min(problem.depth, 1)
    target = problem.target(problem.y * m, tolerance=problem.tolerance)
    question = replace(target, x=u[:, None], columns=(slot,), structure=None, depth=depth)
    for template in generate(question):
        yield Template(template.expression.xreplace({slot: whole}) / multiple, template.start, template.error)
