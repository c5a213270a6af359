"""Tests 1 and 2: y times a monomial against a power law, and against one expression of the pool."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import sympy

from ..generators._inverted_targets import all_targets
from ..problem._monomials import monomials
from ..problem._search_problem import SearchProblem
from ._candidate_match import BEST, ELEMENTWISE, MULTIPLES, Match, best_places, left_unexplained, one, solved, unit_rows
from ._expression_pool import Pool


def power_laws(problem: SearchProblem, pool: Pool) -> Iterator[Match]:
    """Test 1: log|h(y m)| is linear in the logarithms of the columns.

    Powers are put to sixths where they are close.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    pool : Pool
        The short expressions.
    """
    used = [i for i in range(problem.width) if np.all(problem.x[:, i] != 0)]
    if not used or 2 * len(used) >= problem.rows:
        return
    logs = np.column_stack([np.ones(problem.rows), np.log(np.abs(problem.x[:, used]))])
    basis = np.linalg.qr(logs)[0]
    asked = [t for t in all_targets(problem, monomials(problem.width, most=MULTIPLES)) if np.all(t.values != 0)]
    if not asked:
        return
    problem.budget.charge("columns", 4 * len(asked) * problem.rows)
    z = np.log(np.abs(np.stack([t.values for t in asked])))
    left = np.mean((z - (z @ basis) @ basis.T) ** 2, axis=1) / np.maximum(np.var(z, axis=1), 1e-24)
    sizes = np.array([t.size for t in asked]) + 4 * len(used)
    for place in best_places(left, [sizes], problem.rows, most=BEST):
        if problem.budget.over():
            return
        target, found = asked[place], np.linalg.lstsq(logs, z[place], rcond=1e-12)[0][1:]
        near = np.round(found * 6) / 6
        near = np.where(np.abs(near - found) < 0.05, near, np.round(found, 3))
        base = problem.x[:, used] if np.all(near == np.round(near)) else np.abs(problem.x[:, used])
        with np.errstate(all="ignore"):
            column = np.prod(base**near, axis=1)
        if not np.all(np.isfinite(column)):
            continue
        terms = [
            problem.columns[i] ** sympy.Rational(str(round(float(p), 3))).limit_denominator(6)
            for i, p in zip(used, near, strict=True)
        ]
        size = target.size + 3 * int(np.count_nonzero(near))
        match = solved(problem, target, [partial(sympy.Mul, *terms)], [column], size)
        if match is not None:
            yield match


def single_features(problem: SearchProblem, pool: Pool) -> Iterator[Match]:
    """Test 2: one feature, against y times every monomial.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    pool : Pool
        The short expressions.
    """
    features = unit_rows(pool.values)
    problem.budget.charge("columns", 5 * pool.values.size)
    every = monomials(problem.width, most=MULTIPLES)
    for start in range(0, len(every), 40):
        asked = all_targets(problem, every[start : start + 40])
        if not asked or problem.budget.over():
            return
        problem.budget.charge("compare", len(asked) * len(pool) * (problem.rows + ELEMENTWISE))
        left = left_unexplained(unit_rows(np.stack([t.values for t in asked])) @ features.T)
        sizes = np.array([t.size for t in asked]), pool.sizes
        for place in best_places(left, sizes, problem.rows, most=BEST):
            t, k = divmod(place, len(pool))
            match = solved(
                problem,
                asked[t],
                [partial(pool.expression, k), one],
                [pool.values[k], np.ones(problem.rows)],
                int(sizes[0][t] + sizes[1][k]),
            )
            if match is not None:
                yield match
