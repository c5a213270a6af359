"""Parts that noisy or rounded rows do not ask for go; those that they ask for stay."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.search._candidate import finished
from bimt_analyze.formulas.search._pared import pared

A, B = sympy.symbols("a b", real=True)
LAW = 2 * A * (1 - sympy.cos(B))


def rows(law: sympy.Expr, *, noise: float, tolerance: float = 0.0) -> SearchProblem:
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 5, (300, 2))
    clean = np.asarray(sympy.lambdify((A, B), law, "numpy")(*x.T), dtype=np.float64)
    y = clean + noise * float(np.std(clean)) * rng.normal(size=300)
    return SearchProblem(x, y, (A, B), Budget.of(5.0), tolerance=tolerance)


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_what_noise_or_rounding_hides_goes(tolerance: float) -> None:
    problem = rows(LAW, noise=0.01, tolerance=tolerance)
    told = 2 * A * (sympy.tanh(sympy.exp(B)) - sympy.cos(B)) + sympy.Float(1e-4) * A**2
    found = finished(problem, told, (), explained=bool(tolerance))
    best = pared([found], problem, work=0.5)
    assert sympy.expand(best[0].expression - LAW) == 0 and best[-1] is found


def test_a_factor_goes_that_varies_little_where_its_product_is_large() -> None:
    law = B * sympy.exp(sympy.Rational(73, 10) * A)
    problem = rows(law, noise=0.01)
    told = sympy.Float(0.3) * A * B * sympy.exp(sympy.Float(7.03) * A)
    found = finished(problem, told, (), explained=False)
    best = pared([found], problem, work=0.5)[0].expression
    assert sympy.log(best / law).subs(B, 1).subs(A, 4).evalf() < 0.1 and not (best / B).has(A * sympy.exp(A))
    assert sympy.simplify(sympy.log(best / B).diff(A, 2)) == 0


def test_what_the_rows_ask_for_stays() -> None:
    law = 2 * A * (sympy.exp(B / 20) - sympy.cos(B)) + A**2 / 20
    problem = rows(law, noise=0.01)
    found = finished(problem, law, (), explained=False)
    assert pared([found], problem, work=0.5) == [found]


def test_rows_in_double_precision_decide_alone() -> None:
    told = LAW + 10.0 ** sympy.Integer(-13) * A
    problem = rows(LAW, noise=0.0)
    found = finished(problem, told, (), explained=True)
    assert found.settled and pared([found], problem, work=0.5) == [found]
    assert pared([], problem, work=0.5) == []


def test_a_part_that_overflows_is_passed_over() -> None:
    problem = rows(LAW, noise=0.01)
    told = 2 * A * (sympy.tanh(sympy.exp(sympy.exp(10 * B))) - sympy.cos(B))  # its tanh is 1
    found = finished(problem, told, (), explained=False)
    assert sympy.expand(pared([found], problem, work=0.5)[0].expression - LAW) == 0
