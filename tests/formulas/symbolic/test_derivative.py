"""The derivative against sympy's own, and what is compiled against sympy's lambdify."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import model
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._template import Template
from bimt_analyze.formulas.symbolic._derivative import derivative

X, Y, C = sympy.symbols("x y c", real=True)
ONE = (
    sympy.sin, sympy.exp, sympy.log, sympy.sqrt, sympy.tanh, sympy.atan, sympy.asin, sympy.Abs, sympy.sign,
    lambda u: 1 / u, lambda u: u**3, lambda u: u ** sympy.Rational(-3, 2), lambda u: sympy.Max(u, 0),
)  # fmt: skip
TWO = (lambda u, v: u + v, lambda u, v: u * v, lambda u, v: (u**2 + 1) ** v)
EXPRESSIONS = st.recursive(
    st.sampled_from([X, Y, C, C, sympy.Integer(2), sympy.Float(1.5), sympy.pi]),
    lambda inner: (
        st.builds(lambda f, u: f(u), st.sampled_from(ONE), inner)
        | st.builds(lambda f, u, v: f(u, v), st.sampled_from(TWO), inner, inner)
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_the_derivative_is_that_of_sympy(expression: sympy.Expr) -> None:
    if not expression.has(sympy.zoo, sympy.nan, sympy.oo):
        assert derivative(expression, C) == expression.diff(C)


@pytest.mark.parametrize("build", [
    lambda a, b, c, x, y: a * sympy.sin(b * x + c) + y,
    lambda a, b, c, x, y: (a * x + b * y + c) / (x**2 + b),
    lambda a, b, c, x, y: a * sympy.Abs(x - b) * sympy.cosh(c * y),
    lambda a, b, c, x, y: a * sympy.exp(-b * x**2) * sympy.log(y + c) + x * sympy.exp(-b * x**2),
])  # fmt: skip
@pytest.mark.parametrize("named", ["x1 x2", "x0 A", "AA99999 A99999"])
def test_what_is_compiled_gives_the_values_and_slopes_of_lambdify(build, named: str) -> None:
    columns = sympy.symbols(named, real=True)
    constants = [sympy.Dummy("c", real=True) for _ in range(3)]
    expression = build(*constants, *columns)
    x = np.random.default_rng(0).uniform(0.5, 2, (30, 2))
    values = np.array([1.25, 0.75, 2.5])
    problem = SearchProblem(x, np.ones(30), tuple(columns), Budget.of(1.0))
    order = [constants[place] for place in (2, 0, 1)]
    ready = model(Template(expression, dict(zip(order, values, strict=True))), problem)
    filled = dict(zip(order, values, strict=True))
    for output, side in zip(ready.both(x.T, values), [expression, *(expression.diff(c) for c in order)], strict=True):
        plain = sympy.lambdify(columns, side.subs(filled), "numpy")(*x.T)
        np.testing.assert_allclose(np.broadcast_to(output, 30), np.broadcast_to(plain, 30), rtol=1e-12)


def test_what_is_remembered_is_what_evaluate_gives_and_is_charged_each_time() -> None:
    c = sympy.Dummy("c", real=True)
    x = np.linspace(0.1, 2, 20)[:, None]
    problem = SearchProblem(x, np.sin(x[:, 0]), (X,), Budget.of(1.0))
    ready = model(Template(sympy.log(c * X), {c: 1.0}), problem)
    evaluate = ready.remembering()
    for value in (1.0, 1.0, 2.0, 1.0, -1.0, -1.0, 3.0):  # of a negative number there is no logarithm
        before = problem.budget.ledger.spent
        residual, jacobian = evaluate(np.array([value]))
        middle = problem.budget.ledger.spent
        expected, slopes = ready.evaluate(np.array([value]))
        assert problem.budget.ledger.spent - middle == pytest.approx(middle - before)
        assert middle > before
        np.testing.assert_array_equal(residual, expected)
        np.testing.assert_array_equal(jacobian, slopes)
        assert np.all(np.isfinite(residual))
        residual[:], jacobian[:] = np.nan, np.nan  # whoever is given arrays may work in them
