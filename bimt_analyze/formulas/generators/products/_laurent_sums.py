"""Sums of products of whole powers, negative ones too, within a function: the function is undone first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import sympy

from ...problem._least_squares import lengths, usable
from ...problem._operators import OPERATORS, SHARES
from ...problem._polynomial import Powers, evaluate, exact
from ...problem._search_problem import SearchProblem
from ...problem._template import Template
from .._outer import undone

_LENGTHS = range(2, 7)  # sums of the powers' magnitudes
_HIGHEST = 4  # power of one input
_MOST = 350  # products
_ROWS_A_TERM = 1.5
_ROUNDED = 10.0  # times the rounding of y: what a sum of columns that are nearly alike may leave at first
_WIDEST = 6  # inputs
_SHARE = 0.1  # of the time


def laurent_sums(problem: SearchProblem) -> Iterator[Template]:
    """Templates g(sum of products of whole powers), exact ones alone: a polynomial in the inputs and their inverses.

    Logarithms of inputs may be terms of the sum too: within an exponential they are powers as factors.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if not 1 < problem.width <= _WIDEST or problem.tolerance:
        return
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    problem, logarithms = _with_logarithms(problem)
    width = problem.width - len(logarithms)
    able = np.all(problem.x[:, :width] != 0, axis=0).tolist()
    asked = [(None, problem), *undone(problem, (*OPERATORS, *SHARES))]
    for most in _LENGTHS:
        exponents = _exponents(able, most, len(logarithms))
        if len(exponents) > _MOST or _ROWS_A_TERM * len(exponents) > problem.rows:
            return
        possible = _explained([target for _, target in asked], exponents)
        for entry, target in (asked[k] for k in possible):
            template = None if problem.budget.over() else exact(target, exponents)
            if template is not None:
                whole = template.expression.xreplace(logarithms)
                yield Template(whole if entry is None else entry.build(whole), template.start, template.error)
                return
        if problem.budget.over():
            return


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
    q = np.linalg.qr(columns / lengths(columns))[0]
    targets = np.stack([one.y[some] for one in asked], axis=1)
    left = targets - q @ (q.T @ targets)
    asked[0].budget.charge("decompose", 2 * columns.size * columns.shape[1])
    return [k for k, one in enumerate(asked) if np.max(np.abs(left[:, k])) <= _ROUNDED * one.floor]
