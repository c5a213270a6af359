"""Sums of few terms within a function, on noisy rows: what undoing the function does to the noise is weighed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, product
from math import inf, log2, sqrt

import numpy as np
import sympy
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from ..problem._budget import Budget
from ..problem._least_squares import independent, lengths, solve, usable
from ..problem._monomials import Exponents, expression, value
from ..problem._operators import Operator, operator
from ..problem._polynomial import count, powers
from ..problem._search_problem import SearchProblem
from ..problem._smooth import fit_smooth
from ..problem._template import Template, constant

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

_OUTER = ("sqrt", "inverse root", "reciprocal", "exp", "log", "inverse square")
_FEWEST = 50  # rows
_WIDEST = 10  # inputs
_ROWS_A_TERM = 15  # of a sum from which terms leave, and of the fit that sees powers
_MOST_TERMS = 12  # of a sum in the end
_PURSUED = 8  # terms that are chosen from many, at most
_UNDONE = 0.8  # share of the rows where the function can be undone
_STEP = 0.1  # of y's deviation: how far noise may move a row
_STEPS = 4  # of Gauss and Newton
_LEFT = 0.5  # of y's deviation: what leaves more is no sum
_GIVEN, _SAME = 6, 1e-3  # sums, and bits by which two differ
_TERM = 22.0  # bits of a term: its nodes and its constant
_LEAST = 1e-9  # of y's deviation: less is rounding
_APART = 1e-9  # of a term's square, below which it is a sum of others
_PAIRED, _EACH_PAIR = 800, 40  # terms whose pairs are looked at, and operations for each pair
_RATIOS, _SQUARED = 5, 3  # inputs, up to which quotients are among the terms, and squares in them
_POWERS = (0, 1, -1, 2, -2)  # of an input in a quotient
_WAVES = 4  # inputs, up to which sines and cosines are
_CHANCE = 3.3  # standard errors
_NEAR = 0.1  # of a half: a power that is so near to it, or three standard errors
_SHARE = 0.2  # of the time
_HIGHEST, _COLUMNS, _BRINGS = 9, 250, 0.75  # degree and columns of polynomials, and what little they bring leaves


@dataclass(frozen=True, eq=False)
class _Dictionary:
    """Terms that a sum may have, and their values.

    Attributes
    ----------
    terms : list of sympy.Expr
        What is summed.
    columns : array of shape [rows, terms]
        Their values.
    first : int
        How many of them, the first, are there to begin with; of all others a few are chosen.
    """

    terms: list[sympy.Expr]
    columns: Matrix
    first: int

    @staticmethod
    def of(first: Sequence[tuple[sympy.Expr, Rows]], others: Sequence[tuple[sympy.Expr, Rows]]) -> "_Dictionary":
        every = [*first, *others]
        columns = np.stack([values for _, values in every], axis=1)
        kept = usable(columns)
        count = int(np.sum(kept < len(first)))
        return _Dictionary([every[int(k)][0] for k in kept], np.ascontiguousarray(columns[:, kept]), count)


def weighed_sums(problem: SearchProblem) -> Iterator[Template]:
    """Templates m g(sum of terms) with m a product of powers and g a function with an inverse, the best first.

    A function that is undone makes the noise of some rows large: each row counts by the slope of g there, in steps of
    Gauss and Newton, so that the sum is fitted to y itself. Terms leave while the description gets shorter. They are
    products of two inputs and squares of differences; of few inputs also quotients, sines and cosines.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if not 0 < problem.width <= _WIDEST or problem.rows < _FEWEST or problem.tolerance:
        return
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    if not _is_noisy(problem):
        return
    found: list[tuple[float, Template]] = []
    for multiple in _multiples(problem):
        left = [i for i, power in enumerate(multiple) if not power]
        for dictionary in _dictionaries(problem, left):
            for name in _OUTER:
                if not problem.budget.over():
                    found += _fitted(problem, multiple, operator(name), dictionary)
    found.sort(key=lambda one: one[0])
    before = [-inf, *(bits for bits, _ in found)]
    apart = [template for (bits, template), last in zip(found, before, strict=False) if bits > last + _SAME]
    yield from apart[:_GIVEN]


