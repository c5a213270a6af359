"""Refined constants and their errors, against finite differences and against ordinary least squares."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import model, refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._snapping import snap
from bimt_analyze.formulas.problem._template import Template, constant, linear

X1, X2 = sympy.symbols("x1 x2", real=True)


def problem(function: object, *, noise: float = 0.0, rows: int = 80, seed: int = 0) -> SearchProblem:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (rows, 2))
    y = function(x[:, 0], x[:, 1]) + noise * rng.normal(size=rows)  # type: ignore[operator]
    return SearchProblem(x, y, (X1, X2), Budget.of(60.0))


def wave() -> tuple[Template, tuple[sympy.Dummy, ...]]:
    a, b, c = constant(), constant(), constant()
    return Template(a * sympy.sin(b * X1) + c * X2, {a: 1.5, b: 2.7, c: 0.0}), (a, b, c)


def test_the_jacobian_is_the_derivative() -> None:
    template, _ = wave()
    ready = model(template, problem(lambda u, v: u * v))
    values = np.array([1.3, 2.2, -0.4])
    _, jacobian = ready.evaluate(values)
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        slope = (ready.evaluate(values + step)[0] - ready.evaluate(values - step)[0]) / 2e-6
        np.testing.assert_allclose(jacobian[:, k], slope, atol=1e-8)


def test_constants_come_back_to_the_last_digits() -> None:
    template, _ = wave()
    fit = refine(template, problem(lambda u, v: 2 * np.sin(np.pi * u) - v / 3))
    assert fit is not None and fit.explained()
    np.testing.assert_allclose(fit.values, [2.0, np.pi, -1 / 3], rtol=1e-13)
    snapped = snap(fit)
    assert snapped.expression == 2 * sympy.sin(sympy.pi * X1) - X2 / 3


def test_standard_errors_are_those_of_least_squares() -> None:
    asked = problem(lambda u, v: 1.234 * u - 0.77 * v, noise=0.1)
    fit = refine(linear([X1, X2], [0.0, 0.0]), asked)
    assert fit is not None
    sigma2 = np.sum(fit.residual**2) / (80 - 2)
    expected = np.sqrt(sigma2 * np.diag(np.linalg.inv(asked.x.T @ asked.x)))
    np.testing.assert_allclose(fit.errors, expected, rtol=1e-8)
    np.testing.assert_allclose(fit.values, np.linalg.lstsq(asked.x, asked.y, rcond=None)[0], rtol=1e-8)


def test_a_constant_that_the_rows_leave_open_is_told() -> None:
    a, b, c = constant(), constant(), constant()
    template = Template(a * sympy.exp(b * X1 + c), {a: 0.5, b: 0.9, c: 0.2})
    fit = refine(template, problem(lambda u, v: 3 * np.exp(u)))
    assert fit is not None
    assert np.isinf(fit.errors[[0, 2]]).all() and np.isfinite(fit.errors[1])


def test_noise_snaps_only_what_lies_within_its_errors() -> None:
    fit = refine(linear([X1, X2], [0.0, 0.0]), problem(lambda u, v: 2 * u - 0.7731 * v, noise=0.003))
    assert fit is not None
    first, second = snap(fit).constants
    assert first.exact == 2
    assert second.exact is None
    assert second.value == pytest.approx(-0.7731, abs=5 * second.error)


def test_exact_rows_refuse_a_number_that_is_near_but_wrong() -> None:
    a = constant()
    fit = refine(Template(sympy.sin(a * X1), {a: 3.0}), problem(lambda u, v: np.sin(3.1415 * u)))
    assert fit is not None
    assert snap(fit).constants[0].exact == sympy.Rational(6283, 2000)


def test_undefined_forms_are_dropped() -> None:
    a = constant()
    assert refine(Template(sympy.log(X1 + a), {a: 0.0}), problem(lambda u, v: u)) is None


def test_hyperbolic_functions_are_differentiated_as_exponentials() -> None:
    from bimt_analyze.formulas.problem._constants import _without_hyperbolic

    u, c = sympy.symbols("u c", real=True)
    expression = sympy.cosh(c * u) / (2 + sympy.sinh(sympy.cosh(u) - c))
    plain = _without_hyperbolic(expression)
    assert not plain.has(sympy.cosh, sympy.sinh)
    for values in ((0.3, 0.7), (-1.2, 0.1), (2.0, -0.4)):
        at = dict(zip((u, c), map(sympy.Float, values), strict=True))
        assert float(plain.diff(c).xreplace(at)) == pytest.approx(float(expression.diff(c).xreplace(at)), rel=1e-12)


@pytest.mark.parametrize("digits", [3, 4, 5])
def test_constants_that_others_fix_get_their_names_too(digits: int) -> None:
    """Powers of the inputs and of the factor stand in for each other, until one of them has its name."""
    x = np.random.default_rng(0).uniform(1.0, 3.0, (200, 2))
    y = x[:, 0] / np.expm1(0.16 * x[:, 0] / x[:, 1])
    tolerance = 0.3 * 10.0**-digits / float(np.std(y))
    asked = SearchProblem(x, np.round(y, digits), (X1, X2), Budget.of(60.0), tolerance=tolerance)
    a, b, c, p, q = (constant() for _ in range(5))
    form = a * X1**p * X2**q * (sympy.exp(b * X1 / X2) - 1) ** c
    fit = refine(Template(form, {a: 1.0, b: 0.162, p: 1.01, q: 0.01, c: -1.01}), asked)
    assert fit is not None and fit.explained()
    assert snap(fit).expression == X1 / (sympy.exp(sympy.Rational(4, 25) * X1 / X2) - 1)
