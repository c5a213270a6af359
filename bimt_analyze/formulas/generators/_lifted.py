"""Inputs seen through a function: sin, cos, exp, a logarithm or a root of a column in its place."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import sympy

from ..problem._operators import operator
from ..problem._search_problem import Rows, SearchProblem
from ..problem._template import Template

Generate = Callable[[SearchProblem], Iterator[Template]]

_Question = tuple[SearchProblem, sympy.Expr, dict[sympy.Expr, sympy.Expr]]  # also a factor, and what symbols stand for

_FUNCTIONS = ("cos", "sin", "exp", "log", "sqrt", "tanh")
_WIDEST = 6  # inputs
_LARGEST = 1e6  # times the least: a function that reaches further hides all but a few rows


@dataclass(frozen=True)
class _Lift:
    """A column in place of one or two.

    Attributes
    ----------
    places : tuple of int
        The columns that it stands for.
    whole : sympy.Expr
        What it is.
    values : array of shape [rows]
        On the rows.
    """

    places: tuple[int, ...]
    whole: sympy.Expr
    values: Rows


def lifted(problem: SearchProblem, stages: Sequence[Generate], *, share: float) -> Iterator[Template]:
    """A function of a column, or of two columns' sum or difference, in their place; then two columns at once.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    stages : sequence of callables
        The generators that are asked about each problem, the cheapest first.
    share : float
        Of the time that is left, from 0 to 1.
    """
    if not 0 < problem.width <= _WIDEST or problem.depth < 1:
        return
    problem = replace(problem, budget=problem.budget.share(share))
    problem.budget.charge("columns", 10 * problem.x.size * len(_FUNCTIONS))
    if problem.budget.over():
        return
    single, joined = list(_single(problem)), list(_joined(problem))
    for generate in stages:
        for question, factor, back in _questions(problem, single, joined):
            for template in generate(question):
                yield Template(factor * template.expression.xreplace(back), template.start, template.error)
            if problem.budget.over():
                return


def _questions(problem: SearchProblem, single: Sequence[_Lift], joined: Sequence[_Lift]) -> Iterator[_Question]:
    """All smaller problems, those with a function of one column first."""
    for lift in single:
        yield _in_place(problem, (lift,))
        yield from _divided(problem, lift)
    for lift in joined:
        yield _in_place(problem, (lift,))
    for one, other in combinations(single, 2):
        if one.places != other.places:
            yield _in_place(problem, (one, other))


def _divided(problem: SearchProblem, lift: _Lift) -> Iterator[_Question]:
    """What is left of y, where it is a product with a function of one column: of the other columns, then of all."""
    every = tuple(range(problem.width))
    others = tuple(place for place in every if place not in lift.places)
    if np.any(lift.values == 0):
        return
    for whole, values in ((lift.whole, lift.values), (1 / lift.whole, 1 / lift.values)):
        for columns in (others, every):
            part = problem.part(columns, problem.y / values, tolerance=problem.tolerance)
            if columns and np.all(np.isfinite(part.y)):
                yield replace(part, structure=None), whole, {}


def _in_place(problem: SearchProblem, lifts: Sequence[_Lift]) -> _Question:
    """The problem with some columns in place of others."""
    gone = {place for lift in lifts for place in lift.places}
    kept = [place for place in range(problem.width) if place not in gone]
    slots = [sympy.Symbol(f"lifted{k}_", real=True) for k in range(len(lifts))]
    problem.budget.charge("columns", 2 * problem.x.size)
    question = replace(
        problem,
        x=np.column_stack([*(lift.values for lift in lifts), problem.x[:, kept]]),
        columns=(*slots, *(problem.columns[place] for place in kept)),
        structure=None,
        depth=problem.depth - 1,
    )
    return question, sympy.Integer(1), {slot: lift.whole for slot, lift in zip(slots, lifts, strict=True)}


def _single(problem: SearchProblem) -> Iterator[_Lift]:
    """Functions of each column."""
    for place, column in enumerate(problem.columns):
        yield from _functions(problem.x[:, place], column, (place,))


def _joined(problem: SearchProblem) -> Iterator[_Lift]:
    """Functions of the difference and of the sum of two columns."""
    for i, j in combinations(range(problem.width), 2):
        for sign in (-1, 1):
            values = problem.x[:, i] + sign * problem.x[:, j]
            whole = problem.columns[i] + sign * problem.columns[j]
            yield _Lift((i, j), whole, values)
            yield from _functions(values, whole, (i, j))


def _functions(values: Rows, whole: sympy.Expr, places: tuple[int, ...]) -> Iterator[_Lift]:
    for name in _FUNCTIONS:
        entry = operator(name)
        seen = entry(values)
        if np.all(np.isfinite(seen)) and 0 < np.ptp(seen) <= _LARGEST * max(float(np.median(np.abs(seen))), 1e-300):
            yield _Lift(places, entry.build(whole), seen)
