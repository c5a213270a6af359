"""Where noise hides the function of an argument, the shortest one that the rows allow is found."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._template import Template, constant
from bimt_analyze.formulas.search._candidate import finish, finished
from bimt_analyze.formulas.search._varied import varied

A, B, C = COLUMNS = sympy.symbols("a b c", real=True)
LAWS = [
    (A * B / sympy.sqrt(1 - B**2 / C**2), A * B * (1.27 * sympy.cosh(B / C) - 0.28)),  # a ratio of two inputs
    (A * sympy.cos(B) / C**2, A * B * (0.28 * B**2 - 1.51 * B + 1.71) / C**2),  # several factors of one input
    (A * B * sympy.tanh(B * C), 1.2 * A * B * sympy.exp(-0.4 / (B * C))),
    (A + C / (1 + B), A + C * (1.1 * sympy.exp(-B) + 0.1)),  # a term of a sum
    ((A - B * C) / sympy.sqrt(1 - B**2 / C**2), A - B * C),  # a factor that is close to one on most rows
    (A * C**2 + sympy.exp(B), A * C**2),  # a term that is small on most rows
    (sympy.asin(1 / (B * C)), 1 / sympy.sqrt(B**2 * C**2 - 0.367)),  # all of it: longer forms have terms besides
]


def rows(law: sympy.Expr, *, noise: float) -> SearchProblem:
    rng = np.random.default_rng(0)
    x = rng.uniform([1, 0.5, 3.2], [5, 3, 6], (1000, 3))
    x[:, 2] = x[:, 2] / (10 if law.has(sympy.tanh) else 1)
    y = np.asarray(sympy.lambdify(COLUMNS, law, "numpy")(*x.T), dtype=np.float64)
    return SearchProblem(x, y + noise * np.std(y) * rng.normal(size=len(y)), COLUMNS, Budget.of(9.0))


@pytest.mark.parametrize(("law", "found"), LAWS, ids=str)
def test_the_function_of_an_argument_becomes_the_shortest(law: sympy.Expr, found: sympy.Expr) -> None:
    problem = rows(law, noise=0.1)
    first = finished(problem, found, (), explained=False)
    best = varied([first], problem, work=3.0)[0]
    assert sympy.simplify(best.expression - law) == 0, best.expression


@pytest.mark.parametrize(("law", "seed"), [(A / (B * C**3), 2), (A * B**2, 3)], ids=str)
def test_the_luckiest_of_many_longer_forms_is_no_better(law: sympy.Expr, seed: int) -> None:
    rng, scale = np.random.default_rng(seed), constant()
    x = rng.uniform([1, 0.5, 1], [5, 3, 4], (300, 3))
    y = 0.11937 * np.asarray(sympy.lambdify(COLUMNS, law, "numpy")(*x.T))
    problem = SearchProblem(x, y + 0.02 * np.std(y) * rng.normal(size=len(y)), COLUMNS, Budget.of(9.0))
    fit = refine(Template(scale * law, {scale: 0.1}), problem)
    assert fit is not None
    found = finish(problem, fit)
    assert varied([found], problem, work=3.0)[0] is found


def test_what_meets_the_rows_stays() -> None:
    problem = rows(LAWS[0][0], noise=0.0)
    found = finished(problem, LAWS[0][0], (), explained=True)
    assert varied([found], problem, work=3.0) == [found]
    assert varied([], problem, work=3.0) == []


def test_without_work_nothing_is_tried() -> None:
    law, told = LAWS[0]
    problem = rows(law, noise=0.1)
    found = finished(problem, told, (), explained=False)
    assert varied([found], problem, work=0.01) == [found]
    assert problem.budget.left > 8.9
