"""Templates in which fast waves, kinks and steps stand beside the inputs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import sympy

from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant
from ._found_marks import found_marks
from ._in_pieces import in_pieces

Propose = Callable[[SearchProblem], list[Template]]
Generator = Callable[[SearchProblem, Propose], Iterator[Template]]

_WIDEST, _FEWEST = 12, 30  # inputs, and rows
_COARSEST = 1e-3  # tolerance, over y's deviation, at which proposals are still made
_FINE = 1e-9  # tolerance where open numbers are refined as well as can be
_FINDING, _SHARE = 0.4, 0.2  # of the time: for finding the marks, and for the generators


def marked(problem: SearchProblem, propose: Propose, stages: Sequence[Generator]) -> Iterator[Template]:
    """The marks of y as further inputs, and the wider problem asked of each generator in turn.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    propose : callable
        Gives templates for a part of the problem, the best first.
    stages : sequence of callables
        The generators that are asked, in their order.
    """
    if not 0 < problem.width <= _WIDEST or problem.rows < _FEWEST:
        return
    marks, left = found_marks(replace(problem, budget=problem.budget.share(_FINDING)))
    if not marks:
        return
    slots = tuple(sympy.Symbol(f"mark{k}_", real=True) for k in range(len(marks)))
    start: dict[sympy.Dummy, float] = {}
    whole: dict[sympy.Symbol, sympy.Expr] = {}
    for slot, mark in zip(slots, marks, strict=True):
        numbers: list[sympy.Expr] = []
        for value, exact, free in zip(mark.numbers, mark.exact, mark.opened, strict=True):
            numbers.append(constant() if free else exact)
            start |= {numbers[-1]: value} if free else {}
        whole[slot] = mark.build(tuple(numbers))
    simple = all(exact is not None for mark in marks for exact in mark.exact)
    tolerance = problem.tolerance if simple else max(problem.tolerance, min(max(3 * left, _FINE), _COARSEST))
    question = replace(
        problem,
        x=np.column_stack([problem.x, *(mark.values(mark.numbers) for mark in marks)]),
        columns=(*problem.columns, *slots),
        structure=None,
        tolerance=tolerance,
        depth=min(problem.depth, 1),
        budget=problem.budget.share(_SHARE),
    )
    for generate in stages:
        for template in generate(question, propose):
            yield Template(template.expression.xreplace(whole), {**template.start, **start}, template.error)
        if question.budget.over():
            break
    if len(marks) == 1:
        yield from in_pieces(problem, propose, whole[slots[0]], start)
