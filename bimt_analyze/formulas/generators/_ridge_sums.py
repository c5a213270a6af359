"""A sum of functions, each of one weighted sum of inputs, where the hints name the sums."""

from collections.abc import Iterator
from heapq import nsmallest
from itertools import product

import numpy as np

from ..problem._inner import Inner, rounded, single, weighted
from ..problem._search_problem import SearchProblem
from ..problem._smooth import best_smooth
from ..problem._template import Template, total
from ..problem._univariate import shapes

_SPLIT = 0.2  # leave-one-out error of smooth parts, above which there is no such sum; a kink leaves a few percent
_COMBINATIONS = 10  # of terms' shapes, the best by rank: each is refined on the rows


def ridge_sums(problem: SearchProblem) -> Iterator[Template]:
    """Templates c + h_1(u_1) + h_2(u_2) + ..., u_k the hinted weighted sum of the k-th hinted term.

    At least one u_k has several inputs. A polynomial of five inputs cannot follow the kink of abs(u); one of u alone
    comes near enough to see which function it is. The constants of all parts are refined together, on the rows.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    inner = [_inner(problem, group) for group in problem.terms()]
    arguments = [one for one in inner if one is not None]
    if len(arguments) < len(inner) or all(one.plain() for one in arguments) or problem.budget.over():
        return
    x = np.column_stack([one.values for one in arguments])
    smooth = best_smooth(x, problem.y, [(k,) for k in range(len(arguments))], budget=problem.budget)
    if smooth is None or smooth.error > _SPLIT:
        return
    choices = [
        [
            (shape.rank(smooth.error), shape.added())
            for shape in shapes(one, values, tolerance=smooth.error, budget=problem.budget, most=4)
        ]
        for one, values in zip(arguments, smooth.values, strict=True)
    ]
    joins = ((sum(rank for rank, _ in chosen), [template for _, template in chosen]) for chosen in product(*choices))
    for _, templates in nsmallest(_COMBINATIONS, joins, key=lambda pair: pair[0]):
        yield total(templates, smooth.offset)


def _inner(problem: SearchProblem, group: tuple[int, ...]) -> Inner | None:
    """The argument of a term; None where the hints do not say."""
    if len(group) == 1:
        return single(problem, group[0])
    for columns, direction in problem.ridges():
        if set(columns) == set(group):
            hinted = weighted(problem, columns, direction)
            return rounded(hinted, problem, columns) or hinted
    return None
