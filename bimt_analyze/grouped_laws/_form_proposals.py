"""Forms that may be the law: from searches of single groups and of all rows, and one function of one input."""

from collections.abc import Iterator, Sequence

import numpy as np
import sympy

from ..formulas._searched_rows import distinct
from ..formulas.problem._budget import Budget
from ..formulas.problem._constants import refine
from ..formulas.problem._search_problem import SearchProblem, deviation
from ..formulas.search._candidate import without_bars
from ..formulas.search._search import parts
from ..formulas.search._stages import DECOMPOSITIONS, MATCHED, QUICK, THOROUGH
from ..formulas.symbolic._tidy import complexity
from ._grouped_rows import GroupedRows
from ._open_form import OpenForm, opened

_EACH = 14  # forms of one search
_SEARCHED_GROUPS = 3
_POOLED_ROWS = 400
_NODE, _CONSTANT = 3.0, 5.0  # bits
_SETTLED = 3  # constants of an exact form, after which a search of exact rows ends


def proposals(
    rows: GroupedRows, columns: Sequence[sympy.Symbol], budget: Budget, seed: int
) -> Iterator[tuple[str, OpenForm]]:
    """Forms, each with the search that it comes from.

    Parameters
    ----------
    rows : GroupedRows
        All rows.
    columns : sequence of sympy.Symbol
        The symbols of the inputs.
    budget : Budget
        Of all searches together.
    seed : int
        Of everything random.
    """
    for form in of_one_input(rows, columns):
        yield "one function", form
    questions = list(_questions(rows, columns, seed))
    for place, (origin, x, y) in enumerate(questions):
        part = budget.share(1 / (len(questions) - place))
        kept = distinct(x)
        if not kept:
            continue
        problem = SearchProblem(x[:, list(kept)], y, tuple(columns[i] for i in kept), part, seed=seed)
        for form in _searched(problem):
            yield origin, form


def _questions(
    rows: GroupedRows, columns: Sequence[sympy.Symbol], seed: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The rows of the groups that tell most, and those of all groups: as they are, and at equal mean and deviation."""
    told = [_telling(*rows.of_group(g)) for g in range(rows.count)]
    for g in sorted(range(rows.count), key=lambda g: -told[g])[:_SEARCHED_GROUPS]:
        yield f"group {rows.labels[g]}", *rows.of_group(g)
    rng = np.random.default_rng(seed)
    every = np.argwhere(rows.real)
    some = every[rng.permutation(len(every))[:_POOLED_ROWS]]
    x, y = rows.x[some[:, 0], some[:, 1]], rows.y[some[:, 0], some[:, 1]]
    middle = np.array([np.mean(rows.of_group(g)[1]) for g in range(rows.count)])
    yield "all groups, each at mean 0 and deviation 1", x, (y - middle[some[:, 0]]) / rows.units[some[:, 0]]
    yield "all groups", x, y


def _telling(x: np.ndarray, y: np.ndarray) -> float:
    """How much the rows of a group can tell: many rows, over wide ranges."""
    return float(np.log(len(y)) + np.sum(np.log(np.ptp(x, axis=0) + 1e-300)))


def _searched(problem: SearchProblem) -> list[OpenForm]:
    """The forms of the shortest description in one search."""
    found: dict[sympy.Expr, tuple[float, OpenForm]] = {}
    enough = 0
    for stage in (*QUICK, *DECOMPOSITIONS, *MATCHED, *THOROUGH):
        for template in stage(problem, parts):
            fit = refine(template, problem)
            if fit is not None and np.isfinite(fit.error):
                values = dict(zip(fit.model.constants, map(sympy.Float, fit.values), strict=True))
                form = opened(without_bars(template.expression.xreplace(values), problem))
                if form is not None and form.start:
                    bits = problem.rows * np.log2(max(fit.error, 1e-11)) + _CONSTANT * len(form.start)
                    bits += _NODE * complexity(template.expression)
                    key = form.key()
                    if key not in found or bits < found[key][0]:
                        found[key] = (float(bits), form)
                    enough += fit.explained() and len(form.start) <= _SETTLED
            if problem.budget.over() or enough >= _EACH:
                break
        if problem.budget.over() or enough >= _EACH:
            break
    return [form for _, form in sorted(found.values(), key=lambda pair: pair[0])[:_EACH]]


def of_one_input(rows: GroupedRows, columns: Sequence[sympy.Symbol]) -> Iterator[OpenForm]:
    """a*f(b*x + c) + d for common functions f of each input; also with other inputs added, or times another input.

    Parameters
    ----------
    rows : GroupedRows
        All rows, of which ranges are taken.
    columns : sequence of sympy.Symbol
        The symbols of the inputs.
    """
    for place, x in enumerate(columns):
        values = rows.x[..., place][rows.real]
        width, middle = max(deviation(values), 1e-300), float(np.mean(values))
        if np.ptp(values) == 0:
            continue
        rate = 1 / width
        plain = [
            1.5 * x + 0.5,
            1.5 * x**2 + 1.2 * x + 0.5,
            1.5 * sympy.exp(-rate * x) + 0.5,
            1.5 * sympy.sin(2 * rate * x + 0.4) + 0.5,
            1.5 * sympy.tanh(rate * x - rate * middle) + 0.5,
            1.5 * sympy.exp(-(rate**2) * (x - 1.1 * middle - 0.01 * width) ** 2) + 0.5,
            1.5 / (1 + (rate * (x - 1.1 * middle - 0.01 * width)) ** 2) + 0.5,
            1.5 * sympy.atan(rate * x - rate * middle) + 0.5,
            1.5 * sympy.exp(-0.3 * rate * x) * sympy.sin(2 * rate * x + 0.4) + 0.5,
        ]
        if np.all(values > 0):
            plain += [
                1.5 * x**1.3 + 0.5,
                1.5 * x**1.3 * sympy.exp(-rate * x),
                1.5 * sympy.log(x + 0.5 * width) + 0.5,
                1.5 * sympy.exp(-rate / x * width**2) + 0.5,
                1.5 * x / (x + width) + 0.5,
                1.5 * x**1.3 / (x**1.3 + width**1.3),
            ]
        for expression in plain:
            beside = [other for other in columns if other != x]
            for whole in (expression, expression + sympy.Add(*beside), *(expression * other for other in beside)):
                form = opened(whole)
                if form is not None and (beside or whole == expression):
                    yield form
