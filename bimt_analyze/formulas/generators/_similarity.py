"""y = F(u) / m with monomials u and m: found by sorting, whatever F is, and solved as a question of one variable."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._monomials import Exponents, direction, expression, length, monomials, used, value
from ..problem._search_problem import Problem
from ..problem._template import Form

Rows = Float64[np.ndarray, "rows"]
Stages = Sequence[Callable[[Problem], Iterator[Form]]]

_ARGUMENTS, _MULTIPLES = 160, 400
_ROWS = 1000
_FEWEST = 30  # rows below which neighbours are too far apart to say anything
_NEAR = 4  # multiples kept of an argument
_ROUGH = 0.25  # of the variance left between neighbours, above which y m is no function of u
_FAMILIES = 2  # of pairs that differ by a power of u
_BEST = 4  # questions that are asked of each
_POWERS = tuple(map(Fraction, (0, 1, -1, 2, -2, 0.5, -0.5)))
_TOLERABLE = 5.0  # times the smallest roughness: what else is worth a question
_PLAIN = 0.03  # error of a series, or roughness, from which it is worth the slow generators
_QUICK = 4  # generators that are quick
_SHARE, _SURE = 0.3, 0.6  # of the time; where y m is a function of u for all that a series shows
_JUDGED = 80  # pairs that a series is fitted to
_DEGREE = 36
_NOISY = 1e-3  # an error from which noise is likely, and then
_ALIKE = 1.15  # times the least error: as good as the best
_CLEAR = 1e-5  # what a series may leave of an exact function


@dataclass(frozen=True)
class Similarity:
    """y m is nearly a function of u alone. ``rough`` is the share of its variance between neighbours in u."""

    argument: Exponents
    multiple: Exponents
    rough: float


@dataclass(frozen=True)
class _Judged:
    """A pair, and what a series of u over m leaves of y."""

    left: float
    pair: Similarity


def similarities(problem: Problem) -> list[Similarity]:
    """Pairs of monomials u, m for which y m, in the order of u, goes up and down the least; the best first.

    The measure is von Neumann's: the mean squared difference of neighbours over twice the variance, about 1 where
    y m does not depend on u, and about noise**2 / variance where it is a function of u and the rows are dense.
    """
    if problem.width < 2 or problem.rows < _FEWEST:
        return []
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    x, y = problem.x[some], problem.y[some]
    multiples, scaled = [], []
    for e in monomials(problem.width, most=_MULTIPLES):
        if problem.clock.over():
            return []
        m = value(x, e)
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
        if problem.clock.over() or not np.all(np.isfinite(u)):
            continue
        ordered = table[:, np.argsort(u, kind="stable")]
        rough = np.mean(np.diff(ordered, axis=1) ** 2, axis=1) / 2
        near = np.flatnonzero(rough <= _TOLERABLE * max(float(np.min(rough)), 1e-5))[:_NEAR]  # simplest first
        found += [Similarity(argument, multiples[k], float(rough[k])) for k in near]
    return sorted(found, key=lambda s: s.rough)


def similar(problem: Problem, stages: Stages) -> Iterator[Form]:
    """Forms of y m over u in place of the columns; each generator of one variable is asked of every pair in turn."""
    yield from _answers(problem, stages, _judged(problem))


def evidently_similar(problem: Problem, stages: Stages) -> Iterator[Form]:
    """The forms of `similar`, where a series leaves so little of y that some y m is a function of u beyond doubt."""
    judged = _judged(problem)
    if judged and judged[0].left < _NOISY:
        yield from _answers(problem, stages, judged)


def _judged(problem: Problem) -> list[_Judged]:
    """The pairs worth a question with what a series leaves, the least first."""
    found = [s for s in similarities(problem)[:_JUDGED] if s.rough < _ROUGH]
    judged = [_Judged(smooth_error(problem, pair), pair) for pair in found if not problem.clock.over()]
    return sorted(judged, key=lambda j: j.left)


def _answers(problem: Problem, stages: Stages, judged: Sequence[_Judged]) -> Iterator[Form]:
    if not judged:
        return
    least = judged[0].left
    problem = replace(problem, clock=problem.clock.share(_SURE if least < _NOISY else _SHARE))
    most = max((_TOLERABLE if least < _NOISY else _ALIKE) * least, _CLEAR)
    families = sorted(
        {(j.pair.argument, free_of(j.pair.multiple, j.pair.argument)) for j in judged if j.left <= most},
        key=lambda f: length(f[0]) + length(f[1]),
    )
    chosen = [pair for family in families[:_FAMILIES] for pair in _members(problem, *family)[:_BEST]]
    clear = least < _PLAIN or min(j.pair.rough for j in judged) < _PLAIN
    for generate in stages if clear else stages[:_QUICK]:
        for form in _in_turn([_asked(problem, pair, generate) for pair in chosen]):
            yield form
            if problem.clock.over():
                return


def _in_turn(questions: Sequence[Iterator[Form]]) -> Iterator[Form]:
    """One answer of each at a time: a slow question about one pair does not hold up the right one."""
    left = list(questions)
    while left:
        for question in list(left):
            form = next(question, None)
            if form is None:
                left.remove(question)
            else:
                yield form


def smooth_error(problem: Problem, pair: Similarity) -> float:
    """What a Legendre series of u, or of log u, over m leaves of y (leave-one-out, over y's deviation).

    Far sharper than the order of neighbours, but blind to functions that go up and down too often for the series.
    """
    u, m = value(problem.x, pair.argument), value(problem.x, pair.multiple)
    degree = int(min(_DEGREE, 0.2 * problem.rows))
    scales = [u, np.log(u)] if np.all(u > 0) else [u]
    bases = [series(t, degree) / m[:, None] for t in scales]
    return min(left_out_error(basis, problem.y) for basis in bases) / problem.unit


def series(t: Rows, degree: int) -> Float64[np.ndarray, "rows terms"]:
    """Legendre polynomials over the range of t."""
    low, high = float(np.min(t)), float(np.max(t))
    return np.asarray(np.polynomial.legendre.legvander((2 * t - low - high) / max(high - low, 1e-300), degree))


def left_out_error(basis: Float64[np.ndarray, "rows columns"], y: Rows) -> float:
    """Root mean square of the leave-one-out residuals of least squares (Allen's PRESS)."""
    q = np.linalg.qr(basis)[0]
    leverage = np.minimum(np.sum(q**2, axis=1), 1 - 1e-9)
    return float(np.sqrt(np.mean(((y - q @ (q.T @ y)) / (1 - leverage)) ** 2)))


def free_of(multiple: Exponents, argument: Exponents) -> Exponents:
    """The multiple without its share of the argument: where y m is a function of u, so is y m u**k."""
    place = next(i for i, e in enumerate(argument) if e)
    share = multiple[place] / argument[place]
    return tuple(m - share * e for m, e in zip(multiple, argument, strict=True))


def _members(problem: Problem, argument: Exponents, multiple: Exponents) -> list[Similarity]:
    """u with m u**k for small powers k, the simplest first; 1/u too, which may be the better name."""
    found = []
    upside_down = tuple(-e for e in argument)
    for k in _POWERS:
        m = tuple(e + k * a for e, a in zip(multiple, argument, strict=True))
        values = value(problem.x, m)
        if np.all(np.isfinite(values)) and np.all(values != 0):
            found += [Similarity(argument, m, 0.0), Similarity(upside_down, m, 0.0)]
    return sorted(found, key=lambda pair: length(pair.multiple))


def _asked(problem: Problem, pair: Similarity, generate: Callable[[Problem], Iterator[Form]]) -> Iterator[Form]:
    """The question y m = F(u), and its answers in the columns."""
    u, m = value(problem.x, pair.argument), value(problem.x, pair.multiple)
    slot = sympy.Symbol("u_", real=True, positive=True if np.all(u > 0) else None)
    whole, multiple = expression(problem.columns, pair.argument), expression(problem.columns, pair.multiple)
    depth = min(problem.depth, 1)
    question = replace(problem, x=u[:, None], y=problem.y * m, columns=(slot,), structure=None, depth=depth)
    for form in generate(question):
        yield Form(form.expression.xreplace({slot: whole}) / multiple, form.start, form.error)
