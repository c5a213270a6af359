"""Plainer forms beside the formula that was chosen: its mean, a plane, and the formula without some of its terms."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import numpy as np
import sympy

from ..intervals._opened import opened
from ..problem._budget import Budget
from ..problem._constants import refine
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant, linear, node_count, numeric
from ._candidate import Candidate, finish

_MOST_TERMS = 8  # of a sum that is taken apart
_MOST_INPUTS = 8  # of a plane
_EVALUATIONS = 30  # that a fit and its simple numbers take, about


def plainer_forms(best: Candidate, problem: SearchProblem) -> list[Candidate]:
    """The forms that show what a formula gains: each fitted to the rows, the plainest first.

    Parameters
    ----------
    best : Candidate
        The formula that was chosen.
    problem : SearchProblem
        The rows; work beyond its budget is not begun.
    """
    found, budget = [], problem.budget
    apart = replace(problem, budget=Budget.of(inf))  # how many evaluations a fit takes is up to rounding
    for template in _forms(best.expression, problem):
        if budget.over():
            break
        nodes = node_count(template.expression)
        budget.charge("compile", nodes)
        budget.charge("tidy", nodes)
        budget.charge("evaluate", _EVALUATIONS * problem.rows * nodes, calls=_EVALUATIONS)
        fit = refine(template, apart)
        if fit is not None and np.all(np.isfinite(fit.errors)):
            found.append(finish(apart, fit))
    return found


def _forms(expression: sympy.Expr, problem: SearchProblem) -> Iterator[Template]:
    """A constant, a plane in the inputs that are used, and the formula with ever fewer of its terms."""
    used = [column for column in problem.columns if column in expression.free_symbols]
    yield linear([sympy.Integer(1)], [float(np.mean(problem.y))])
    if 0 < len(used) <= _MOST_INPUTS:
        yield linear([*used, sympy.Integer(1)], [0.0] * len(used) + [float(np.mean(problem.y))])
    terms = [term for term in sympy.Add.make_args(expression) if term.free_symbols]
    if not 1 < len(terms) <= _MOST_TERMS:
        return
    with np.errstate(all="ignore"):
        sizes = [float(np.std(numeric(term, problem.columns)(problem.x))) for term in terms]
    order = sorted(range(len(terms)), key=lambda k: -sizes[k])
    for count in range(len(terms) - 1, 0, -1):
        form = opened(sympy.Add(*(terms[k] for k in order[:count])))
        scale, offset = constant(), constant()
        if form.numbers:
            yield form.template.shifted(0.0)
        else:  # a sum without decimals, whose parts need numbers of their own
            yield Template(scale * form.template.expression + offset, {scale: 1.0, offset: 0.0})
