"""Sums of few terms within a function, on noisy rows: what undoing the function does to the noise is weighted."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import numpy as np
import sympy

from ...problem._least_squares import solve
from ...problem._monomials import Exponents, expression, value
from ...problem._operators import Operator, operator
from ...problem._polynomial import count
from ...problem._search_problem import SearchProblem
from ...problem._smooth import fit_smooth
from ...problem._template import Template, constant
from ._chosen_terms import choices, needed, sum_bits
from ._power_factors import power_factors
from ._sum_fit import UNDONE, descended
from ._term_dictionaries import TermDictionary, term_dictionaries

_OUTER = ("sqrt", "inverse root", "reciprocal", "exp", "log", "inverse square")
_FEWEST = 50  # rows
_WIDEST = 10  # inputs
_MOST_TERMS = 12  # of a sum in the end
_STEP = 0.1  # of y's deviation: how far noise may move a row
_LEFT = 0.5  # of y's deviation: what leaves more is no sum
_GIVEN, _SAME = 6, 1e-3  # sums, and bits by which two differ
_SHARE = 0.2  # of the time
_HIGHEST, _COLUMNS, _BRINGS = 9, 250, 0.75  # degree and columns of polynomials, and what little they bring leaves


def weighted_sums(problem: SearchProblem) -> Iterator[Template]:
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
    for multiple in power_factors(problem):
        left = [i for i, power in enumerate(multiple) if not power]
        for dictionary in term_dictionaries(problem, left):
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
    problem: SearchProblem, multiple: Exponents, outer: Operator, dictionary: TermDictionary
) -> list[tuple[float, Template]]:
    """The sum within one function, with its description length; nothing where it leaves too much."""
    m, y, columns = value(problem.x, multiple), problem.y, dictionary.columns
    assert outer.inverse is not None
    with np.errstate(all="ignore"):
        z = np.asarray(outer.inverse(y / m), dtype=np.float64)
        step = _STEP * problem.unit * np.where(y < 0, -1.0, 1.0)  # slopes may have no bound where y is near zero
        weights = np.abs(step / (outer.inverse((y + step) / m) - z))
    ready = np.isfinite(z) & np.isfinite(weights)
    if np.mean(ready) < UNDONE:
        return []
    weighted, target = columns[ready] * weights[ready, None], (z * weights)[ready]
    every = choices(weighted, target, dictionary.first, problem.budget)
    found = []
    for kept in every:
        start = solve(weighted[:, kept], target, budget=problem.budget)
        first = descended(columns[:, kept], start, m, y, outer, problem.budget)
        if first is None:
            continue
        fewer, start = needed(columns[:, kept] * first.slope[:, None], first.target, problem.budget)
        kept = kept[fewer]
        if not 0 < len(kept) <= _MOST_TERMS:
            continue
        last = descended(columns[:, kept], start, m, y, outer, problem.budget)
        if last is None or not last.error < _LEFT:
            continue
        opened = [constant() for _ in kept]
        inner = sympy.Add(*(c * dictionary.terms[int(k)] for c, k in zip(opened, kept, strict=True)))
        starts = dict(zip(opened, last.coefficients.tolist(), strict=True))
        whole = expression(problem.columns, multiple) * outer.build(inner)
        found.append((sum_bits(last.error, len(kept), problem.rows), Template(whole, starts, last.error)))
    return found
