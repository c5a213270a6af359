"""What is known of a law keeps candidates out, and a form that is asked for is fitted."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import PriorKnowledge, Rows, find_formula, fit_form, verify_formula
from bimt_train import InputError

X, Z = sympy.symbols("x z", real=True)
ROWS = np.random.default_rng(0).uniform(-2, 2, (40, 2))


@pytest.mark.parametrize(
    ("known", "agrees", "contradicts"),
    [
        ({"functions": ("sin",)}, sympy.sin(X) + X**2 / Z, sympy.exp(X)),
        ({"functions": ("sqrt",)}, sympy.sqrt(X**2 + 1), sympy.Abs(X) ** sympy.Rational(1, 3)),
        ({"functions": ("abs", "power")}, sympy.Abs(X) ** sympy.Rational(1, 3), sympy.sqrt(X**2 + 1)),
        ({"monotone": {"x": "rising"}}, X**3 + Z**2, X**2),
        ({"monotone": {"x": "falling"}}, -X, sympy.sin(X)),
        ({"even": ("x",)}, X**2 + Z, X**2 + X),
        ({"odd": ("x",)}, Z * X, Z + X),
        ({"swaps": (("x", "z"),)}, X * Z, X - Z),
        ({"limits": {"x": 0.0}}, 1 / (1 + X**2), 1 / (1 + X**2) + 1),
        ({"limits": {"x": 1.0}}, sympy.tanh(X), sympy.atan(X)),
    ],
)
def test_an_expression_agrees_or_not(known, agrees, contradicts):
    prior = PriorKnowledge(**known)
    assert prior.allows(agrees, [X, Z], ROWS)
    assert not prior.allows(contradicts, [X, Z], ROWS)


def test_the_search_keeps_to_the_functions_that_may_occur():
    x = np.random.default_rng(0).uniform(0, 3, (60, 1))
    y = np.tanh(x[:, 0])
    free = find_formula(x, y, names=["x"], output="y", time_limit=1)
    assert free.expression == sympy.tanh(X)
    bound = find_formula(x, y, names=["x"], output="y", time_limit=3, prior=PriorKnowledge(functions=("exp",)))
    assert bound.expression.atoms(sympy.Function) == bound.expression.atoms(sympy.exp)
    assert bound.fits  # by exponentials


def test_where_nothing_agrees_the_mean_is_left():
    x = np.random.default_rng(0).uniform(0, 3, (40, 1))
    found = find_formula(x, x[:, 0], names=["x"], output="y", time_limit=0.5, prior=PriorKnowledge(even=("x",)))
    assert not found.expression.free_symbols or found.expression.subs(X, -X) == found.expression


def test_a_form_is_fitted_and_judged():
    x = np.random.default_rng(0).uniform(0, 4, (90, 1))
    y = 40 * np.exp(-1.7 * x[:, 0]) - 12
    found = fit_form("a*exp(-b*t) + c", x[:60], y[:60], names=["t"], output="y")
    t = sympy.Symbol("t", real=True)
    assert found.expression == 40 * sympy.exp(-17 * t / 10) - 12
    judged = verify_formula(found, test=Rows(x[60:], y[60:]), truth=None, ranges=[(0, 4)])
    assert judged.word == "exact"
    wrong = fit_form("a*t + c", x[:60], y[:60], names=["t"], output="y")
    assert verify_formula(wrong, test=Rows(x[60:], y[60:]), truth=None, ranges=[(0, 4)]).word == "none"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: PriorKnowledge(functions=("sinn",)), "not known"),
        (lambda: PriorKnowledge(monotone={"x": "up"}), "direction"),
        (lambda: found(prior=PriorKnowledge(odd=("q",))), "unknown input"),
        (lambda: fitted("3*x"), "cannot be fitted"),
        (lambda: fitted("log(-1 - a**2*x**2)"), "not defined"),
    ],
)
def test_bad_knowledge_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()


def found(**about):
    return find_formula(ROWS[:, :1], ROWS[:, 0], names=["x"], output="y", time_limit=1, **about)


def fitted(form):
    return fit_form(form, ROWS[:, :1], ROWS[:, 0], names=["x"], output="y")
