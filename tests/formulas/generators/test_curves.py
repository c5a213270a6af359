"""Functions of one argument beyond the library, alone, as coefficients of polynomials, and within other functions."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.curves._curve_shapes import curve_shapes, matched_shapes
from bimt_analyze.formulas.curves._features import features
from bimt_analyze.formulas.generators._curves import curves, curves_within
from bimt_analyze.formulas.generators.decompositions._varying_coefficients import varying_coefficients
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._inner import Inner
from bimt_analyze.formulas.problem._search_problem import SearchProblem

U, V, W = sympy.symbols("u v w", real=True)
LOCALS = {"u": U, "v": V, "w": W}


def problem(text, low=0.5, high=3.0, rows=400):
    truth = sympy.sympify(text, locals=LOCALS)
    columns = tuple(sorted(truth.free_symbols, key=str))
    x = np.random.default_rng(0).uniform(low, high, (rows, len(columns)))
    y = np.asarray(sympy.lambdify(columns, truth)(*x.T), dtype=np.float64)
    return SearchProblem(x, y, columns, Budget.of(60.0))


@pytest.mark.parametrize("u", [np.linspace(0.5, 3, 40), np.linspace(-2, 2, 40), np.linspace(-0.9, -0.1, 40)])
def test_a_feature_is_the_expression_that_it_says(u):
    chunks = list(features(u, deep=False))
    assert sum(map(len, chunks)) > 10_000
    rng = np.random.default_rng(1)
    for chunk in chunks:
        assert np.all(np.isfinite(chunk.values))
        for k in rng.integers(len(chunk), size=8).tolist():
            one = chunk.feature(k)
            with np.errstate(all="ignore"):
                said = sympy.lambdify(U, one.build(U))(u)
            np.testing.assert_allclose(chunk.values[k], said, rtol=1e-9)
            np.testing.assert_allclose(one.value(u), said, rtol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "sin(log(u))",
        "u*atan(u**2)",
        "u - 2/sqrt(u)",
        "(u - 3)*sin(u)",
        "u/sin(u)",
        "3*log(sin(u)) + 2",
        "log(u)**3",
        "27*u**9/1000 + 3",
    ],
)
@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_functions_within_functions_are_named(text, noise):
    asked = problem(text)
    h = asked.y + noise * np.std(asked.y) * np.random.default_rng(2).normal(size=asked.rows)
    best = curve_shapes(Inner((U,), (1.0,), asked.x[:, 0]), h, tolerance=noise, budget=asked.budget)[0].whole()
    fit = refine(best, asked)
    assert fit is not None and fit.explained()


def test_the_library_is_not_bettered_where_it_suffices():
    asked = problem("2*sin(3*u) + 1")
    best = curve_shapes(Inner((U,), (1.0,), asked.x[:, 0]), asked.y, tolerance=0.0, budget=asked.budget)[0]
    assert best.length == 0 and best.error < 1e-9


def test_few_different_arguments_tell_nothing():
    u = np.repeat(np.arange(1.0, 11.0), 20)
    assert matched_shapes(Inner((U,), (1.0,), u), np.sin(np.log(u)), Budget.of(5.0)) == []


@pytest.mark.parametrize("u", [np.linspace(1, 2, 60) * 1e200, np.linspace(1, 2, 60) * 1e-200, np.linspace(-3, 3, 61)])
def test_arguments_of_any_size_are_taken(u):
    found = matched_shapes(Inner((U,), (1.0,), u), u / np.max(u), Budget.of(5.0))
    assert min(shape.error for shape in found) < 1e-9


def test_chance_is_no_match():
    h = np.random.default_rng(3).normal(size=300)
    found = matched_shapes(Inner((U,), (1.0,), np.linspace(0.5, 3, 300)), h, Budget.of(5.0))
    assert min(shape.error for shape in found) > 0.8


@pytest.mark.parametrize(
    ("text", "generate"),
    [
        ("tanh(u/tanh(u))**3", lambda asked: curves(asked, deep=True)),
        ("cos(cos(log(u)/u))", lambda asked: curves(asked, deep=True)),
        ("sqrt(2*u + sin(u)/u + 1)", curves_within),
        ("u**2*v/sin(v) - u - 5/2", varying_coefficients),
        ("(u - sin(v))/cos(tanh(v))", varying_coefficients),
        ("u**2 - (u + v + w)*log(sin(w))", varying_coefficients),
    ],
)
def test_a_generator_proposes_the_form(text, generate):
    asked = problem(text)
    fits = (refine(template, asked) for template in generate(asked))
    assert any(fit is not None and fit.explained() for fit in fits)


def test_no_coefficient_is_seen_where_all_inputs_are_mixed():
    assert list(varying_coefficients(problem("sin(u*v*w)*exp(u/v)"))) == []
