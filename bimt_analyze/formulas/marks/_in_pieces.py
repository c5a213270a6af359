"""One form on either side of a break, each searched for on its own rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import sympy

from ..problem._search_problem import SearchProblem
from ..problem._template import Template, linear, numeric

_FEWEST = 15  # rows on either side
_FORMS = 3  # of either side
_SHARE = 0.3  # of the time


def in_pieces(
    problem: SearchProblem,
    propose: Callable[[SearchProblem], list[Template]],
    mark: sympy.Expr,
    start: Mapping[sympy.Dummy, float],
) -> Iterator[Template]:
    """Templates A (1 + sign u) / 2 + B (1 - sign u) / 2, where u is the argument of a kink or a step.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem, the best first.
    mark : sympy.Expr
        The kink or the step; of a wave there are no sides.
    start : mapping of sympy.Dummy to float
        The open constants of the mark.
    """
    if not isinstance(mark, sympy.Abs | sympy.sign):
        return
    argument = mark.args[0]
    values = numeric(Template(argument, start).filled(), problem.columns)(problem.x)
    problem.budget.charge("lambdify")
    budget = problem.budget.share(_SHARE)
    found: list[list[Template]] = []
    for rows in (values > 0, values < 0):
        if np.sum(rows) < _FEWEST:
            return
        part = replace(problem.some(rows), structure=None, depth=1, budget=budget)
        flat = np.ptp(part.y) <= 2 * problem.floor
        found.append([linear([sympy.Integer(1)], [float(np.mean(part.y))])] if flat else propose(part)[:_FORMS])
    sign = sympy.sign(argument)
    for above, below in product(*found):
        joined = (above.expression * (1 + sign) + below.expression * (1 - sign)) / 2
        yield Template(joined, {**above.start, **below.start, **start}, above.error + below.error)
