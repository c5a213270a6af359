"""A formula that nearly meets its rows, replaced by the function whose series it begins."""

from collections.abc import Sequence
from itertools import chain, islice

import numpy as np
import sympy

from .._row_bounds import own_rounding
from ..problem._constants import refine
from ..problem._polynomial import fallback_polynomial
from ..problem._search_problem import SearchProblem
from ..problem._template import node_count, numeric
from ..series._resummed_series import followed_functions, resummed_series
from ._candidate import Candidate, finish, order
from ._search import Outcome
from ._straightened import straightened

_NEAR = 0.2  # of y's deviation: what a series, and noise, may leave
_FIRST = 8  # functions by their values, before those by their series
_FITTED = 0.05  # of y's deviation: how near a function must come before its constants are fitted
_AS_GOOD = 1.05  # times what the formula leaves: a shorter form may leave so much
_BETTER = 0.1  # of what the formula leaves: so little must be left by a form that is longer
_WORK = 0.5  # units, for one formula
_MOST_TERMS = 8  # of a sum, the greatest
_SMALL = 1e-3  # of y's deviation: terms of less make up for a series that was cut
_ROUGH = 2  # fits that are looked at


def sharpened(found: Sequence[Candidate], problem: SearchProblem) -> list[Candidate]:
    """The candidates, led by functions that begin like the best of them, and are shorter or meet the rows better.

    Parameters
    ----------
    found : sequence of Candidate
        What a search found, the best first.
    problem : SearchProblem
        The rows.
    """
    better = [] if not found else list(_functions_like(found[0], problem))
    return [*sorted(better, key=order), *found]


def resummed(outcome: Outcome, problem: SearchProblem, *, tried: set[sympy.Expr]) -> tuple[Candidate, ...]:
    """Functions that begin like the best formulas of a search, and are shorter or meet the rows better.

    Parameters
    ----------
    outcome : Outcome
        What the search brought.
    problem : SearchProblem
        The rows.
    tried : set of sympy.Expr
        Formulas that were looked at before, and are passed over; those looked at now are added.
    """
    fits = list(outcome.rough[:_ROUGH])
    if (template := fallback_polynomial(problem)) is not None and (fit := refine(template, problem)) is not None:
        fits.insert(0, fit)
    rough = [finish(fit.model.problem, fit) for fit in fits if not problem.budget.over()]
    best = sorted([*outcome.done, *rough], key=order)[:_ROUGH]
    candidates = [one for one in best if one.expression not in tried]
    tried.update(one.expression for one in candidates)
    work = min(_WORK, problem.budget.end)  # no more than the whole search may do
    return tuple(better for one in candidates for better in _functions_like(one, problem, work) if better.explained)


def _functions_like(best: Candidate, problem: SearchProblem, work: float = _WORK) -> list[Candidate]:
    """Functions that begin like a formula in one of its inputs; the last one settles, if one does."""
    if problem.width == 0 or not best.error < _NEAR or _is_sharp(best, problem):
        return []
    budget = problem.budget.apart(work)
    found: list[Candidate] = []
    main, symbols = _main_terms(best.expression, problem), list(problem.columns)
    near = max(_FITTED, best.error)
    series = resummed_series(main, symbols, problem.x, unit=problem.unit, budget=budget, near=near)
    followed = followed_functions(main, symbols, problem.x, unit=problem.unit, budget=budget)
    lines = straightened(best.expression, problem)
    for template in chain(lines, islice(followed, _FIRST), (template for template, _ in series)):
        if budget.over():
            break
        fit = refine(template, problem)
        if fit is None or not fit.error <= max(_AS_GOOD * best.error, problem.least):
            continue
        candidate = finish(problem, fit)
        if order(candidate) < order(best) or candidate.worst < _BETTER * best.worst:
            found.append(candidate)
            if _is_sharp(candidate, problem):
                break
    return found


def _main_terms(expression: sympy.Expr, problem: SearchProblem) -> sympy.Expr:
    """The expression multiplied out, its few greatest terms alone: the others make up for a series that was cut."""
    terms = sympy.Add.make_args(sympy.expand_mul(expression))
    with np.errstate(all="ignore"):
        sizes = [float(np.std(numeric(term, problem.columns)(problem.x))) for term in terms]
    problem.budget.charge("lambdify", calls=len(terms))
    order = sorted(range(len(terms)), key=lambda k: -sizes[k])[:_MOST_TERMS]
    return sympy.Add(*(terms[k] for k in order if sizes[k] > _SMALL * problem.unit or sizes[k] == 0.0))


def _is_sharp(candidate: Candidate, problem: SearchProblem) -> bool:
    """Whether a formula is settled, and meets the rows to its own rounding where they are doubles."""
    if not candidate.settled or problem.tolerance:
        return candidate.settled
    names = [str(column) for column in problem.columns]
    problem.budget.charge("digits", 12 * node_count(candidate.expression), calls=12)
    return candidate.worst <= own_rounding(candidate.expression, names, problem.x, problem.y)
