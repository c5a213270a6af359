"""Sums of products of whole powers, negative ones too, within a function: the function is undone first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64, Int

from ...problem._budget import Budget
from ...problem._least_squares import lengths, needed, solve, usable
from ...problem._operators import OPERATORS, SHARES, Operator
from ...problem._polynomial import Powers, evaluate, monomial
from ...problem._search_problem import SearchProblem
from ...problem._template import Template, linear
from .._outer import inverses, undone

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]
Choose = Callable[..., tuple[Any, Any]]

_LENGTHS = range(2, 7)  # sums of the powers' magnitudes
_HIGHEST = 4  # power of one input
_MOST = 350  # products
_ROWS_A_TERM = 1.5
_ROUNDED = 10.0  # times the rounding of y: what a sum of columns that are nearly alike may leave at first
_WIDEST = 6  # inputs
_FEW = 8  # terms of a sum: more of them meet rounded rows whatever the law
_DEPENDENT = 1e-6  # of a column's length: what is left of one that says nothing new
_SHARE = 0.1  # of the time


def laurent_sums(problem: SearchProblem) -> Iterator[Template]:
    """Templates g(sum of products of whole powers), exact ones alone: a polynomial in the inputs and their inverses.

    Logarithms of inputs may be terms of the sum too: within an exponential they are powers as factors. Of rounded rows
    each counts by its own rounding, as the function that is undone has it, and long sums are left out.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    coarse = problem.row_weights is not None
    if not 1 < problem.width <= _WIDEST or (problem.tolerance and not coarse):
        return
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    problem, logarithms = _with_logarithms(problem)
    width = problem.width - len(logarithms)
    able = np.all(problem.x[:, :width] != 0, axis=0).tolist()
    asked = [(None, problem), *_undone(problem)]
    for most in _LENGTHS:
        exponents = _exponents(able, most, len(logarithms))
        if len(exponents) > _MOST or _ROWS_A_TERM * len(exponents) > problem.rows:
            return
        possible = _explained([target for _, target in asked], exponents)
        for choose in (_forwards, needed) if coarse else (needed,):
            for entry, target in (asked[k] for k in possible):
                template = None if problem.budget.over() else _exact(target, exponents, choose)
                if template is not None and not (coarse and len(template.start) > _FEW):
                    whole = template.expression.xreplace(logarithms)
                    yield Template(whole if entry is None else entry.build(whole), template.start, template.error)
                    return
        if problem.budget.over():
            return


def _undone(problem: SearchProblem) -> Iterator[tuple[Operator, SearchProblem]]:
    """Functions undone; of rounded rows, each value counts by what the rounding of its y does to it."""
    entries = (*OPERATORS, *SHARES)
    if problem.row_weights is None:
        yield from undone(problem, entries)
        return
    errors = problem.floor / problem.row_weights
    for entry, z in inverses(problem.y, entries):
        assert entry.inverse is not None
        with np.errstate(all="ignore"):
            moved = np.abs(entry.inverse(problem.y + errors) - entry.inverse(problem.y - errors)) / 2
        if np.all(moved > 0) and np.all(np.isfinite(moved)):
            yield entry, problem.measured(z, moved)


def _with_logarithms(problem: SearchProblem) -> tuple[SearchProblem, dict[sympy.Expr, sympy.Expr]]:
    """The problem with the logarithms of positive inputs as columns too, and what their symbols stand for."""
    places = [i for i in range(problem.width) if np.all(problem.x[:, i] > 0)]
    slots = {sympy.Symbol(f"log{i}_", real=True): sympy.log(problem.columns[i]) for i in places}
    x = np.column_stack([problem.x, np.log(problem.x[:, places])])
    return replace(problem, x=x, columns=(*problem.columns, *slots), structure=None), slots


def _exponents(able: list[bool], most: int, logarithms: int) -> list[Powers]:
    """Powers whose magnitudes sum to so much at most, negative ones of inputs that keep away from zero; logarithms."""
    each = [range(-_HIGHEST if one else 0, _HIGHEST + 1) for one in able]
    every = [(*one, *(0,) * logarithms) for one in product(*each) if sum(map(abs, one)) <= most]
    alone = [(*(0,) * len(able), *(int(i == k) for k in range(logarithms))) for i in range(logarithms)]
    return sorted([*every, *alone], key=lambda one: (sum(map(abs, one)), one))


def _explained(asked: Sequence[SearchProblem], exponents: Sequence[Powers]) -> list[int]:
    """Which targets the sum explains on some of the rows, half as many more as there are products."""
    some = np.arange(min(asked[0].rows, int(_ROWS_A_TERM * len(exponents)) + 1))
    columns = evaluate(asked[0].x[some], exponents)
    asked[0].budget.charge("columns", columns.size)
    if not np.isfinite(columns).all() or len(usable(columns)) < len(exponents):
        return []
    found: list[int] = []
    basis = None
    for k, one in enumerate(asked):
        weights = None if one.row_weights is None else one.row_weights[some]
        if basis is None or weights is not None:
            weighted = columns if weights is None else columns * weights[:, None]
            basis = np.linalg.qr(weighted / lengths(weighted))[0]
            asked[0].budget.charge("decompose", 2 * columns.size * columns.shape[1])
        y = one.residual(np.zeros(one.rows))[some]
        if np.max(np.abs(y - basis @ (basis.T @ y))) <= _ROUNDED * one.floor:
            found.append(k)
        if asked[0].budget.over():
            break
    return found


def _exact(problem: SearchProblem, exponents: Sequence[Powers], choose: Choose) -> Template | None:
    """The sparse sum if it explains the rows, else None."""
    columns, y = evaluate(problem.x, exponents), problem.residual(np.zeros(problem.rows))
    problem.budget.charge("columns", columns.size)
    if problem.row_weights is not None:
        columns = columns * problem.row_weights[:, None]
    if len(usable(columns)) < len(exponents):
        return None
    if not problem.explained(y - columns @ solve(columns, y, budget=problem.budget)):
        return None
    kept, coefficients = choose(columns, y, explained=problem.explained, budget=problem.budget)
    residual = y - columns[:, kept] @ coefficients
    if not problem.explained(residual):
        return None
    terms = [monomial(problem.columns, exponents[i]) for i in kept]
    return linear(terms, coefficients.tolist(), error=problem.relative(residual))


def _forwards(
    columns: Matrix, y: Rows, *, explained: Callable[[Rows], bool], budget: Budget
) -> tuple[Int[np.ndarray, "kept"], Float64[np.ndarray, "kept"]]:
    """A few columns, each of which explains most of what those before leave, without those that y does not need.

    Where rounding hides what tells columns apart, columns that leave one by one end with too many.
    """
    rest, left = columns / lengths(columns), y
    chosen: list[int] = []
    while len(chosen) < _FEW and not (chosen and explained(left)):
        size = np.linalg.norm(rest, axis=0)
        able = size > _DEPENDENT
        gains = np.where(able, np.abs(left @ rest) / np.where(able, size, 1.0), 0.0)
        best = int(np.argmax(gains))
        chosen.append(best)
        direction = rest[:, best] / size[best]
        rest, left = rest - np.outer(direction, direction @ rest), left - direction * (direction @ left)
        budget.charge("columns", 4 * columns.size)
    some, coefficients = needed(columns[:, chosen], y, explained=explained, budget=budget)
    return np.array(chosen)[some], coefficients