def _is_noisy(problem: SearchProblem) -> bool:
    """Whether the last degree of a polynomial brings little: of exact rows each degree leaves far less."""
    group = (tuple(range(problem.width)),)
    degrees = [d for d in range(1, _HIGHEST + 1) if count(problem.width, d) <= min(_COLUMNS, problem.rows // 4)][-2:]
    errors = [fit_smooth(problem.x, problem.y, group, [d], budget=problem.budget).error for d in degrees]
    return len(errors) < 2 or errors[1] > _BRINGS * errors[0]


def _fitted(
    problem: SearchProblem, multiple: Exponents, outer: Operator, dictionary: _Dictionary
) -> list[tuple[float, Template]]:
    """The sum within one function, with its description length; nothing where it leaves too much."""
    m, y, columns = value(problem.x, multiple), problem.y, dictionary.columns
    assert outer.inverse is not None
    with np.errstate(all="ignore"):
        z = np.asarray(outer.inverse(y / m), dtype=np.float64)
        step = _STEP * problem.unit * np.where(y < 0, -1.0, 1.0)  # slopes may have no bound where y is near zero
        weights = np.abs(step / (outer.inverse((y + step) / m) - z))
    ready = np.isfinite(z) & np.isfinite(weights)
    if np.mean(ready) < _UNDONE:
        return []
    weighed, target = columns[ready] * weights[ready, None], (z * weights)[ready]
    every = _choices(weighed, target, dictionary.first, problem.budget)
    found = []
    for kept in every:
        start = solve(weighed[:, kept], target, budget=problem.budget)
        first = _descended(columns[:, kept], start, m, y, outer, problem.budget)
        if first is None:
            continue
        fewer, start = _needed(columns[:, kept] * first.slope[:, None], first.target, problem.budget)
        kept = kept[fewer]
        if not 0 < len(kept) <= _MOST_TERMS:
            continue
        last = _descended(columns[:, kept], start, m, y, outer, problem.budget)
        if last is None or not last.error < _LEFT:
            continue
        opened = [constant() for _ in kept]
        inner = sympy.Add(*(c * dictionary.terms[int(k)] for c, k in zip(opened, kept, strict=True)))
        starts = dict(zip(opened, last.coefficients.tolist(), strict=True))
        whole = expression(problem.columns, multiple) * outer.build(inner)
        found.append((_bits(last.error, len(kept), problem.rows), Template(whole, starts, last.error)))
    return found


def _bits(error: float, terms: int, rows: int) -> float:
    return rows * log2(max(error, _LEAST)) + _TERM * terms


def _choices(columns: Matrix, target: Rows, first: int, budget: Budget) -> Iterator[Int64[np.ndarray, "chosen"]]:
    """The first terms with a few others: the one that leaves least beside them, or the best pair, then one by one."""
    if first == columns.shape[1]:
        yield np.arange(first)
        return
    free = np.linalg.qr(columns[:, :first] / lengths(columns[:, :first]))[0]
    scaled = columns / lengths(columns)
    scaled = scaled - free @ (free.T @ scaled)
    budget.charge("decompose", columns.size * first)
    scaled = np.where(lengths(scaled) ** 2 > _APART, scaled / lengths(scaled), 0.0)
    scaled[:, :first] = 0.0
    for start in ([], _best_pair(scaled, target, budget)):
        chosen = list(start)
        while len(chosen) < _PURSUED:
            basis = np.linalg.qr(scaled[:, chosen])[0]
            rest = scaled - basis @ (basis.T @ scaled)
            length = np.linalg.norm(rest, axis=0)
            budget.charge("columns", rest.size)
            with np.errstate(all="ignore"):
                gain = np.where(length**2 > _APART, np.abs(target @ rest) / length, 0.0)
            more = int(np.argmax(gain))
            if not gain[more] > 0:
                break
            chosen.append(more)
        yield np.array([*range(first), *chosen], dtype=np.int64)


def _best_pair(scaled: Matrix, target: Rows, budget: Budget) -> list[int]:
    """The two columns of length 1 that together leave least of the target."""
    scaled = scaled[:, :_PAIRED]
    along, gram = scaled.T @ target, scaled.T @ scaled
    budget.charge("compare", (len(target) + _EACH_PAIR) * scaled.shape[1] ** 2)
    one, two = np.tril_indices(len(along), -1)
    slant = gram[one, two]
    with np.errstate(all="ignore"):
        gained = (along[one] ** 2 + along[two] ** 2 - 2 * slant * along[one] * along[two]) / (1 - slant**2)
    best = int(np.argmax(np.where(slant**2 < 1 - _APART, gained, -1.0)))
    return [int(one[best]), int(two[best])]


def _needed(
    columns: Matrix, target: Rows, budget: Budget
) -> tuple[Int64[np.ndarray, "kept"], Float64[np.ndarray, "kept"]]:
    """The terms of the shortest description on the way from all of them to one, the weakest leaving first."""
    kept = independent(columns, budget=budget)
    unit = float(np.linalg.norm(target)) or 1.0
    best: tuple[float, NDArray[np.int64], NDArray[np.float64]] = (np.inf, kept, np.zeros(len(kept)))
    while len(kept):
        size = lengths(columns[:, kept])
        q, r = np.linalg.qr(columns[:, kept] / size)
        inverse = np.linalg.pinv(r)
        budget.charge("solve", len(target) * len(kept) ** 2)
        found = inverse @ (q.T @ target)
        left = float(np.linalg.norm(target - q @ (q.T @ target))) / unit
        bits = _bits(left, len(kept), len(target))
        if bits < best[0]:
            best = (bits, kept, found / size)
        kept = np.delete(kept, int(np.argmin(np.abs(found) / np.linalg.norm(inverse, axis=1))))
    return best[1], best[2]


@dataclass(frozen=True, eq=False)
class _Fit:
    """A sum within a function: its coefficients, the slopes of y by it, a target that is linear in it, the error."""

    coefficients: NDArray[np.float64]
    slope: Rows
    target: Rows
    error: float


def _descended(
    columns: Matrix, start: NDArray[np.float64], m: Rows, y: Rows, outer: Operator, budget: Budget
) -> _Fit | None:
    """The sum of columns whose function, times m, meets y; None where that is not defined on most rows.

    A row where the function is not defined counts as met by y's mean.
    """
    best, unit = None, float(np.std(y)) or 1.0
    for _ in range(_STEPS):
        z = columns @ start
        with np.errstate(all="ignore"):
            met, slope = m * outer(z), m * outer.slope(z)
        off = ~(np.isfinite(met) & np.isfinite(slope))
        if np.mean(off) > 1 - _UNDONE:
            break
        met, slope, z = np.where(off, np.mean(y), met), np.where(off, 0.0, slope), np.where(off, 0.0, z)
        error = float(np.sqrt(np.mean((y - met) ** 2))) / unit
        if best is not None and not error < best.error:
            break
        best = _Fit(start, slope, y - met + slope * z, error)
        start = solve(columns * slope[:, None], best.target, budget=budget)
    return best


def _dictionaries(problem: SearchProblem, left: Sequence[int]) -> Iterator[_Dictionary]:
    """Terms in some inputs: products of two, squares of differences, quotients, products with sines and cosines."""
    if not left:
        return
    symbols, x = [problem.columns[i] for i in left], problem.x[:, list(left)]
    apart = [(symbols[i] - symbols[j], x[:, i] - x[:, j]) for i, j in combinations(range(len(left)), 2)]
    squares = [(a**2, v**2) for a, v in apart]
    plain = _monomials(symbols, x, powers(len(left), 2))
    level = plain[:1]
    if len(plain) * _ROWS_A_TERM <= len(x):
        yield _Dictionary.of(plain, [])
    if len(left) > _SQUARED:
        own = [(s**2, x[:, i] ** 2) for i, s in enumerate(symbols)]
        yield _Dictionary.of(level, [*plain[1 : len(left) + 1], *own, *squares])
    if len(left) <= _RATIOS:
        few = len(left) <= _SQUARED
        ratios = _monomials(symbols, x, product(_POWERS if few else _POWERS[:3], repeat=len(left)))
        logs = [(sympy.log(s), np.log(x[:, i])) for i, s in enumerate(symbols) if np.all(x[:, i] > 0)]
        yield _Dictionary.of(level, [*ratios[1:], *logs])
        if few and apart:
            yield _Dictionary.of(level, [*ratios[1:], *_multiplied(ratios, squares), *logs])
    if len(left) <= _WAVES:
        arguments = [*zip(symbols, x.T, strict=True), *apart]
        waves = [(f(a), g(v)) for a, v in arguments for f, g in ((sympy.cos, np.cos), (sympy.sin, np.sin))]
        yield _Dictionary.of(plain, _multiplied(plain, waves))


def _monomials(
    symbols: Sequence[sympy.Symbol], x: Matrix, exponents: Iterable[tuple[int, ...]]
) -> list[tuple[sympy.Expr, Rows]]:
    every = [tuple(map(Fraction, e)) for e in exponents]
    return [(expression(symbols, e), value(x, e)) for e in every]


def _multiplied(
    terms: Sequence[tuple[sympy.Expr, Rows]], factors: Sequence[tuple[sympy.Expr, Rows]]
) -> list[tuple[sympy.Expr, Rows]]:
    return [(term * factor, values * by) for term, values in terms for factor, by in factors]


def _multiples(problem: SearchProblem) -> list[Exponents]:
    """Products of powers that y is multiplied by: none, and those inputs on whose power no other input has a say.

    They are read from y = exp(a polynomial of degree two in the logarithms of the inputs), or -y.
    """
    none = (Fraction(0),) * problem.width
    able = [i for i in range(problem.width) if np.all(problem.x[:, i] > 0)]
    every = powers(problem.width, 2)
    if not able or _ROWS_A_TERM * len(every) > problem.rows:
        return [none]
    t = problem.x / np.maximum(np.max(np.abs(problem.x), axis=0), 1e-300)
    t[:, able] = np.log(t[:, able])
    t = t - np.mean(t, axis=0)
    whole = _exponential(problem, t, every)
    if whole is None:
        return [none]
    alone = [i for i in able if whole.significance([k for k, e in enumerate(every) if sum(e) > 1 and e[i]]) < _CHANCE]
    fewer = [e for e in every if sum(e) <= 1 or not any(e[i] for i in alone)]
    found = _exponential(problem, t, fewer) if alone else None
    if found is None:
        return [none]
    chosen = list(none)
    for i in alone:
        place = fewer.index(tuple(int(i == k) for k in range(problem.width)))
        power, error = found.coefficients[place], np.sqrt(found.covariance[place, place])
        half = Fraction(round(2 * power), 2)
        if abs(float(half) - power) < max(_NEAR, 3 * error):
            chosen[i] = half
    return [tuple(chosen), none] if any(chosen) else [none]


@dataclass(frozen=True, eq=False)
class _Estimate:
    """Coefficients and their covariance."""

    coefficients: Float64[np.ndarray, "terms"]
    covariance: Float64[np.ndarray, "terms terms"]

    def significance(self, places: Sequence[int]) -> float:
        """How far some coefficients together are from zero beyond chance (Wald's test), in standard errors."""
        part = self.coefficients[list(places)]
        size = float(part @ np.linalg.pinv(self.covariance[np.ix_(places, places)]) @ part)
        return (size - len(places)) / sqrt(2 * len(places))


def _exponential(problem: SearchProblem, t: Matrix, exponents: Sequence[tuple[int, ...]]) -> _Estimate | None:
    """The polynomial whose exponential meets y, or -y; None where most of y has the other sign."""
    y = problem.y * (1.0 if np.mean(problem.y) > 0 else -1.0)
    ready = y > 0
    if np.mean(ready) < _UNDONE:
        return None
    columns = np.stack([value(t, tuple(map(Fraction, e))) for e in exponents], axis=1)
    start = solve(columns[ready] * y[ready, None], np.log(y[ready]) * y[ready], budget=problem.budget)
    found = _descended(columns, start, np.ones(len(y)), y, operator("exp"), problem.budget)
    if found is None:
        return None
    problem.budget.charge("decompose", columns.size * columns.shape[1])
    sloped = columns * found.slope[:, None]
    noise = (found.error * problem.unit) ** 2 * len(y) / (len(y) - len(exponents))
    return _Estimate(found.coefficients, noise * np.linalg.pinv(sloped.T @ sloped))
