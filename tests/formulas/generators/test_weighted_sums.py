"""Sums within a function are found under noise of 10 %, though the function cannot be undone row by row."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.generators.weighted_sums._weighted_sums import weighted_sums
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.search._candidate import finish, order

A, B, C, D = COLUMNS = sympy.symbols("a b c d", real=True)
LAWS = [
    A * sympy.sqrt(B**2 + C**2 + D**2),  # a factor, and a root
    A * sympy.exp(-B * C / D),  # a quotient
    A / ((B - C) ** 2 + D**2),  # a square of a difference
    sympy.sqrt(A**2 + B**2 - 2 * A * B * sympy.cos(C - D)),  # a wave
    -A * B / sympy.sqrt(1 - C**2 / 64),  # a number that has no simple name, and a sign
]


def rows(law: sympy.Expr, *, noise: float) -> SearchProblem:
    rng = np.random.default_rng(3)
    x = rng.uniform(1, 4, (800, len(COLUMNS)))
    y = np.asarray(sympy.lambdify(COLUMNS, law, "numpy")(*x.T), dtype=np.float64)
    return SearchProblem(x, y + noise * np.std(y) * rng.normal(size=len(y)), COLUMNS, Budget.of(40.0))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_a_law_within_a_function_is_found_under_noise(law: sympy.Expr) -> None:
    problem = rows(law, noise=0.1)
    fits = (refine(template, problem) for template in weighted_sums(problem))
    best = min((finish(problem, fit) for fit in fits if fit is not None), key=order)
    clean = rows(law, noise=0.0).y
    told = np.asarray(sympy.lambdify(COLUMNS, best.expression, "numpy")(*problem.x.T), dtype=np.float64)
    assert np.max(np.abs(told - clean)) < 0.03 * np.std(clean), best.expression


def test_noise_alone_gives_nothing() -> None:
    problem = rows(A, noise=0.0)
    noise = problem.target(np.random.default_rng(0).normal(size=problem.rows), tolerance=0.0)
    assert list(weighted_sums(noise)) == []


def test_exact_rows_that_polynomials_follow_are_other_generators_question() -> None:
    assert list(weighted_sums(rows(A * sympy.sqrt(B) * sympy.sin(C), noise=0.0))) == []


def test_rounded_rows_are_other_generators_question() -> None:
    problem = rows(LAWS[0], noise=0.0)
    assert list(weighted_sums(problem.target(problem.y, tolerance=1e-4))) == []
