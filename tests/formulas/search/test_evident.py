"""Sums and products that smooth parts show beyond doubt are found before anything dear is asked."""

import numpy as np
import sympy

from bimt_analyze.formulas import find_formula
from bimt_analyze.formulas.generators.decompositions import _additive
from bimt_analyze.formulas.generators.decompositions._additive import low_error_sums
from bimt_analyze.formulas.generators.decompositions._separable import low_error_products
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.search._search import parts, search
from bimt_analyze.formulas.search._stages import DECOMPOSITIONS

NAMES = tuple(sympy.symbols("a b c", real=True))
a, b, c = NAMES


def problem(truth: sympy.Expr, *, noise: float = 0.0) -> SearchProblem:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (300, 3))
    y = np.asarray(sympy.lambdify(NAMES, truth)(*x.T), dtype=np.float64)
    return SearchProblem(x, y + noise * rng.normal(size=len(y)), NAMES, Budget.of(20.0))


def test_a_sum_over_groups_is_found_without_the_pool() -> None:
    truth = a * b + sympy.sin(3 * c)
    outcome = search(problem(truth), DECOMPOSITIONS)
    assert outcome.settled
    assert sympy.simplify(outcome.done[-1].expression - truth) == 0


def test_three_functions_of_one_input_each_are_told_apart() -> None:
    truth = sympy.exp(a) + sympy.cos(2 * b) + c**3
    outcome = search(problem(truth), [low_error_sums])
    assert outcome.settled
    assert outcome.done[-1].expression == truth


def test_what_is_no_sum_or_not_beyond_doubt_proposes_nothing() -> None:
    assert list(low_error_sums(problem(sympy.sin(2 * a * b * c)), parts)) == []
    assert list(low_error_sums(problem(a * b + sympy.sin(3 * c), noise=0.05), parts)) == []


def test_a_product_of_functions_of_one_input_each_is_found_without_the_pool() -> None:
    truth = sympy.Rational(7, 10) + sympy.exp(a) * sympy.sin(2 * b) * (c**2 + 1)
    outcome = search(problem(truth), [low_error_products])
    assert outcome.settled
    assert sympy.simplify(outcome.done[-1].expression - truth) == 0
    assert list(low_error_products(problem(sympy.sin(2 * a * b + c)), parts)) == []
    assert list(low_error_products(problem(truth, noise=0.05), parts)) == []


def test_a_function_of_one_input_is_found_without_the_pool() -> None:
    x = np.linspace(-1, 1, 100)[:, None]
    alone = SearchProblem(x, np.sin(3.1 * x[:, 0]), NAMES[:1], Budget.of(20.0))
    outcome = search(alone, DECOMPOSITIONS)
    assert outcome.settled
    assert outcome.done[-1].expression == sympy.sin(sympy.Rational(31, 10) * a)


def test_a_sum_keeps_to_its_share_of_the_time(monkeypatch) -> None:
    asked: list[float] = []

    def watched(given: SearchProblem, groups: object, propose: object):
        asked.append(given.budget.end)
        return iter(())

    monkeypatch.setattr(_additive, "_over", watched)
    whole = problem(a * b + sympy.sin(3 * c))
    assert list(low_error_sums(whole, parts)) == []
    assert len(asked) == 1
    assert asked[0] < whole.budget.end - 10


def test_a_whole_search_ends_with_the_sum() -> None:
    given = problem(a * b + sympy.sin(3 * c))
    stages: list[str] = []
    formula = find_formula(given.x, given.y, names=("a", "b", "c"), output="y", time_limit=20.0, progress=stages.append)
    assert formula.expression == a * b + sympy.sin(3 * c)
    assert "pool search" not in stages
