"""Better forms of formulas that were found: forms are offered, fitted to the rows, and the best of them is kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import sympy

from ..problem._constants import refine
from ..problem._search_problem import SearchProblem
from ..problem._template import Template
from ._candidate import Candidate, finish, order


def improvements(
    found: Sequence[Candidate],
    fitted: Callable[[Candidate], Iterable[Candidate]],
    *,
    is_better: Callable[[Candidate, Candidate], bool],
    stays: Callable[[Candidate], bool],
) -> Iterator[Candidate]:
    """Better forms of some candidates, and of those forms in turn, as they are found.

    Parameters
    ----------
    found : sequence of Candidate
        Where to begin. In each round the best that was not looked at before gives way to the best of its other forms.
    fitted : callable
        The other forms of a candidate, fitted to the rows (`fitted_forms`).
    is_better : callable
        Whether the first of two candidates is better than the second.
    stays : callable
        Whether a candidate stays as it is. Then the rounds end.
    """
    pool, seen = list(found), set[sympy.Expr]()
    while left := [one for one in pool if one.expression not in seen]:
        best = min(left, key=order)
        if stays(best):
            return
        seen.add(best.expression)
        better = min(fitted(best), key=order, default=best)
        if is_better(better, best):
            pool.append(better)
            yield better


def fitted_forms(templates: Iterable[Template], problem: SearchProblem) -> Iterator[Candidate]:
    """Templates as finished formulas, until the work is done; those that cannot be fitted are left out.

    Parameters
    ----------
    templates : iterable of Template
        Forms with open constants.
    problem : SearchProblem
        The rows, and the work that may be done.
    """
    for template in templates:
        if problem.budget.over():
            return
        fit = refine(template, problem)
        if fit is not None:
            yield finish(problem, fit)
