"""Products of powers with a wave are found under noise, though their sign changes from row to row."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.generators._wave_products import wave_products
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.search._candidate import finish, order

A, B, C, D = COLUMNS = sympy.symbols("a b c d", real=True)
LAWS = [
    A * B * C * sympy.sin(D),
    3 * A * sympy.sin(B) * sympy.cos(B) / (C * D**3),
    -(A**2) * sympy.cos(C) / D,
    A * B**2 * C / D,
]


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("low", [1.0, -5.0])  # the first input changes its sign too
def test_a_product_with_a_wave_is_found_under_noise(law: sympy.Expr, low: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform([low, 1, 1, 1], 5, (500, 4))
    y = np.asarray(sympy.lambdify(COLUMNS, law, "numpy")(*x.T), dtype=np.float64)
    problem = SearchProblem(x, y + 0.1 * np.std(y) * rng.normal(size=500), COLUMNS, Budget.of(20.0))
    fits = (refine(template, problem) for template in wave_products(problem))
    best = min((finish(problem, fit) for fit in fits if fit is not None), key=order)
    assert (best.expression / law).simplify().is_number, best.expression


WAVES = [A * sympy.sin(20 * B), A**2 / C * sympy.cos(7.3 * B + 1), -sympy.sin(43 * A - 2) / D**2]


@pytest.mark.parametrize("law", WAVES, ids=str)
def test_the_frequency_of_a_wave_beside_powers_is_looked_for(law: sympy.Expr) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 5, (400, 4))
    y = np.asarray(sympy.lambdify(COLUMNS, law, "numpy")(*x.T), dtype=np.float64)
    problem = SearchProblem(x, y + 0.02 * np.std(y) * rng.normal(size=400), COLUMNS, Budget.of(20.0))
    fits = (refine(template, problem) for template in wave_products(problem))
    best = min((finish(problem, fit) for fit in fits if fit is not None), key=order)
    found = np.asarray(sympy.lambdify(COLUMNS, best.expression, "numpy")(*x.T), dtype=np.float64)
    assert np.std(found - y) < 0.01 * np.std(y) and best.expression.free_symbols == law.free_symbols


def test_other_laws_give_nothing() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    for y in (x[:, 0] + 3 * x[:, 1] ** 2, np.zeros(300)):
        problem = SearchProblem(x, y, (A, B), Budget.of(20.0))
        assert all(template.error > 0.3 for template in wave_products(problem))
