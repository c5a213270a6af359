"""Sums of a few terms, and inputs seen through a function: what each generator proposes, held against the truth."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.generators._lifted import lifted
from bimt_analyze.formulas.generators._outer import outer_rationals
from bimt_analyze.formulas.generators._rational import rationals
from bimt_analyze.formulas.generators._sparse_sums import sparse_sums
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._template import Template, numeric

Generate = Callable[[SearchProblem], Iterator[Template]]


def _problem(formula: str, *, seed: int = 0, noise: float = 0.0) -> SearchProblem:
    truth = sympy.sympify(formula)
    names = sorted(str(symbol) for symbol in truth.free_symbols)
    columns = tuple(sympy.Symbol(name, real=True) for name in names)
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 3.0, (400, len(names)))
    y = np.asarray(sympy.lambdify(names, truth, "numpy")(*x.T), dtype=np.float64)
    return SearchProblem(x, y + noise * rng.normal(size=400) * np.std(y), columns, Budget.of(60.0))


def _found(formula: str, generate: Generate) -> bool:
    """Whether one of the first proposals meets fresh rows to nine digits."""
    problem, fresh = _problem(formula), _problem(formula, seed=1)
    for template, _ in zip(generate(problem), range(60), strict=False):
        if template.error < 1e-9:
            values = numeric(template.filled(), problem.columns)(fresh.x)
            return bool(np.allclose(values, fresh.y, rtol=1e-7, atol=1e-7))
    return False


@pytest.mark.parametrize(
    "formula",
    [
        "a/b + exp(c)",
        "a/d - log(a + c) + sin(b)",
        "a + tanh(sin(b))",
        "sin(a/b) + sin(a*c) + sqrt(c**3/b)",
        "b*tanh(a/c) - (a + b - c)**3",
        "3*exp(-a) + 1/a**2 + 2/a**3",
        "tanh(b + cos(a))",
        "a*exp(-b**2) + atan(c)",
        "a*exp(-b**2) + c*sinh(c)",
    ],
)
def test_a_sum_of_a_few_terms_is_found(formula: str) -> None:
    assert _found(formula, sparse_sums)


def test_noise_is_no_sum_of_terms() -> None:
    problem = _problem("a + 0*b", noise=30.0)
    assert all(template.error > 0.1 for template in sparse_sums(problem))


@pytest.mark.parametrize(
    "formula",
    [
        "(cos(a) - b)/(1 - b*cos(a))",
        "(1 - a**2/10)/(2 + a*cos(b - c))",
        "cos(a)*(c**3*(b - 1)/(b + 2) - c)",
        "(7/10 - b)*sin(a)/(a + 7/10)",
        "a**2*b**2/(5/4 - cos(c))**2",
    ],
)
def test_an_input_is_seen_through_a_function(formula: str) -> None:
    assert _found(formula, lambda problem: lifted(problem, (rationals, outer_rationals), share=1.0))


def test_a_quotient_within_a_function() -> None:
    assert _found("exp((a + 1)/(b + 2))", outer_rationals)
    assert not _found("exp(sin(a*b))", outer_rationals)


def test_quotients_of_low_degree_are_found_where_high_degrees_have_them_too() -> None:
    """Of degree four the null space has many dimensions; the lowest degrees must still be what is told."""
    template = next(iter(rationals(_problem("(a + b)/(a - b - 5)"))))
    assert sympy.count_ops(template.expression) < 15
    assert list(rationals(_problem("sin(a*b)*exp(a)"))) == []
