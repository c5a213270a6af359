"""Tests 4 and 5: products and sums of two expressions of the pool."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import sympy

from ..generators._inverted_targets import targets
from ..problem._search_problem import SearchProblem
from ._candidate_match import ELEMENTWISE, Match, best_places, left_unexplained, one, solved, unit_rows
from ._expression_pool import Pool

_LEFT, _RIGHT = 1200, 5000  # features of a product
_SUMMED = 2500  # features of a sum of two


def products_of_two(problem: SearchProblem, pool: Pool) -> Iterator[Match]:
    """Test 4: one feature times another, plus the first.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    pool : Pool
        The short expressions.
    """
    left, right = pool.first(_LEFT), unit_rows(pool.first(_RIGHT))
    for target in targets(problem):
        if problem.budget.over():
            return
        with np.errstate(all="ignore"):
            quotients = target.values / left
            weight = np.std(quotients, axis=1) * np.sqrt(np.mean(left**2, axis=1)) / np.std(target.values)
        problem.budget.charge("columns", 10 * left.size)
        problem.budget.charge("compare", len(left) * len(right) * (problem.rows + ELEMENTWISE))
        usable_ = np.all(np.isfinite(quotients), axis=1) & np.isfinite(weight)
        quotients = np.where(usable_[:, None], quotients, 0.0)
        misses = left_unexplained(unit_rows(quotients) @ right.T)
        misses *= np.where(usable_, weight, np.inf)[:, None] ** 2
        sizes = pool.sizes[: len(left)] + target.size + 1, pool.sizes[: len(right)]
        for place in best_places(misses, sizes, problem.rows):
            f, g = divmod(place, len(right))
            first, second = pool.values[f], pool.values[g]
            match = solved(
                problem,
                target,
                [partial(_product, pool, f, g), partial(pool.expression, f)],
                [first * second, first],
                int(sizes[0][f] + sizes[1][g]),
            )
            if match is not None:
                yield match


def _product(pool: Pool, f: int, g: int) -> sympy.Expr:
    """The expression of two features' product."""
    return pool.expression(f) * pool.expression(g)


def sums_of_two(problem: SearchProblem, pool: Pool) -> Iterator[Match]:
    """Test 5: two features, from the correlations of all pairs.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    pool : Pool
        The short expressions.
    """
    features = unit_rows(pool.first(_SUMMED))
    inner = features @ features.T
    problem.budget.charge("compare", inner.size * (problem.rows + ELEMENTWISE))
    apart = left_unexplained(inner.copy())
    apart[(apart < 1e-6) | np.tri(len(features), dtype=bool)] = np.inf  # each pair once
    sizes = pool.sizes[: len(features)]
    for target in targets(problem):
        if problem.budget.over():
            return
        problem.budget.charge("compare", 2 * inner.size * ELEMENTWISE)
        r = features @ unit_rows(target.values[None])[0]
        explained = np.outer(-2 * r, r)  # the share of the target that two features explain, formed in place
        explained *= inner
        explained += r[:, None] ** 2
        explained += r**2
        explained /= apart
        for place in best_places(np.maximum(1 - explained, 0.0), (sizes + target.size + 1, sizes), problem.rows):
            f, g = divmod(place, len(features))
            match = solved(
                problem,
                target,
                [partial(pool.expression, f), partial(pool.expression, g), one],
                [pool.values[f], pool.values[g], np.ones(problem.rows)],
                int(sizes[f] + sizes[g]) + target.size + 1,
            )
            if match is not None:
                yield match
