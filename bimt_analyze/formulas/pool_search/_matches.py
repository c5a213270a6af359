"""Every short expression held against y at once: alone, in pairs, and as a factor that makes y polynomial."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import nsmallest

import numpy as np
from jaxtyping import Int64

from ..problem._search_problem import SearchProblem
from ..problem._template import Template
from ._candidate_match import BEST, EXACT, Match, Rows, Test
from ._expression_pool import build_pool
from ._feature_tests import power_laws, single_features
from ._pair_tests import products_of_two, sums_of_two
from ._polynomial_test import polynomial_multiples

_ROWS = 300  # on which candidates are compared; the best are decided on all
_LARGE, _ENOUGH = 0.1, 120  # share of the largest |y|, and rows
_FEATURES = 24_000  # of the pool: 58 MB at 300 rows
_SHARE = 0.5  # of the time
_EACH = 0.6  # of the time that is left, for each test but the last
_FEW = 4  # matches that may be chance, and are given however much time the tests took


QUICK_TESTS: tuple[Test, ...] = (power_laws, polynomial_multiples)
SLOW_TESTS: tuple[Test, ...] = (single_features, products_of_two, sums_of_two)
TESTS = (*QUICK_TESTS, *SLOW_TESTS)


def matched(problem: SearchProblem, tests: Sequence[Test] | None = None) -> Iterator[Template]:
    """Templates from a pool of short expressions f, g of the columns, y undone by each function h in turn.

    1. h(y m) = a times a product of powers, for monomials m;
    2. h(y m) = a f + d;
    3. h(y) f = a polynomial of low degree;
    4. h(y) = a f g + b f;
    5. h(y) = a f + b g + d.

    Matches that no chance explains come at once, the shortest first; the best of the others at the end. On noisy rows
    "best" is the shortest description: rows * log2(error) and three bits for each node.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    tests : sequence of callables, optional
        Some of these tests; all of them where none are named.
    """
    if problem.width == 0 or problem.rows < 8:
        return
    problem = replace(problem, budget=problem.budget.share(_SHARE))
    some = _telling(problem.y)
    seen = problem.some(some)
    pool = build_pool(seen.x, problem.columns, limit=_FEATURES, budget=problem.budget.share(0.2))
    if not len(pool.values):
        return
    later: list[Match] = []
    sharp = max(EXACT, problem.least)
    asked = TESTS if tests is None else tests
    for left, test in zip(range(len(asked), 0, -1), asked, strict=True):
        if problem.budget.over():
            break
        part = replace(seen, budget=problem.budget.share(max(1 / left, _EACH)))
        found = list(test(part, pool))
        sure = [match for match in found if match.error < sharp]
        yield from (match.template() for match in nsmallest(BEST, sure, key=lambda m: m.bits))
        later += nsmallest(BEST, (m for m in found if m.error >= sharp), key=lambda m: m.bits)
    for place, match in enumerate(nsmallest(BEST, later, key=lambda m: m.bits)):
        if place >= _FEW and problem.budget.over():  # to fit them is work too
            return
        yield match.template()


def _telling(y: Rows) -> Int64[np.ndarray, " some"]:
    """Rows on which candidates are compared: of those where y is not small, or else not zero, if there are enough.

    Functions are undone there, and noise that is small beside y stays small. A logarithm cannot be undone at zero.
    """
    large = np.flatnonzero(np.abs(y) >= _LARGE * np.max(np.abs(y)))
    choices = (large, np.flatnonzero(y), np.arange(len(y)))
    rows = next((rows for rows in choices if len(rows) >= _ENOUGH), choices[-1])
    return rows[np.linspace(0, len(rows) - 1, min(_ROWS, len(rows))).astype(np.int64)]
