"""A formula of noisy or rounded rows without the parts that the rows do not ask for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import sympy

from ..intervals._opened import opened
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant, numeric
from ._candidate import Candidate, order
from ._improvements import fitted_forms, improvements

_EVEN = 0.3  # of its mean: a part that varies by no more may be a constant
_SMALL = 0.3  # of y's deviation: a term that is no larger may be none
_LEAST = 0.1  # units: fewer are gone with the first part
_MOST = 4  # parts that may go, one after the other


def pared(found: Sequence[Candidate], problem: SearchProblem, *, work: float) -> list[Candidate]:
    """The candidates, led by the first of them with fewer parts, where its description is shorter.

    A part that varies little becomes a constant, and so does a factor that varies little where its product is large; a
    small term of a sum goes. All this as long as the description of rows and formula together gets shorter:
    tanh(exp(x)) is 1 where noise or rounding hides the difference, and 1.5 x exp(6.7 x) is exp(7.3 x).

    Parameters
    ----------
    found : sequence of Candidate
        What a search found, the best first. One that meets rows in double precision stays as it is.
    problem : SearchProblem
        The rows.
    work : float
        Units of work that this may take; of less than a tenth, nothing is tried.
    """
    if not found or work < _LEAST:
        return list(found)
    apart = replace(problem, budget=problem.budget.apart(work))
    shorter = improvements(
        found[:1],
        lambda best: fitted_forms(_with_less(best, apart), apart),
        is_better=lambda other, best: order(other) < order(best),
        stays=lambda best: best.settled and not problem.tolerance,
    )
    return [*reversed(list(islice(shorter, _MOST))), *found]


def _with_less(best: Candidate, problem: SearchProblem) -> Iterator[Template]:
    """The formula with one part replaced by a constant, or one term of a sum left out."""
    simple = [one.exact for one in best.constants if one.exact is not None]
    parts = (part for part in sympy.preorder_traversal(best.expression) if part.free_symbols and part.args)
    for part in dict.fromkeys(parts):
        if part == best.expression:
            continue
        with np.errstate(all="ignore"):
            values = numeric(part, problem.columns)(problem.x)
        if not np.isfinite(values).all():
            continue
        spread, middle = float(np.std(values)), float(np.mean(values))
        if spread <= _EVEN * abs(middle):
            level = constant()
            form = opened(best.expression.xreplace({part: level}), simple)
            yield Template(form.template.expression, {**form.template.start, level: middle})
    for product in dict.fromkeys(sympy.preorder_traversal(best.expression)):
        varying = [factor for factor in product.args if factor.free_symbols] if product.is_Mul else []
        for factor in varying if len(varying) > 1 else ():
            rest = product / factor
            with np.errstate(all="ignore"):
                whole, beside = (numeric(part, problem.columns)(problem.x) for part in (product, rest))
                middle = float(whole @ beside / (beside @ beside))
                less = best.expression.xreplace({product: middle * rest})
                change = numeric(less - best.expression, problem.columns)(problem.x)
            if np.isfinite(change).all() and float(np.std(change)) <= _SMALL * problem.unit:
                level = constant()
                form = opened(best.expression.xreplace({product: level * rest}), simple)
                yield Template(form.template.expression, {**form.template.start, level: middle})
    for total in dict.fromkeys(sympy.preorder_traversal(best.expression)):
        for term in total.args if total.is_Add else ():
            less = best.expression.xreplace({total: total - term})
            with np.errstate(all="ignore"):
                change = numeric(less - best.expression, problem.columns)(problem.x)
            if less.free_symbols and np.isfinite(change).all() and float(np.std(change)) <= _SMALL * problem.unit:
                yield opened(less, simple).template
