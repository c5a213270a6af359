"""Products f(u) h(v) of functions of two simple arguments that share inputs, as exp(-g t) cos(w t)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import sympy

from ...problem._inner import Inner, inners
from ...problem._search_problem import SearchProblem
from ...problem._smooth import centred
from ...problem._template import Template
from ._separable import product_of

_WIDEST = 3  # inputs: of more, there are too many pairs of arguments
_ROWS = 300  # at which pairs are compared
_DEGREE = 7  # of the series in both arguments that compares pairs
_SEEN = 0.1  # of y's deviation: what such a series of the right pair leaves at most
_PAIRS = 4  # the best of them are taken apart
_DOUBT = 0.02  # of y's deviation: what a product of series leaves at most


def argument_products(problem: SearchProblem, *, share: float) -> Iterator[Template]:
    """Products of a function of one argument and a function of another, each an input, a product, a ratio or a sum.

    Of all pairs of arguments, those are kept of which a series in both leaves least; then series of either are
    multiplied, and written with functions.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    share : float
        Of the time that is left, from 0 to 1.
    """
    if not 1 < problem.width <= _WIDEST:
        return
    problem = replace(problem, budget=problem.budget.share(share))
    found: list[tuple[float, int, tuple[Inner, Inner]]] = []
    every = set(problem.columns)
    for pair in combinations(inners(problem), 2):
        symbols = set[sympy.Symbol]().union(*(part.free_symbols for inner in pair for part in inner.parts))
        apart = all(inner.plain() and inner.parts[0].is_Symbol for inner in pair)  # other generators' work
        if symbols != every or apart:
            continue
        error = _series_error(problem, pair)
        if error < _SEEN:
            found.append((error, len(found), pair))
        if problem.budget.over():
            break
    for _, _, pair in sorted(found)[:_PAIRS]:
        yield from product_of(problem, pair, worst=_DOUBT)
        if problem.budget.over():
            return


def _series_error(problem: SearchProblem, pair: tuple[Inner, Inner]) -> float:
    """What a series in two arguments leaves of y, judged on rows that were not fitted."""
    t = centred(np.stack([inner.values for inner in pair], axis=1))[:_ROWS]
    one, two = (np.polynomial.legendre.legvander(t[:, k], _DEGREE) for k in range(2))
    columns = (one[:, :, None] * two[:, None, :]).reshape(len(t), -1)
    y = problem.y[:_ROWS] / problem.unit
    fitted = np.arange(len(t)) % 3 > 0
    problem.budget.charge("solve", len(t) * columns.shape[1] ** 2)
    if np.sum(fitted) <= 1.5 * columns.shape[1]:
        return float("inf")
    coefficients = np.linalg.lstsq(columns[fitted], y[fitted], rcond=1e-8)[0]
    return float(np.sqrt(np.median((columns[~fitted] @ coefficients - y[~fitted]) ** 2)))
