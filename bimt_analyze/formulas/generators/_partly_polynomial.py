"""Sums y = p(x) + q(x) f(b u): two low-degree polynomials and one function, with a single constant to search for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._inner import Inner, inners
from ..problem._least_squares import lengths, needed, usable
from ..problem._operators import OPERATORS, Operator
from ..problem._polynomial import Powers, count, evaluate, monomial, powers
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, linear

Rows = Float64[np.ndarray, "rows"]
Rates = Float64[np.ndarray, "rates"]

# Not scanned, since each function costs a scan over all u: cos comes with sin, the others are left to other generators.
_SKIPPED = (
    *("cos", "three halves", "abs", "asin", "sinh", "tan", "atan", "inverse square", "inverse three halves", "cosh"),
)
_DEGREES = ((1, 0), (2, 0), (2, 1), (3, 1), (3, 2))  # of p and q, round by round
_SHARE = 0.4  # columns a row
_LOOSE = 0.2  # of y's deviation left by the scan, above which f and u are dropped; b is refined after that
_KEPT = 8  # choices of f and u that are refined, each by some fifty decompositions
_REFINED = 1e-2  # relative error after refining, above which a proposal is dropped


@dataclass(frozen=True)
class _Trial:
    """One function of one u, the constant's value so far, and the error it leaves."""

    error: float
    entry: Operator
    inner: Inner
    rate: float
    step: float


def partly_polynomial(problem: SearchProblem) -> Iterator[Template]:
    """Templates p(x) + q(x) f(b u) by a scan over f, u and b, with p and q solved for.

    The lowest degrees come first, since wider ones blur b. The best few of each round are refined in b and offered
    without the terms that are not needed.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    for outer, inner in _DEGREES:
        if count(problem.width, outer) + 2 * count(problem.width, inner) > _SHARE * problem.rows:
            return
        space = _space(problem, powers(problem.width, outer), powers(problem.width, inner))
        if space is None:
            return
        found: list[_Trial] = []
        for argument in inners(problem, squares=True):
            if problem.budget.over():
                break
            found += [
                t
                for e in OPERATORS
                if e.name not in _SKIPPED and (t := _scanned(problem, e, argument, space)) is not None
            ]
        best = [t for t in sorted(found, key=lambda t: t.error) if t.error < min(_LOOSE, 0.5 * space.alone)][:_KEPT]
        templates = [template for trial in best if (template := _refined(problem, trial, space)) is not None]
        yield from sorted(
            templates, key=lambda template: float(np.log10(max(template.error, 1e-8)) + 0.2 * len(template.start))
        )


@dataclass(frozen=True)
class _Space:
    """The columns of p and of q on the rows.

    Attributes
    ----------
    outside, inside : tuple of tuples of int
        The powers of the monomials of p and of q.
    plain, factors : array
        Their values, those of q scaled to length 1.
    basis : array
        An orthonormal basis of the columns of p.
    target : array of shape [rows]
        What is left of y without its part in that basis.
    alone : float
        Root mean square of ``target``, over y's deviation.
    """

    outside: tuple[Powers, ...]
    inside: tuple[Powers, ...]
    plain: Float64[np.ndarray, "rows outside"]
    factors: Float64[np.ndarray, "rows inside"]
    basis: Float64[np.ndarray, "rows outside"]
    target: Rows
    alone: float


def _space(problem: SearchProblem, outside: tuple[Powers, ...], inside: tuple[Powers, ...]) -> _Space | None:
    """The columns of p and q; None where one of them overflows or vanishes."""
    plain, factors = evaluate(problem.x, outside), evaluate(problem.x, inside)
    if len(usable(plain)) < len(outside) or len(usable(factors)) < len(inside):
        return None
    basis = np.linalg.qr(plain / np.linalg.norm(plain, axis=0))[0]
    target = problem.y / problem.unit
    target = target - basis @ (basis.T @ target)
    alone = float(np.sqrt(np.mean(target**2)))
    return _Space(outside, inside, plain, factors / np.linalg.norm(factors, axis=0), basis, target, alone)


def _functions(entry: Operator, u: Rows, rates: Rates) -> Float64[np.ndarray, "rates rows functions"]:
    """The columns that one function contributes at each constant: a wave its sine and cosine."""
    with np.errstate(all="ignore"):
        if entry.family == "wave":
            return np.stack([np.sin(rates[:, None] * u), np.cos(rates[:, None] * u)], axis=2)
        if entry.family == "edge":
            return entry(u + rates[:, None])[:, :, None]
        return entry(rates[:, None] * u)[:, :, None]


def _rates(entry: Operator, u: Rows) -> tuple[Rates, float]:
    """What to scan: b in units of u's spread, or the place of an edge; and the least step between neighbours."""
    half = 0.5 * float(np.ptp(u))
    peak = float(np.max(np.abs(u)))
    if entry.family == "wave":
        return np.linspace(0.3, 16.0, 40) / half, 0.4 / half
    if entry.family == "edge":
        return np.concatenate([[0.0], -float(np.min(u)) + half * np.geomspace(1e-3, 8.0, 14)]), half * 1e-3
    rates = np.geomspace(0.15, 12.0, 14) / peak
    return (np.concatenate([rates, -rates]) if entry.name == "exp" else rates), 0.05 / peak


