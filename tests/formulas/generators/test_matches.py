"""Searches over the pool: what each of them alone must find, and what none may claim."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.generators._affine import affine, low_error_affine
from bimt_analyze.formulas.generators._monomial_times_function import monomial_times_function
from bimt_analyze.formulas.generators.decompositions._mixed import mixed
from bimt_analyze.formulas.generators.decompositions._similarity import (
    free_of,
    low_error_similar,
    similar,
    similarities,
)
from bimt_analyze.formulas.pool_search import _candidate_match, _feature_tests, _matches, _pair_tests, _polynomial_test
from bimt_analyze.formulas.pool_search._expression_pool import build_pool
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._monomials import direction, expression, monomials, value
from bimt_analyze.formulas.problem._polynomial import polynomials
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.search._stages import ONE_VARIABLE

NAMES = ("a", "b", "c", "d")
SYMBOLS = tuple(sympy.Symbol(name, real=True) for name in NAMES)
LOCALS = dict(zip(NAMES, SYMBOLS, strict=True))


def powers(*numbers):
    return tuple(map(Fraction, numbers))


def problem_of(text, width=4, *, rows=300, noise=0.0, low=1.0, high=3.0, seconds=60.0):
    rng = np.random.default_rng(1)
    x = rng.uniform(low, high, (rows, width))
    y = sympy.lambdify(SYMBOLS[:width], sympy.parse_expr(text, local_dict=LOCALS))(*x.T)
    return SearchProblem(x, y + noise * np.std(y) * rng.normal(size=rows), SYMBOLS[:width], Budget.of(seconds))


def errors(problem, templates, most=12):
    for template, _ in zip(templates, range(most), strict=False):
        if (fit := refine(template, problem)) is not None:
            yield fit.error


def best(problem, templates, most=12):
    return min(errors(problem, templates, most), default=np.inf)


def is_met(problem, templates, *, within, most=12):
    """Whether the best is that good; the first that is decides it."""
    return any(error < within for error in errors(problem, templates, most))


@cache
def pool_of(width):
    """The pool over the rows of `problem_of`, which are the same for every law."""
    problem = problem_of("a", width)
    return build_pool(problem.x, problem.columns, limit=8000, budget=Budget.of(60.0))


def of_test(test, problem):
    pool = pool_of(problem.width)
    np.testing.assert_array_equal(pool.values[: problem.width], problem.x.T)  # the columns come first
    return (m.template() for m in sorted(test(problem, pool), key=lambda m: m.bits))


@pytest.mark.parametrize(
    ("test", "text", "width"),
    [
        (_feature_tests.power_laws, "a*exp(-0.3*b*c/d)", 4),
        (_feature_tests.power_laws, "a*b*tanh(0.2*c/d)", 4),
        (_feature_tests.single_features, "0.7*exp(-0.3*(a - b)**2)/c", 3),
        (_polynomial_test.polynomial_multiples, "c/((a - b)**2 + (a - d)**2 + 3)", 4),
        (_polynomial_test.polynomial_multiples, "(a - b*c)/sqrt(1 + c**2/d**2)", 4),
        (_pair_tests.products_of_two, "1.5*cos(a*b)*log(c) + 0.3*cos(a*b)", 3),
        (_pair_tests.sums_of_two, "2*sin(a)*b + 3*exp(c/d) + 1", 4),
    ],
)
def test_each_search_finds_its_own_kind(test, text, width):
    problem = problem_of(text, width)
    assert is_met(problem, of_test(test, problem), within=1e-12)


@pytest.mark.parametrize("test", _matches.TESTS)
def test_noise_without_a_law_is_met_by_nothing(test):
    problem = problem_of("0*a", noise=0.0)
    noise = SearchProblem(problem.x, np.random.default_rng(5).normal(size=300), problem.columns, Budget.of(60.0))
    assert best(noise, of_test(test, noise)) > 0.5


def test_matched_forms_come_exact_ones_first_and_survive_noise():
    clean = problem_of("a*exp(-b*c/d)")
    first = next(iter(_matches.matched(clean)))
    assert refine(first, clean).error < 1e-12
    noisy = problem_of("2*sin(a)*b + 3*exp(c/d) + 1", rows=150, noise=0.01, seconds=200.0)
    assert best(noisy, _matches.matched(noisy), most=40) == pytest.approx(0.01, rel=0.15)


@pytest.mark.parametrize(
    ("text", "argument"),
    [("a*sin(2*b*c/d)**2", (0, 1, 1, -1)), ("b/(exp(0.4*a/c) - 1)", (1, 0, -1, 0)), ("log(a*b)/c**2", (1, 1, 0, 0))],
)
def test_similarity_sees_the_argument_whatever_the_function(text, argument):
    found = similarities(problem_of(text, rows=1000))
    assert found[0].argument == argument
    assert found[0].rough < 0.05


def test_similar_asks_in_one_variable_and_answers_in_all():
    problem = problem_of("a*b/(2*(exp(0.4*a*b/c) - 1))", 3, rows=400)
    first = next(template for template in similar(problem, ONE_VARIABLE) if template.error < 1e-9)
    assert refine(first, problem).error < 1e-11


def test_what_is_evidently_similar_is_asked_and_what_may_be_is_not():
    exact = problem_of("a*b/(2*(exp(0.4*a*b/c) - 1))", 3, rows=400)
    first, same = (next(ask(exact, ONE_VARIABLE)) for ask in (low_error_similar, similar))
    assert str(first.expression) == str(same.expression)
    noisy = replace(exact, y=exact.y + 0.01 * exact.unit * np.random.default_rng(0).normal(size=400))
    assert next(similar(noisy, ONE_VARIABLE))
    assert list(low_error_similar(noisy, ONE_VARIABLE)) == []


def test_no_argument_is_seen_in_noise():
    problem = problem_of("0*a", rows=500)
    noise = SearchProblem(problem.x, np.random.default_rng(5).normal(size=500), problem.columns, Budget.of(60.0))
    assert min(s.rough for s in similarities(noise)) > 0.5
    assert list(similar(noise, ONE_VARIABLE)) == []


def test_affine_in_another_column():
    problem = problem_of("a*(cos(b*c) + d*exp(-b*c))", rows=600)
    assert is_met(problem, affine(problem), within=1e-11)


def test_affine_in_any_monomial() -> None:
    problem = problem_of("a*cosh(b/c) + c*log(b/c)", width=3, rows=200)
    assert is_met(problem, low_error_affine(problem), within=1e-11)


def test_no_monomial_is_clear_in_another_law() -> None:
    assert list(low_error_affine(problem_of("sin(a*b + c)", width=3, rows=100))) == []


def test_monomials_are_simple_first_and_their_values_are_their_spelling():
    every = monomials(3, most=200)
    assert every[:4] == [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert len(set(every)) == len(every) == 200
    x = np.random.default_rng(0).uniform(1, 2, (20, 3))
    for e in every[::17]:
        spelled = sympy.lambdify(SYMBOLS[:3], expression(SYMBOLS[:3], e))(*x.T)
        np.testing.assert_allclose(value(x, e), spelled * np.ones(20))


def test_a_multiple_is_told_apart_from_the_argument_s_share():
    assert direction(powers(-2, 4, 0)) == (1, -2, 0)
    argument = powers(1, 1, -1)
    assert free_of(powers(1, 2, 0), argument) == (0, 1, 1)
    assert free_of(powers(2, 2, -2), argument) == (0, 0, 0)


@pytest.mark.parametrize(
    "text", ["a*(b + 2*c*sin(d))", "sqrt(a**2 + b**2 - 2*a*b*cos(c - d))", "a + b + 2*sqrt(a*b)*cos(c)"]
)
def test_a_polynomial_and_a_monomial_times_one_function(text):
    problem = problem_of(text, 4 if "d" in text else 3)
    assert is_met(problem, mixed(problem), within=1e-11, most=40)


def test_powers_are_taken_off_and_the_rest_is_a_smaller_question():
    problem = problem_of("0.3*a**2*(c + d)**3/sqrt(b)")
    asked = []

    def cubic(question):
        asked.append(question.columns)
        yield from polynomials(question)

    assert is_met(problem, monomial_times_function(problem, [cubic]), within=1e-11)
    assert asked[0] == SYMBOLS[2:]


def test_nothing_is_taken_off_where_nothing_is_a_power():
    problem = problem_of("a*b + sin(c*a) + log(d + b)")
    assert best(problem, monomial_times_function(problem, [polynomials])) == np.inf


@pytest.mark.parametrize("most", [1, 24, 96])
def test_the_best_places_are_those_of_a_sort_of_all(most):
    rng = np.random.default_rng(most)
    squares = 10 ** rng.uniform(-20, 1, (30, 400))
    sizes = rng.integers(1, 20, 30), rng.integers(1, 20, 400)
    bits = 150 / 2 * np.log2(np.maximum(squares, 1e-16)) + 3.0 * np.add.outer(*sizes)
    found = _candidate_match.best_places(squares, sizes, 150, most=most)
    np.testing.assert_allclose(np.sort(bits.ravel()[found]), np.sort(bits, axis=None)[:most])


def test_no_test_of_the_pool_takes_the_time_of_the_next() -> None:
    problem = problem_of("(a - b*c)/sqrt(1 + c**2/d**2)", seconds=4.0)
    given = []

    def slow(seen, pool):
        while not seen.budget.over():
            seen.budget.charge("surrogate", 0.0, calls=0)
        return iter(())

    def last(seen, pool):
        given.append(seen.budget.left)
        return iter(())

    list(_matches.matched(problem, (slow, last)))
    assert len(given) == 1 and given[0] > 0.3


def test_matches_that_may_be_chance_stop_with_their_time() -> None:
    problem = problem_of("a + b", 2, noise=0.5, seconds=20.0)
    taken = 0
    for _ in _matches.matched(problem, (_feature_tests.power_laws,)):
        problem.budget.charge("surrogate", 0.0)  # as if each took long to fit
        taken += 1
    assert 0 < taken < 8
