"""Two inputs replaced by one, such as x_i - x_j or x_i / x_j, where structural tests propose it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import sympy

from ...problem._search_problem import SearchProblem
from ...problem._structure import Combination
from ...problem._template import Template, numeric

_MOST = 4  # combinations asked
_SHARE = 0.4  # of the time

_JOINED: Mapping[str, Callable[[sympy.Expr, sympy.Expr, sympy.Expr], sympy.Expr]] = MappingProxyType(
    {
        "sum": lambda a, b, c: a + c * b,
        "product": lambda a, b, c: a * b**c,
        "squares": lambda a, b, c: a**2 + c * b**2,
        "reciprocals": lambda a, b, c: 1 / a + c / b,
    }
)


def combined(
    problem: SearchProblem, stages: Sequence[Callable[[SearchProblem], Iterator[Template]]]
) -> Iterator[Template]:
    """Each proposed combination in place of its two inputs, and the rest asked of each generator in turn.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    stages : sequence of callables
        The generators that are asked about the smaller problem, in their order.
    """
    hints = () if problem.structure is None else problem.structure.combinations
    names = [str(column) for column in problem.columns]
    questions = [
        asked
        for hint in hints[:_MOST]
        if set(hint.inputs) <= set(names) and (asked := _joined(problem, names, hint)) is not None
    ]
    budget = problem.budget.share(_SHARE)
    for generate in stages:
        for question, slot, whole in questions:
            for template in generate(replace(question, budget=budget)):
                yield Template(template.expression.xreplace({slot: whole}), template.start, template.error)
            if budget.over():
                return


def _joined(
    problem: SearchProblem, names: list[str], hint: Combination
) -> tuple[SearchProblem, sympy.Symbol, sympy.Expr] | None:
    """The problem with one column for two, its symbol, and what that stands for; None where it is not finite."""
    first, second = (names.index(name) for name in hint.inputs)
    whole = _JOINED[hint.kind](
        problem.columns[first], problem.columns[second], sympy.nsimplify(hint.coefficient, rational=True)
    )
    problem.budget.charge("lambdify")
    values = numeric(whole, problem.columns)(problem.x)
    if not np.all(np.isfinite(values)):
        return None
    slot = sympy.Symbol("joined_", real=True, positive=True if np.all(values > 0) else None)
    others = [i for i in range(problem.width) if i not in (first, second)]
    question = replace(
        problem,
        x=np.column_stack([values, problem.x[:, others]]),
        columns=(slot, *(problem.columns[i] for i in others)),
        structure=None,
        depth=min(problem.depth, 1),
    )
    return question, slot, whole
