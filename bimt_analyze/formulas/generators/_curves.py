"""One input alone: many short expressions of it, and functions around them."""

from collections.abc import Iterator

from ..curves._curve_shapes import matched_shapes
from ..problem._inner import single
from ..problem._search_problem import SearchProblem
from ..problem._template import Template
from ._outer import undone

_GIVEN = 6  # shapes
_CLOSE = 1e-4  # of what was undone: a curve that leaves more is no candidate


def curves(problem: SearchProblem, *, deep: bool = False) -> Iterator[Template]:
    """Templates of one input from many short expressions of it.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    deep : bool
        Whether more and longer expressions are tried.
    """
    if problem.width == 1:
        found = matched_shapes(single(problem, 0), problem.y, problem.budget, deep=deep)
        for shape in sorted(found, key=lambda shape: shape.rank(problem.tolerance))[:_GIVEN]:
            yield shape.whole()


def curves_within(problem: SearchProblem) -> Iterator[Template]:
    """Templates g(f(u)) of one input: functions g are undone, and f is one of many short expressions.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    for entry, inverted in undone(problem) if problem.width == 1 else ():
        if problem.budget.over():
            return
        for template in curves(inverted):
            if template.error < _CLOSE:
                yield Template(entry.build(template.expression), template.start, template.error)