def _scanned(problem: SearchProblem, entry: Operator, inner: Inner, space: _Space) -> _Trial | None:
    """The best constant of the scan for this function of this u, by normal equations, for speed."""
    rates, step = _rates(entry, inner.values)
    functions = _functions(entry, inner.values, rates)
    valid = np.all(np.isfinite(functions), axis=(1, 2)) & (np.max(np.abs(functions), axis=(1, 2)) < 1e100)
    if not np.any(valid):
        return None
    rates, functions = rates[valid], functions[valid]
    columns = (functions[:, :, :, None] * space.factors[None, :, None, :]).reshape(len(rates), len(space.target), -1)
    columns = columns / np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-300)
    columns -= space.basis @ (space.basis.T @ columns)
    across = columns.transpose(0, 2, 1)
    normal = across @ columns + 1e-12 * np.eye(columns.shape[2])
    solved = np.linalg.solve(normal, (across @ space.target)[:, :, None])
    miss = np.sqrt(np.mean((space.target - (columns @ solved)[:, :, 0]) ** 2, axis=1))
    best = int(np.argmin(miss))
    problem.budget.charge("decompose", columns.size * (columns.shape[2] + space.plain.shape[1] + 40))
    return _Trial(float(miss[best]), entry, inner, float(rates[best]), max(step, 0.3 * abs(float(rates[best]))))


def _miss(entry: Operator, inner: Inner, rate: float, space: _Space) -> float:
    """The relative error of the best p + q f at one constant, by orthogonal columns."""
    functions = _functions(entry, inner.values, np.array([rate]))[0]
    if not np.all(np.isfinite(functions)) or np.max(np.abs(functions)) > 1e100:
        return float("inf")
    columns = (functions[:, :, None] * space.factors[:, None, :]).reshape(len(space.target), -1)
    columns = columns / lengths(columns)
    columns -= space.basis @ (space.basis.T @ columns)
    q = np.linalg.qr(columns)[0]
    return float(np.sqrt(np.mean((space.target - q @ (q.T @ space.target)) ** 2)))


def _refined(problem: SearchProblem, trial: _Trial, space: _Space) -> Template | None:
    """The constant by golden section, then the columns that are needed."""
    entry, inner = trial.entry, trial.inner
    width = min(trial.step, 0.4 / (0.5 * float(np.ptp(inner.values)))) if entry.family == "wave" else trial.step
    low, high = trial.rate - width, trial.rate + width
    golden = 0.5 * (np.sqrt(5.0) - 1.0)
    one, two = high - golden * (high - low), low + golden * (high - low)
    at_one, at_two = _miss(entry, inner, one, space), _miss(entry, inner, two, space)
    for _ in range(45):
        if at_one < at_two:
            high, two, at_two = two, one, at_one
            one = high - golden * (high - low)
            at_one = _miss(entry, inner, one, space)
        else:
            low, one, at_one = one, two, at_two
            two = low + golden * (high - low)
            at_two = _miss(entry, inner, two, space)
    wide = len(space.inside) * (2 if entry.family == "wave" else 1)
    problem.budget.charge("decompose", 50 * problem.rows * wide * (wide + len(space.outside)), calls=50)
    miss, rate = min((_miss(entry, inner, rate, space), rate) for rate in (one, two, trial.rate))
    if miss > max(_REFINED, 3 * problem.tolerance):
        return None
    functions = _functions(entry, inner.values, np.array([rate]))[0]
    factors = evaluate(problem.x, space.inside)
    mixed = (functions[:, :, None] * factors[:, None, :]).reshape(problem.rows, -1)
    limit = max(10 * miss, 1e-8, 3 * problem.tolerance) * problem.unit
    kept, coefficients = needed(
        np.column_stack([space.plain, mixed]), problem.y, explained=lambda r: bool(np.max(np.abs(r)) <= limit),
        budget=problem.budget,
    )  # fmt: skip
    return _form(problem, trial, rate, space, ([int(k) for k in kept], [float(c) for c in coefficients], miss))


def _form(
    problem: SearchProblem, trial: _Trial, rate: float, space: _Space, found: tuple[list[int], list[float], float]
) -> Template:
    """The template of the columns that were kept."""
    kept, coefficients, error = found
    entry = trial.entry
    if entry.family == "edge":
        argument = trial.inner.template(1.0, rate, scale_free=False)
    else:
        argument = trial.inner.template(rate, None, scale_free=True)
    u = argument.expression
    names = [sympy.sin(u), sympy.cos(u)] if entry.family == "wave" else [entry.build(u)]
    terms = [monomial(problem.columns, e) for e in space.outside]
    terms += [f * monomial(problem.columns, e) for f in names for e in space.inside]
    template = linear([terms[k] for k in kept], coefficients, error=error)
    used = template.expression.free_symbols
    start = {**template.start, **{c: v for c, v in argument.start.items() if c in used}}
    return Template(template.expression, start, error)
